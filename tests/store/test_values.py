"""The JSON of text columns and the values it stands for."""

import math

import pytest

from runmill.store.values import decode, decode_attributes


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("1.0", 1.0),
        ("9223372036854775807", 2**63 - 1),
        ('{"a":[1,{"b":"c"}]}', {"a": [1, {"b": "c"}]}),
        ('{"$bytes":"AQI="}', b"\x01\x02"),
        ('[{"$double":"Infinity"},{"$double":"-Infinity"}]', [math.inf, -math.inf]),
        ('{"$map":{"$bytes":"AQI="}}', {"$bytes": "AQI="}),
        ('{"$map":{"$map":{"$double":"Infinity"}}}', {"$map": math.inf}),
        ('{"$bytes":"AQI=","more":1}', {"$bytes": "AQI=", "more": 1}),
        ('{"$price":3}', {"$price": 3}),
        # never written by us: taken for the maps they are
        ('{"$bytes":"not base64!"}', {"$bytes": "not base64!"}),
        ('{"$double":"2"}', {"$double": "2"}),
        ('{"$map":1}', {"$map": 1}),
    ],
)
def test_a_text_gives_the_value_it_stands_for(text, value):
    """What JSON cannot say is spelled out, and what only looks like a spelling is left alone."""
    decoded = decode(text)
    assert (decoded, type(decoded)) == (value, type(value))


def test_nan_comes_back():
    """NaN is spelled too."""
    value = decode('{"$double":"NaN"}')
    assert isinstance(value, float)
    assert math.isnan(value)


def test_attributes_are_a_map_even_when_they_look_like_a_spelling():
    """The only attribute of a record may be called as a spelling is."""
    assert decode_attributes('{"$map":{"$bytes":"AQI="}}') == {"$bytes": "AQI="}
