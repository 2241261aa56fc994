"""Times as people type them: of their own zone, where they name none."""

from datetime import datetime

__all__ = ["zoned"]


def zoned(text: str | None) -> str | None:
    """Give an ISO 8601 time with its zone; nanoseconds, ages and what is no time come back as they are."""
    if text is None or text.isdecimal():
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment if moment.tzinfo else moment.astimezone()).isoformat()
