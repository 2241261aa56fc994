"""The filters of a LogQuery applied to a record in hand, as the store applies them to its rows."""

from collections.abc import Callable

from runmill.model import LogRecord
from runmill.store.query import LogQuery
from runmill.views.answers import encode

__all__ = ["matcher"]


def matcher(query: LogQuery) -> Callable[[LogRecord], bool]:
    """Give the predicate of *query*; its cursors, times and limit are left aside: what is live has no end."""
    text = query.text.lower() if query.text else None

    def fits(record: LogRecord) -> bool:
        return (
            record.severity_number >= query.min_severity
            and _is_of(record.logger, query.logger)
            and query.service in (None, record.service)
            and query.stream in (None, record.stream)
            and query.rank in (None, record.rank)
            and (text is None or text in _searched(record))
        )

    return fits


def _is_of(logger: str, wanted: str | None) -> bool:
    return wanted is None or logger == wanted or logger.startswith(f"{wanted}.")


def _searched(record: LogRecord) -> str:
    body = record.body if isinstance(record.body, str) else encode(record.body).decode()
    return f"{body}\n{encode(record.attributes).decode()}".lower()
