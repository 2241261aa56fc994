"""Fields that are on every record logged within a block, wherever in the program the call stands."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from runmill.app.plain import plain

__all__ = ["bind", "bound_fields"]

_fields: Final[ContextVar[dict[str, Any] | None]] = ContextVar("runmill_bound_fields", default=None)

bound_fields: Final = _fields.get
"""Give the fields bound in this context, in plain types, or None. Asked on each log call: one C call."""


@contextmanager
def bind(**fields: object) -> Iterator[None]:
    """Put *fields* on every record that is logged inside, by ``logging`` and by structlog.

    Holds for this thread or asyncio task, and for tasks started inside. A block within adds to it; what one call
    gives as ``extra``, or structlog has in its event, wins over both. Also a decorator:
    ``@runmill.bind(job="nightly")``.

    ```python
    with runmill.bind(request_id=request.id, user=user.name):
        handle(request)
    ```
    """
    before = _fields.get()
    token = _fields.set({**(before or {}), **{name: plain(value) for name, value in fields.items()}})
    try:
        yield
    finally:
        try:
            _fields.reset(token)
        except ValueError:  # left in another context than entered: a generator that was closed elsewhere
            _fields.set(before)
