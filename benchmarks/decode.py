"""What decoding costs: records per CPU second from the bytes of OTLP requests to Arrow tables.

    python benchmarks/decode.py

Bodies of 1,000 log records of about 315 bytes with 5 attributes; in the first all of them recur, in the others one or
all have a new value in every record. Beside it: the parse that counts, and the official classes' parse alone.
"""

import time
from collections.abc import Callable
from itertools import count

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from runmill.otlp.columns import decode_logs, decode_metrics
from runmill.otlp.count import count_records

RECORDS = 1000
BODIES = 60
_numbers = count()


def key_value(key: str, value: str | int) -> dict[str, object]:
    return {"key": key, "value": {"int_value" if isinstance(value, int) else "string_value": value}}


def log_record(i: int, changing: int) -> dict[str, object]:
    values = {"logger.name": "train.loop", "code.file.path": "src/train/loop.py", "run.id": "run-2f9c1a7be4"}
    attributes = [key_value(*item) for item in values.items()]
    attributes += [key_value("code.line.number", 100 + i % 300), key_value("step", 7)]
    for place in range(changing):
        attributes[4 - place] = key_value(f"value.{place}", next(_numbers))
    return {
        "time_unix_nano": 1_700_000_000_000_000_000 + i,
        "observed_time_unix_nano": 1_700_000_000_000_000_000 + i,
        "severity_number": 9,
        "severity_text": "INFO",
        "body": {
            "string_value": (f"epoch 3 step {i} loss=0.{4000 + i % 997} lr=3e-4 grad_norm=1.{i % 89:02d} " * 4)[:120]
        },
        "attributes": attributes,
        "trace_id": bytes(range(16)),
        "span_id": bytes(range(8)),
    }


def resource() -> dict[str, object]:
    return {"attributes": [key_value("service.name", "trainer"), key_value("host.name", "node-1")]}


def logs_body(changing: int) -> bytes:
    records = [log_record(i, changing) for i in range(RECORDS)]
    scope_logs = [{"scope": {"name": "load"}, "log_records": records}]
    return ExportLogsServiceRequest(
        resource_logs=[{"resource": resource(), "scope_logs": scope_logs}]
    ).SerializeToString()


def points_body() -> bytes:
    points = [
        {"time_unix_nano": 1_700_000_000_000_000_000 + i, "as_double": i / 7, "attributes": [key_value("run.index", i)]}
        for i in range(RECORDS)
    ]
    metric = {"name": "loss", "gauge": {"data_points": points}, "metadata": [key_value("run.metric.kind", "scalar")]}
    return ExportMetricsServiceRequest(
        resource_metrics=[{"resource": resource(), "scope_metrics": [{"metrics": [metric]}]}]
    ).SerializeToString()


def measure(name: str, work: Callable[[bytes], object], bodies: list[bytes]) -> None:
    # The best of three: other work of the machine only ever slows it. Values that change are new in each body, and
    # two rounds later have left the cache.
    seconds = []
    for _ in range(3):
        start = time.process_time()
        for body in bodies:
            work(body)
        seconds.append(time.process_time() - start)
    records = len(bodies) * RECORDS
    print(
        f"{name:58} {records / min(seconds):>12,.0f} records per CPU second, {len(bodies[0]) // RECORDS:4} bytes each"
    )


def main() -> None:
    steady = [logs_body(0) for _ in range(BODIES)]
    measure("official parse", ExportLogsServiceRequest.FromString, steady)
    measure("count_records", lambda body: count_records("logs", body), steady)
    measure("decode_logs, attributes that recur", decode_logs, steady)
    measure("decode_logs, 1 of 5 attributes changes", decode_logs, [logs_body(1) for _ in range(BODIES)])
    measure("decode_logs, 5 of 5 attributes change", decode_logs, [logs_body(5) for _ in range(BODIES)])
    measure("decode_metrics, run.index changes", decode_metrics, [points_body() for _ in range(BODIES)])


if __name__ == "__main__":
    main()
