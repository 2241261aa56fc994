"""Reading log records, on every engine."""

import itertools
from dataclasses import replace

import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_columns import NOW, SECOND, delivery, log

from runmill.columns import LOGS
from runmill.errors import InvalidArgument
from runmill.model import LogRecord
from runmill.store.interface import Delivery
from runmill.store.query import AttributeKey, LogCount, LogQuery
from runmill.store.search import parse

by_example = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
run_ids = (f"example-{number}" for number in itertools.count())

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
NAMES = st.text("abc.", min_size=1, max_size=4)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "time_unix_nano": st.integers(0, 9),
            "observed_time_unix_nano": st.integers(0, 2**63 - 1),
            "severity_number": st.integers(0, 24),
            "severity_text": TEXT,
            "logger": NAMES,
            "body": TEXT,
            "attributes": st.dictionaries(TEXT, TEXT | st.integers(-(2**63), 2**63 - 1) | st.none()),
            "event_name": TEXT,
            "trace_id": st.none() | st.just("0af7651916cd43dd8448eb211c80319c"),
            "span_id": st.none() | st.just("b7ad6b7169203331"),
            "service": TEXT,
            "stream": st.sampled_from([None, "stdout", "stderr"]),
            "rank": st.none() | st.integers(0, 3),
            "dropped_attributes_count": st.integers(0, 2**32 - 1),
        }
    ),
    min_size=1,
    max_size=12,
)


def stored(store, records, *, commits=1):
    """Append the records of a run of their own, in this many commits; give its id."""
    run_id = next(run_ids)
    rows = [
        log(**{**record, "attributes": orjson.dumps(record["attributes"]).decode()}, run_id=run_id)
        for record in records
    ]
    size = -(-len(rows) // commits)
    for start in range(0, len(rows), size):
        store.append([delivery(logs=rows[start : start + size])])
    return run_id


def read(store, **query) -> tuple[LogRecord, ...]:
    return store.logs(LogQuery(**query)).records


@given(RECORDS)
@by_example
def test_what_goes_in_comes_out(store, records):
    """Every field of a record is read as it was written, in order of time and then of commit."""
    run_id = stored(store, records)
    expected = [
        LogRecord(**record, cursor=0, run_id=run_id, resource_id="resource-1")
        for record in sorted(records, key=lambda record: record["time_unix_nano"])
    ]
    assert [replace(record, cursor=0) for record in read(store, run_id=run_id)] == expected


@given(RECORDS, st.integers(1, 5), st.integers(1, 3))
@by_example
def test_pages_join_without_gap_or_overlap(store, records, limit, commits):
    """Paging back from the newest and forth from the oldest gives every record once, in order."""
    run_id = stored(store, records, commits=commits)
    whole = read(store, run_id=run_id)
    back, page = [], store.logs(LogQuery(run_id=run_id, limit=limit))
    back[:0] = page.records
    while page.more_before:
        page = store.logs(LogQuery(run_id=run_id, limit=limit, before=page.first))
        assert page.more_after
        back[:0] = page.records
    forth = list(page.records)
    while page.more_after:
        page = store.logs(LogQuery(run_id=run_id, limit=limit, after=page.last))
        assert page.more_before
        forth += page.records
    assert tuple(back) == tuple(forth) == whole


def test_the_first_page_is_the_newest(store):
    """Without cursors a page holds the newest records, oldest of them first."""
    run_id = stored(store, [_record(body=str(n), time_unix_nano=NOW + n) for n in range(5)])
    page = store.logs(LogQuery(run_id=run_id, limit=2))
    assert ([record.body for record in page.records], page.more_before, page.more_after) == (["3", "4"], True, False)


def test_a_page_beyond_the_end_is_empty(store):
    """It has no cursors, and knows that there is something on its other side."""
    run_id = stored(store, [_record()])
    [first] = (store.logs(LogQuery(run_id=run_id)).first,)
    page = store.logs(LogQuery(run_id=run_id, before=first))
    assert (page.records, page.first, page.last, page.more_before, page.more_after) == ((), None, None, False, True)
    page = store.logs(LogQuery(run_id=run_id, after=first))
    assert (page.records, page.first, page.last, page.more_before, page.more_after) == ((), None, None, True, False)


def test_a_live_reader_misses_no_late_record(store):
    """Continuing by commit gives records whose times the reader has passed already, each once, by commit."""
    run_id = stored(store, [_record(body="now", time_unix_nano=NOW)])
    page = store.logs(LogQuery(run_id=run_id))
    for body, time in (("new", NOW + 1), ("late", NOW - SECOND), ("newer", NOW + 2)):
        store.append([delivery(logs=[log(run_id=run_id, body=body, time_unix_nano=time)])])
    next_page = store.logs(LogQuery(run_id=run_id, committed_after=page.committed, limit=2))
    assert [record.body for record in next_page.records] == ["new", "late"]
    assert (next_page.more_before, next_page.more_after) == (True, True)
    rest = store.logs(LogQuery(run_id=run_id, committed_after=next_page.records[-1].cursor))
    assert ([record.body for record in rest.records], rest.more_after) == (["newer"], False)
    assert store.logs(LogQuery(run_id=run_id, committed_after=rest.committed)).records == ()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"min_severity": 13}, ["disk", "crash"]),
        ({"logger": "train"}, ["start", "Step"]),
        ({"logger": "train.loop"}, ["Step"]),
        ({"text": "STEP"}, ["Step"]),
        ({"text": "GRÜN"}, ["crash"]),
        ({"text": "100%"}, ["disk"]),
        ({"text": "1_0"}, []),
        ({"text": 'say "hi"'}, ["start"]),
        ({"text": "two\nlines"}, ["disk"]),
        ({"text": ""}, ["start", "Step", "disk", "crash"]),
        ({"stream": "stderr"}, ["crash"]),
        ({"rank": 1}, ["disk"]),
        ({"service": "api"}, ["crash"]),
        ({"since_unix_nano": NOW + 1, "until_unix_nano": NOW + 3}, ["Step", "disk"]),
        ({"logger": "train", "min_severity": 10}, []),
    ],
)
def test_filters_keep_what_fits(store, query, found):
    """Each filter alone, and all that are given together."""
    run_id = "filtered-run"
    store.append(
        [
            delivery(
                logs=[
                    log(run_id=run_id, time_unix_nano=NOW, body="start", attributes='{"note":"say \\"hi\\""}'),
                    log(run_id=run_id, time_unix_nano=NOW + 1, body="Step 1", logger="train.loop"),
                    log(
                        run_id=run_id,
                        time_unix_nano=NOW + 2,
                        body="disk at 100%",
                        severity_number=13,
                        logger="trainer",
                        rank=1,
                        attributes='{"text":"two\\nlines"}',
                    ),
                    log(
                        run_id=run_id,
                        time_unix_nano=NOW + 3,
                        body='{"crash":"grün"}',
                        body_is_json=True,
                        severity_number=21,
                        logger="kernel",
                        stream="stderr",
                        service="api",
                    ),
                ]
            )
        ]
    )
    expected = {"start": "start", "Step": "Step 1", "disk": "disk at 100%", "crash": {"crash": "grün"}}
    assert [record.body for record in read(store, run_id=run_id, **query)] == [expected[name] for name in found]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": 0}, "limit 0"),
        ({"limit": 10_001}, "limit 10001"),
        ({"before": "yesterday"}, "before 'yesterday'"),
        ({"after": "1.99999999999999999999"}, "after '1.999"),
        ({"after": "1.9999999999999999999"}, "after '1.999"),
        ({"after": "1.1", "committed_after": 1}, "committed_after"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(store, query, message):
    """The text names the argument and its value."""
    with pytest.raises(InvalidArgument, match=message):
        store.logs(LogQuery(**query))


def test_records_of_an_unknown_run_are_none(store):
    """Who wants an error asks for the run."""
    assert store.logs(LogQuery(run_id="never-heard-of")).records == ()


def test_counts_cover_the_time_in_equal_slices(store):
    """Records are counted by severity range; cursors and limit do not matter."""
    times_and_severities = [(0, 9), (1, 12), (4, 13), (5, 0), (9, 24), (9, 21)]
    run_id = stored(store, [_record(time_unix_nano=NOW + t, severity_number=n) for t, n in times_and_severities])
    counts = store.log_counts(LogQuery(run_id=run_id, limit=1, before="0.0"), slices=2)
    assert counts == [
        LogCount(NOW, 9, 2),
        LogCount(NOW, 13, 1),
        LogCount(NOW + 5, 0, 1),
        LogCount(NOW + 5, 21, 2),
    ]
    assert store.log_counts(LogQuery(run_id=run_id, text="nowhere"), slices=2) == []
    with pytest.raises(InvalidArgument, match="slices 0"):
        store.log_counts(LogQuery(), slices=0)


def test_loggers_and_services_are_counted(store):
    """Loggers by run or over all; services only where no run is."""
    store.append(
        [
            delivery(
                logs=[
                    log(run_id="run-a", logger="train"),
                    log(run_id="run-a", logger="train", resource_id="other"),
                    log(run_id="run-b", logger="data"),
                    log(logger="train", service="api"),
                ]
            )
        ]
    )
    assert store.loggers("run-a") == [("train", 2)]
    assert store.loggers(None) == [("data", 1), ("train", 3)]
    assert store.services() == [("api", 1)]


def _record(**values):
    plain = {"time_unix_nano": NOW, "severity_number": 9, "body": "text", "attributes": {}}
    return {**plain, **values}


def test_attributes_are_counted_by_name(store):
    """Of the records that fit, the most frequent first, with values; the names a person gives, whatever they hold."""
    rows = [{"phase": "eval", "a.b/c": 1}, {"phase": "train"}, {}, {'qu"ote': None, "phase": 2}]
    logs = [log(run_id="with-attributes", attributes=orjson.dumps(each).decode()) for each in rows]
    store.append([delivery(logs=[*logs, log(run_id="other-run", attributes='{"else":1}')])])
    query = LogQuery(run_id="with-attributes")
    found = {each.name: (each.count, set(each.examples)) for each in store.attribute_keys(query)}
    assert found == {"phase": (3, {"eval", "train", 2}), "a.b/c": (1, {1}), 'qu"ote': (1, {None})}
    assert next(iter(found)) == "phase"
    some = replace(query, where=parse("phase:eval"))
    assert store.attribute_keys(some) == [AttributeKey("a.b/c", 1, (1,)), AttributeKey("phase", 1, ("eval",))]
    assert AttributeKey("else", 1, (1,)) in store.attribute_keys(LogQuery())


def test_what_is_searched_in_parts_is_a_page_all_the_same(store):
    """Through very many messages, some late: page by page in every direction, and by commit, as through a few."""
    count, found_every = 210_000, 21_000
    shared = log(run_id="long-1")
    columns = {name: pa.array([value] * count, LOGS.field(name).type) for name, value in shared.items()}
    columns["body"] = pa.array([f"needle {n}" if n % found_every == 0 else f"hay {n}" for n in range(count)])
    columns["time_unix_nano"] = pa.array([NOW + n if n % 2 else NOW + count - n for n in range(count)])
    logs = pa.table(columns, schema=LOGS)
    empty = delivery().columns
    store.append([Delivery(replace(empty, logs=logs.slice(start, 70_000))) for start in range(0, count, 70_000)])
    expected = sorted(range(0, count, found_every), key=lambda n: NOW + count - n)
    query = LogQuery(run_id="long-1", text="NEEDLE", limit=4)

    def numbers(page):
        return [int(record.body.split()[1]) for record in page.records], page.more_before, page.more_after

    newest = store.logs(query)
    older = store.logs(replace(query, before=newest.first))
    oldest = store.logs(replace(query, before=older.first))
    assert [numbers(page) for page in (newest, older, oldest)] == [
        (expected[6:], True, False), (expected[2:6], True, True), (expected[:2], False, True),
    ]  # fmt: skip
    assert store.logs(replace(query, after=oldest.last)) == older
    assert store.logs(replace(query, after=older.last)) == newest
    assert numbers(store.logs(replace(query, limit=1))) == (expected[-1:], True, False)
    assert numbers(store.logs(replace(query, limit=1, before=newest.first))) == (expected[5:6], True, True)
    by_commit = store.logs(replace(query, committed_after=oldest.records[-1].cursor - 1, limit=1))
    assert numbers(by_commit) == (expected[1:2], True, True)
