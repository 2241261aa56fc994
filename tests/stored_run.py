"""One small stored run, made of OTLP requests as any sender would post them."""

import hashlib

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

RUN_ID = "0a1b2c3d-1111-4222-8333-444455556666"
START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def post_run(endpoint: str) -> None:
    """Store a run of 30 log lines, a metric and a file, that lasted 90 seconds."""
    post(endpoint, "logs", run_logs())
    post(endpoint, "metrics", run_metrics())
    put_file(endpoint, "outputs/model.pkl", b"model")
    post(endpoint, "logs", run_event("run.ended", 90, status="Completed"))


def post(endpoint: str, signal: str, request: ExportLogsServiceRequest | ExportMetricsServiceRequest) -> None:
    answer = httpx.post(
        f"{endpoint}/v1/{signal}",
        content=request.SerializeToString(),
        headers={"Content-Type": "application/x-protobuf"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text


def put_file(endpoint: str, path: str, content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    httpx.put(f"{endpoint}/api/v1/artifacts/{sha256}", content=content, trust_env=False).raise_for_status()
    facts = {"path": path, "size_bytes": len(content), "media_type": "application/octet-stream", "sha256": sha256}
    post(endpoint, "logs", run_event("run.artifact", 80, **facts))


def run_logs() -> ExportLogsServiceRequest:
    request = run_event("run.started", 0, status="Running", experiment="diabetes", name="ridge", tags={"data": "small"})
    for number in range(30):
        scope = request.resource_logs[0].scope_logs.add()
        scope.scope.name = "train.loop" if number % 2 else "train"
        record = scope.log_records.add(time_unix_nano=START + number * SECOND)
        record.severity_number, record.severity_text = (13, "WARNING") if number % 10 == 9 else (9, "INFO")
        record.body.string_value = f"line {number:02d}"
        record.attributes.append(KeyValue(key="step", value=AnyValue(int_value=number)))
    return request


def run_event(name: str, second: int, /, **body: object) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    described = request.resource_logs.add()
    described.resource.attributes.append(KeyValue(key="run.id", value=AnyValue(string_value=RUN_ID)))
    record = described.scope_logs.add().log_records.add(time_unix_nano=START + second * SECOND, event_name=name)
    record.body.CopyFrom(any_value(body))
    return request


def run_metrics() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    described = request.resource_metrics.add()
    described.resource.attributes.append(KeyValue(key="run.id", value=AnyValue(string_value=RUN_ID)))
    metric = described.scope_metrics.add().metrics.add(name="mse", description="held out")
    metric.metadata.append(KeyValue(key="run.metric.kind", value=AnyValue(string_value="scalar")))
    for index, value in enumerate([0.5, 0.25, 0.375]):
        point = metric.gauge.data_points.add(time_unix_nano=START + index * SECOND, as_double=value)
        point.attributes.append(KeyValue(key="run.index", value=AnyValue(int_value=index)))
    return request


def any_value(value: object) -> AnyValue:
    if isinstance(value, dict):
        return AnyValue(kvlist_value={"values": [KeyValue(key=key, value=any_value(value[key])) for key in value]})
    if isinstance(value, list):
        return AnyValue(array_value={"values": map(any_value, value)})
    names = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
    return AnyValue() if value is None else AnyValue(**{names[type(value)]: value})
