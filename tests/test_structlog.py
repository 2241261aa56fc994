"""structlog events arrive as they are, from every kind of chain and logger."""

import asyncio
import enum
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from structlog.typing import EventDict, Processor

import runmill
from runmill.app import outlet as outlets
from runmill.otlp.json_line import decode_line
from runmill.structlog import send, to_otel
from runmill.testing import ReceivedLog, RecordingCollector


@pytest.fixture(autouse=True)
def fresh(recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test is a program of its own that delivers to the recording collector."""
    monkeypatch.setenv("RUNMILL_ENDPOINT", recording_collector.endpoint)
    outlets.choose_default(None)
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    while outlets._outlets:
        outlets._outlets.popitem()[1].close()
    outlets.choose_default(None)


@pytest.fixture
def sent(recording_collector: RecordingCollector) -> Callable[[], ReceivedLog]:
    """Flush, and give the one record that arrived."""

    def one() -> ReceivedLog:
        assert runmill.flush(5) == 0
        [record] = recording_collector.logs
        return record

    return one


Sent = Callable[[], ReceivedLog]


def configure(*processors: Processor, **options: Any) -> io.StringIO:
    """Configure structlog to print to what is given back."""
    printed = io.StringIO()
    options.setdefault("logger_factory", structlog.PrintLoggerFactory(printed))
    structlog.configure(processors=list(processors), **options)
    return printed


def own(record: ReceivedLog) -> dict[str, object]:
    """Give the attributes that are the event's own."""
    return {key: value for key, value in record.attributes.items() if not key.startswith(("code.", "thread."))}


def test_an_event_arrives_as_it_is(sent: Sent) -> None:
    """Body, level, logger, types and call site, with no processor but `send`."""
    configure(send)
    structlog.get_logger().warning("disk is filling", used=0.91, disk={"name": "sda", "parts": [1, 2]}, raw=b"\x00")
    record = sent()
    assert (record.body, record.severity_number, record.severity_text) == ("disk is filling", 13, "WARNING")
    assert own(record) == {"used": 0.91, "disk": {"name": "sda", "parts": [1, 2]}, "raw": b"\x00"}
    assert record.scope == __name__  # a PrintLogger has no name: the calling module's
    assert record.attributes["code.file.path"] == __file__
    assert record.attributes["code.function.name"] == "test_an_event_arrives_as_it_is"
    assert record.attributes["thread.name"] == "MainThread"


def test_as_the_last_processor_it_ends_the_event(sent: Sent) -> None:
    """Nothing is printed, nothing raised."""
    printed = configure(structlog.processors.add_log_level, send)
    structlog.get_logger().info("sent only")
    assert (sent().body, printed.getvalue()) == ("sent only", "")


def test_before_a_renderer_it_hands_the_event_on(sent: Sent) -> None:
    """The renderer behind it sees the event unchanged."""
    printed = configure(structlog.processors.add_log_level, send, structlog.processors.JSONRenderer())
    structlog.get_logger().info("both", n=1)
    assert (sent().body, json.loads(printed.getvalue())) == ("both", {"event": "both", "n": 1, "level": "info"})


@pytest.mark.parametrize("is_last_of_all", [True, False])
def test_a_logger_with_a_chain_of_its_own(*, is_last_of_all: bool, sent: Sent) -> None:
    """What is last is what is last in the chain that runs, whatever the configuration says."""
    printed = configure(structlog.processors.JSONRenderer() if is_last_of_all else send)
    chain = [send] if is_last_of_all else [send, structlog.processors.JSONRenderer()]
    log = structlog.wrap_logger(structlog.PrintLogger(printed), processors=chain)
    log.info("own")
    assert (sent().body, bool(printed.getvalue())) == ("own", not is_last_of_all)


@pytest.mark.parametrize(
    "wrapper",
    [structlog.make_filtering_bound_logger(logging.INFO), structlog.stdlib.BoundLogger, structlog.BoundLogger],
)
def test_every_bound_logger_sends(wrapper: type[Any], sent: Sent) -> None:
    """Filtering, standard library and generic bound loggers."""
    configure(send, wrapper_class=wrapper)
    structlog.get_logger().bind(job=7).error("failed", code=3)
    record = sent()
    assert (record.body, record.severity_number, own(record)) == ("failed", 17, {"job": 7, "code": 3})


def test_what_the_bound_logger_filters_is_not_sent(sent: Sent) -> None:
    """Levels below the wrapper's never reach the chain."""
    configure(send, wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert sent().body == "loud"


def test_a_wrapped_standard_library_logger_gives_its_name(sent: Sent) -> None:
    """The scope is the logging logger's name; arguments are put in where no processor did it."""
    configure(
        structlog.stdlib.filter_by_level,
        send,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    structlog.get_logger("app.db").warning("slow: %d ms", 120)
    record = sent()
    assert (record.scope, record.body, own(record)) == ("app.db", "slow: 120 ms", {})


def test_add_logger_name_and_callsite_parameters_are_used(sent: Sent) -> None:
    """What the chain already found is taken from there and is not sent twice."""
    parameters = structlog.processors.CallsiteParameter
    configure(
        structlog.processors.CallsiteParameterAdder([parameters.PATHNAME, parameters.LINENO, parameters.FUNC_NAME]),
        send,
    )
    structlog.get_logger().info("here")
    record = sent()
    assert own(record) == {}
    assert record.scope == __name__
    assert record.attributes["code.function.name"] == "test_add_logger_name_and_callsite_parameters_are_used"


@pytest.mark.parametrize(
    ("method", "number", "text"),
    [
        ("notice", 10, "NOTICE"),
        ("trace", 1, "TRACE"),
        ("success", 9, "SUCCESS"),
        ("exception", 17, "ERROR"),
        ("verbose", 7, "VERBOSE"),
        ("audit", 0, "AUDIT"),
    ],
)
def test_custom_levels_have_a_severity(
    method: str, number: int, text: str, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known by OpenTelemetry, by logging.addLevelName, or honestly unspecified under their own name."""
    monkeypatch.delitem(logging._nameToLevel, "TRACE", raising=False)  # a server imported by another test names it
    logging.addLevelName(12, "VERBOSE")
    configure(send, wrapper_class=structlog.BoundLoggerBase)

    class Log(structlog.BoundLoggerBase):
        def speak(self) -> None:
            self._proxy_to_logger(method, "custom")

    structlog.wrap_logger(structlog.PrintLogger(io.StringIO()), wrapper_class=Log).speak()
    record = sent()
    assert (record.severity_number, record.severity_text) == (number, text)


def test_a_level_number_wins(sent: Sent) -> None:
    """What add_log_level_number said is the level; members of enums are numbers and names too."""

    class Name(enum.StrEnum):
        AUDIT = "audit"

    configure(send)
    structlog.get_logger().info("custom", level=Name.AUDIT, level_number=35)
    record = sent()
    assert (record.severity_number, record.severity_text) == (16, "AUDIT")


def failing() -> None:
    raise KeyError("lost")


EXCEPTION_CHAINS: dict[str, list[Processor]] = {
    "send alone": [send],
    "format_exc_info first": [structlog.processors.format_exc_info, send],
    "dict_tracebacks first": [structlog.processors.dict_tracebacks, send],
}


@pytest.mark.parametrize("chain", EXCEPTION_CHAINS.values(), ids=EXCEPTION_CHAINS)
def test_an_exception_keeps_type_message_and_stack(chain: list[Processor], sent: Sent) -> None:
    """Whether a processor rendered it before or not."""
    configure(*chain)
    try:
        failing()
    except KeyError:
        structlog.get_logger().exception("failed")
    record = sent()
    assert record.attributes["exception.type"] == "KeyError"
    assert record.attributes["exception.message"] == "'lost'"
    assert "in failing" in str(record.attributes["exception.stacktrace"])
    assert record.severity_number == 17


@pytest.mark.parametrize("chain", EXCEPTION_CHAINS.values(), ids=EXCEPTION_CHAINS)
def test_an_exception_given_later_keeps_type_and_message(chain: list[Processor], sent: Sent) -> None:
    """An exception instance that is no longer being handled."""
    configure(*chain)
    error: Exception | None = None
    try:
        failing()
    except KeyError as caught:
        error = caught
    structlog.get_logger().error("failed", exc_info=error)
    record = sent()
    assert (record.attributes["exception.type"], record.attributes["exception.message"]) == ("KeyError", "'lost'")


def test_nothing_raised_is_no_exception(sent: Sent) -> None:
    """exc_info=True where nothing is being handled says nothing."""
    configure(send)
    structlog.get_logger().error("calm", exc_info=True)
    assert own(sent()) == {}


@pytest.mark.parametrize("chain", [[send], [structlog.processors.StackInfoRenderer(), send]], ids=["alone", "rendered"])
def test_stack_info_arrives(chain: list[Processor], sent: Sent) -> None:
    """The stack of the call, rendered by structlog or by us."""
    configure(*chain)
    structlog.get_logger().info("where", stack_info=True)
    record = sent()
    assert "in test_stack_info_arrives" in str(record.attributes["code.stacktrace"])
    assert own(record) == {}


@pytest.mark.parametrize("wrapper", [None, structlog.stdlib.BoundLogger, structlog.stdlib.AsyncBoundLogger])
async def test_async_loggers_keep_call_site_thread_and_exception(wrapper: type[Any] | None, sent: Sent) -> None:
    """The processors run on another thread; what arrives is the caller's."""
    configure(send, wrapper_class=wrapper or structlog.make_filtering_bound_logger(0))
    log: Any = structlog.get_logger()
    structlog.contextvars.bind_contextvars(ignored=True)
    try:
        failing()
    except KeyError:
        await (log.exception if wrapper is structlog.stdlib.AsyncBoundLogger else log.aexception)("failed", n=1)
    record = sent()
    assert (record.body, record.attributes["n"]) == ("failed", 1)
    assert record.attributes["exception.type"] == "KeyError"
    assert record.attributes["code.function.name"] == "test_async_loggers_keep_call_site_thread_and_exception"


def careful(logger: Any, method_name: str, event_dict: EventDict) -> EventDict:
    """Log something of its own, as a processor may."""
    logging.getLogger("careful").info("looked at %s", event_dict["event"])
    return event_dict


@pytest.fixture
def wrapped() -> Iterator[Callable[..., Any]]:
    """Configure structlog over loggers of ``logging`` that a handler serves."""
    logger, handler = logging.getLogger("wrapped"), runmill.Handler()
    careful_logger = logging.getLogger("careful")
    for each in (logger, careful_logger):
        each.addHandler(handler)
        each.setLevel("INFO")

    def configured(*processors: Processor) -> Any:
        structlog.configure(processors=list(processors), logger_factory=structlog.stdlib.LoggerFactory())
        return structlog.get_logger("wrapped")

    yield configured
    for each in (logger, careful_logger):
        each.removeHandler(handler)
        each.setLevel("NOTSET")


@pytest.mark.parametrize("last", [structlog.processors.JSONRenderer(), structlog.stdlib.render_to_log_kwargs])
def test_what_was_sent_is_not_sent_by_a_handler_too(
    wrapped: Callable[..., Any], last: Processor, recording_collector: RecordingCollector
) -> None:
    """A chain with `send` over loggers that a handler serves: each event once, and everything else as ever."""
    log = wrapped(structlog.stdlib.add_log_level, send, last)
    log.info("first", n=1)
    logging.getLogger("wrapped").info("native")
    log.info("second", n=2)
    assert runmill.flush(5) == 0
    assert [record.body for record in recording_collector.logs] == ["first", "native", "second"]


def test_a_handler_sends_all_that_no_processor_sent(
    wrapped: Callable[..., Any], recording_collector: RecordingCollector
) -> None:
    """What a processor logs behind `send`, and events of a chain without it, are nobody's doubles."""
    wrapped(send, careful, structlog.processors.KeyValueRenderer(key_order=["event"])).info("first")
    wrapped(careful, structlog.processors.KeyValueRenderer(key_order=["event"])).info("second")
    assert runmill.flush(5) == 0
    bodies = {record.body for record in recording_collector.logs}
    # The record of a processor stands between the first event and its double, which then is not known for one.
    assert bodies == {"first", "looked at first", "event='first'", "looked at second", "event='second'"}


def test_what_send_could_not_send_the_handler_sends(
    wrapped: Callable[..., Any], recording_collector: RecordingCollector
) -> None:
    """An event that failed in `send` is not lost where a handler has its record."""

    class Unspeakable:
        def __str__(self) -> str:
            raise ValueError

        def __repr__(self) -> str:
            return "?"

    log = wrapped(send, structlog.processors.KeyValueRenderer(key_order=["event"]))
    logging.getLogger("wrapped").disabled = True
    log.info("sent, and not logged")
    logging.getLogger("wrapped").disabled = False
    log.info("logged, and not sent", level=Unspeakable())
    assert runmill.flush(5) == 0
    assert [record.body for record in recording_collector.logs] == [
        "sent, and not logged",
        "event='logged, and not sent' level=?",
    ]


def test_contextvars_and_bound_fields_arrive(sent: Sent) -> None:
    """structlog's own context and runmill's; the event wins over both."""
    configure(structlog.contextvars.merge_contextvars, send)
    structlog.contextvars.bind_contextvars(request="r1", n=1)
    with runmill.bind(job="nightly", n=0):
        structlog.get_logger().info("in context", n=2)
    assert own(sent()) == {"request": "r1", "job": "nightly", "n": 2}


def test_a_failing_value_costs_nothing(sent: Sent) -> None:
    """A value whose own code fails is named; the event arrives and goes on."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no words")

    printed = configure(send, lambda _logger, _name, event_dict: str(event_dict["event"]))
    structlog.get_logger().info("told", value=Broken())
    assert "cannot be shown" in str(sent().attributes["value"])
    assert printed.getvalue() == "told\n"


def test_attribute_limits_hold(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard variables limit events as they limit records."""
    monkeypatch.setenv("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "1")
    configure(send)
    structlog.get_logger().info("cut", a=1, b=2)
    assert own(sent()) == {"a": 1}


def test_a_handler_takes_apart_what_wrap_for_formatter_gives(
    recording_collector: RecordingCollector, sent: Sent
) -> None:
    """With ProcessorFormatter elsewhere, our handler still sends the event, not the repr of its dict."""
    configure(
        structlog.stdlib.add_log_level,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        logger_factory=lambda *_: logger,
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    logger = logging.Logger("app.web")  # noqa: LOG001 - not in the tree: nothing is left behind
    handler = runmill.Handler(endpoint=recording_collector.endpoint)
    logger.addHandler(handler)
    try:
        failing()
    except KeyError:
        structlog.get_logger().exception("request failed", path="/x")
    handler.close()
    record = sent()
    assert (record.scope, record.body, record.severity_number) == ("app.web", "request failed", 17)
    assert {key: value for key, value in own(record).items() if key != "exception.stacktrace"} == {
        "path": "/x",
        "exception.type": "KeyError",
        "exception.message": "'lost'",
    }


def test_to_otel_renders_the_record_as_json() -> None:
    """One line with OpenTelemetry's names, which reads back to the same record."""
    printed = configure(structlog.processors.add_log_level, to_otel)
    structlog.get_logger().warning("disk", used=0.91, raw=b"\x00")
    line = json.loads(printed.getvalue())
    assert (line["body"], line["severity_text"], line["severity_number"]) == ("disk", "WARNING", 13)
    assert line["logger"] == __name__
    assert line["attributes"]["raw"] == {"$bytes": "AA=="}
    assert line["attributes"]["code.function.name"] == "test_to_otel_renders_the_record_as_json"
    assert (decode_line(printed.getvalue()).attributes or {})["raw"] == b"\x00"


def test_send_and_to_otel_go_together(sent: Sent) -> None:
    """Sent and printed in one chain."""
    printed = configure(send, to_otel)
    structlog.get_logger().info("twice")
    assert (sent().body, json.loads(printed.getvalue())["body"]) == ("twice", "twice")


def test_many_tasks_log_under_their_own_context(recording_collector: RecordingCollector) -> None:
    """Fields bound in one task are not seen in another."""

    async def work(n: int) -> None:
        with runmill.bind(worker=n):
            await asyncio.sleep(0)
            await structlog.get_logger().ainfo("worked", n=n)

    async def all_of_them() -> None:
        await asyncio.gather(*(work(n) for n in range(10)))

    configure(send)
    asyncio.run(all_of_them())
    assert runmill.flush(5) == 0
    assert sorted((record.attributes["n"], record.attributes["worker"]) for record in recording_collector.logs) == [
        (n, n) for n in range(10)
    ]


def test_a_processor_that_drops_is_obeyed(recording_collector: RecordingCollector) -> None:
    """DropEvent before `send` keeps the event from being sent."""

    def drop(_logger: object, _name: str, event_dict: EventDict) -> EventDict:
        if event_dict.get("drop"):
            raise structlog.DropEvent
        return event_dict

    configure(drop, send)
    structlog.get_logger().info("gone", drop=True)
    structlog.get_logger().info("kept")
    assert runmill.flush(5) == 0
    assert [record.body for record in recording_collector.logs] == ["kept"]


@pytest.mark.parametrize("event", [None, 42, {"a": [1, 2.5]}, ""], ids=["none", "number", "mapping", "empty"])
def test_an_event_that_is_no_text_arrives_as_it_is(event: object, sent: Sent) -> None:
    """structlog takes anything for an event, nothing included."""
    configure(send)
    structlog.get_logger().info(event, n=1)
    record = sent()
    assert (record.body, own(record)) == ("" if event is None else event, {"n": 1})
