"""What commands share: the same option with the same words everywhere."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

__all__ = ["AsJson", "HomeOption", "RunArgument", "StoreOption"]

HomeOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="The home directory; else RUNMILL_HOME, else your state directory."),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
StoreOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        envvar="RUNMILL_STORE",
        help="Another run store than the home's: a folder, or ducklake:postgres:... for one that machines share.",
    ),
]
RunArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, a unique prefix of it, or 'latest'.", show_default=False)
]
