"""An export as the OTLP it came as: requests in OTLP/JSON, one a line, that any OTLP receiver takes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

import typer

from runmill.otlp.count import Signal
from runmill.otlp.from_columns import Row, logs_request, metrics_request
from runmill.otlp.to_json import to_json
from runmill.store.connection import Connection
from runmill.store.values import decode, decode_attributes

__all__ = ["write_otlp"]

_ORDER: Final = ("events", "artifacts", "logs", "points")
"""Who stores it again knows a run before it sees what belongs to it."""


def write_otlp(store: Connection, statements: Mapping[str, str], folder: Path) -> None:
    """Write what *statements* select, by table, as ``logs.jsonl`` and ``metrics.jsonl``."""
    resources = {
        row["resource_id"]: row["attributes"] for rows in _batches(store, statements["resources"]) for row in rows
    }
    with (folder / "logs.jsonl").open("wb") as logs, (folder / "metrics.jsonl").open("wb") as metrics:
        for table in _ORDER:
            count = 0
            for rows in _batches(store, statements[table]):
                _write(logs, "logs", logs_request(resources, **{table: rows}))
                if table == "points":
                    _write(metrics, "metrics", metrics_request(resources, rows))
                count += len(rows)
            typer.echo(f"{table}: {count:,} rows")


def _batches(store: Connection, statement: str) -> Iterator[list[Row]]:
    with store.stream(statement) as answer:
        for batch in answer:
            yield [{name: _opened(row, name) for name in row} for row in batch.to_pylist()]


def _opened(row: Row, name: str) -> Any:
    """Give a cell; decoded, where it is JSON."""
    cell = row[name]
    if name == "attributes":
        return decode_attributes(cell)
    is_json = name == "value_json" or (name == "body" and row.get("body_is_json", True))
    return decode(cell) if is_json and cell is not None else cell


def _write(file: IO[bytes], signal: Signal, request: bytes) -> None:
    if request:  # an empty one says nothing
        file.write(to_json(signal, request) + b"\n")
