"""Log records to Arrow, a column at a time; only a body that is no text is read on its own."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from runmill.columns import LOGS
from runmill.otlp import arrays
from runmill.otlp.attributes import Attributes, read_attributes
from runmill.otlp.origin import Origin
from runmill.otlp.recent import Recent
from runmill.otlp.run_events import EVENT_NAMES, EventRows, take_event
from runmill.otlp.schema import Message
from runmill.otlp.values import decode_value, dumps

__all__ = ["LogGroup", "log_table"]

_MAX_SEVERITY: Final = 24
_STREAM: Final = "log.iostream"
_STREAMS: Final = pa.array(["stdout", "stderr"])
_EVENT_NAMES: Final = pa.array(sorted(EVENT_NAMES), pa.string())


class LogGroup(NamedTuple):
    """Records that share resource and scope."""

    origin: Origin
    logger: str
    records: Sequence[Message]


class _Records:
    """The records of all groups, each found when it is asked for."""

    def __init__(self, groups: Sequence[LogGroup]) -> None:
        counts = [len(group.records) for group in groups]
        self._groups = groups
        self._starts = np.cumsum(counts) - counts
        self.group_of = np.repeat(np.arange(len(groups)), counts)

    def find(self, place: int) -> tuple[LogGroup, Message]:
        """Give the record at *place* of all, and its group."""
        number = int(self.group_of[place])
        group = self._groups[number]
        return group, group.records[place - int(self._starts[number])]


def log_table(
    groups: Sequence[LogGroup], fields: pa.StructArray, events: EventRows, *, received_unix_nano: int
) -> pa.Table:
    """Give the records as a table of `runmill.columns.LOGS`; a run's events go to *events* instead.

    Args:
        groups: The records.
        fields: Their fields, in the same order.
        events: Takes the events.
        received_unix_nano: The time of records that have none.
    """
    if not len(fields):
        return LOGS.empty_table()
    records = _Records(groups)
    columns = _record_columns(records, fields, received_unix_nano) | _group_columns(groups, records.group_of)
    table = arrays.table(LOGS, columns)
    is_event = pc.is_in(columns["event_name"], _EVENT_NAMES).to_numpy(zero_copy_only=False)
    if not is_event.any():
        return table
    taken = [
        place
        for place in arrays.places(is_event)
        if _take(events, records, place, int(columns["time_unix_nano"][place]))
    ]
    return table.filter(pa.array(~np.isin(np.arange(len(table)), taken)))


def _take(events: EventRows, records: _Records, place: int, time_unix_nano: int) -> bool:
    group, record = records.find(place)
    return take_event(events, record, time_unix_nano=time_unix_nano, origin=group.origin, scope=group.logger)


def _group_columns(groups: Sequence[LogGroup], group_of: npt.NDArray[np.int64]) -> dict[str, pa.Array]:
    columns: dict[str, Sequence[object]] = {
        "logger": [group.logger for group in groups],
        "run_id": [group.origin.run_id for group in groups],
        "service": [group.origin.service for group in groups],
        "rank": [group.origin.rank for group in groups],
        "resource_id": [group.origin.resource_id for group in groups],
    }
    return arrays.repeated(LOGS, columns, group_of)


def _record_columns(records: _Records, fields: pa.StructArray, received_unix_nano: int) -> dict[str, Any]:
    sent = dict(zip(fields.type.names, fields.flatten(), strict=True))
    observed_times = arrays.times(sent["observed_time_unix_nano"], received_unix_nano)
    bodies, body_is_json = _bodies(sent["body"], records)
    attributes = read_attributes(sent["attributes"])
    return {
        "time_unix_nano": arrays.times(sent["time_unix_nano"], observed_times),
        "observed_time_unix_nano": observed_times,
        "severity_number": _severity_numbers(sent["severity_number"]),
        "severity_text": arrays.text_or_empty(sent["severity_text"]),
        "body": bodies,
        "body_is_json": body_is_json,
        "attributes": attributes.objects(),
        "event_name": arrays.text_or_empty(sent["event_name"]),
        "trace_id": _ids(sent["trace_id"], _trace_ids),
        "span_id": _ids(sent["span_id"], _span_ids),
        "dropped_attributes_count": sent["dropped_attributes_count"].fill_null(0),
        "stream": _streams(attributes),
    }


def _severity_numbers(numbers: pa.Int32Array) -> npt.NDArray[np.uint8]:
    """What is no severity is UNSPECIFIED: its text is still there."""
    given = numbers.fill_null(0).to_numpy()
    return np.where((given >= 0) & (given <= _MAX_SEVERITY), given, 0).astype(np.uint8)


def _bodies(bodies: pa.StructArray, records: _Records) -> tuple[pa.StringArray, npt.NDArray[np.bool_]]:
    """Give the bodies, and which of them are JSON: those that are no text, or not only."""
    texts, *others = bodies.flatten()
    is_json = np.logical_or.reduce([arrays.is_there(other) for other in others]) | ~arrays.is_there(texts)
    if not is_json.any():
        return arrays.text(texts), is_json
    found = texts.to_pylist()
    for place in arrays.places(is_json):
        _, record = records.find(place)
        is_json[place] = record.body.WhichOneof("value") != "string_value"
        found[place] = dumps(decode_value(record.body)) if is_json[place] else record.body.string_value
    return arrays.text(found), is_json


def _streams(attributes: Attributes) -> pa.StringArray:
    named = attributes.column(attributes.named(_STREAM), attributes.pairs.strings)
    return pc.if_else(pc.is_in(named, _STREAMS), named, None)


def _ids(raws: pa.BinaryArray, text_of: Recent[bytes, str | None]) -> pa.StringArray:
    if raws.null_count == len(raws):
        return pa.nulls(len(raws), pa.string())
    encoded = raws.fill_null(b"").dictionary_encode()
    return pa.array([text_of[raw] for raw in encoded.dictionary.to_pylist()], pa.string()).take(encoded.indices)


def _hex_or_none(raw: bytes, size: int) -> str | None:
    """An id of another length or of zeros only is none. Source: logs.proto, trace_id and span_id."""
    return raw.hex() if len(raw) == size and any(raw) else None


_trace_ids: Final[Recent[bytes, str | None]] = Recent(lambda raw: _hex_or_none(raw, 16))
_span_ids: Final[Recent[bytes, str | None]] = Recent(lambda raw: _hex_or_none(raw, 8))
