"""``doctor``: what a person needs to see whose logs do not show."""

import importlib
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer

from runmill import home as homes
from runmill._version import __version__
from runmill.app import settings as settings_module
from runmill.app.diagnosis import find_faults
from runmill.app.handler import Handler
from runmill.cli import render
from runmill.cli.doctor_endpoint import ask_endpoint
from runmill.cli.options import AsJson, HomeOption
from runmill.errors import ConfigError
from runmill.home import Home
from runmill.journal.backlog import Backlog, backlogs

__all__ = ["doctor"]

_SECRET_WORDS = ("TOKEN", "HEADERS", "KEY", "PASSWORD", "SECRET")

AppOption = Annotated[
    str | None,
    typer.Option("--app", metavar="MODULE", help="Import this module and say which of its loggers are cut off."),
]


def doctor(*, app: AppOption = None, as_json: AsJson = False, home_dir: HomeOption = None) -> None:
    """Say why logs may not show: the endpoint, the journals' backlog, loggers that are cut off, dropped records.

    Ends with status 1 when something was found that keeps records back.
    """
    home = homes.find(home_dir)
    settings = settings_module.resolve(home=home_dir)
    journals = backlogs(home)
    report: dict[str, Any] = {
        "version": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})",
        "home": str(home.path),
        "environment": _environment(),
        "endpoint": ask_endpoint(settings),
        "spooled_files": _spooled(home),
        "journals": [{**asdict(each), "path": str(each.path)} for each in journals],
        "faults": [*_faults_of_running(journals), *(_faults_of(app) if app else [])],
    }
    if as_json:
        render.print_json([report])
    else:
        _print(report, journals)
    if any(_findings(report, journals)):
        raise typer.Exit(1)


def _environment() -> dict[str, str]:
    """Give the variables that are read, with what is secret in them blanked."""
    return {
        name: "***" if any(word in name for word in _SECRET_WORDS) else value
        for name, value in sorted(os.environ.items())
        if name.startswith(("RUNMILL_", "OTEL_"))
    }


def _spooled(home: Home) -> int:
    return sum(1 for _ in home.spool.glob("*")) if home.spool.is_dir() else 0


def _faults_of_running(journals: list[Backlog]) -> list[dict[str, str]]:
    """Give what running processes found in their own logging, each said with whose it is."""
    return [{**fault, "process": _name(each)} for each in journals if each.is_live for fault in each.faults]


def _faults_of(module: str) -> list[dict[str, str]]:
    """Import *module* as its program would, and look at the loggers it leaves. Raises ConfigError."""
    sys.path.insert(0, "")
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(f"--app {module!r}: {error}. Name a module that can be imported from here.") from error
    return [{**asdict(fault), "process": module} for fault in find_faults(Handler)]


def _findings(report: dict[str, Any], journals: list[Backlog]) -> Iterator[str]:
    """Yield what keeps records back or lost them, each with what to do, in the words a person reads."""
    endpoint = report["endpoint"]
    if not endpoint["is_reachable"]:
        yield f"{endpoint['address']}: {endpoint['problem']}. Try: {endpoint['remedy']}."
    for fault in report["faults"]:
        yield f"{fault['process']}: logger {fault['logger']!r}: {fault['problem']}. Try: {fault['remedy']}."
    for each in journals:
        for loss in each.losses:
            yield f"{_name(each)}: {loss}."
    if any(each.dropped_count for each in journals):
        yield "Dropped records found no room. Try: run a collector (`runmill up`), or set RUNMILL_JOURNAL_BYTES higher."
    if any(each.rejected_count for each in journals):
        yield "Rejected records are lost. Try: look into the log of the collector that rejected them."


def _print(report: dict[str, Any], journals: list[Backlog]) -> None:
    endpoint = report["endpoint"]
    mark = "[ok]" if endpoint["is_reachable"] else "[not ok]"
    render.print_facts(
        [
            ("runmill", f"{report['version']}, {report['python']}"),
            ("home", report["home"]),
            *((name, value) for name, value in report["environment"].items()),
            ("endpoint", f"{endpoint['address']} ({endpoint['set_by']})"),
            ("", f"{mark} {endpoint['answer']}"),
            ("spool", f"{report['spooled_files']} files wait for delivery" if report["spooled_files"] else ""),
            ("journals", "" if journals else "none: nothing waits, and no process that logs runs now"),
        ]
    )
    if journals:
        render.print_table(_COLUMNS, map(_row, journals), right=_NUMBERS)
    findings = [f"- {finding}" for finding in _findings(report, journals)]
    render.print_lines(["", *(findings or ["Nothing was found that keeps records back."])])


_COLUMNS = ("PROCESS", "PID", "STATE", "WAITING", "DROPPED", "REJECTED", "SIZE")
_NUMBERS = _COLUMNS[1:2] + _COLUMNS[3:]


def _row(each: Backlog) -> tuple[str, ...]:
    state = "running" if each.is_live else "ended; the next runmill process delivers it"
    counts = (f"{count:,}" for count in (each.pending_count, each.dropped_count, each.rejected_count))
    return each.service, str(each.pid or ""), state, *counts, render.size(each.size_bytes)


def _name(each: Backlog) -> str:
    return f"{each.service} ({each.pid})"
