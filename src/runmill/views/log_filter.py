"""The filters of a LogQuery applied to a record in hand, as the store applies them to its rows."""

from collections.abc import Callable

from runmill.model import LogRecord
from runmill.store.condition import Text, fits
from runmill.store.query import LogQuery

__all__ = ["matcher"]


def matcher(query: LogQuery) -> Callable[[LogRecord], bool]:
    """Give the predicate of *query*; its cursors, times and limit are left aside: what is live has no end."""
    where = (Text(query.text), *query.where) if query.text else query.where

    def all_fit(record: LogRecord) -> bool:
        return (
            record.severity_number >= query.min_severity
            and _is_of(record.logger, query.logger)
            and query.service in (None, record.service)
            and query.stream in (None, record.stream)
            and query.rank in (None, record.rank)
            and all(fits(condition, record) for condition in where)
        )

    return all_fit


def _is_of(logger: str, wanted: str | None) -> bool:
    return wanted is None or logger == wanted or logger.startswith(f"{wanted}.")
