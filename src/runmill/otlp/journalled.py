"""A journal as OTLP requests: the same records always under the same producer id and sequence number.

Whoever delivers a journal (its own process, the next one of its home, a collector) sends exactly what is made here, so
that the store recognises what it has already.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from runmill.journal.reader import JournalBatch, Reader
from runmill.journal.records import EVENT, LOG, POINT, REQUEST, Record, parse_run_key
from runmill.otlp import runs
from runmill.otlp.encode import encode_logs, encode_metrics, encode_resource
from runmill.otlp.scrub import scrub

__all__ = [
    "SCRUBBED_RESOURCE",
    "Request",
    "Source",
    "artifact_hashes",
    "records_of",
    "requests",
    "run_attributes",
]

SCRUBBED_RESOURCE = "runmill.scrubbed"
"""A resource attribute: secrets in these logs are blanked, by whoever delivers them; their process asked for it."""

Signal: TypeAlias = Literal["logs", "metrics"]

_MOST_RESOURCES = 1024

_LARGE_BYTES = 1 << 19
"""From here on a receiver may find a request too large."""

_SIGNALS: Mapping[int, Signal] = {LOG: "logs", EVENT: "logs", POINT: "metrics"}


@dataclass(frozen=True, slots=True)
class Request:
    """One Export*ServiceRequest, and what it is recognised by when it comes again."""

    signal: Signal
    producer_id: str
    sequence: int
    payload: bytes


class Source:
    """One journal on its way out, with what its process was."""

    def __init__(self, reader: Reader, journal_id: str, resource: Mapping[str, Any]) -> None:
        self.reader = reader
        self.journal_id = journal_id
        self.is_scrubbed = resource.get(SCRUBBED_RESOURCE) is True
        self._resource = resource
        self._resources: dict[str | None, bytes] = {}

    def resource_of(self, run_key: str | None) -> bytes:
        """Give the encoded resource of a record: the process, and its run where it has one."""
        encoded = self._resources.get(run_key)
        if encoded is None:
            encoded = encode_resource({**self._resource, **run_attributes(run_key)})
            if len(self._resources) >= _MOST_RESOURCES:  # a process of very many runs: begin again
                self._resources.clear()
            self._resources[run_key] = encoded
        return encoded


def requests(source: Source, batch: JournalBatch) -> list[Request]:
    """Give what to send for *batch*: its logs and events, then its metric points; nothing for what it has none of.

    Where one of them is large it comes first: if a receiver finds it too large, it has taken nothing of the batch yet,
    and the batch can be divided.
    """
    records = [scrub(record) for record in batch.records] if source.is_scrubbed else batch.records
    payloads: list[tuple[Signal, bytes]] = [
        ("logs", encode_logs(records, source.resource_of) + _foreign("logs", records)),
        ("metrics", encode_metrics(records, source.resource_of) + _foreign("metrics", records)),
    ]
    payloads.sort(key=lambda each: len(each[1]) >= _LARGE_BYTES and len(each[1]), reverse=True)
    return [
        Request(signal, f"{source.journal_id}.{signal}", batch.sequence, payload)
        for signal, payload in payloads
        if payload
    ]


def records_of(batch: JournalBatch, signal: Signal) -> list[Record]:
    """Give the records of *batch* that go out as *signal*."""
    return [each for each in batch.records if (each[1] if each[0] == REQUEST else _SIGNALS[each[0]]) == signal]


def _foreign(signal: Signal, records: Iterable[Record]) -> bytes:
    """Give what others encoded. Put behind each other, requests are one: their only field is repeated."""
    return b"".join([record[2] for record in records if record[0] == REQUEST and record[1] == signal])


def artifact_hashes(batch: JournalBatch) -> Iterator[str]:
    """Yield the SHA-256 of each file that *batch* tells of: its bytes go before the event."""
    for record in batch.records:
        if record[0] == EVENT and record[3] == runs.ARTIFACT:
            yield record[4]["sha256"]


def run_attributes(run_key: str | None) -> dict[str, Any]:
    """Give the resource attributes that say whose run a record belongs to; none without a run."""
    if run_key is None:
        return {}
    run = parse_run_key(run_key)
    named = {
        runs.RUN_ID: run.run_id,
        runs.EXPERIMENT: run.experiment,
        runs.PARENT_ID: run.parent_id,
        runs.RANK: run.rank,
    }
    return {name: value for name, value in named.items() if value not in (None, "")}
