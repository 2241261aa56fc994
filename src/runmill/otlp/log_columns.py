"""Log records to Arrow, a column at a time: what is done per record is done in C, but for the attributes."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from runmill.columns import LOGS
from runmill.otlp import arrays
from runmill.otlp.origin import Origin
from runmill.otlp.recent import Recent
from runmill.otlp.run_events import EVENT_NAMES, EventRows, take_event
from runmill.otlp.schema import Message
from runmill.otlp.values import decode_key_value, decode_value, dumps

__all__ = ["LogGroup", "log_table"]

_FIELDS: Final = attrgetter(
    "time_unix_nano",
    "observed_time_unix_nano",
    "severity_number",
    "severity_text",
    "body.string_value",
    "attributes",
    "event_name",
    "trace_id",
    "span_id",
    "dropped_attributes_count",
)
_MAX_SEVERITY: Final = 24
_STREAM: Final = "log.iostream"
_STREAMS: Final = {b'"log.iostream":"stdout"': "stdout", b'"log.iostream":"stderr"': "stderr"}
_EVENT_NAMES: Final = frozenset(map(str.encode, EVENT_NAMES))


class LogGroup(NamedTuple):
    """Records that share resource and scope."""

    origin: Origin
    logger: str
    records: Sequence[Message]


def log_table(groups: Sequence[LogGroup], events: EventRows, *, received_unix_nano: int) -> pa.Table:
    """Give the records as a table of `runmill.columns.LOGS`; a run's events go to *events* instead."""
    records = [record for group in groups for record in group.records]
    if not records:
        return LOGS.empty_table()
    group_of = np.repeat(np.arange(len(groups)), [len(group.records) for group in groups])
    columns = _record_columns(records, received_unix_nano) | _group_columns(groups, group_of)
    table = arrays.table(LOGS, columns)
    places = [place for place, record in enumerate(records) if record.event_name in _EVENT_NAMES]
    if not places:
        return table
    is_log = np.ones(len(records), dtype=bool)
    for place in places:
        group = groups[group_of[place]]
        time = int(columns["time_unix_nano"][place])
        is_log[place] = not take_event(
            events, records[place], time_unix_nano=time, origin=group.origin, scope=group.logger
        )
    return table.filter(pa.array(is_log))


def _group_columns(groups: Sequence[LogGroup], group_of: npt.NDArray[np.int64]) -> dict[str, pa.Array]:
    return {
        "logger": arrays.repeated([group.logger for group in groups], group_of),
        "run_id": arrays.repeated([group.origin.run_id for group in groups], group_of),
        "service": arrays.repeated([group.origin.service for group in groups], group_of),
        "rank": arrays.repeated([group.origin.rank for group in groups], group_of, pa.int32()),
        "resource_id": arrays.repeated([group.origin.resource_id for group in groups], group_of),
    }


def _record_columns(records: Sequence[Message], received_unix_nano: int) -> dict[str, Any]:
    time, observed, severity_number, severity_text, body, attributes, event_name, trace_id, span_id, dropped = zip(
        *map(_FIELDS, records), strict=True
    )
    observed_times = arrays.times(observed, received_unix_nano)
    bodies, body_is_json = _bodies(body, records)
    attribute_texts, streams = _attributes(attributes)
    return {
        "time_unix_nano": arrays.times(time, observed_times),
        "observed_time_unix_nano": observed_times,
        "severity_number": _severity_numbers(severity_number),
        "severity_text": arrays.text(severity_text),
        "body": arrays.text(bodies),
        "body_is_json": body_is_json,
        "attributes": arrays.text(attribute_texts),
        "event_name": arrays.text(event_name),
        "trace_id": arrays.text(list(map(_trace_ids.__getitem__, trace_id))),
        "span_id": arrays.text(list(map(_span_ids.__getitem__, span_id))),
        "dropped_attributes_count": dropped,
        "stream": arrays.text(streams),
    }


def _severity_numbers(numbers: Sequence[int]) -> npt.NDArray[np.uint8]:
    """What is no severity is UNSPECIFIED: its text is still there."""
    given = np.array(numbers, dtype=np.int32)
    return np.where((given >= 0) & (given <= _MAX_SEVERITY), given, 0).astype(np.uint8)


def _bodies(texts: Iterable[bytes], records: Sequence[Message]) -> tuple[list[bytes], npt.NDArray[np.bool_]]:
    """Give the bodies, and which of them are JSON. No text may mean an empty text, another type, or no body."""
    bodies = list(texts)
    is_json = np.zeros(len(bodies), dtype=bool)
    for place in [place for place, text in enumerate(bodies) if not text]:
        body = records[place].body
        if body.WhichOneof("value") != "string_value":
            bodies[place], is_json[place] = dumps(decode_value(body)), True
    return bodies, is_json


def _attributes(attributes: Iterable[Sequence[bytes]]) -> tuple[list[bytes], list[str | None]]:
    """Give each record's attributes as a JSON object, and the stream that is among them."""
    member = _members.__getitem__
    # A dict, because of a key that is there twice the last value counts; a slice, because a repeated field is slow to
    # iterate over.
    members = [dict(map(member, raws[:])) for raws in attributes]
    objects = [b"{%b}" % b",".join(each.values()) for each in members]
    return objects, [_STREAMS.get(each[_STREAM]) if _STREAM in each else None for each in members]


def _member(raw: bytes) -> tuple[str, bytes]:
    """Give an attribute's key, and ``"key":value`` in JSON."""
    key, value = decode_key_value(raw)
    return key, _json_keys[key] + dumps(value)


def _json_key(key: str) -> bytes:
    return dumps(key) + b":"


def _hex_or_none(raw: bytes, size: int) -> str | None:
    """An id of another length or of zeros only is none. Source: logs.proto, trace_id and span_id."""
    return raw.hex() if len(raw) == size and any(raw) else None


_json_keys: Final = Recent(_json_key, capacity=1024)
_members: Final = Recent(_member)
_trace_ids: Final[Recent[bytes, str | None]] = Recent(lambda raw: _hex_or_none(raw, 16))
_span_ids: Final[Recent[bytes, str | None]] = Recent(lambda raw: _hex_or_none(raw, 8))
