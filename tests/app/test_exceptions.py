"""The cached text of an exception is the standard library's, to the letter."""

import traceback
from collections.abc import Callable

import pytest

from runmill.app.exceptions import exception_attributes


def plain() -> None:
    raise ValueError("plain")


def chained() -> None:
    try:
        plain()
    except ValueError as error:
        raise RuntimeError("with a cause") from error


def in_context() -> None:
    try:
        plain()
    except ValueError:
        raise KeyError("in context")  # noqa: B904 - the implicit context is the point


def suppressed() -> None:
    try:
        plain()
    except ValueError:
        raise RuntimeError("alone") from None


def noted() -> None:
    error = ValueError("with notes")
    error.add_note("first\nsecond")
    raise error


def grouped() -> None:
    raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])


def syntax() -> None:
    compile("x = = 1", "file.py", "exec")


def recursion(depth: int = 10) -> None:
    if depth:
        recursion(depth - 1)
    raise ValueError("deep")


def without_message() -> None:
    raise ValueError


def unknown_name() -> None:
    pritn("?")  # type: ignore[name-defined]  # noqa: F821 - Python suggests the right one


CASES = [plain, chained, in_context, suppressed, noted, grouped, syntax, recursion, without_message, unknown_name]


def caught(fails: Callable[[], None]) -> BaseException:
    try:
        fails()
    except BaseException as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError("it should have failed")


@pytest.mark.parametrize("fails", CASES)
def test_the_text_is_the_standard_librarys(fails: Callable[[], None]) -> None:
    """First from the traceback module, then from the cache, it is the same text."""
    for _ in range(2):
        error = caught(fails)
        assert exception_attributes(error)["exception.stacktrace"] == "".join(traceback.format_exception(error))
