"""What a run's calls cost beside other trackers: a call in the training loop, a run to its end, reading it back.

Run by hand: ``python benchmarks/run_api.py [--peers FOLDER]``. FOLDER is a virtual environment with the peers that are
to be compared (``pip install mlflow wandb trackio tensorboardX``); those that are not there are left out by name. Every
measurement is a process of its own, and runmill's has a server of its own; MLflow logs fewer values, because each
takes it milliseconds.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from run_api_peers import PEERS

CHILD = Path(__file__).with_name("run_api_peers.py")
MODULES = {"mlflow": "mlflow", "wandb_offline": "wandb", "trackio": "trackio", "tensorboardx": "tensorboardX"}
COUNTS = {"call": 5_000, "points": 10_000, "read": 100_000, "sweep": 300}
FEWER = {("mlflow", "call"): 100, ("mlflow", "points"): 200, ("wandb_offline", "call"): 2_000}


@contextmanager
def server(home):
    """A server of a home, ready when entered."""
    environment = {**os.environ, "RUNMILL_HOME": str(home), "RUNMILL_AUTOSTART": "0"}
    command = [sys.executable, "-m", "runmill", "up", "--endpoint", "127.0.0.1:0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 30
            while not (home / "server.json").exists():
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.05)
            yield {**environment, "RUNMILL_ENDPOINT": json.loads((home / "server.json").read_text())["endpoint"]}
        finally:
            process.terminate()


def measure(peer, what, *, python, environment):
    count = FEWER.get((peer, what), COUNTS[what])
    with tempfile.TemporaryDirectory() as folder:
        command = [python, str(CHILD), peer, what, "--count", str(count), "--folder", folder]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1]}
    # Some say more at their end than was asked.
    [told] = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return {**json.loads(told), "count": count}


def is_there(python, module):
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def measured(peers_python):
    """Yield (peer, what, figures)."""
    with tempfile.TemporaryDirectory() as home, server(Path(home)) as environment:
        for what in COUNTS:
            yield "runmill", what, measure("runmill", what, python=sys.executable, environment=environment)
    for peer in [peer for peer in PEERS if peer != "runmill"]:
        if peers_python is None or not is_there(peers_python, MODULES[peer]):
            print(f"{peer}: not installed, left out", file=sys.stderr)
            continue
        for what in ("call", "points", "read"):
            yield peer, what, measure(peer, what, python=peers_python, environment=dict(os.environ))


def row(peer, found):
    def figure(what, key, form):
        value = found.get(what, {}).get(key)
        return "" if value is None else format(value, form)

    points = found.get("points", {})
    total = figure("points", "total_s", ".2f")
    if total and points["count"] != COUNTS["points"]:
        total = f"{points['total_s'] * COUNTS['points'] / points['count']:.1f} (from {points['count']:,})"
    cells = [
        peer,
        figure("call", "p50_us", ".1f"),
        figure("call", "p99_us", ".1f"),
        total,
        figure("read", "read_ms", ".0f"),
        figure("sweep", "read_ms", ".0f"),
    ]
    return f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, help="a virtual environment that has them")
    peers = parser.parse_args().peers
    load = os.getloadavg()[0]
    found = {}
    for peer, what, figures in measured(str(peers / "bin" / "python") if peers else None):
        print(f"{peer} {what}: {figures}", file=sys.stderr)
        found.setdefault(peer, {})[what] = figures
    machine = f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, load {load:.1f} before\n")
    print("| | a call µs, p50 | p99 | 10,000 values logged, ended, read: s | 100,000 values read: ms |"
          " 300 children read: ms |")  # fmt: skip
    print("|---|---:|---:|---:|---:|---:|")
    for peer, figures in found.items():
        print(row(peer, figures))


if __name__ == "__main__":
    main()
