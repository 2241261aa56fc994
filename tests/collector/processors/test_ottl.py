"""Conditions: what they are true for, and where a wrong one is wrong."""

import pytest
from editing_pipeline import Record, logs_batch
from hypothesis import given
from hypothesis import strategies as st

from runmill.collector.ottl.conditions import Mistake, parse
from runmill.collector.processors.records import decode, records

RECORD = Record(
    "loss is nan", 13, {"step": 3, "ratio": 0.5, "ok": True, "user": {"id": "me"}, "tags": ["a", "b"], "big": "10"}
)


def element(record=RECORD):
    [found] = records("logs", decode("logs", logs_batch(record, resource={"host.name": "h1"}, scope="train").payload))
    return found


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('body == "loss is nan"', True), ("severity_number >= SEVERITY_NUMBER_WARN", True),
        ("severity_number > SEVERITY_NUMBER_WARN", False), ('attributes["step"] == 3', True),
        ('attributes["step"] == 3.0', True), ('attributes["ok"] == true', True), ('attributes["ok"] == 1', False),
        ('attributes["none"] == nil', True), ('attributes["none"] != nil', False), ('attributes["none"] < 5', False),
        ('attributes["big"] < 5', False), ('attributes["big"] < "2"', True), ('attributes["ratio"] <= 0.5', True),
        ('resource.attributes["host.name"] == "h1"', True), ('log.attributes["step"] == 3', True),
        ('instrumentation_scope.name == "train"', True), ('IsMatch(body, "nan$")', True),
        ('IsMatch(attributes["step"], "^3$")', True), ('IsMatch(attributes["none"], ".*")', False),
        ('HasPrefix(body, "loss")', True), ('HasSuffix(body, "loss")', False), ("IsString(body)", True),
        ('IsMap(attributes["user"])', True), ('Len(attributes["tags"]) == 2', True), ("Len(body) > 100", False),
        ("not IsString(body) or true", True), ('not (body == "x" or severity_number == 13)', False),
        ("false or true and false", False), ("(false or true) and true", True), ("not not true", True),
        (r'"a\"b" == "a\"b"', True), ("3 == -3", False),
    ],
)  # fmt: skip
def test_condition_is_true_or_false(condition, expected):
    """As the OpenTelemetry Transformation Language says."""
    assert parse(condition)(element()) is expected


def test_key_of_a_body_that_is_a_map():
    """A body that is none has no keys."""
    condition = parse('body["level"] == "debug"')
    assert (condition(element(Record({"level": "debug"}))), condition(element())) == (True, False)


@pytest.mark.parametrize(
    ("condition", "mistake"),
    [
        ("", "column 1: the end stands where a value is expected"),
        ("body = 1", "column 6: '=' is not understood. Texts stand in double quotes"),
        ("body == 'x'", 'column 9: "\'" is not understood. Texts stand in double quotes'),
        ("body", "column 1: 'body' alone is no condition. Compare it, such as with == \"x\""),
        ("true true", "column 6: 'true' is not expected here. Join conditions with and, or"),
        ("true and", "column 9: the end stands where a value is expected"),
        ('(body == "x"', "column 13: ')' is expected, not the end"),
        ("IsMatch(body)", "column 1: IsMatch takes 2 arguments, not 1"),
        ('IsMatch(body, "(")', "column 15: '(' is no regular expression"),
        ("IsMatch(body, body)", "column 15: a pattern must stand here as text"),
        ("attributes[3] == 3", "column 12: '3' is no key. Write attributes[\"key\"]"),
        ('true or Hex(body) == "x"', "column 9: the function 'Hex' is not supported (supported: IsMatch, HasPrefix"),
        ("severity_nmber == 1", "did you mean 'severity_number'?"),
        ("(" * 60, "column 51: nested deeper than 50 levels. Write several conditions"),
    ],
)
def test_mistake_says_where_and_what(condition, mistake):
    """Whatever is not supported is refused when it is read, never guessed at later."""
    with pytest.raises(Mistake) as refused:
        parse(condition)
    assert mistake in str(refused.value)


@given(st.text(alphabet='ab=!<>()[]". andornotIsMatch1,-\\', max_size=60))
def test_any_text_is_a_condition_or_a_mistake(text):
    """Nothing else escapes, and what is a condition can be asked."""
    try:
        condition = parse(text)
    except Mistake:
        return
    assert condition(element()) in (True, False)
