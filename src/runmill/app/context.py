"""The active span, read when the call is made: later, on another thread, it would be another one."""

from collections.abc import Callable
from typing import Any, Final

__all__ = ["NO_SPAN", "current_span"]

NO_SPAN: Final = (None, None, 0)

_get_span: Callable[[], Any] | None = None


def current_span() -> tuple[str | None, str | None, int]:
    """Give (trace_id, span_id, flags) in hex of the active OpenTelemetry span, or NO_SPAN.

    Called only when the program has imported ``opentelemetry.trace`` itself.
    """
    span = (_get_span or _find_get_span())().get_span_context()
    if not span.is_valid:
        return NO_SPAN
    return f"{span.trace_id:032x}", f"{span.span_id:016x}", int(span.trace_flags)


def _find_get_span() -> Callable[[], Any]:
    """Look it up once: the import statement alone would cost as much as the answer."""
    global _get_span  # noqa: PLW0603 - one reference, set once
    from opentelemetry.trace import get_current_span  # noqa: PLC0415 - loaded already, see above

    _get_span = get_current_span
    return get_current_span
