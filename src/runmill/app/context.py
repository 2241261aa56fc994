"""The active span, read when the call is made: later, on another thread, it would be another one."""

from typing import Final

__all__ = ["NO_SPAN", "current_span"]

NO_SPAN: Final = (None, None, 0)


def current_span() -> tuple[str | None, str | None, int]:
    """Give (trace_id, span_id, flags) in hex of the active OpenTelemetry span, or NO_SPAN.

    Called only when the program has imported ``opentelemetry.trace`` itself.
    """
    from opentelemetry import trace  # noqa: PLC0415 - loaded already, see above

    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return NO_SPAN
    return f"{span.trace_id:032x}", f"{span.span_id:016x}", int(span.trace_flags)
