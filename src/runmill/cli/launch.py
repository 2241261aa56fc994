"""``run``: a command as a run, whether or not it has heard of runmill."""

import os
import re
from typing import Annotated, Final

import typer

from runmill.app.runs.launch.carry_out import NOT_STARTED
from runmill.app.runs.launch.foreground import Foreground, program_name
from runmill.app.runs.workspace import Workspace
from runmill.azureml import with_azureml
from runmill.cli.options import HomeOption
from runmill.cli.render import say

__all__ = ["run"]

_PYTHON_PATH: Final = "PYTHONPATH"


def run(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run.", show_default=False)],
    *,
    experiment: Annotated[
        str | None, typer.Option("--experiment", metavar="NAME", help="Its experiment; else named after the script.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What the run is called.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="KEY[=VALUE]", help="Tag the run.")] = None,
    azureml: Annotated[bool, typer.Option("--azureml", help="Let `import azureml.core` in it find runmill.")] = False,
    home_dir: HomeOption = None,
) -> None:
    """Run a command as a run: its output, its files and its end are kept. Its exit code is this one's."""
    foreground = Foreground(
        command,
        experiment=experiment or re.sub(r"[^A-Za-z0-9_-]", "-", program_name(command)).strip("-_")[:255] or "script",
        display_name=name,
        tags=dict(_pair(each) for each in tag or []),
        variables={_PYTHON_PATH: with_azureml(os.environ)[_PYTHON_PATH]} if azureml else {},
    )
    started = foreground.start(Workspace(home=home_dir) if home_dir else Workspace.from_config())
    say(f"runmill: run {started.id}: {started.get_portal_url()}")
    verdict = foreground.carry_out(started)
    if verdict.exit_code == NOT_STARTED and verdict.error:
        say(f"runmill: {verdict.error['message']}")
    raise typer.Exit(verdict.exit_code)


def _pair(text: str) -> tuple[str, str | None]:
    key, equals, value = text.partition("=")
    return key, value if equals else None
