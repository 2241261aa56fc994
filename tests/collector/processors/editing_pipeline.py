"""Requests with all that processors look at, and a processor between them and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from collector_fakes import RecordingConsumer
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from runmill.collector.catalog import CATALOG
from runmill.collector.component import Batch
from runmill.collector.processors.making import make_processor
from runmill.collector.processors.records import any_value, plain
from runmill.collector.telemetry import Telemetry


@dataclass(frozen=True)
class Record:
    body: object = "line"
    severity_number: int = 9
    attributes: Mapping[str, object] = field(default_factory=dict)
    event_name: str = ""
    time_unix_nano: int = 1


def logs_batch(*records: Record, resource: Mapping[str, object] | None = None, scope: str = "app") -> Batch:
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    for key, value in (resource or {}).items():
        group.resource.attributes.add(key=key).value.CopyFrom(any_value(value))
    logs = group.scope_logs.add()
    logs.scope.name = scope
    for record in records:
        made = logs.log_records.add(
            severity_number=record.severity_number, event_name=record.event_name, time_unix_nano=record.time_unix_nano
        )
        made.body.CopyFrom(any_value(record.body))
        for key, value in record.attributes.items():
            made.attributes.add(key=key).value.CopyFrom(any_value(value))
    return Batch("logs", request.SerializeToString(), len(records))


@dataclass(frozen=True)
class Outcome:
    batches: list[Batch]
    dropped: dict[str, int]

    def records(self) -> list[Record]:
        return [
            Record(
                plain(r.body), r.severity_number, {a.key: plain(a.value) for a in r.attributes}, r.event_name,
                r.time_unix_nano,
            )
            for one in self.batches
            for group in ExportLogsServiceRequest.FromString(one.payload).resource_logs
            for scope in group.scope_logs
            for r in scope.log_records
        ]  # fmt: skip

    def resource(self) -> dict[str, object]:
        [group] = ExportLogsServiceRequest.FromString(self.batches[0].payload).resource_logs
        return {pair.key: plain(pair.value) for pair in group.resource.attributes}


async def through(kind: str, batch: Batch, **settings) -> Outcome:
    """Send one batch through the processor the YAML would make of *settings*."""
    consumer, telemetry = RecordingConsumer(), Telemetry()
    config = CATALOG["processors"][kind].config(**settings)
    await make_processor(kind, config, consumer, telemetry=telemetry).consume(batch)
    prefix = f'runmill_dropped_records_total{{component="{kind}",reason="'
    dropped = {
        key.removeprefix(prefix).removesuffix(f'",signal="{batch.signal}"}}').replace('\\"', '"'): count
        for key, count in telemetry.snapshot().items()
        if key.startswith(prefix)
    }
    return Outcome(consumer.batches, dropped)
