"""``sql``: the store's tables, for people who know what they want of them."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from runmill import home as homes
from runmill.cli import render
from runmill.cli.options import AsJson, HomeOption, StoreOption

if TYPE_CHECKING:
    import pyarrow as pa

    from runmill.store.connection import Connection

__all__ = ["connected", "sql"]

_MOST_SHOWN: Final = 1000


def sql(
    statement: Annotated[
        str | None, typer.Argument(help="One SELECT; '-' reads it from standard input, none lists the tables.")
    ] = None,
    *,
    as_json: AsJson = False,
    store: StoreOption = None,
    home_dir: HomeOption = None,
) -> None:
    """Ask the store in SQL (DuckDB's): it can be read, never changed, also while a server has it."""
    with connected(store, home_dir) as opened, opened.stream(_text(statement)) as answer:
        if as_json:
            sys.stdout.buffer.writelines(_as_json_lines(answer))
        else:
            _print_table(answer)


def connected(url: str | None, home_dir: Path | None) -> "Connection":
    """Give SQL over the store at *url*, else over the home's, whoever has it."""
    from runmill import store as stores  # noqa: PLC0415 - the command line starts without the store

    return stores.connect(homes.find(home_dir).path, url=url)


def _text(statement: str | None) -> str:
    if statement is None and sys.stdin.isatty():
        return "select name as \"table\", array_to_string(column_names, ', ') as columns from (describe) order by all"
    return sys.stdin.read() if statement in {None, "-"} else str(statement)


def _as_json_lines(answer: "pa.RecordBatchReader") -> Iterator[bytes]:
    from runmill.views.sql import as_json_lines  # noqa: PLC0415 - as above

    return as_json_lines(answer)


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
