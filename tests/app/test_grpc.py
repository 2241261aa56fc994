"""With the grpc extra, the same records go to a gRPC receiver."""

import logging
import queue
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import (
    LogsServiceServicer,
    add_LogsServiceServicer_to_server,
)

import runmill


class Receiver(LogsServiceServicer):
    """Answers the statuses it is given in turn, then takes everything."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.producers: list[tuple[str, str]] = []
        self.answers: queue.SimpleQueue[grpc.StatusCode | ExportLogsServiceResponse] = queue.SimpleQueue()

    def Export(self, request: ExportLogsServiceRequest, context: grpc.ServicerContext) -> ExportLogsServiceResponse:  # noqa: N802 - gRPC's name
        metadata = dict(context.invocation_metadata())
        self.producers.append((metadata["runmill-producer"], metadata["runmill-sequence"]))
        answer = ExportLogsServiceResponse() if self.answers.empty() else self.answers.get()
        if isinstance(answer, grpc.StatusCode):
            context.abort(answer, "not now")
        self.bodies += [
            record.body.string_value
            for group in request.resource_logs
            for scope in group.scope_logs
            for record in scope.log_records
        ]
        return answer


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    servicer = Receiver()
    server = grpc.server(ThreadPoolExecutor(2))
    add_LogsServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    yield servicer
    server.stop(None).wait()


@pytest.fixture
def log(receiver: Receiver) -> logging.Logger:
    logger = logging.Logger("app")  # noqa: LOG001 - not in the tree: nothing is left behind
    logger.addHandler(runmill.Handler())
    return logger


def test_records_arrive_over_grpc(log: logging.Logger, receiver: Receiver) -> None:
    """The protocol is chosen by the standard variable."""
    log.info("by gRPC")
    assert runmill.flush(10) == 0
    assert receiver.bodies == ["by gRPC"]


def test_what_may_be_retried_is_sent_again_under_its_number(log: logging.Logger, receiver: Receiver) -> None:
    """ABORTED is retryable: the batch comes again with the same producer and sequence."""
    receiver.answers.put(grpc.StatusCode.ABORTED)
    log.info("again")
    assert runmill.flush(10) == 0
    assert receiver.bodies == ["again"]
    assert receiver.producers[0] == receiver.producers[1]


def test_what_may_not_be_retried_is_counted(
    log: logging.Logger, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    """INVALID_ARGUMENT means never again: said once, and the next record goes."""
    receiver.answers.put(grpc.StatusCode.INVALID_ARGUMENT)
    log.info("refused")
    assert runmill.flush(10) == 0
    log.info("next")
    assert runmill.flush(10) == 0
    *_, next_body, told = receiver.bodies
    assert (len(receiver.bodies), next_body) == (2, "next")
    assert re.fullmatch(r"1 INFO records rejected: http://.* answered INVALID_ARGUMENT 'not now'", told)
    assert "1 records were rejected and are lost" in capfd.readouterr().err


def test_a_partial_success_is_reported(
    log: logging.Logger, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a receiver left out of a batch is told with its words, and not sent again."""
    partial = ExportLogsServiceResponse()
    partial.partial_success.rejected_log_records = 3
    partial.partial_success.error_message = "too old"
    receiver.answers.put(partial)
    log.info("partly")
    assert runmill.flush(10) == 0
    assert len(receiver.producers) == 1
    assert "did not take 3 records of a batch: 'too old'" in capfd.readouterr().err
