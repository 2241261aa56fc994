"""AnyValues become Python values and JSON, whatever is in them."""

import json

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

import strategies
from runmill.otlp.values import MAX_DEPTH, decode_key_value, decode_value, dumps, dumps_object
from runmill.store.values import decode as read_stored


@given(strategies.ANY_VALUES)
def test_json_is_what_the_official_classes_read(value):
    """The JSON text of any value is that of a walk over the official classes: types, order and bits."""
    text = dumps(decode_value(value.SerializeToString()))
    assert repr(json.loads(text)) == repr(oracle.spelled(value))


@given(strategies.ANY_VALUES)
def test_the_store_reads_what_is_written_here(value):
    """The store's own reader gives back the Python value."""
    decoded = decode_value(value.SerializeToString())
    assert repr(read_stored(dumps(decoded).decode())) == repr(decoded)


@given(st.binary())
def test_bytes_that_are_no_value_stay_bytes(raw):
    """Nothing is refused: what cannot be read is kept as it came."""
    decoded = decode_value(raw)
    assert dumps(decoded)
    assert dumps_object(dict([decode_key_value(raw)]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, b"1.0"),
        (-(2**63), b"-9223372036854775808"),
        (b"\x01", b'{"$bytes":"AQ=="}'),
        ([float("nan"), float("inf")], b'[{"$double":"NaN"},{"$double":"Infinity"}]'),
        (float("-inf"), b'{"$double":"-Infinity"}'),
        ({"$bytes": "x"}, b'{"$map":{"$bytes":"x"}}'),
        ({"$map": {"$double": 1}}, b'{"$map":{"$map":{"$map":{"$double":1}}}}'),
        ({"$bytes": "x", "a": 1}, b'{"$bytes":"x","a":1}'),
        ({}, b"{}"),
        (None, b"null"),
    ],
)  # fmt: skip
def test_what_json_cannot_say_is_spelled_out(value, text):
    """The spellings that the store and its readers know, byte for byte."""
    assert dumps(value) == text


def test_attributes_are_always_a_plain_object():
    """A column of attributes holds only objects, so the outermost is never wrapped."""
    assert dumps_object({"$bytes": {"$bytes": "x"}}) == b'{"$bytes":{"$map":{"$bytes":"x"}}}'


@pytest.mark.parametrize("kind", ["array_value", "kvlist_value"])
def test_what_is_nested_too_deep_is_cut(kind):
    """The levels allowed are kept; in place of the rest stands how much it was."""
    value = AnyValue(string_value="deep")
    for _ in range(MAX_DEPTH + 1):
        inner = value if kind == "array_value" else {"key": "k", "value": value}
        value = AnyValue(**{kind: {"values": [inner]}})
    decoded = decode_value(value.SerializeToString())
    for _ in range(MAX_DEPTH):
        decoded = decoded[0] if kind == "array_value" else decoded["k"]
    size = {"array_value": 8, "kvlist_value": 13}[kind]
    assert decoded == f"[cut: {size} bytes nested deeper than {MAX_DEPTH} levels]"


def test_nesting_without_end_is_no_attack():
    """Two thousand levels, more than Python or protobuf could recurse into, are cut like one too many."""
    raw = b""
    for _ in range(2000):
        inner = b"\x0a" + _length(raw) + raw
        raw = b"\x2a" + _length(inner) + inner
    assert b"[cut: " in dumps(decode_value(raw))


def _length(raw):
    return bytes([len(raw) & 0x7F | 0x80, len(raw) >> 7 & 0x7F | 0x80, len(raw) >> 14])
