"""The handler among logging's own parts: configuration, queues, copies, threads, forks of context."""

import asyncio
import copy
import enum
import logging
import logging.config
import logging.handlers
import pickle
import queue
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import runmill
from runmill.testing import ReceivedLog, RecordingCollector


@pytest.fixture
def handler(recording_collector: RecordingCollector) -> Iterator[runmill.Handler]:
    made = runmill.Handler(endpoint=recording_collector.endpoint)
    yield made
    made.close()


@pytest.fixture
def log(handler: runmill.Handler) -> logging.Logger:
    """A logger of its own whose records go to the recording collector alone."""
    logger = logging.Logger("app", logging.DEBUG)  # noqa: LOG001 - not in the tree: nothing is left behind
    logger.addHandler(handler)
    return logger


def sent(collector: RecordingCollector) -> list[ReceivedLog]:
    """Flush, and give all records that arrived."""
    assert runmill.flush(5) == 0
    return collector.logs


def own(record: ReceivedLog) -> dict[str, object]:
    """Give the attributes that are the record's own."""
    return {key: value for key, value in record.attributes.items() if not key.startswith(("code.", "thread."))}


def test_file_config_makes_it_by_its_class_path(recording_collector: RecordingCollector, tmp_path: Path) -> None:
    """The oldest way to configure logging works too."""
    (tmp_path / "logging.ini").write_text(
        f"""
[loggers]
keys=root,filed
[handlers]
keys=otlp
[formatters]
keys=
[logger_root]
handlers=
[logger_filed]
qualname=app.filed
level=INFO
handlers=otlp
[handler_otlp]
class=runmill.Handler
args=("INFO",)
kwargs={{"endpoint": "{recording_collector.endpoint}"}}
"""
    )
    logging.config.fileConfig(tmp_path / "logging.ini", disable_existing_loggers=False)
    logger = logging.getLogger("app.filed")
    logger.info("from a file")
    assert [record.body for record in sent(recording_collector)] == ["from a file"]
    logger.removeHandler(logger.handlers[0])


def test_logging_shutdown_delivers_and_logging_goes_on(
    log: logging.Logger, handler: runmill.Handler, recording_collector: RecordingCollector
) -> None:
    """After logging.shutdown nothing that was logged is missing, and what is logged still later arrives too."""
    log.info("before")
    logging.shutdown([lambda: handler])
    assert [record.body for record in recording_collector.logs] == ["before"]
    log.info("after")
    assert [record.body for record in sent(recording_collector)] == ["before", "after"]


@pytest.mark.slow
def test_dict_config_waits_for_no_collector() -> None:
    """While a collector hangs, dictConfig, which closes all handlers under logging's lock, is done at once."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        handler = runmill.Handler(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        logger = logging.getLogger("app.waiting")
        logger.addHandler(handler)
        logger.warning("unheard")
        waiting, _ = silent.accept()  # delivery has begun, and waits for an answer
        started = time.monotonic()
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
        assert time.monotonic() - started < 1
        logger.removeHandler(handler)
        assert handler.outlet.pending_count() == 1
        waiting.close()


@pytest.mark.slow
def test_threads_log_while_logging_is_configured(recording_collector: RecordingCollector) -> None:
    """Eight threads log, one configures logging again and again: nobody hangs, and nothing is lost."""
    handler = runmill.Handler(endpoint=recording_collector.endpoint)
    logger = logging.getLogger("app.busy")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

    def work(worker: int) -> None:
        for n in range(500):
            logger.info("%d %d", worker, n)
            logging.getLogger(f"app.busy.{worker}.{n}")  # takes logging's lock

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
    for thread in threads:
        thread.join()
    logger.removeHandler(handler)
    assert sorted(map(str, (record.body for record in sent(recording_collector)))) == sorted(
        f"{worker} {n}" for worker in range(8) for n in range(500)
    )


def test_a_value_that_logs_while_it_is_logged(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """A repr that logs through the very same logger neither hangs nor loses anything."""

    class Chatty:
        def __repr__(self) -> str:
            log.debug("asked for my repr")
            return "chatty"

    log.info("told", extra={"value": Chatty()})
    assert [record.body for record in sent(recording_collector)] == ["asked for my repr", "told"]


def test_delivery_tells_nothing_through_logging(
    recording_collector: RecordingCollector, caplog: pytest.LogCaptureFixture
) -> None:
    """With every logger of the process at DEBUG, sending logs no record of its own: there is no loop to get into."""
    caplog.set_level(logging.DEBUG)
    root, handler = logging.getLogger(), runmill.Handler(endpoint=recording_collector.endpoint)
    root.addHandler(handler)
    recording_collector.status = 503
    root.warning("once")
    recording_collector.wait_for(lambda collector: bool(collector.requests))
    recording_collector.status = 200
    assert [record.body for record in sent(recording_collector)] == ["once"]
    root.removeHandler(handler)


def test_a_queue_in_front_of_it(handler: runmill.Handler, recording_collector: RecordingCollector) -> None:
    """Behind QueueHandler: the caller's call site, thread and fields arrive; the traceback is in the text."""
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(records, handler)
    logger = logging.Logger("queued")  # noqa: LOG001 - not in the tree
    logger.addHandler(logging.handlers.QueueHandler(records))
    listener.start()
    try:
        {}["lost"]
    except KeyError:
        logger.exception("failed %d", 3, extra={"n": 1})
    listener.stop()
    [record] = sent(recording_collector)
    assert own(record) == {"n": 1}
    assert str(record.body).startswith("failed 3\nTraceback")
    assert record.attributes["code.function.name"] == "test_a_queue_in_front_of_it"
    assert record.attributes["thread.name"] == "MainThread"


def test_the_exception_of_a_record_from_elsewhere(
    handler: runmill.Handler, recording_collector: RecordingCollector
) -> None:
    """A record that came over a socket has its traceback as text: type and message are read from it."""
    text = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\napp.PayError: card refused'
    handler.handle(logging.makeLogRecord({"name": "remote", "msg": "failed", "exc_text": text, "levelno": 40}))
    [record] = sent(recording_collector)
    assert own(record) == {
        "exception.type": "app.PayError",
        "exception.message": "card refused",
        "exception.stacktrace": text,
    }


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record))])
def test_copies_of_records(way, handler: runmill.Handler, recording_collector: RecordingCollector) -> None:
    """A record that was copied or pickled is the record."""
    record = logging.makeLogRecord({"name": "app", "msg": "hello %s", "args": ("you",), "levelno": 20, "loss": 0.5})
    handler.handle(way(record))
    [arrived] = sent(recording_collector)
    assert (arrived.body, own(arrived)) == ("hello you", {"loss": 0.5})


def test_a_bare_record(handler: runmill.Handler, log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """makeLogRecord without name and level gives a record that arrives, and holds up none behind it."""
    handler.handle(logging.makeLogRecord({"msg": "bare"}))
    log.info("next", extra={1: "a key that is no text"})  # type: ignore[dict-item]
    first, second = sorted(sent(recording_collector), key=lambda record: str(record.body))
    assert (first.body, first.scope, first.severity_number) == ("bare", "", 0)
    assert own(second) == {"1": "a key that is no text"}


def test_records_of_a_factorys_own_class(handler: runmill.Handler, recording_collector: RecordingCollector) -> None:
    """Fields that a record class sets before the standard ones are found all the same."""

    class Numbered(logging.LogRecord):
        def __init__(self, *args, **kwargs) -> None:
            self.number = 7
            super().__init__(*args, **kwargs)

    handler.handle(Numbered("app", logging.INFO, "f.py", 1, "numbered", (), None))
    [record] = sent(recording_collector)
    assert own(record) == {"number": 7}


def test_custom_levels(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """Numbers in between, names of one's own, members of enums."""

    class Level(enum.IntEnum):
        AUDIT = 35

    logging.addLevelName(25, "MILESTONE")
    log.log(25, "milestone")
    log.log(Level.AUDIT, "audit")
    log.setLevel(1)
    log.log(7, "unnamed")
    assert [(record.severity_number, record.severity_text) for record in sent(recording_collector)] == [
        (12, "MILESTONE"),
        (16, "Level 35"),
        (4, "Level 7"),
    ]


def test_stack_info(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """The stack of the call is an attribute."""
    log.info("where", stack_info=True)
    [record] = sent(recording_collector)
    assert "in test_stack_info" in str(record.attributes["code.stacktrace"])


def test_an_exception_as_the_message(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """`log.error(error)` has its text as body, and the exception's attributes."""
    log.error(ValueError("bad input"))
    [record] = sent(recording_collector)
    assert (record.body, record.attributes["exception.type"]) == ("bad input", "ValueError")


@pytest.mark.parametrize("nothing", [True, (None, None, None), None])
def test_no_exception_is_no_exception(nothing, log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """exc_info where nothing was raised says nothing."""
    log.error("calm", exc_info=nothing)
    [record] = sent(recording_collector)
    assert own(record) == {}


async def test_the_name_of_the_task_arrives(handler: runmill.Handler, recording_collector: RecordingCollector) -> None:
    """Where logging knows the asyncio task (Python 3.12 on), the record says so."""
    handler.handle(logging.makeLogRecord({"name": "app", "msg": "in a task", "taskName": "fetch-7"}))
    [record] = sent(recording_collector)
    assert own(record) == {"asyncio.task.name": "fetch-7"}


def test_bound_fields_are_on_every_record_inside(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """Blocks add to each other; the call's own extra wins; outside nothing is left."""
    with runmill.bind(job="nightly", n=1):
        with runmill.bind(step=3, where=Path("/x")):
            log.info("inner", extra={"n": 2})
        log.info("outer")
    log.info("outside")
    assert [own(record) for record in sent(recording_collector)] == [
        {"job": "nightly", "n": 2, "step": 3, "where": "/x"},
        {"job": "nightly", "n": 1},
        {},
    ]


def test_bound_fields_keep_to_their_task(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """Tasks started in a block have its fields; what a task binds is its own. A function can be decorated."""

    @runmill.bind(decorated=True)
    def decorated() -> None:
        log.info("decorated")

    async def work(n: int) -> None:
        with runmill.bind(worker=n):
            await asyncio.sleep(0)
            log.info("%d", n)

    async def everything() -> None:
        with runmill.bind(job="all"):
            await asyncio.gather(*(work(n) for n in range(5)))

    asyncio.run(everything())
    decorated()
    *tasks, last = sent(recording_collector)
    assert [(record.body, own(record)) for record in tasks] == [(str(n), {"job": "all", "worker": n}) for n in range(5)]
    assert own(last) == {"decorated": True}


def test_the_active_span_is_read_at_the_call(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """Trace and span id of the OpenTelemetry span that is active when the record is logged; none outside."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("work") as span:
        log.info("inside")
    log.info("outside")
    inside, outside = sent(recording_collector)
    context = span.get_span_context()
    assert (inside.trace_id, inside.span_id) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")
    assert (outside.trace_id, outside.span_id) == ("", "")
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_nothing_of_the_program_is_kept_alive(log: logging.Logger, recording_collector: RecordingCollector) -> None:
    """What is logged is written down at once: no argument, extra or context lives on in a queue."""
    import weakref

    class Tensor:
        def __repr__(self) -> str:
            return "tensor"

    tensor = Tensor()
    log.info("%s", tensor, extra={"value": tensor})
    alive = weakref.ref(tensor)
    del tensor
    assert alive() is None
    assert [record.body for record in sent(recording_collector)] == ["tensor"]
