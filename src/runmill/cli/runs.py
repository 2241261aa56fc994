"""``runs``, ``show``, ``metrics`` and ``files``: what is known of runs."""

import time
from collections.abc import Iterator
from typing import Annotated, Final

import typer
from rich.text import Text

from runmill import home
from runmill.cli import render
from runmill.cli.options import AsJson, HomeOption, RunArgument
from runmill.cli.reading import Json, Reader
from runmill.errors import InvalidArgument, NotFound

__all__ = ["files", "metrics", "runs", "show"]

_SHORT_ID: Final = 8
_WIDEST_CELL: Final = 40


def runs(
    *,
    experiment: Annotated[str | None, typer.Option(metavar="NAME", help="Only this experiment.")] = None,
    status: Annotated[
        list[str] | None, typer.Option(metavar="STATUS", help="Only runs in it; may be repeated.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="KEY[=VALUE]", help="Only runs with it; may be repeated.")
    ] = None,
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only runs with it in an id, a name or a tag.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="QUERY", help="Like: mse<0.3 status:Completed tag.team:vision -resnet")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 20,
    as_json: AsJson = False,
    home_dir: HomeOption = None,
) -> None:
    """List runs, newest first."""
    asked = {
        "experiment": experiment,
        "status": status,
        "tag": tag,
        "text": text,
        "where": where,
        "limit": limit,
        "include_children": True,
    }
    with Reader(home.find(home_dir)) as reader:
        found = reader.get("/runs", asked)["runs"]
        if experiment is not None and not found:
            reader.require_experiment(experiment)
    if as_json:
        render.print_json(found)
    else:
        columns = ("RUN", "EXPERIMENT", "NUMBER", "NAME", "STATUS", "STARTED", "DURATION")
        render.print_table(columns, [_row(run) for run in found], right=("NUMBER", "DURATION"))


def show(run: RunArgument, *, as_json: AsJson = False, home_dir: HomeOption = None) -> None:
    """Show a run: its state, tags, properties, metrics and files."""
    with Reader(home.find(home_dir)) as reader:
        found = reader.run(run)
        if as_json:
            render.print_json([found])
            return
        measured = _summaries(reader, found["run_id"])
        kept = reader.get(f"/runs/{found['run_id']}/files")["files"]
        portal = reader.server.endpoint if reader.server else None
    render.print_facts(_facts(found, portal=portal))
    if measured:
        render.console().print()
        _print_metrics(measured)
    if kept:
        render.console().print()
        _print_files(kept)


def metrics(
    run: RunArgument,
    metric: Annotated[
        str | None, typer.Argument(metavar="METRIC", help="Every point of this one.", show_default=False)
    ] = None,
    *,
    column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Its curve: only this column of its rows.")
    ] = None,
    over: Annotated[
        str | None, typer.Option(metavar="METRIC", help="Its curve over this metric, where their steps are the same.")
    ] = None,
    over_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Its curve over this column: of --over, else of its own rows.")
    ] = None,
    buckets: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Its curve in so many slices (else 1,000), if it is long.")
    ] = None,
    as_json: AsJson = False,
    home_dir: HomeOption = None,
) -> None:
    """Sum up a run's metrics, or print every point of one of them, or its curve."""
    curve = {"column": column, "x_metric": over, "x_column": over_column, "buckets": buckets}
    is_curve = any(value is not None for value in curve.values())
    if is_curve and metric is None:
        raise InvalidArgument("Of which metric? Name it behind the run: runmill metrics RUN METRIC --over ...")
    with Reader(home.find(home_dir)) as reader:
        run_id = reader.run(run)["run_id"]
        if metric is None:
            found = _summaries(reader, run_id)
        elif is_curve:
            found = reader.get(f"/runs/{run_id}/series", {"metric": metric, **curve})["buckets"]
        else:
            found = _points(reader, run_id, metric)
    if as_json:
        render.print_json(found)
    elif is_curve:
        _print_curve(found)
    elif metric is None:
        _print_metrics(found)
    else:
        _print_points(found)


def files(run: RunArgument, *, as_json: AsJson = False, home_dir: HomeOption = None) -> None:
    """List a run's files."""
    with Reader(home.find(home_dir)) as reader:
        found = reader.get(f"/runs/{reader.run(run)['run_id']}/files")["files"]
    if as_json:
        render.print_json(found)
    else:
        _print_files(found)


def _summaries(reader: Reader, run_id: str) -> list[Json]:
    found: list[Json] = reader.get(f"/runs/{run_id}/metrics")["metrics"]
    return found


def _points(reader: Reader, run_id: str, metric: str) -> list[Json]:
    found = list(reader.points(run_id, metric))
    if not found and metric not in {each["metric"] for each in _summaries(reader, run_id)}:
        raise NotFound(f"Run {run_id} has no metric {metric!r}. Those it has: runmill metrics {run_id}")
    return found


def _row(run: Json) -> tuple[str | Text, ...]:
    return (
        run["run_id"][:_SHORT_ID],
        run["experiment"],
        str(run["number"]),
        run["display_name"] or run["name"],
        render.status_text(run["status"]),
        render.moment(run["start_time_unix_nano"]),
        _lasted(run),
    )


def _lasted(run: Json) -> str:
    return render.duration(run["start_time_unix_nano"], run["end_time_unix_nano"] or time.time_ns())


def _facts(run: Json, *, portal: str | None) -> Iterator[tuple[str, str | Text]]:
    yield "run", run["run_id"]
    yield "experiment", f"{run['experiment']} (number {run['number']})"
    yield "name", run["display_name"] or run["name"]
    yield "description", run["description"]
    yield "status", render.status_text(run["status"])
    if run["error"]:
        yield "error", Text(render.printable(str(run["error"].get("message") or run["error"])), "red")
    yield "started", render.moment(run["start_time_unix_nano"])
    yield "duration", _lasted(run)
    yield "parent", run["parent_id"] or ""
    yield "by", " on ".join(part for part in (run["user"], run["host"]) if part)
    for kind in ("tags", "properties"):
        yield kind, "\n".join(key if value is None else f"{key}={value}" for key, value in run[kind].items())
    yield "page", f"{portal}/runs/{run['run_id']}" if portal else ""


def _print_metrics(found: list[Json]) -> None:
    columns = ("METRIC", "COLUMN", "COUNT", "LAST", "MIN", "MAX", "STEP")
    rows = [
        (
            each["metric"],
            each["column"] or "",
            str(each["count"]),
            *(_cell(each[key]) for key in ("last_value", "minimum", "maximum", "last_step")),
        )
        for each in found
    ]
    render.print_table(columns, rows, right=columns[2:])


def _print_points(found: list[Json]) -> None:
    columns = ("TIME", "COLUMN", "INDEX", "STEP", "VALUE")
    rows = [
        (
            render.moment(each["time_unix_nano"], milliseconds=True),
            each["column"] or "",
            *(_cell(each[key]) for key in ("index", "step", "value")),
        )
        for each in found
    ]
    render.print_table(columns, rows, right=columns[2:])


def _print_curve(found: list[Json]) -> None:
    columns = ("X", "LAST", "MIN", "MAX", "COUNT", "TIME")
    rows = [
        (
            *(_cell(each[key]) for key in ("x", "last", "minimum", "maximum", "count")),
            render.moment(each["time_unix_nano"], milliseconds=True),
        )
        for each in found
    ]
    render.print_table(columns, rows, right=columns[:5])


def _cell(value: object) -> str:
    """Give a value so that its table stays readable: all of a histogram is one ``--json`` away."""
    text = render.number(value)
    return text if len(text) <= _WIDEST_CELL else f"{text[: _WIDEST_CELL - 1]}…"


def _print_files(found: list[Json]) -> None:
    rows = [(each["path"], render.size(each["size_bytes"]), each["media_type"], each["sha256"][:12]) for each in found]
    render.print_table(("FILE", "SIZE", "TYPE", "SHA256"), rows, right=("SIZE",))
