"""Operators on records: each does what its keys say, and what it cannot read goes on as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runmill.collector.lines.entry import Entry, entry_of
from runmill.collector.lines.expressions import parse_condition
from runmill.collector.lines.fields import MISSING, parse_field
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.collector.receivers.recipes import recipe_of


def read(text, *operators, is_final=True, **settings):
    """What lines become by operators."""
    config = FileLogConfig(include=["x"], operators=list(operators), **settings)
    reading = recipe_of(config).read(text.encode(), is_final=is_final)
    return [entry_of(one)._replace(first=0, last=0) for one in reading.entries]


def entry(body, **fields):
    return Entry(0, 0, fields.pop("time_unix_nano", 0), None, body, **fields)


JSON = {"type": "json_parser"}


def test_json_parser_reads_an_object():
    """Into the attributes; the body stays. What is no object goes on as it is."""
    assert read('{"a": 1, "b": {"c": null}}\nno\n[1]\n', JSON) == [
        entry('{"a": 1, "b": {"c": null}}', attributes={"a": 1, "b": {"c": None}}), entry("no"), entry("[1]"),
    ]  # fmt: skip


def test_parsers_read_time_and_severity_on_the_way():
    """As operators of their own would; the fields stay."""
    parser = {
        **JSON, "parse_to": "body",
        "timestamp": {"parse_from": "body.t", "layout": "%Y-%m-%d %H:%M:%S.%f", "location": "UTC"},
        "severity": {"parse_from": "body.s", "mapping": {"error": ["E", 500]}},
    }  # fmt: skip
    text = '{"t": "2026-11-22 01:04:26.5", "s": "E"}\n{"s": 500}\n{"s": "warn"}\n{"s": "?"}\n'
    assert [(one.time_unix_nano, one.severity_number, one.severity_text) for one in read(text, parser)] == [
        (1795309466500000000, 17, "ERROR"), (0, 17, "ERROR"), (0, 13, "warn"), (0, 0, ""),
    ]  # fmt: skip


def test_regex_parser_reads_named_groups():
    """Groups that took no part are left out; fields that are there stay."""
    steps = [
        {"type": "add", "field": "attributes.team", "value": "ml"},
        {"type": "regex_parser", "regex": r"^(?P<key>\w+)=(?P<value>\d+)(?P<unit>ms)?$"},
    ]
    assert [one.attributes for one in read("a=1\nb=2ms\nno\n", *steps)] == [
        {"team": "ml", "key": "a", "value": "1"},
        {"team": "ml", "key": "b", "value": "2", "unit": "ms"},
        {"team": "ml"},
    ]


@pytest.mark.parametrize(
    ("layout", "text", "expected"),
    [
        ("s", "1795309466", 1795309466 * 10**9),
        ("s", "1795309466.25", 1795309466_250_000_000),
        ("ms", "1795309466250", 1795309466_250_000_000),
        ("ns", "1795309466250000001", 1795309466_250_000_001),
        ("s", "soon", 0),
    ],
)
def test_time_parser_reads_an_epoch(layout, text, expected):
    """Exactly, whatever the unit; what is no number changes nothing."""
    step = {"type": "time_parser", "parse_from": "body", "layout_type": "epoch", "layout": layout}
    assert read(f"{text}\n", step) == [entry(text, time_unix_nano=expected)]


def test_time_parser_knows_zones():
    """That of the text, else that of `location`."""
    step = {"type": "time_parser", "parse_from": "body", "layout": "%d/%b/%Y:%H:%M:%S %z"}
    assert read("22/Nov/2026:03:04:26 +0200\n", step)[0].time_unix_nano == 1795309466 * 10**9
    step = {"type": "time_parser", "parse_from": "body", "layout": "%Y-%m-%d %H:%M:%S", "location": "Europe/Vienna"}
    assert read("2026-11-22 02:04:26\n", step)[0].time_unix_nano == 1795309466 * 10**9


def test_fields_are_moved_added_and_removed():
    """Between body, attributes and resource; nothing happens where nothing is."""
    steps = [
        {**JSON, "parse_to": "body"},
        {"type": "move", "from": "body.user.id", "to": 'attributes["enduser.id"]'},
        {"type": "move", "from": "body.none", "to": "attributes.none"},
        {"type": "add", "field": "resource.team", "value": "ml"},
        {"type": "remove", "field": "body.secret"},
        {"type": "remove", "field": "attributes.none"},
    ]
    assert read('{"user": {"id": 7, "n": 1}, "secret": "x"}\n', *steps) == [
        entry({"user": {"n": 1}}, attributes={"enduser.id": 7}, resource=(("team", "ml"),))
    ]


def test_filter_drops_and_tells_what():
    """True means gone, as upstream."""
    config = FileLogConfig(include=["x"], operators=[{"type": "filter", "expr": 'body startsWith "DEBUG"'}])
    reading = recipe_of(config).read(b"a\nDEBUG x\nb\n", is_final=True)
    assert ([one[4] for one in reading.entries], list(reading.drops)) == (
        [b"a", b"b"],
        [('body startsWith "DEBUG"', "DEBUG x")],
    )


FIRST = {"type": "recombine", "combine_field": "body", "is_first_entry": 'body matches "^\\\\S"'}
KEEP = {"preserve_leading_whitespaces": True}


def test_recombine_joins_from_a_first_record_on():
    """What may go on is held; what came before the first is a record too."""
    text = " lost\na\n b\n c\nd\n e\n"
    assert [one.body for one in read(text, FIRST, **KEEP)] == [" lost", "a\n b\n c", "d\n e"]
    assert [one.body for one in read(text, FIRST, is_final=False, **KEEP)] == [" lost", "a\n b\n c"]


def test_recombine_joins_up_to_a_last_record():
    """With what is to be put between, and the fields of the first."""
    step = {
        "type": "recombine", "combine_field": "body", "combine_with": "|", "overwrite_with": "oldest",
        "is_last_entry": 'body endsWith ";"',
    }  # fmt: skip
    assert [one.body for one in read("a\nb;\nc;\nd\n", step)] == ["a|b;", "c;", "d"]


def test_recombine_has_limits():
    """So many records, or so many bytes, are one at most."""
    assert [one.body for one in read("a\n b\n c\n d\n", {**FIRST, "max_batch_size": 2}, **KEEP)] == ["a\n b", " c\n d"]
    assert [one.body for one in read("a\n b\n c\n d\n", {**FIRST, "max_log_size": 3}, **KEEP)] == ["a\n b", " c\n d"]


def test_recombine_joins_few_while_nothing_matched():
    """Where the condition never holds, records are not made to one until the largest is reached."""
    last = {**FIRST, "is_last_entry": 'body endsWith ";"', "max_unmatched_batch_size": 2}
    del last["is_first_entry"]
    assert [one.body for one in read("a\nb\nc\nd;\ne\n", last)] == ["a\nb", "c\nd;", "e"]
    first = {**FIRST, "max_unmatched_batch_size": 1}
    assert [one.body for one in read(" a\n b\nc\n d\n e\n", first, **KEEP)] == [" a", " b", "c\n d\n e"]
    assert [one.body for one in read(" a\n b\n", {**first, "max_unmatched_batch_size": 0}, **KEEP)] == [" a\n b"]


def test_recombine_keeps_streams_apart():
    """Unlike upstream's default, which mixes stdout and stderr."""
    lines = ["stdout F a", "stderr F x", "stdout F  b", "stderr F  y"]
    text = "".join(f"2026-11-22T01:04:26.0Z {line}\n" for line in lines)
    assert [(one.stream, one.body) for one in read(text, {"type": "container"}, FIRST)] == [
        ("stdout", "a\n b"), ("stderr", "x\n y"),
    ]  # fmt: skip


def test_structured_lines_are_left_to_operators_that_read():
    """`json_parser` gets the line that was printed; without operators the line is understood."""
    line = '{"event": "x", "level": "info"}'
    assert read(f"{line}\n", JSON)[0].body == line
    assert read(f"{line}\n")[0].body == "x"
    assert read(f"{line}\n", JSON, structured_lines=True)[0].body == "x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('body == "a b"', True), ("body != 'a b'", False), ('body contains "b"', True), ('body matches "^b"', False),
        ('body endsWith "b" and attributes.n == 1', True), ('body == "x" || attributes.n == 1', True),
        ('not (body == "x" or attributes["n"] == 2)', True), ('!(body == "a b") && attributes.n == 1', False),
        ("attributes.none == nil", True), ('attributes.none matches "x"', False), ('body == "a \\"b"', False),
        ('body == "x" and body == "y" or attributes.n == 1', True),
    ],
)  # fmt: skip
def test_conditions(text, expected):
    """`and` before `or`, and `not` before both."""
    assert parse_condition(text)(entry("a b", attributes={"n": 1})) is expected


@pytest.mark.parametrize(
    "text",
    ["", "body", "body ==", 'body == "a" "b"', 'size(body) == "a"', "body < 1", "(body == 1", 'body == "a', "x == 1",
     'body matches "("', "body == body", "body == 1)"],
)  # fmt: skip
def test_conditions_that_are_not_known_are_refused(text):
    """By name, when the configuration is read."""
    with pytest.raises(ValueError, match=r"."):
        parse_condition(text)


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_refused(text):
    """Nothing but ValueError comes of reading one."""
    try:
        parse_condition(text)
    except ValueError:
        return
    parse_condition(text)(entry("x"))


@pytest.mark.parametrize("text", ["", "bodies", "body.", "attributes[", "attributes.a b", ".body", "time"])
def test_fields_that_are_none_are_refused(text):
    """With what to write."""
    with pytest.raises(ValueError, match=r"is no field\. Write body"):
        parse_field(text)


def test_a_field_is_set_where_something_stands_in_the_way():
    """A value makes way for the map that is needed; the record itself is not changed."""
    before = entry("text", attributes={"a": 1})
    after = parse_field("attributes.a.b").set(before, 2)
    assert (before.attributes, after.attributes) == ({"a": 1}, {"a": {"b": 2}})
    assert parse_field("body.x").get(before) is MISSING


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        ({"type": "regex_parser", "regex": "("}, "is no regular expression"),
        ({"type": "regex_parser", "regex": "a"}, "names no group"),
        ({"type": "recombine", "combine_field": "body"}, "give one of is_first_entry and is_last_entry"),
        ({"type": "add", "field": "body", "value": "EXPR(body)"}, "is an expression"),
        ({"type": "severity_parser", "parse_from": "body", "mapping": {"loud": "x"}}, "is no severity"),
        ({"type": "time_parser", "parse_from": "body", "layout_type": "epoch", "layout": "h"}, "is no unit"),
        ({"type": "time_parser", "parse_from": "body", "location": "Mars"}, "is no time zone"),
        ({"type": "router"}, "router"),
    ],
)
def test_mistakes_are_told_when_the_configuration_is_read(operator, message):
    """Not when the first record comes."""
    with pytest.raises(ValidationError, match=message):
        FileLogConfig(include=["x"], operators=[operator])


def test_container_comes_first_and_once():
    """It reads lines of the file, which no other operator leaves as they are."""
    with pytest.raises(ValidationError, match="Name it once, as the first"):
        FileLogConfig(include=["x"], operators=[JSON, {"type": "container"}])
