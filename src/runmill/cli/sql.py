"""``sql`` and ``store export``: the store's tables, for people who know what they want of them."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final

import typer

from runmill import home as homes
from runmill.cli import render
from runmill.cli.options import AsJson, HomeOption
from runmill.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    import pyarrow as pa

    from runmill.store.connection import Connection

__all__ = ["export", "sql"]

_MOST_SHOWN: Final = 1000
_TABLES: Final = ("runs", "logs", "points", "events", "artifacts")
"""What has to do with a run, each with a ``run_id``."""


class Format(StrEnum):
    """What an exported table is written as."""

    PARQUET = "parquet"
    JSON_LINES = "jsonl"


def sql(
    statement: Annotated[
        str | None, typer.Argument(help="One SELECT; '-' reads it from standard input, none lists the tables.")
    ] = None,
    *,
    as_json: AsJson = False,
    home_dir: HomeOption = None,
) -> None:
    """Ask the store in SQL (DuckDB's): it can be read, never changed, also while a server has it."""
    with _connected(home_dir) as store, store.stream(_text(statement)) as answer:
        if as_json:
            _write_json_lines(answer, sys.stdout.buffer)
        else:
            _print_table(answer)


def export(
    folder: Annotated[Path, typer.Argument(help="Where the files go; it must be new or empty.", show_default=False)],
    *,
    run: Annotated[list[str] | None, typer.Option(help="Only this run; may be said again. None: all there is.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="What the tables are written as.")] = Format.PARQUET,
    home_dir: HomeOption = None,
) -> None:
    """Write the tables as files, one a table, that other tools read."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidArgument(f"{str(folder)!r} is not empty: an export overwrites nothing. Name a new folder.")
    with _connected(home_dir) as store:
        where = _where(store, run or [])
        folder.mkdir(parents=True, exist_ok=True)
        for table, statement in _statements(where).items():
            path = folder / f"{table}.{format_}"
            with store.stream(statement) as answer, path.open("wb") as file:
                count = _WRITERS[format_](answer, file)
            typer.echo(f"{path}: {count:,} rows")


def _statements(where: str) -> dict[str, str]:
    tables = {table: f"from {table}{where}" for table in _TABLES}
    made = " union all ".join(f"select resource_id from {table}{where}" for table in ("logs", "points", "events"))  # noqa: S608 - quoted
    return tables | {"resources": f"from resources where resource_id in ({made})"}


def _connected(home_dir: Path | None) -> "Connection":
    from runmill import store as stores  # noqa: PLC0415 - the command line starts without the store

    return stores.connect(homes.find(home_dir).path)


def _text(statement: str | None) -> str:
    if statement is None and sys.stdin.isatty():
        return "select name as \"table\", array_to_string(column_names, ', ') as columns from (describe) order by all"
    return sys.stdin.read() if statement in {None, "-"} else str(statement)


def _rows(answer: "pa.RecordBatchReader") -> Iterator[dict[str, Any]]:
    for batch in answer:
        yield from batch.to_pylist()


def _print_table(answer: "pa.RecordBatchReader") -> None:
    columns = answer.schema.names
    rows = list(islice(_rows(answer), _MOST_SHOWN + 1))
    render.print_table(columns, (_cells(row.values()) for row in rows[:_MOST_SHOWN]), right=_numbers(answer.schema))
    if len(rows) > _MOST_SHOWN:
        render.say(f"These are the first {_MOST_SHOWN:,} rows; --json prints all.")


def _cells(values: Iterable[object]) -> Sequence[str]:
    return ["" if value is None else str(value) for value in values]


def _numbers(schema: "pa.Schema") -> list[str]:
    import pyarrow as pa  # noqa: PLC0415 - as above

    return [field.name for field in schema if pa.types.is_integer(field.type) or pa.types.is_floating(field.type)]


def _where(store: "Connection", wanted: list[str]) -> str:
    """Give the condition of the runs that *wanted* names, each by its id or the beginning of one only."""
    ids = [_run_id(store, each) for each in wanted]
    return f" where run_id in ({', '.join(ids)})" if ids else ""


def _run_id(store: "Connection", wanted: str) -> str:
    quoted = wanted.replace("'", "''")
    chosen = (
        "order by start_time_unix_nano desc limit 1" if wanted == "latest" else f"where starts_with(run_id, '{quoted}')"
    )
    found = store.sql(f"select run_id from runs {chosen}")["run_id"].to_pylist()  # noqa: S608 - quoted
    if len(found) != 1:
        raise NotFound(f"run {wanted!r}: no such run, nor exactly one whose id begins so.")
    whole_id: str = found[0]
    return "'" + whole_id.replace("'", "''") + "'"


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
    file.flush()
    return count


_WRITERS: Final = {Format.PARQUET: _write_parquet, Format.JSON_LINES: _write_json_lines}
