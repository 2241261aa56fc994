"""Integers read all at once are those read one by one, or are left to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from runmill.otlp.integers import read_integers
from runmill.otlp.values import decode_key_value

KEY = "run.step"


def attribute(number: int, key: str = KEY) -> bytes:
    return KeyValue(key=key, value=AnyValue(int_value=number)).SerializeToString()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_integers_of_64_bits_are_read(numbers):
    """Each comes as it was sent, in its order."""
    assert list(read_integers([attribute(number) for number in numbers], KEY)) == numbers


@given(st.lists(st.one_of(st.integers(-(2**63), 2**63 - 1).map(attribute), st.binary(max_size=30)), min_size=1))
def test_what_is_read_at_once_is_what_is_read_one_by_one(raws):
    """Whatever the bytes: the same integers, or None."""
    found = read_integers(raws, KEY)
    assert found is None or [(KEY, number) for number in found] == list(map(decode_key_value, raws))


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        attribute(1, key="run.index"),
        KeyValue(key=KEY, value=AnyValue(string_value="1")).SerializeToString(),
        KeyValue(key=KEY, value=AnyValue(double_value=1.0)).SerializeToString(),
        KeyValue(key=KEY).SerializeToString(),
        b"\x0a\x08run.step\x12\x01\x18",
        b"\x0a\x08run.step\x12\x02\x18\x80",
        b"\x0a\x08run.step\x12\x03\x18\x01\x02",
        b"\x0a\x08run.step\x12\x05\x18\x01\x0a\x01x",
        b"\x0a\x08run.step\x12\x02\x18\x01\x0a\x00",
    ],
    ids=["nothing", "key", "text", "double", "no-value", "no-number", "cut", "two-numbers", "last-wins", "more-after"],
)
def test_one_that_is_no_plain_integer_leaves_all_to_be_read_one_by_one(odd):
    """None, also where the others would make up for a number too few or too many."""
    assert read_integers([attribute(300), odd, b"\x0a\x08run.step\x12\x01\x18"], KEY) is None
    assert read_integers([attribute(300), odd], KEY) is None
