"""Questions in SQL, of people who know the tables: one statement that reads, and nothing but the store's own tables."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Final

import duckdb
import pyarrow as pa

from runmill.errors import InvalidArgument, Unavailable
from runmill.model import Run
from runmill.store.duckdb import sql_scope
from runmill.store.duckdb.attachment import Attachment

__all__ = ["select"]

_READING: Final = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
_ROWS_A_BATCH: Final = 20_000
_SECONDS: Final = 60.0
"""So long one question may take; the writer waits for none, but memory and threads are everybody's."""

# What the tables know only as events. JSON where a run has many of something.
_RUNS: Final = pa.schema(
    [(name, pa.string()) for name in ("run_id", "experiment", "name", "display_name", "status", "type", "parent_id")]
    + [(name, pa.int64()) for name in ("number", "start_time_unix_nano", "end_time_unix_nano", "last_seen_unix_nano")]
    + [(name, pa.string()) for name in ("description", "user", "host", "service", "tags", "properties", "error")]
)


def select(attachment: Attachment, text: str, runs: Callable[[], Iterable[Run]]) -> pa.RecordBatchReader:
    """Give the answer as it comes; *runs*, asked for only where the text names them, are a table beside the others.

    It holds a connection until it was read to its end, or thrown away.

    Raises:
        InvalidArgument: not one statement, one that does not only read, or one DuckDB cannot make sense of.
        Unavailable: it took too long, here or while the answer is read.
    """
    with ExitStack() as stack:
        connection = attachment.connect()
        stack.callback(connection.close)
        limit = threading.Timer(_SECONDS, connection.interrupt)
        limit.daemon = True
        stack.callback(limit.cancel)
        limit.start()
        try:
            named = _named(connection, text)
            connection.register("runs", _table(runs() if "runs" in named else ()))
            answer = _ask(connection, text)
        except duckdb.Error as error:
            raise _in_words(attachment, error) from None
        return pa.RecordBatchReader.from_batches(answer.schema, _batches(attachment, answer, stack.pop_all()))


def _named(connection: duckdb.DuckDBPyConnection, text: str) -> set[str]:
    statements = connection.extract_statements(text)
    if len(statements) != 1 or statements[0].type not in _READING:
        kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
        raise InvalidArgument(f"SQL {text!r}: this is {kinds}. Give one SELECT (or DESCRIBE, SHOW, EXPLAIN).")
    return sql_scope.tables(connection, text)


def _ask(connection: duckdb.DuckDBPyConnection, text: str) -> pa.RecordBatchReader:
    connection.execute("begin transaction read only")
    return connection.execute(text).to_arrow_reader(_ROWS_A_BATCH)


def _table(runs: Iterable[Run]) -> pa.Table:
    return pa.Table.from_pylist([_row(run) for run in runs], schema=_RUNS)


def _row(run: Run) -> dict[str, object]:
    facts = {name: getattr(run, name) for name in _RUNS.names}
    return {name: json.dumps(fact) if isinstance(fact, Mapping) else fact for name, fact in facts.items()}


def _batches(attachment: Attachment, answer: pa.RecordBatchReader, held: ExitStack) -> Iterator[pa.RecordBatch]:
    with held:
        try:
            yield from answer
        except duckdb.Error as error:
            raise _in_words(attachment, error) from None


def _in_words(attachment: Attachment, error: duckdb.Error) -> InvalidArgument | Unavailable:
    if isinstance(error, duckdb.InterruptException):
        return Unavailable(f"SQL: it took longer than {_SECONDS:.0f} s. Ask for less, such as one run's rows.")
    if isinstance(error, duckdb.OperationalError):
        return Unavailable(f"SQL: cannot be answered now: {attachment.said(error)}")
    return InvalidArgument(f"SQL: {attachment.said(error)}")
