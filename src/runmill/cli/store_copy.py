"""``store copy``: all of one run store into another."""

from contextlib import closing
from typing import Annotated

import typer

from runmill.cli import render
from runmill.cli.options import AsJson

__all__ = ["copy"]


def copy(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A folder or a URL.", show_default=False)],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Another one, made if need be.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy a run store into another, files too, and compare the counts. Begun again, it goes on where it was."""
    from dataclasses import asdict  # noqa: PLC0415 - the command line starts without the store

    from runmill import store as stores  # noqa: PLC0415
    from runmill.store import copying  # noqa: PLC0415

    with closing(stores.open(source)) as old, closing(stores.open(target)) as new:
        copied = copying.copy(old, new, tell=lambda count: render.say(f"{count:,} rows"))
    if as_json:
        render.print_json([asdict(copied)])
        return
    typer.echo(
        f"{copied.run_count:,} runs, {copied.log_count:,} log records, {copied.point_count:,} metric points and "
        f"{copied.file_count:,} files are in {target}."
    )
