"""The query language for people: what it means, what it refuses, and that all who read it agree."""

import itertools
from contextlib import suppress

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_columns import NOW, delivery, log

from runmill.errors import InvalidArgument
from runmill.store.condition import Amount, Attribute, Level, Name, Not, Rank, Regex, Text, Word, fits
from runmill.store.query import LogQuery
from runmill.store.search import attribute_term, parse

run_ids = (f"searched-{number}" for number in itertools.count())


@pytest.mark.parametrize(
    ("query", "conditions"),
    [
        ("", []),
        ("  out of ", [Text("out"), Text("of")]),
        ('"out of memory" -heartbeat', [Text("out of memory"), Not(Text("heartbeat"))]),
        (r'"say \"hi\" \\ there" ""', [Text('say "hi" \\ there'), Text("")]),
        ("level>=warning", [Level(13, 24)]),
        ("level:error level=9 level>info", [Level(17, 20), Level(9, 9), Level(13, 24)]),
        ("level<WARN level<=13 -level:debug", [Level(0, 12), Level(0, 13), Not(Level(5, 8))]),
        ("rank:3 rank>=1 rank!=0", [Rank(3, 3), Rank(1, 2**31 - 1), Not(Rank(0, 0))]),
        ("logger:train.* service=api", [Name("logger", "train.*"), Name("service", "api")]),
        ("event:run.started trace:0af7*", [Name("event_name", "run.started"), Name("trace_id", "0af7*")]),
        ("phase:eval user.id!=7", [Attribute("phase", "eval"), Not(Attribute("user.id", "7"))]),
        ('note:"two words" attributes.rank:3', [Attribute("note", "two words"), Attribute("rank", "3")]),
        ("loss>0.3 batch<=1e3", [Amount("loss", ">", 0.3), Amount("batch", "<=", 1000.0)]),
        ("http://x/y 12:30:01 -", [Text("http://x/y"), Text("12:30:01"), Text("-")]),
        ("--help", [Not(Text("-help"))]),
        (r'word:memory -regex:"out of (memory|disk)"', [Word("memory"), Not(Regex("out of (memory|disk)"))]),
    ],
)
def test_a_query_is_read_term_by_term(query, conditions):
    """Every kind of term, alone and beside others."""
    assert list(parse(query)) == conditions


@given(st.text(min_size=1), st.text())
def test_the_term_of_an_attribute_asks_for_it(key, value):
    """Whatever its name and value are; a name that no term can hold leaves a search for the value."""
    [condition] = parse(attribute_term(key, value))
    assert condition in (Attribute(key, value), Text(value))


@pytest.mark.parametrize(
    ("query", "column", "words"),
    [
        ("level>=loud", 1, "'level>=loud' is no level; one of TRACE"),
        ("a level:25", 3, "'level:25' is no level"),
        ("ok phase:", 4, "'phase:' wants a value. To find the text itself, quote it"),
        ("loss>big", 1, "'loss>big' compares with a number"),
        ("rank:first", 1, "wants a whole number"),
        ("logger>train", 1, "compares a text; use 'logger:VALUE'"),
        ("-phase!=eval", 2, "says no twice"),
        ("a regex:(b", 3, "'regex:(b' is no regular expression: missing )"),
        ('regex:"a(?=b)"', 1, "has '(?=', which a store does not know"),
        ("regex:a{1,2000}", 1, "has '{1,2000', which a store does not know"),
        ("word>a", 1, "compares a text; use 'word:VALUE'"),
        ('ok  "never closed', 5, "quote that is not closed"),
        ('a"b', 1, "or one inside a word"),
    ],
)
def test_a_mistake_is_pointed_at(query, column, words):
    """The column it begins at, what stands there, and what can."""
    with pytest.raises(InvalidArgument, match=rf"^query, column {column}: ") as caught:
        parse(query)
    assert words in str(caught.value)


@given(st.text(st.sampled_from('ab -":\\=<>!.*/1'), max_size=20))
def test_any_text_is_a_query_or_a_mistake(query):
    """Nothing a person can type gets any other exception."""
    with suppress(InvalidArgument):
        parse(query)


@given(st.lists(st.text(max_size=6), max_size=4))
def test_whatever_is_quoted_is_looked_for(texts):
    """Quotes and backslashes, each after a backslash, are all that has to be escaped."""
    escaped = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    assert list(parse(" ".join(f'"{text}"' for text in escaped))) == [Text(text) for text in texts]


WORDS = st.text("aB.%_", max_size=3)
PATTERNS = st.text("aB.*%_", max_size=3)
VALUES = (
    WORDS
    | st.integers(-3, 3)
    | st.booleans()
    | st.none()
    | st.sampled_from(["2", "-1.5", "1_0", "nan", " 1", "1e0", "inf"])
)
SIMPLE = st.one_of(
    st.builds(Text, WORDS),
    st.builds(Word, st.text("aB.% é", min_size=1, max_size=3)),
    st.builds(Regex, st.sampled_from(["a|B", "^a", r"a$", r"\.", "a{2}", "[b-z]", r"\bA", "%.*_", r"\w\W"])),
    st.builds(Level, st.integers(0, 24), st.integers(0, 24)),
    st.builds(Rank, st.integers(0, 3), st.integers(0, 3)),
    st.builds(Name, st.sampled_from(["logger", "service", "stream", "event_name", "trace_id"]), PATTERNS),
    st.builds(Attribute, st.sampled_from(["a", "a.b", "a/b", "x~"]), PATTERNS),
    st.builds(Amount, st.sampled_from(["a", "a.b"]), st.sampled_from(["<", "<=", ">", ">="]), st.integers(-2, 2)),
)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "body": st.text("aB.%_ é", max_size=5),
            "severity_number": st.integers(0, 24),
            "logger": st.sampled_from(["a", "a.b", "aB", "ab.a"]),
            "service": WORDS,
            "stream": st.sampled_from([None, "stdout"]),
            "rank": st.none() | st.integers(0, 3),
            "event_name": WORDS,
            "trace_id": st.sampled_from([None, "aa"]),
            "attributes": st.dictionaries(st.sampled_from(["a", "a.b", "a/b", "x~", "c"]), VALUES),
        }
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(RECORDS, st.lists(SIMPLE | st.builds(Not, SIMPLE), min_size=1, max_size=3))
def test_the_store_finds_what_fits(store, records, conditions):
    """An engine's rows and a live view's records are chosen alike, whatever is asked and stored."""
    run_id = next(run_ids)
    rows = [{**each, "attributes": orjson.dumps(each["attributes"]).decode()} for each in records]
    store.append([delivery(logs=[log(**row, run_id=run_id, time_unix_nano=NOW + n) for n, row in enumerate(rows)])])
    whole = store.logs(LogQuery(run_id=run_id)).records
    found = store.logs(LogQuery(run_id=run_id, where=tuple(conditions))).records
    # `fits` is the definition: simple enough to be read.
    assert found == tuple(record for record in whole if all(fits(condition, record) for condition in conditions))
