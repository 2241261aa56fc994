"""The table of commands, and the one place where an error becomes a sentence and an exit status."""

import os
import sys
from typing import Annotated, Final

import typer

from runmill._version import __version__
from runmill.cli import (
    checks,
    collect,
    compare,
    demo,
    doctor,
    export,
    launch,
    logs,
    runs,
    sql,
    store_care,
    store_copy,
    up,
)
from runmill.cli.render import say
from runmill.errors import ConfigError, InvalidArgument, RunmillError

__all__ = ["app", "run"]

_FAILED: Final = 1
_USAGE: Final = 2

app = typer.Typer(
    name="runmill",
    help="Logs and metrics of training runs: collect, keep, read.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Exit status: 0 done; 1 failed, or not there; 2 the call or a configuration is wrong.",
)
store = typer.Typer(help="Look after the run store.", no_args_is_help=True)
app.command()(demo.demo)
app.command()(up.up)
app.command()(collect.collect)
app.command()(up.serve)
app.command()(runs.runs)
app.command()(runs.show)
app.command(context_settings={"allow_interspersed_args": False})(launch.run)
app.command()(logs.logs)
app.command()(runs.metrics)
app.command()(runs.files)
app.command()(compare.compare)
app.command()(sql.sql)
app.command()(checks.validate)
app.command()(doctor.doctor)
app.add_typer(store, name="store")
store.command("info")(checks.store_info)
store.command("compact")(store_care.compact)
store.command("prune")(store_care.prune)
store.command("export")(export.export)
store.command("copy")(store_copy.copy)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's signature of a callback
    if wanted:
        typer.echo(f"runmill {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version  # its callback has seen to it


def run() -> None:
    """Run the command that the arguments name and exit; what was foreseen ends in a sentence, never in a traceback."""
    try:
        status = _run()
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has what it wanted. Python flushes once more at exit: let that go nowhere, quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = _FAILED
    sys.exit(status)


def _run() -> int:
    try:
        app()
    except (ConfigError, InvalidArgument) as error:
        say(f"runmill: {error}")
        return _USAGE
    except RunmillError as error:
        say(f"runmill: {error}")
        return _FAILED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
