"""``logs``: the lines of a run, of a service, or of everything; and those to come."""

from operator import itemgetter
from typing import Annotated, Final

import typer

from runmill import home
from runmill.cli import render
from runmill.cli.moments import zoned
from runmill.cli.options import AsJson, HomeOption
from runmill.cli.reading import Json, Parameters, Reader
from runmill.errors import InvalidArgument

__all__ = ["logs", "print_records"]

_PAGE: Final = 10_000
"""The most one answer of the API holds."""
_LINGER_SECONDS: Final = 1.0
_INTERRUPTED: Final = 130
_LONGEST_EXAMPLES: Final = 80


def logs(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="A run's id, a unique prefix of it, or 'latest'; none: everything.",
            show_default=False,
        ),
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until the run ends.")] = False,
    service: Annotated[str | None, typer.Option(metavar="NAME", help="Only this service.name (without RUN).")] = None,
    query: Annotated[
        str | None,
        typer.Option("--query", "-q", metavar="QUERY", help='Like: level>=warning phase:eval "out of memory" -text'),
    ] = None,
    level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="This level and above: WARNING, or a severity_number.")
    ] = None,
    grep: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only lines with it in message or fields, in any case.")
    ] = None,
    logger: Annotated[str | None, typer.Option(metavar="NAME", help="Only this logger and its children.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="An age (15m, 2h), an ISO 8601 time, or nanoseconds.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="The same; only what is older.")] = None,
    around: Annotated[
        str | None, typer.Option(metavar="WHEN", help="The same; half of the lines before it, half from there on.")
    ] = None,
    keys: Annotated[
        bool, typer.Option("--keys", help="Which attributes these lines have, how often, with some values.")
    ] = False,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="The newest N of them.")] = 200,
    as_json: AsJson = False,
    home_dir: HomeOption = None,
) -> None:
    """Print log records in time order."""
    if run is not None and service is not None:
        raise InvalidArgument(f"RUN {run!r} and --service {service!r} exclude each other: a run's service is known.")
    if follow and (until or around or keys):
        raise InvalidArgument("--follow goes on with what comes: it has no --until, --around or --keys.")
    times = {"since": zoned(since), "until": zoned(until)}
    filters = {"service": service, "q": query, "level": level, "text": grep, "logger": logger, **times}
    with Reader(home.find(home_dir)) as reader:
        found = reader.run(run) if run is not None else None
        path = f"/runs/{found['run_id']}" if found else ""
        if keys:
            _print_keys(reader.get(f"{path}/logs/attributes", filters)["attributes"], as_json=as_json)
            return
        records = (
            _around(reader, path, filters, zoned(around), limit) if around else _newest(reader, path, filters, limit)
        )
        if service is not None and not records and not follow:
            reader.require_service(service)
        print_records(records, as_json=as_json)
        if not follow or (found and found["end_time_unix_nano"] is not None):
            return
        if reader.server is None:
            render.say("No server runs in this home, so nothing new can arrive. Start one with: runmill up")
            return
        newest = max((record["cursor"] for record in records), default=0)
        stream = f"{path}/stream" if found else "/logs/stream"
        _follow(reader, stream, {**filters, "after": newest}, as_json=as_json)


def print_records(records: list[Json], *, as_json: bool = False) -> None:
    """Print records as lines, or as JSON."""
    if as_json:
        render.print_json(records)
        return
    console = render.console()
    for record in records:
        console.print(render.log_line(record), soft_wrap=True)


def _print_keys(found: list[Json], *, as_json: bool) -> None:
    if as_json:
        render.print_json(found)
        return
    rows = [
        (each["name"], str(each["count"]), _cut(", ".join(map(render.json_or_text, each["examples"]))))
        for each in found
    ]
    render.print_table(("ATTRIBUTE", "LINES", "EXAMPLES"), rows, right=("LINES",))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_EXAMPLES else f"{text[: _LONGEST_EXAMPLES - 1]}…"


def _around(reader: Reader, path: str, filters: Parameters, at: str | None, limit: int) -> list[Json]:
    """Give *limit* records, half of them before *at*."""
    found: list[Json] = reader.get(f"{path}/logs", {**filters, "at": at, "limit": min(limit, _PAGE)})["records"]
    return found


def _newest(reader: Reader, path: str, filters: Parameters, limit: int) -> list[Json]:
    """Give the newest *limit* records in time order, page by page from the end."""
    pages: list[list[Json]] = []
    missing, before, more = limit, None, True
    while more and missing:
        page = reader.get(f"{path}/logs", {**filters, "before": before, "limit": min(missing, _PAGE)})
        pages.append(page["records"])
        missing -= len(page["records"])
        before, more = page["first"], page["more_before"]
    return [record for page in reversed(pages) for record in page]


def _follow(reader: Reader, path: str, parameters: Parameters, *, as_json: bool) -> None:
    def tell(name: str, data: Json) -> None:
        if name == "logs":
            # One commit holds its records logger by logger.
            print_records(sorted(data["records"], key=itemgetter("time_unix_nano")), as_json=as_json)
        elif name == "dropped":
            render.say(f"{data['count']} records came faster than they could be shown; they are stored.")

    try:
        reader.follow(path, parameters, tell, linger_seconds=_LINGER_SECONDS)
    except KeyboardInterrupt:
        # How a person ends it: no error, and no word of one.
        raise typer.Exit(_INTERRUPTED) from None
