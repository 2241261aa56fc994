"""What a line of the log shows of its record."""

import traceback
from dataclasses import replace

import pytest

from runmill.model import LogRecord
from runmill.views.portal.lines import Line, line_of

RECORD = LogRecord(
    cursor=1, time_unix_nano=1, observed_time_unix_nano=1, severity_number=9, severity_text="INFO", logger="train",
    body="", attributes={}, event_name="", trace_id=None, span_id=None, run_id=None, service="train.py", stream=None,
    rank=None, resource_id="r1",
)  # fmt: skip
FRAMES = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\n    fit()\n'


def line(body: str = "step", **values: object) -> Line:
    return line_of(replace(RECORD, body=body, **values))


def raised_group() -> str:
    """Give how Python prints a group that was raised, one of whose members was too."""
    try:
        try:
            int("x")
        except ValueError as error:
            raise ExceptionGroup("two shards", [error, OSError("gone")]) from None
    except ExceptionGroup as group:
        return "".join(traceback.format_exception(group))


@pytest.mark.parametrize(
    ("number", "text", "shown"),
    [
        (11, "NOTICE", ("info", "NOTICE")), (13, "WARNING", ("warn", "WARN")), (21, "CRITICAL", ("fatal", "FATAL")),
        (9, "", ("info", "INFO")), (0, "odd\x1b[31m", ("", "odd")), (0, "", ("", "")),
        (1, "Level 5", ("trace", "TRACE")),
    ],
)  # fmt: skip
def test_a_level_has_the_name_its_sender_gave_it(number: int, text: str, shown: tuple[str, str]) -> None:
    """The colour is that of its range; only Python's two long names are shortened."""
    found = line(severity_number=number, severity_text=text)
    assert (found.level, found.level_word) == shown


@pytest.mark.parametrize(
    ("stack", "outcome"),
    [
        (f"{FRAMES}ValueError: bad", "ValueError: bad"),
        (f"{FRAMES}ValueError: bad\n\nDuring handling:\n\n{FRAMES}OSError: worse\nsecond line\nnote", "OSError: worse"),
        (raised_group(), "ExceptionGroup: two shards (2 sub-exceptions)"),
        ("  | ExceptionGroup: never raised\n  +-+--- 1 ---\n    | OSError: gone\n", "ExceptionGroup: never raised"),
        ("java.lang.Error: no\n\tat Main.main", "java.lang.Error: no"),
        (" \n  only frames\n", ""),
    ],
)  # fmt: skip
def test_a_traceback_folds_to_type_and_message(stack: str, outcome: str) -> None:
    """It is the last exception's own first line, whatever stands behind it."""
    assert line(attributes={"exception.stacktrace": stack}).outcome == outcome


def test_what_was_said_beside_the_message_is_on_the_line() -> None:
    """A call's own fields as key=value on one line; what every call has (where, which thread) is in the fold."""
    said = {"alpha": 0.75, "path": "a\nb", "shape": [2, 3], "code.line.number": 7, "thread.name": "MainThread"}
    assert line(attributes=said).extras == "alpha=0.75 path=a b shape=[2,3]"
    assert len(line(attributes={"text": "x" * 10_000}).extras) == 300


def test_a_traceback_in_the_message_is_taken_out_whole() -> None:
    """Also that of a group, whose first line begins with its bar."""
    found = line(f"failed\n{raised_group()}")
    assert (found.message, found.outcome) == ("failed", "ExceptionGroup: two shards (2 sub-exceptions)")
    assert found.traceback == raised_group()
