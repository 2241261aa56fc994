"""``demo``: the whole way once, with real processes: a server, a training script, and what came of it."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import typer

from runmill import home as homes
from runmill.cli import render
from runmill.cli.logs import print_records
from runmill.cli.options import HomeOption
from runmill.cli.reading import Json, Reader
from runmill.errors import ConfigError, RunFailed, Unavailable
from runmill.home import Home, Server

__all__ = ["demo"]

_EXAMPLE: Final = Path(__file__).with_name("ridge_diabetes.py")
_START_SECONDS: Final = 60.0
_LINES: Final = 12


def demo(*, home_dir: HomeOption = None) -> None:
    """Train an example with everything running, and show the run. Its home is a new temporary one, unless named."""
    if importlib.util.find_spec("sklearn") is None:
        raise ConfigError("The demo trains with scikit-learn, which is not installed: pip install 'runmill[demo]'")
    with _home(home_dir) as home, _server(home) as server:
        _train(home, server)
        _show(home)
        if sys.stdout.isatty():
            _serve_until_interrupted(server)


@contextmanager
def _home(home_dir: Path | None) -> Iterator[Home]:
    if home_dir is not None:
        yield homes.find(home_dir)
        return
    with tempfile.TemporaryDirectory(prefix="runmill-demo-") as folder:
        yield homes.find(folder)


@contextmanager
def _server(home: Home) -> Iterator[Server]:
    """Start ``runmill up`` as its own process, and stop it at the end."""
    render.say("Starting collector, run store and portal ...")
    # A group of its own: Ctrl-C is for the demo, which then stops the server in order.
    command = [sys.executable, "-m", "runmill", "up", "--home", str(home.path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - our own
    try:
        yield _wait_for_server(home, process)
    finally:
        process.terminate()
        process.wait()


def _wait_for_server(home: Home, process: "subprocess.Popen[bytes]") -> Server:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        # server.json is written once the server is ready; an older one may lie there after a crash.
        if (server := home.find_server()) is not None and server.pid == process.pid:
            return server
        if process.poll() is not None:
            raise Unavailable(f"The server ended at once with status {process.returncode}; it said why above.")
        time.sleep(0.05)
    raise Unavailable(f"The server was not ready after {_START_SECONDS:.0f} s.")


def _train(home: Home, server: Server) -> None:
    """Run the example as anybody's script: in a folder of its own, knowing only where the collector is."""
    folder = home.path / "example"
    folder.mkdir(parents=True, exist_ok=True)
    script = shutil.copy(_EXAMPLE, folder)
    render.say(f"Training: python {script}\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment |= {"RUNMILL_HOME": str(home.path), "RUNMILL_ENDPOINT": server.endpoint}
    done = subprocess.run([sys.executable, script], cwd=folder, env=environment, check=False)  # noqa: S603 - our own
    if done.returncode != 0:
        raise RunFailed(f"The example ended with status {done.returncode}; it said why above.")


def _show(home: Home) -> None:
    with Reader(home) as reader:
        run = reader.run("latest")
        path = f"/runs/{run['run_id']}"
        points = list(reader.points(run["run_id"]))
        records = reader.get(f"{path}/logs", {"limit": _LINES})["records"]
        kept = reader.get(f"{path}/files")["files"]
        address = f"{reader.server.endpoint}{path}" if reader.server else ""
    alphas, errors = _values(points, "alpha"), _values(points, "mse")
    out = render.console()
    out.print(f"\nMetrics of {run['experiment']} ({len(alphas)} points each, {len(kept)} files)", style="bold")
    rows = [(f"{alpha:.2f}", f"{mse:.2f}") for alpha, mse in zip(alphas, errors, strict=True)]
    render.print_table(("ALPHA", "MSE"), rows, right=("ALPHA", "MSE"))
    mse, alpha = min(zip(errors, alphas, strict=True))
    out.print(f"\nBest alpha: {alpha:.2f} (mse {mse:.2f})", style="bold green")
    out.print(f"\nLast {len(records)} log lines (runmill logs latest --home {home.path})", style="bold")
    print_records(records)
    out.print(f"\nRun page: {address}", style="bold", soft_wrap=True)


def _values(points: list[Json], metric: str) -> list[float]:
    return [point["value"] for point in points if point["metric"] == metric]


def _serve_until_interrupted(server: Server) -> None:
    render.say(f"Serving {server.endpoint} until Ctrl-C.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        render.say("\nStopping.")
        raise typer.Exit from None
