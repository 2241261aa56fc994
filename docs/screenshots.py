# ruff: noqa: INP001 - a script, not a package
"""Make the pictures in docs/images: a real server, a real training run, a real browser.

``python docs/screenshots.py`` needs the development environment and Chromium.
"""

import logging
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from numpy.random import RandomState
from playwright.sync_api import sync_playwright
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss, precision_recall_curve
from sklearn.model_selection import train_test_split

import runmill
from runmill import home

IMAGES = Path(__file__).parent / "images"
CHROMIUM = "/usr/bin/chromium"
EPOCHS = 120
HARD_DIGIT = 8
BATCH_SIZE = 160
WARM_EPOCHS = 20
WORRYING = 0.92
STARTING_SECONDS = 60

log = logging.getLogger("train")


def main() -> None:
    """Serve an empty home, train into it, take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "runmill", "up", "--home", folder, "--endpoint", "127.0.0.1:0"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:  # noqa: S603 - ourselves
            try:
                endpoint = wait_for_server(Path(folder))
                run_id = train(folder)
                take_pictures(f"{endpoint}/runs/{run_id}")
            finally:
                server.terminate()


def wait_for_server(folder: Path) -> str:
    """Give the server's address once it has written it down."""
    deadline = time.monotonic() + STARTING_SECONDS
    while (server := home.find(folder).find_server()) is None:
        if time.monotonic() > deadline:
            raise SystemExit("the server did not start; run `runmill up` to see why.")
        time.sleep(0.1)
    return server.endpoint


def train(folder: str) -> str:
    """Fit a classifier of digits and log it as people do; give the run's id."""
    logging.basicConfig(level=logging.DEBUG, handlers=[runmill.Handler(home=folder)])
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    run = runmill.Experiment(runmill.Workspace(home=folder), "digits").start_logging(
        snapshot_directory=None, display_name="sgd, constant rate", tags={"model": "sgd"}
    )
    pixels, digits = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(pixels / 16, digits, random_state=0)
    log.info("split %d pictures", len(digits), extra={"train_rows": len(train_x), "test_rows": len(test_x)})
    model = SGDClassifier(loss="log_loss", random_state=0, learning_rate="constant", eta0=0.004)
    for epoch in range(EPOCHS):
        learn(run, model, epoch, (train_x, train_y), (test_x, test_y))
    report(run, model, test_x, test_y)
    runmill.flush()
    return str(run.id)


def learn(run: runmill.Run, model: SGDClassifier, epoch: int, train: tuple, test: tuple) -> None:
    """One epoch."""
    logging.getLogger("train.loop").debug("epoch %d started", epoch)
    batch = RandomState(epoch).randint(len(train[0]), size=BATCH_SIZE)
    model.partial_fit(train[0][batch], train[1][batch], classes=range(10))
    losses = [log_loss(labels, model.predict_proba(pixels), labels=range(10)) for pixels, labels in (train, test)]
    accuracy = model.score(*test)
    run.log("loss", losses[0])
    run.log("val_loss", losses[1])
    run.log("accuracy", accuracy)
    run.log("weight_norm", float(math.sqrt((model.coef_**2).sum())))
    said = {"loss": round(losses[0], 4), "accuracy": round(accuracy, 3)}
    logging.getLogger("train.loop").info("epoch %d done", epoch, extra=said)
    if accuracy < WORRYING and epoch > WARM_EPOCHS:
        logging.getLogger("train.watch").warning("accuracy fell to %.3f in epoch %d", accuracy, epoch)


def report(run: runmill.Run, model: SGDClassifier, pixels: list, digits: list) -> None:
    """What is logged once, at the end."""
    chances = model.predict_proba(pixels)[:, HARD_DIGIT]
    precision, recall, _ = precision_recall_curve(digits == HARD_DIGIT, chances)
    for x, y in zip(recall[::-1], precision[::-1], strict=True):
        run.log_row("eights", recall=float(x), precision=float(y))
    run.log("parameters", int(model.coef_.size))
    try:
        model.predict(pixels[:, :10])
    except ValueError:
        logging.getLogger("train.check").exception("a picture was cut off; it is left out")
    log.info("done, accuracy %.4f", model.score(pixels, digits))


def take_pictures(address: str) -> None:
    """The run page by day and by night."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 1400, "height": 860}, color_scheme=scheme)
            page.goto(address)
            page.get_by_text("done, accuracy").wait_for()
            page.locator("#chart-weight_norm .plot.drawn").wait_for()
            if scheme == "light":
                # A point under the pointer: its lines are lit in the log.
                page.locator("#chart-accuracy .plot").hover(position={"x": 232, "y": 60})
                page.locator(".line.lit").first.wait_for()
            page.screenshot(path=IMAGES / f"run-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main()
