"""No record, whatever is in its fields, keeps the others from being sent."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from runmill.journal.frames import pack
from runmill.journal.records import LOG, Log
from runmill.otlp.encode import encode_logs

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.integers())
ATTRIBUTES = st.none() | st.dictionaries(ANYTHING.filter(lambda key: not isinstance(key, list)), ANYTHING)
SOUND = Log(LOG, 1, None, "app", 20, "INFO", "sound", None, "f.py", 1, "f", 1, "t", None, None, 0, 0)


@given(st.tuples(*[ANYTHING] * 5), ATTRIBUTES, st.tuples(*[ANYTHING] * 9))
def test_a_record_of_wrong_types_is_sent_with_the_others(
    first: tuple[object, ...], attributes: dict[object, object] | None, last: tuple[object, ...]
) -> None:
    """What a journal can hold can be encoded; what stands behind it arrives."""
    time, logger, levelno, level_name, body = first
    odd = (LOG, time, None, logger, levelno, level_name, body, attributes, *last)
    pack(odd)
    request = ExportLogsServiceRequest.FromString(encode_logs([odd, SOUND], lambda _key: b""))
    records = [record for scope in request.resource_logs[0].scope_logs for record in scope.log_records]
    assert len(records) == 2
    assert records[-1].body.string_value == "sound"


def test_a_number_too_large_for_its_field_is_the_largest() -> None:
    """A count beyond 32 bits would be no valid OTLP."""
    odd = SOUND._replace(levelno=None, dropped_attributes_count=1 << 70)
    request = ExportLogsServiceRequest.FromString(encode_logs([odd], lambda _key: b""))
    [record] = request.resource_logs[0].scope_logs[0].log_records
    assert record.dropped_attributes_count == (1 << 32) - 1


def test_a_logger_without_a_name_has_none() -> None:
    """``logging.makeLogRecord({"name": None})`` is a record like any other."""
    request = ExportLogsServiceRequest.FromString(encode_logs([SOUND._replace(logger=None)], lambda _key: b""))
    assert request.resource_logs[0].scope_logs[0].scope.name == ""


def test_times_that_no_clock_shows_are_unknown() -> None:
    """A time that is none becomes 0, which is OTLP's word for it; the rest of the record stays."""
    odd = SOUND._replace(time=float("nan"))
    request = ExportLogsServiceRequest.FromString(encode_logs([odd], lambda _key: b""))
    [record] = request.resource_logs[0].scope_logs[0].log_records
    assert (record.time_unix_nano, record.body.string_value, record.severity_number) == (0, "sound", 9)
