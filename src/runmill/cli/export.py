"""``store export``: runs as files that other tools read."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final

import typer

from runmill.cli.options import HomeOption, StoreOption
from runmill.cli.sql import connected
from runmill.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    import pyarrow as pa

    from runmill.store.connection import Connection

__all__ = ["export"]

_OF_A_RUN: Final = ("runs", "logs", "points", "events", "artifacts")
"""The tables with a ``run_id``."""


class Format(StrEnum):
    """What an export is written as."""

    PARQUET = "parquet"
    JSON_LINES = "jsonl"
    OTLP = "otlp"


def export(
    folder: Annotated[Path, typer.Argument(help="Where the files go; it must be new or empty.", show_default=False)],
    *,
    run: Annotated[list[str] | None, typer.Option(help="Only this run; may be said again. None: all there is.")] = None,
    format_: Annotated[
        Format, typer.Option("--format", help="A file a table; or requests in OTLP/JSON, one a line.")
    ] = Format.PARQUET,
    store: StoreOption = None,
    home_dir: HomeOption = None,
) -> None:
    """Write what the store holds as files that other tools read."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidArgument(f"{str(folder)!r} is not empty: an export overwrites nothing. Name a new folder.")
    with connected(store, home_dir) as opened:
        statements = _statements(_where(opened, run or []))
        folder.mkdir(parents=True, exist_ok=True)
        if format_ is Format.OTLP:
            from runmill.cli.export_otlp import write_otlp  # noqa: PLC0415 - the command line starts without Arrow

            write_otlp(opened, statements, folder)
        else:
            _write_tables(opened, statements, folder, format_)


def _statements(where: str) -> dict[str, str]:
    """Give what selects each table's rows."""
    tables = {table: f"from {table}{where}" for table in _OF_A_RUN}
    made = " union all ".join(f"select resource_id {tables[table]}" for table in ("logs", "points", "events"))
    return tables | {"resources": f"from resources where resource_id in ({made})"}


def _where(store: "Connection", wanted: list[str]) -> str:
    """Give the condition of the runs that *wanted* names, each by its id, the beginning of one only, or 'latest'."""
    ids = [_quoted(_run_id(store, each)) for each in wanted]
    return f" where run_id in ({', '.join(ids)})" if ids else ""


def _run_id(store: "Connection", wanted: str) -> str:
    beginning = f"where starts_with(run_id, {_quoted(wanted)})"
    chosen = "order by start_time_unix_nano desc limit 1" if wanted == "latest" else beginning
    found = store.sql(f"select run_id from runs {chosen}")["run_id"].to_pylist()  # noqa: S608 - quoted
    if len(found) != 1:
        raise NotFound(f"run {wanted!r}: no such run, nor exactly one whose id begins so.")
    [run_id] = found
    return str(run_id)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _write_tables(store: "Connection", statements: Mapping[str, str], folder: Path, format_: Format) -> None:
    for table, statement in statements.items():
        path = folder / f"{table}.{format_}"
        with store.stream(statement) as answer, path.open("wb") as file:
            count = _WRITERS[format_](answer, file)
        typer.echo(f"{path}: {count:,} rows")


def _write_parquet(answer: "pa.RecordBatchReader", file: IO[bytes]) -> int:
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415 - as above

    count = 0
    with ParquetWriter(file, answer.schema, compression="zstd") as written:
        for batch in answer:
            written.write_batch(batch)
            count += batch.num_rows
    return count


def _write_json_lines(answer: "pa.RecordBatchReader", file: IO[bytes]) -> int:
    from runmill.views.sql import as_json_lines  # noqa: PLC0415 - as above

    count = 0
    for lines in as_json_lines(answer):
        file.write(lines)
        count += lines.count(b"\n")
    return count


_WRITERS: Final[Mapping[Format, Callable[["pa.RecordBatchReader", IO[bytes]], int]]] = {
    Format.PARQUET: _write_parquet,
    Format.JSON_LINES: _write_json_lines,
}
