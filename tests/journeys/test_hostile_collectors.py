"""Collectors that refuse, hang, reset connections or forget to answer: each record still arrives once, in order."""

import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import runmill
from runmill.app import outlet as outlets
from runmill.testing import ReceivedRequest, RecordingCollector

Fault = Literal["reset", "forget to answer", "busy", "overloaded", "gateway"]
STATUSES: dict[Fault, int] = {"busy": 503, "overloaded": 429, "gateway": 502}


class FaultyCollector(RecordingCollector):
    """Does to each request the next of its faults; then it is as good as any."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__()
        self.faults = deque(faults)
        self.retry_after_seconds = 0

    def receive(self, request: ReceivedRequest) -> tuple[int, bytes]:
        fault = self.faults.popleft() if self.faults else None
        self.status = STATUSES.get(fault, 200) if fault else 200
        if fault == "reset":
            raise ConnectionResetError
        answer = super().receive(request)
        if fault == "forget to answer":
            raise ConnectionResetError  # taken, but the sender never hears of it
        return answer


class HangingCollector(RecordingCollector):
    """Answers nothing as long as it hangs."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()

    def receive(self, request: ReceivedRequest) -> tuple[int, bytes]:
        if not self.goes_on.wait(30):
            raise ConnectionAbortedError
        return super().receive(request)


@pytest.fixture
def app() -> Iterator[logging.Logger]:
    """A logger whose handlers are closed and whose outlets are forgotten at the end."""
    logger = logging.Logger("app")  # noqa: LOG001 - not in the tree: nothing is left behind
    yield logger
    detach(logger)


def detach(logger: logging.Logger) -> None:
    for handler in tuple(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    while outlets._outlets:
        outlets._outlets.popitem()[1].close()


def bodies(collector: RecordingCollector) -> list[object]:
    return [record.body for record in collector.logs]


def flush_until_all_is_safe(most: int) -> None:
    """A flush gives up on a collector that breaks the connection; the next one tries again."""
    assert any(runmill.flush(10) == 0 for _ in range(most))


@given(st.lists(st.sampled_from(["reset", "forget to answer", "busy", "overloaded", "gateway"]), max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_fault_loses_or_doubles_a_record(app: logging.Logger, faults: list[Fault]) -> None:
    """Whatever a collector does to requests, and in which order: what it has in the end is what was logged."""
    with FaultyCollector(faults) as collector:
        app.addHandler(runmill.Handler(endpoint=collector.endpoint))
        for n in range(3):
            app.info("%d", n)
        flush_until_all_is_safe(len(faults) + 1)
        app.info("last")
        flush_until_all_is_safe(len(faults) + 1)
        assert bodies(collector) == ["0", "1", "2", "last"]
        detach(app)


def test_a_collector_that_hangs_holds_nobody_up(app: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logging goes on while a request hangs; flush comes back in its time, and later everything arrives once."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    with HangingCollector() as collector:
        app.addHandler(runmill.Handler(endpoint=collector.endpoint))
        for n in range(100):
            app.info("%d", n)
        assert runmill.flush(0.5) == 100
        collector.goes_on.set()
        flush_until_all_is_safe(2)
        assert bodies(collector) == [str(n) for n in range(100)]


@pytest.mark.slow
def test_a_refused_connection_is_tried_again_in_the_background(app: logging.Logger) -> None:
    """Nobody calls flush: once the collector is there, the records come by themselves."""
    with RecordingCollector() as collector:
        endpoint = collector.endpoint
    app.addHandler(runmill.Handler(endpoint=endpoint))  # it stopped: the port is closed
    app.info("patient")
    assert runmill.flush(5) == 1
    with RecordingCollector(port=int(endpoint.rpartition(":")[2])) as collector:
        [record] = collector.wait_for_logs(1, timeout_seconds=20)
    assert record.body == "patient"


@pytest.mark.slow
def test_eight_threads_lose_and_mix_nothing(app: logging.Logger, recording_collector: RecordingCollector) -> None:
    """Each thread's records arrive whole and in its order, each with the thread's own name."""
    app.addHandler(runmill.Handler(endpoint=recording_collector.endpoint))

    def work(name: str) -> None:
        for n in range(1000):
            app.info("%s %d", name, n, extra={"n": n})

    threads = [threading.Thread(target=work, args=(f"worker-{n}",), name=f"worker-{n}") for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runmill.flush(30) == 0
    by_thread: dict[object, list[object]] = {}
    for record in recording_collector.logs:
        by_thread.setdefault(record.attributes["thread.name"], []).append((record.body, record.attributes["n"]))
    assert by_thread == {f"worker-{w}": [(f"worker-{w} {n}", n) for n in range(1000)] for w in range(8)}
