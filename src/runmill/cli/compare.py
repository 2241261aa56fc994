"""``compare``: what is different between runs, what is equal in one line."""

from collections.abc import Mapping
from itertools import groupby
from typing import Annotated

import typer

from runmill import home
from runmill.cli import render
from runmill.cli.options import AsJson, HomeOption
from runmill.cli.reading import Json, Reader
from runmill.errors import InvalidArgument

__all__ = ["compare"]


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN RUN...", help="Ids, unique prefixes of ids, or 'latest'.", show_default=False),
    ],
    *,
    equal: Annotated[bool, typer.Option("--equal", help="List what is equal, too.")] = False,
    as_json: AsJson = False,
    home_dir: HomeOption = None,
) -> None:
    """Compare runs: values, metrics, tags, properties; what differs first."""
    with Reader(home.find(home_dir)) as reader:
        run_ids = [reader.run(run)["run_id"] for run in runs]
        if len(set(run_ids)) < 2:  # noqa: PLR2004 - one run is like itself
            raise InvalidArgument(f"compare {' '.join(runs)}: name two different runs or more.")
        found = reader.get("/compare", {"run": run_ids})
    if as_json:
        render.print_json(found["rows"])
        return
    _print_table(found["runs"], [row for row in found["rows"] if equal or row["differs"]])
    count = sum(not row["differs"] for row in found["rows"])
    if count and not equal:
        render.say(f"{count} equal; --equal lists them.")


def _print_table(runs: list[Json], rows: list[Json]) -> None:
    columns = ("", *(run["display_name"] or run["name"] for run in runs))
    lines = [("run", *(run["run_id"][:8] for run in runs)), ("status", *(run["status"] for run in runs))]
    for group, members in groupby(rows, key=lambda row: row["group"]):
        lines.append(("", *("" for _ in runs)))
        lines.append((group.upper(), *("" for _ in runs)))
        lines += [(row["name"], *(_cell(value) for value in row["values"])) for row in members]
    render.print_table(columns, lines)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        ends = f"{render.number(value['minimum'])} .. {render.number(value['maximum'])}"
        return f"{render.number(value['last'])}  ({ends})"
    return render.number(value) if value != "" else "yes"
