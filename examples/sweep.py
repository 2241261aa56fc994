"""A sweep: a run below the sweep's own for each value tried, and the best of them registered as a model."""

import io
import json

from runmill import Experiment, Workspace

# Minimise (x - 3)^2 by gradient descent; the question is how large a step to take.
RATES = (0.01, 0.1, 0.4, 0.9)

experiment = Experiment(Workspace.from_config(), "sweep")
with experiment.start_logging(outputs=False, display_name="learning rate") as sweep:
    for rate in RATES:
        with sweep.child_run(f"rate {rate}") as child:
            child.log("rate", rate)
            x = 0.0
            for step in range(20):
                child.log("loss", (x - 3) ** 2, step=step)
                x -= rate * 2 * (x - 3)
            child.log("x", x)
            child.upload_file("outputs/model.json", io.StringIO(json.dumps({"x": x})))

    # One read for the whole sweep.
    metrics = sweep.get_metrics(recursive=True)
    tried = {run_id: found["loss"][-1] for run_id, found in metrics.items() if "loss" in found}
    best = min(tried, key=tried.get)
    model = experiment.workspace.get_run(best).register_model("minimum", "outputs/model.json")
    print(f"best of {len(tried)}: rate {metrics[best]['rate']}, x {metrics[best]['x']:.3f}, kept as {model.id}")
