"""An exception as its three OTLP attributes, at the price of a few microseconds when it is raised again and again.

`traceback.format_exception` costs 140 µs because it reads every frame's source anew. The text of a frame depends on
its code object and the instruction alone, so it is kept; the result is the same to the letter (tested), and whatever is
not a plain chain of plain exceptions is left to the standard library.
"""

import traceback
from types import CodeType, TracebackType
from typing import Any, Final

__all__ = ["exception_attributes", "rendered_exception_attributes"]

_MOST_FRAMES_KEPT: Final = 2048
_MOST_CHAIN: Final = 20
_COLLAPSED_FROM: Final = 3
"""The standard library writes this many equal lines of a recursion, and counts the rest."""

# Their text is more than type, message and frames: caret lines, sub-exceptions, suggestions.
_SPECIAL: Final = (SyntaxError, BaseExceptionGroup, NameError, AttributeError, ImportError)

_frame_texts: dict[tuple[int, int], tuple[CodeType, str]] = {}
"""By the identity of the code: its hash is made of all its instructions, each time. The code is kept as well, so that
no other has its identity."""


def exception_attributes(error: BaseException) -> dict[str, Any]:
    """Give ``exception.type`` (qualified), ``exception.message`` and ``exception.stacktrace``. Never raises.

    Source: OTel semantic conventions, Exceptions in logs.
    """
    return {
        "exception.type": _type_name(type(error)),
        "exception.message": _message(error),
        "exception.stacktrace": _stack_trace(error),
    }


def rendered_exception_attributes(rendered: str) -> dict[str, Any]:
    """Give the same of an exception that is known as text alone: its last line in the first column has the rest."""
    lines = (line for line in reversed(rendered.splitlines()) if line and not line[0].isspace())
    kind, _, message = next(lines, "").partition(": ")
    return {"exception.type": kind, "exception.message": message, "exception.stacktrace": rendered}


def _type_name(kind: type) -> str:
    return (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the exception's own __str__; the words are the standard library's
        return f"<exception {type(error).__name__} str() failed>"


def _stack_trace(error: BaseException) -> str:
    try:
        text = _chain_text(error)
        if text is None:
            text = "".join(traceback.format_exception(error))
    except Exception as fault:  # noqa: BLE001 - a broken exception class must not cost the record
        return f"<traceback that cannot be shown: {type(fault).__name__}>"
    return text


def _chain_text(error: BaseException) -> str | None:
    """Give the text of *error* and what it came from, oldest first; None where the standard library must write it."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None:
        if isinstance(current, _SPECIAL) or id(current) in seen or len(seen) >= _MOST_CHAIN:
            return None
        seen.add(id(current))
        text = _one_text(current)
        if text is None:
            return None
        parts.append(text)
        if current.__cause__ is not None:
            parts.append(traceback._cause_message)  # type: ignore[attr-defined]  # noqa: SLF001
            current = current.__cause__
        elif current.__context__ is not None and not current.__suppress_context__:
            parts.append(traceback._context_message)  # type: ignore[attr-defined]  # noqa: SLF001
            current = current.__context__
        else:
            current = None
    return "".join(reversed(parts))


def _one_text(error: BaseException) -> str | None:
    frames = _frames_text(error.__traceback__)
    if frames is None:
        return None
    name, message = _type_name(type(error)), _message(error)
    last = f"{name}: {message}\n" if message else f"{name}\n"
    notes = getattr(error, "__notes__", None)
    if notes is not None:
        if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
            return None
        last += "".join(f"{line}\n" for note in notes for line in note.split("\n"))
    return f"Traceback (most recent call last):\n{frames}{last}" if error.__traceback__ is not None else last


def _frames_text(trace: TracebackType | None) -> str | None:
    texts: list[str] = []
    repeats, last = 0, None
    while trace is not None:
        key = (id(trace.tb_frame.f_code), trace.tb_lasti)
        repeats = repeats + 1 if key == last else 1
        if repeats > _COLLAPSED_FROM:
            return None
        kept = _frame_texts.get(key)
        texts.append(_keep_frame_text(key, trace) if kept is None else kept[1])
        last, trace = key, trace.tb_next
    return "".join(texts)


def _keep_frame_text(key: tuple[int, int], trace: TracebackType) -> str:
    alone = TracebackType(None, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
    text = "".join(traceback.format_tb(alone))
    if len(_frame_texts) >= _MOST_FRAMES_KEPT:
        _frame_texts.clear()
    _frame_texts[key] = trace.tb_frame.f_code, text
    return text
