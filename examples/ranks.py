"""Two processes of one training, each with its rank, log to one run; by default its page shows rank 0.

A launcher such as torchrun or srun sets RANK, and `runmill run -- torchrun ...` the run: then the training code is all
there is to write. Here this file starts itself twice.
"""

import os
import subprocess
import sys

from runmill import Experiment, Run, Workspace


def train() -> None:
    run = Run.get_context()
    rank = int(os.environ["RANK"])
    for step in range(5):
        run.log("loss", 1 / (step + 1) + rank)
    run.complete()  # delivers; how the run ended is for its launcher to say


def launch() -> None:
    with Experiment(Workspace.from_config(), "ranks").start_logging(outputs=False) as run:
        identity = {"RUNMILL_RUN_ID": run.id, "RUNMILL_EXPERIMENT": run.experiment.name}
        workers = [
            subprocess.Popen([sys.executable, __file__], env={**os.environ, **identity, "RANK": str(rank)})
            for rank in range(2)
        ]
        codes = [worker.wait() for worker in workers]
        if any(codes):
            raise RuntimeError(f"workers ended with {codes}")
        print(f"rank 0: {run.get_metrics()['loss']}")
        ranks = {point.rank for series in run.get_series("loss") for point in series.points}
        print(f"ranks: {sorted(ranks)}")


train() if "RUNMILL_RUN_ID" in os.environ else launch()
