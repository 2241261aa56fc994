"""Train Ridge regressions on scikit-learn's diabetes data and log each: metrics, model files, native logs, structlog.

Run it as it is: ``python ridge_diabetes.py``. Where no collector runs, one starts by itself.
"""

import logging
import warnings
from pathlib import Path

import joblib
import structlog
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

import runmill
from runmill.structlog import send

# Every logger of the process, scikit-learn's neighbours included, goes to the run from here on.
logging.basicConfig(level=logging.DEBUG, handlers=[runmill.Handler()])
structlog.configure(processors=[structlog.stdlib.add_log_level, send])

log = logging.getLogger("ridge")
events = structlog.get_logger().bind(logger="ridge.models")

ALPHAS = [round(step * 0.05, 2) for step in range(20)]  # 0.0, 0.05, ... 0.95
OUTPUTS = Path("outputs")


def main() -> None:
    """Train one model per alpha and say which was best."""
    workspace = runmill.Workspace.from_config()
    run = runmill.Experiment(workspace, "ridge-diabetes").start_logging()
    run.tag("data", "diabetes")
    log.info("training %d models", len(ALPHAS))
    best = min(train_all(run), key=lambda result: result[1])
    run.tag("best_alpha", str(best[0]))
    log.info("best alpha is %.2f, mse %.2f", *best)
    run.complete()
    print(f"run {run.id} is at {run.get_portal_url()}")


def train_all(run: runmill.Run) -> list[tuple[float, float]]:
    """Give (alpha, mean squared error) of a model per alpha; everything about it is logged."""
    features, target = load_diabetes(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(features, target, test_size=0.2, random_state=0)
    log.debug("split the data", extra={"train_rows": len(train_x), "test_rows": len(test_x)})
    results = []
    for alpha in ALPHAS:
        model = fit(alpha, train_x, train_y)
        mse = float(mean_squared_error(test_y, model.predict(test_x)))
        run.log("alpha", alpha)
        run.log("mse", mse)
        run.log_row("mse by alpha", alpha=alpha, mse=mse)
        keep(run, model, alpha)
        print(f"alpha {alpha:.2f}  mse {mse:.2f}")
        results.append((alpha, mse))
    return results


def fit(alpha: float, features: object, target: object) -> Ridge:
    """Train one model; what the library warns about becomes a log record."""
    log.debug("fitting", extra={"alpha": alpha})
    with warnings.catch_warnings(record=True) as caught:
        model = Ridge(alpha=alpha).fit(features, target)
    for warning in caught:
        log.warning("alpha %.2f: %s", alpha, warning.message)
    return model


def keep(run: runmill.Run, model: Ridge, alpha: float) -> None:
    """Put the model into the run as a file."""
    OUTPUTS.mkdir(exist_ok=True)
    path = OUTPUTS / f"ridge_{alpha:.2f}.pkl"
    joblib.dump(model, path)
    run.upload_file(name=str(path), path_or_stream=str(path))
    events.info("model uploaded", path=str(path), size_bytes=path.stat().st_size, alpha=alpha)


if __name__ == "__main__":
    main()
