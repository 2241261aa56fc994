"""SQL over HTTP: one reading statement, answered row by row as JSON lines, or as Arrow for programs."""

import base64
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from typing import Annotated, Any, Final

import orjson
import pyarrow as pa
from fastapi import APIRouter, Body, Header
from starlette.responses import Response, StreamingResponse

from runmill.store.interface import Store
from runmill.views.answers import plain

__all__ = ["as_json_lines", "sql_routes"]

_ARROW: Final = "application/vnd.apache.arrow.stream"
_JSON_LINES: Final = "application/x-ndjson"
_MOST_INTEGER: Final = 2**63


def sql_routes(store: Store) -> APIRouter:
    """Give the route."""
    routes = APIRouter(tags=["everything"])

    @routes.post("/sql")
    def sql(query: Annotated[str, Body(embed=True)], accept: Annotated[str, Header()] = "") -> Response:
        """The answer to one SELECT over the store's tables."""
        answer = store.sql(query)
        if _ARROW in accept:
            return StreamingResponse(_as_arrow(answer), media_type=_ARROW)
        return StreamingResponse(as_json_lines(answer), media_type=_JSON_LINES)

    return routes


def as_json_lines(answer: pa.RecordBatchReader) -> Iterator[bytes]:
    """Give a line a row, many at once, under the rules of `answers.encode`; what JSON has no word for is its text."""
    with answer:
        for batch in answer:
            yield b"".join(map(_line, batch.to_pylist()))


def _line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(plain(row), default=_other, option=orjson.OPT_APPEND_NEWLINE)


def _other(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Decimal):  # DuckDB's sum of integers is one
        return int(value) if value == value.to_integral_value() and abs(value) < _MOST_INTEGER else float(value)
    return str(value)


def _as_arrow(answer: pa.RecordBatchReader) -> Iterator[bytes]:
    sink = BytesIO()
    with answer, pa.ipc.new_stream(sink, answer.schema) as stream:
        yield _taken(sink)
        for batch in answer:
            stream.write_batch(batch)
            yield _taken(sink)
    yield _taken(sink)


def _taken(sink: BytesIO) -> bytes:
    """Give what was written since the last time."""
    written = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return written
