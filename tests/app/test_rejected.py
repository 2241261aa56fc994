"""What a collector will never take is counted, said, and told in the store; it costs nothing that it would take."""

import logging
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

import runmill
from runmill import home as homes
from runmill.app import outlet as outlets
from runmill.journal.backlog import backlogs
from runmill.testing import ReceivedLog, ReceivedRequest, RecordingCollector

OK, BAD_REQUEST, TOO_LARGE = 200, 400, 413


class NarrowCollector(RecordingCollector):
    """Takes requests up to a size."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self.most_bytes = most_bytes

    def receive(self, request: ReceivedRequest) -> tuple[int, bytes]:
        self.status = OK if len(request.body) <= self.most_bytes else TOO_LARGE
        return super().receive(request)


class ChoosyCollector(RecordingCollector):
    """Takes requests whole, and says that it left three records of each out."""

    def receive(self, request: ReceivedRequest) -> tuple[int, bytes]:
        status, _ = super().receive(request)
        answer = ExportLogsServiceResponse()
        answer.partial_success.rejected_log_records = 3
        answer.partial_success.error_message = "too old"
        return status, answer.SerializeToString()


def attached(endpoint: str) -> logging.Logger:
    logger = logging.Logger("app")  # noqa: LOG001 - not in the tree: nothing is left behind
    logger.addHandler(runmill.Handler(endpoint=endpoint))
    return logger


def bodies(collector: RecordingCollector) -> list[object]:
    return [record.body for record in collector.logs if record.scope == "app"]


def told(collector: RecordingCollector) -> list[ReceivedLog]:
    return [record for record in collector.logs if "runmill.lost_records" in record.attributes]


def test_a_rejected_batch_is_counted_and_does_not_stop_the_next(
    recording_collector: RecordingCollector, capfd: pytest.CaptureFixture[str], home: Path
) -> None:
    """400 means never again: it is said on stderr, told in the store, shown by the doctor, and delivery goes on."""
    logger = attached(recording_collector.endpoint)
    recording_collector.status = BAD_REQUEST
    logger.info("unloved")
    logger.error("unloved")
    assert runmill.flush(5) == 0
    recording_collector.status = OK
    logger.info("next")
    assert runmill.flush(5) == 0
    assert bodies(recording_collector) == ["next"]
    assert "records were rejected and are lost" in capfd.readouterr().err
    words = f"{recording_collector.endpoint}/v1/logs answered 400 ''"
    assert [(record.severity_text, record.body) for record in told(recording_collector)] == [
        ("WARNING", f"1 INFO records rejected: {words}"),
        ("WARNING", f"1 ERROR records rejected: {words}"),
    ]
    [journal] = backlogs(homes.find(home))
    assert (journal.rejected_count, journal.dropped_count) == (2, 0)
    assert journal.losses == (f"1 INFO records rejected: {words}", f"1 ERROR records rejected: {words}")


def test_a_collector_that_rejects_everything_is_not_told_of_it(recording_collector: RecordingCollector) -> None:
    """Telling of a loss is not itself a loss to tell of: delivery comes to an end."""
    logger = attached(recording_collector.endpoint)
    recording_collector.status = BAD_REQUEST
    logger.info("unloved")
    assert [runmill.flush(5) for _ in range(3)] == [0, 0, 0]
    assert len(recording_collector.requests) == 2  # the record, and that it is lost
    [outlet] = outlets._outlets.values()
    assert outlet.pending_count() == 0


def test_the_run_that_lost_records_is_told(
    recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record of a loss belongs to the run whose records they were."""
    monkeypatch.setenv("RUNMILL_ENDPOINT", recording_collector.endpoint)
    run = runmill.Experiment(runmill.Workspace.from_config(), "lossy").start_logging(snapshot_directory=None)
    logger = attached(recording_collector.endpoint)
    assert runmill.flush(10) == 0
    recording_collector.status = BAD_REQUEST
    logger.info("unloved")
    assert runmill.flush(10) == 0
    recording_collector.status = OK
    assert runmill.flush(10) == 0
    run.complete()
    lost_logs = [each for each in told(recording_collector) if each.attributes["runmill.lost_level"] == "INFO"]
    assert [(each.resource["run.id"], each.attributes["runmill.lost_records"]) for each in lost_logs] == [(run.id, 1)]


def test_what_is_too_large_at_once_is_sent_in_smaller_requests(capfd: pytest.CaptureFixture[str]) -> None:
    """413 to a batch costs no record: it is divided until it is taken, and later batches are no larger."""
    with NarrowCollector(most_bytes=100_000) as collector:
        logger = attached(collector.endpoint)
        for n in range(3000):
            logger.info("%d %s", n, "x" * 100)
        assert runmill.flush(30) == 0
        assert bodies(collector) == [f"{n} {'x' * 100}" for n in range(3000)]
        sizes = [len(request.body) for request in collector.requests]
        assert sum(size > collector.most_bytes for size in sizes) < 5
    assert capfd.readouterr().err == ""


def test_a_record_that_is_too_large_is_refused_alone(recording_collector: RecordingCollector) -> None:
    """Its neighbours arrive, each once and in order; in its place stands that it is lost, and why."""
    with NarrowCollector(most_bytes=50_000) as collector:
        logger = attached(collector.endpoint)
        for n in range(20):
            logger.info("%s", "x" * 60_000 if n == 11 else n)
        assert runmill.flush(30) == 0
        assert runmill.flush(30) == 0
        assert bodies(collector) == [str(n) for n in range(20) if n != 11]
        [record] = told(collector)
        assert str(record.body).startswith("1 INFO records rejected: ")
        assert " answered 413 " in str(record.body)


def test_a_partial_success_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """What a collector left out of a batch is told with its words, and the batch is not sent again."""
    with ChoosyCollector() as collector:
        logger = attached(collector.endpoint)
        for n in range(5):
            logger.info("%d", n)
        assert runmill.flush(5) == 0
        assert runmill.flush(5) == 0
        [record] = told(collector)
        assert record.attributes["runmill.lost_records"] == 3
        assert record.body == "3 records rejected: the collector took the rest of a batch of 5, and said 'too old'"
        assert len(collector.requests) == 2
    assert "did not take 3 records of a batch: 'too old'" in capfd.readouterr().err
