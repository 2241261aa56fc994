"""What native logging can say arrives; what it says wrong arrives too, and the program goes on."""

import dataclasses
import datetime as dt
import decimal
import enum
import logging
import logging.config
import math
import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import runmill
from runmill.testing import ReceivedLog, RecordingCollector


@pytest.fixture
def log(recording_collector: RecordingCollector) -> Iterator[logging.Logger]:
    """A logger of its own whose records go to the recording collector alone."""
    logger = logging.Logger("app.train", logging.DEBUG)  # noqa: LOG001 - not in the tree: nothing is left behind
    handler = runmill.Handler(endpoint=recording_collector.endpoint, service_name="app")
    logger.addHandler(handler)
    yield logger
    handler.close()


def sent(collector: RecordingCollector, count: int = 1) -> list[ReceivedLog]:
    """Flush, and give all records that arrived."""
    assert runmill.flush(5) == 0
    collector.wait_for_logs(count)
    return collector.logs


def test_a_record_has_everything_logging_knows(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """Message, level, logger, time, thread and source location travel in OpenTelemetry's fields."""
    log.warning("disk at %d%%", 91)
    [record] = sent(recording_collector)
    assert (record.body, record.severity_number, record.severity_text) == ("disk at 91%", 13, "WARNING")
    assert record.scope == "app.train"
    assert record.resource["service.name"] == "app"
    assert record.time_unix_nano == record.observed_time_unix_nano
    assert abs(record.time_unix_nano / 1e9 - dt.datetime.now(dt.UTC).timestamp()) < 60
    assert record.attributes["code.file.path"] == __file__
    assert record.attributes["code.function.name"] == "test_a_record_has_everything_logging_knows"
    assert record.attributes["thread.name"] == "MainThread"


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    """Give an error as it is after it was raised: with a traceback and what it came from."""
    try:
        raise error from cause
    except type(error) as caught:
        return caught


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: float


def test_extra_keeps_its_types(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """What has a type in OTLP keeps it, NumPy's scalars included; the rest is text."""
    extra = {
        "whole": 3,
        "real": 0.5,
        "flag": True,
        "nothing": None,
        "raw": b"\x00\xff",
        "nested": {"a": [1, {"b": "c"}]},
        "point": Point(1, 2.0),
        "colour": Colour.RED,
        "when": dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
        "took": dt.timedelta(seconds=90),
        "price": decimal.Decimal("1.10"),
        "id": uuid.UUID(int=1),
        "count": np.int64(7),
        "loss": np.float32(0.5),
        "huge": 1 << 70,
        "other": object,
    }
    log.info("typed", extra=extra)
    [record] = sent(recording_collector)
    assert {key: record.attributes[key] for key in extra} == {
        "whole": 3,
        "real": 0.5,
        "flag": True,
        "nothing": None,
        "raw": b"\x00\xff",
        "nested": {"a": [1, {"b": "c"}]},
        "point": {"x": 1, "y": 2.0},
        "colour": "red",
        "when": "2026-11-22T00:00:00+00:00",
        "took": 90.0,
        "price": "1.10",
        "id": "00000000-0000-0000-0000-000000000001",
        "count": 7,
        "loss": 0.5,
        "huge": str(1 << 70),
        "other": "<class 'object'>",
    }


def test_a_message_that_cannot_be_formatted_arrives_marked(
    log: logging.Logger, recording_collector: RecordingCollector
) -> None:
    """Wrong arguments cost neither the record nor the program."""
    log.info("%d of %d", 1)  # noqa: PLE1206 - the mistake is the point
    [record] = sent(recording_collector)
    assert record.body == "%d of %d"
    assert record.attributes["log.format_error"] == "TypeError: not enough arguments for format string"
    assert record.attributes["log.args"] == [1]


def test_an_integer_that_python_does_not_write_arrives(
    log: logging.Logger, recording_collector: RecordingCollector
) -> None:
    """What has too many digits for decimal is in hexadecimal, as an attribute and as an argument."""
    huge = 1 << 20_000
    log.info("many", extra={"digits": huge})
    log.info("%d", huge)
    many, marked = sent(recording_collector)
    assert many.attributes["digits"] == hex(huge)
    assert (marked.body, marked.attributes["log.args"]) == ("%d", [hex(huge)])


class Countdown:
    """Says something else each time it is shown."""

    def __init__(self) -> None:
        self.left = 10

    def __str__(self) -> str:
        self.left -= 1
        return f"{self.left} left"


def test_arguments_are_what_they_were_when_it_was_logged(
    log: logging.Logger, recording_collector: RecordingCollector
) -> None:
    """What changes after the call, shows itself anew each time, or only looks like a number, is shown at the call."""
    changing, countdown = [1], Countdown()
    log.info("%s", changing)
    log.info("%s", countdown)
    log.info("%.2f %d %s", np.float64(0.125), np.int32(7), np.arange(2))
    log.info("%(loss).1f", {"loss": 0.25})
    log.info("%s %s %s", b"raw", None, True)
    log.info("%s", memoryview(b"ab").tobytes)
    changing.append(2)
    *bodies, method = [record.body for record in sent(recording_collector)]
    assert bodies == ["[1]", "9 left", "0.12 7 [0 1]", "0.2", "b'raw' None True"]
    assert isinstance(method, str)
    assert method.startswith("<built-in method tobytes")


def test_records_made_by_hand_arrive(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """Whatever ``makeLogRecord`` was given as arguments, name, level's name or time."""
    for fields in ({"args": 5}, {"args": ["a"], "msg": "%s"}, {"name": []}, {"levelname": 1j}, {"created": None}):
        log.handle(logging.makeLogRecord({"msg": "made", "levelno": 20, **fields}))
    assert [str(record.body) for record in sent(recording_collector)] == ["made", "['a']", "made", "made", "made"]


def test_an_exception_has_its_qualified_type_message_and_stack(
    log: logging.Logger, recording_collector: RecordingCollector
) -> None:
    """The attributes are those of the conventions, the message is what str() says."""

    class OddError(Exception):
        def __str__(self) -> str:
            return "pretty text"

    log.error("step %d failed", 3, exc_info=raised(OddError("code"), ValueError("cause")))
    [record] = sent(recording_collector)
    assert record.body == "step 3 failed"
    assert record.attributes["exception.type"] == f"{__name__}.{OddError.__qualname__}"
    assert record.attributes["exception.message"] == "pretty text"
    stack = record.attributes["exception.stacktrace"]
    assert isinstance(stack, str)
    assert stack.startswith("ValueError: cause\n\nThe above exception was the direct cause")
    assert stack.endswith("OddError: pretty text\n")


def test_a_broken_exception_costs_nothing(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """An exception whose own code fails is told of as far as it goes."""

    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    log.error("failed", exc_info=raised(BrokenError()))
    [record] = sent(recording_collector)
    assert record.attributes["exception.message"] == "<exception BrokenError str() failed>"


def test_basic_config_leaves_the_message_alone(recording_collector: RecordingCollector) -> None:
    """The format that basicConfig puts on a handler nobody formatted is not the user's wish."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        logging.basicConfig(level=logging.DEBUG, handlers=[runmill.Handler(endpoint=recording_collector.endpoint)])
        logging.getLogger("lib").debug("hello %s", "there")
        [record] = [each for each in sent(recording_collector) if each.scope == "lib"]
        assert (record.body, record.severity_number) == ("hello there", 5)
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers[:] = before
        root.setLevel(level)


def test_a_formatter_that_was_asked_for_shapes_the_body(
    log: logging.Logger, recording_collector: RecordingCollector
) -> None:
    """The user's own format is honoured, and the template kept."""
    log.handlers[0].setFormatter(logging.Formatter("<%(levelname)s> %(message)s"))
    log.info("loss %.1f", 0.25)
    [record] = sent(recording_collector)
    assert (record.body, record.attributes["log.template"]) == ("<INFO> loss 0.2", "loss %.1f")


def test_a_formatter_that_fails_costs_nothing(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """A format naming a field that is not there leaves the message as it was written."""
    log.handlers[0].setFormatter(logging.Formatter("%(nowhere)s %(message)s"))
    log.info("hello")
    [record] = sent(recording_collector)
    assert record.body == "hello"
    assert "nowhere" in str(record.attributes["log.format_error"])


def test_dict_config_makes_it_by_its_class_path(recording_collector: RecordingCollector) -> None:
    """A handler needs no object made before: the class path and its arguments are enough."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"otlp": {"class": "runmill.Handler", "endpoint": recording_collector.endpoint}},
            "loggers": {"app.config": {"handlers": ["otlp"], "level": "INFO"}},
        }
    )
    logging.getLogger("app.config").info("configured")
    [record] = sent(recording_collector)
    assert (record.scope, record.body) == ("app.config", "configured")
    logging.getLogger("app.config").handlers[0].close()
    logging.getLogger("app.config").handlers.clear()


def test_a_record_that_reaches_two_handlers_arrives_once(recording_collector: RecordingCollector) -> None:
    """Attached to a logger and to its parent, each record is sent once."""
    parent, child = logging.getLogger("twice"), logging.getLogger("twice.child")
    handlers = [runmill.Handler(endpoint=recording_collector.endpoint) for _ in range(2)]
    parent.addHandler(handlers[0])
    child.addHandler(handlers[1])
    try:
        child.warning("once")
        child.warning("and again")
        assert [record.body for record in sent(recording_collector, 2)] == ["once", "and again"]
    finally:
        parent.removeHandler(handlers[0])
        child.removeHandler(handlers[1])
        for handler in handlers:
            handler.close()


def test_filters_and_levels_work(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """A filter on the handler decides, as with every handler."""
    log.handlers[0].addFilter(lambda record: "secret" not in record.getMessage())
    log.info("secret")
    log.info("open")
    assert [record.body for record in sent(recording_collector)] == ["open"]


def test_attribute_limits_are_counted(recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard variables limit a record's attributes; values are cut, further ones counted out."""
    monkeypatch.setenv("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "2")
    monkeypatch.setenv("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3")
    logger = logging.Logger("limited")  # noqa: LOG001 - not in the tree
    logger.addHandler(runmill.Handler(endpoint=recording_collector.endpoint))
    logger.info("cut", extra={"a": "abcdef", "b": 1, "c": 2})
    [record] = sent(recording_collector)
    assert (record.attributes["a"], record.attributes["b"], "c" in record.attributes) == ("abc", 1, False)


def test_a_structured_message_stays_structured(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """A dict that is logged as the message is a structured body."""
    log.info({"epoch": 3, "loss": 0.5})
    [record] = sent(recording_collector)
    assert record.body == {"epoch": 3, "loss": 0.5}


def test_the_largest_message_arrives(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """Ten megabytes in one record are more than a segment, and are not too much."""
    log.info("x" * 10_000_000)
    log.info("after")
    assert [len(str(record.body)) for record in sent(recording_collector, 2)] == [10_000_000, 5]


def test_nothing_is_kept_when_the_sdk_is_disabled(
    recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OTEL_SDK_DISABLED means what it says."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    logger = logging.Logger("quiet")  # noqa: LOG001 - not in the tree
    logger.addHandler(runmill.Handler(endpoint=recording_collector.endpoint))
    logger.error("unheard")
    assert runmill.flush(1) == 0
    assert recording_collector.requests == []


@given(value=st.from_type(object) | st.text(st.characters(exclude_categories=())) | st.integers() | st.floats())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_extra_gives_a_record(log: logging.Logger, recording_collector: RecordingCollector, value: object) -> None:
    """Whatever is put in extra, the record arrives."""
    before = len(recording_collector.logs)
    log.info("any", extra={"value": value})
    assert sent(recording_collector, before + 1)[-1].body == "any"


def test_an_object_that_holds_itself_ends(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """A cycle in extra costs no more than a large value does."""
    cycle: list[object] = []
    cycle += [cycle, cycle, cycle]
    log.info("cyclic", extra={"cycle": cycle})
    assert [record.body for record in sent(recording_collector)] == ["cyclic"]


def test_one_handler_on_a_logger_and_its_parent_sends_once(recording_collector: RecordingCollector) -> None:
    """The same handler reached twice by one record takes it once, also when the clock stands still."""
    handler = runmill.Handler(endpoint=recording_collector.endpoint)
    parent, child = logging.getLogger("same"), logging.getLogger("same.child")
    parent.addHandler(handler)
    child.addHandler(handler)
    try:
        for n in range(3):
            record = child.makeRecord("same.child", logging.WARNING, "f", 1, "%d", (n,), None)
            record.created = 1.0
            child.handle(record)
        assert [record.body for record in sent(recording_collector, 3)] == ["0", "1", "2"]
    finally:
        parent.removeHandler(handler)
        child.removeHandler(handler)
        handler.close()


def test_limits_keep_the_exception(recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where attributes must go, what was thrown stays; texts inside of values are cut too."""
    monkeypatch.setenv("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "4")
    monkeypatch.setenv("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5")
    logger = logging.Logger("limited")  # noqa: LOG001 - not in the tree
    logger.addHandler(runmill.Handler(endpoint=recording_collector.endpoint))
    logger.error("cut", exc_info=raised(KeyError("abcdefgh")), extra={"list": ["123456", 7], "more": 1, "most": 2})
    [record] = sent(recording_collector)
    assert (record.attributes["exception.type"], record.attributes["exception.message"]) == ("KeyEr", "'abcd")
    assert (record.attributes["list"], "more" in record.attributes) == (["12345", 7], False)


def test_one_bad_field_costs_neither_its_record_nor_the_batch(recording_collector: RecordingCollector) -> None:
    """What UTF-8, OTLP or C strings cannot hold arrives as far as it goes, and its neighbours whole."""
    logger = logging.Logger("app")  # noqa: LOG001 - not in the tree: nothing is left behind
    logger.addHandler(runmill.Handler(endpoint=recording_collector.endpoint))
    logger.info("before")
    logger.info(
        "half a pair \ud800, a \0",
        extra={"half": "\udfff", "huge": -(1 << 70), "nan": math.nan, "nul": "\0", "\ud83d": 1},
    )
    logger.info("after")
    assert runmill.flush(5) == 0
    before, odd, after = recording_collector.logs
    assert (before.body, odd.body, after.body) == ("before", "half a pair \\ud800, a \0", "after")
    own = {name: value for name, value in odd.attributes.items() if not name.startswith(("code.", "thread."))}
    assert math.isnan(own.pop("nan"))
    assert own == {"half": "\\udfff", "huge": str(-(1 << 70)), "nul": "\0", "\\ud83d": 1}
