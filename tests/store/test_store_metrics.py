"""Reading metrics, on every engine."""

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_columns import NOW, delivery, log, point

from runmill.errors import InvalidArgument, NotFound
from runmill.model import MetricPoint, MetricPoints, MetricSummary
from runmill.store.query import Bucket, PointQuery, Series, SeriesQuery

by_example = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
run_ids = (f"example-{number}" for number in itertools.count())

RUN = "run-000001"
NUMBERS = st.integers(-(2**53), 2**53) | st.floats()
VALUES = NUMBERS | st.text("ab", max_size=3) | st.booleans() | st.none() | st.just({"layers": [1, "x"]})
POINTS = st.lists(
    st.fixed_dictionaries(
        {
            "value": VALUES,
            "metric": st.sampled_from(["loss", "acc"]),
            "column": st.sampled_from([None, "x", "y"]),
            "index": st.none() | st.integers(0, 5),
            "step": st.none() | st.integers(-3, 5),
            "time_unix_nano": st.integers(0, 4),
            "rank": st.none() | st.integers(0, 1),
        }
    ),
    min_size=1,
    max_size=12,
)


def stored(store, points, *, commits=1):
    run_id = next(run_ids)
    rows = [point(**each, run_id=run_id) for each in points]
    size = -(-len(rows) // commits)
    for start in range(0, len(rows), size):
        store.append([delivery(points=rows[start : start + size])])
    return run_id


def in_log_order(points):
    return sorted(points, key=lambda each: (each["time_unix_nano"], -1 if each["index"] is None else each["index"]))


def same(left, right) -> bool:
    """Compare as written, so that NaN is NaN and 1 is not 1.0 or True."""
    return repr(left) == repr(right)


@given(POINTS)
@by_example
def test_every_point_comes_out_in_log_order(store, points):
    """A value keeps its type: int stays int, text, bool, None and documents come back as they are."""
    run_id = stored(store, points)
    expected = [MetricPoint(**each, kind="scalar", attributes={}) for each in in_log_order(points)]
    for metric in dict.fromkeys(each.metric for each in expected):
        only = [each for each in expected if each.metric == metric]
        [columns] = store.points(PointQuery((run_id,), metric))
        assert same(list(columns.points()), only)
        assert columns.count == len(only)
        [fewer] = store.points(PointQuery((run_id,), metric, frozenset()))
        assert same(fewer, replace(columns, index=None, step=None, time_unix_nano=None))
    found = store.points(PointQuery((run_id,)))
    assert [each.metric for each in found] == list(dict.fromkeys(each.metric for each in expected))


def test_what_all_points_share_stands_once(store):
    """A column is a list only where points differ, and None where no point has one."""
    run_id = stored(store, [{"value": n, "index": n, "time_unix_nano": n} for n in range(3)])
    assert store.points(PointQuery((run_id,))) == [
        MetricPoints(run_id, "loss", 3, "scalar", None, None, {}, [0, 1, 2], None, [0, 1, 2], [0, 1, 2])
    ]
    run_id = stored(store, [{"value": n, "rank": n, "time_unix_nano": 2 - n} for n in range(3)])
    assert store.points(PointQuery((run_id,))) == [
        MetricPoints(run_id, "loss", 3, "scalar", None, [2, 1, 0], {}, None, None, [0, 1, 2], [2, 1, 0])
    ]


def test_points_of_many_runs_come_at_once(store):
    """Run by run as they were asked for; a run without points or without the metric has no item."""
    first, second = (stored(store, [{"value": 1.0}, {"value": 2.0, "metric": "acc"}]) for _ in range(2))
    store.append([delivery(logs=[log(run_id="silent-1")])])
    found = store.points(PointQuery((second, "silent-1", first)))
    assert [(each.run_id, each.metric) for each in found] == [
        (second, "loss"), (second, "acc"), (first, "loss"), (first, "acc"),
    ]  # fmt: skip
    assert [each.value for each in store.points(PointQuery((second, "silent-1", first), "acc"))] == [[2.0], [2.0]]


@given(POINTS, st.integers(1, 4))
@by_example
def test_a_summary_is_what_its_points_come_to(store, points, commits):
    """However the points were spread over commits, each (metric, column) is summed up as a whole."""
    run_id = stored(store, points, commits=commits)
    ordered = in_log_order(points)
    keys = list(dict.fromkeys((each["metric"], each["column"]) for each in ordered))
    expected = [_summary([p for p in ordered if (p["metric"], p["column"]) == key]) for key in keys]
    assert _unsigned(store.metrics([run_id])) == _unsigned({run_id: expected})


def _unsigned(summaries) -> str:
    """Write them with zeros that have no sign: the points keep it, a summary need not."""
    return repr(summaries).replace("-0.0,", "0.0,")


def _summary(points) -> MetricSummary:
    numbers = [
        float(p["value"]) for p in points if isinstance(p["value"], int | float) and not isinstance(p["value"], bool)
    ]
    finite = [number for number in numbers if math.isfinite(number)]
    last = points[-1]
    return MetricSummary(
        metric=last["metric"],
        kind="scalar",
        column=last["column"],
        description="",
        unit="",
        count=len(points),
        numeric_count=len(numbers),
        first=numbers[0] if numbers else None,
        last=numbers[-1] if numbers else None,
        minimum=min(finite, default=None),
        maximum=max(finite, default=None),
        last_step=last["step"],
        last_time_unix_nano=last["time_unix_nano"],
        last_value=last["value"],
    )


def test_summaries_of_many_runs_come_at_once(store):
    """Every run that was asked for has a list; the newest description and unit that were given stay."""
    store.append(
        [
            delivery(
                points=[
                    point(1, description="how far off", unit="1"),
                    point(2, time_unix_nano=NOW + 1),
                    point(3.0, run_id="run-000002", kind="gauge"),
                ]
            )
        ]
    )
    found = store.metrics(["run-000001", "run-000002", "run-000003"])
    assert {
        run_id: [(s.count, s.kind, s.description, s.unit, s.last_value) for s in of] for run_id, of in found.items()
    } == {
        "run-000001": [(2, "scalar", "how far off", "1", 2)],
        "run-000002": [(1, "gauge", "", "", 3.0)],
        "run-000003": [],
    }


def bucket(x, *values):
    finite = [value for value in values if math.isfinite(value)]
    return Bucket(
        x=float(x),
        minimum=min(finite, default=None),
        maximum=max(finite, default=None),
        last=finite[-1] if finite else None,
        count=len(values),
        non_finite=len(values) - len(finite),
        time_unix_nano=NOW,
    )


def test_a_short_series_comes_back_whole(store):
    """Up to two points a bucket nothing is reduced; text is no number, NaN is one that cannot be drawn."""
    values = [0.5, math.nan, 2, "text", -math.inf]
    store.append([delivery(points=[point(value, step=10 * n, index=n) for n, value in enumerate(values)])])
    assert store.series(SeriesQuery(RUN, "loss", buckets=2)) == Series(
        "loss", None, "step", 4, (bucket(0, 0.5), bucket(10, math.nan), bucket(20, 2.0), bucket(40, -math.inf))
    )


def test_a_long_series_keeps_what_a_chart_shows(store):
    """Each slice has its first x, its smallest, largest and last value, and what could not be drawn is counted."""
    values = [3.0, 1.0, 2.0, math.nan, 5.0, 4.0, math.inf, math.nan]
    store.append([delivery(points=[point(value, step=n) for n, value in reversed(list(enumerate(values)))])])
    assert store.series(SeriesQuery(RUN, "loss", buckets=3)) == Series(
        "loss",
        None,
        "step",
        8,
        (bucket(0, 3.0, 1.0, 2.0), bucket(3, math.nan, 5.0), bucket(5, 4.0, math.inf, math.nan)),
    )


@given(
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5), st.floats()), min_size=1, max_size=30),
    st.integers(1, 4),
)
@by_example
def test_a_reduced_series_loses_no_extreme(store, points, buckets):
    """Whatever the x and the values: counts add up, extremes stay, x rises, and there are not too many buckets."""
    run_id = stored(store, [{"value": value, "step": step} for step, value in points])
    series = store.series(SeriesQuery(run_id, "loss", buckets=buckets))
    finite = [value for _, value in points if math.isfinite(value)]
    assert series.count == sum(each.count for each in series.buckets) == len(points)
    assert sum(each.non_finite for each in series.buckets) == len(points) - len(finite)
    assert min((b.minimum for b in series.buckets if b.minimum is not None), default=None) == min(finite, default=None)
    assert max((b.maximum for b in series.buckets if b.maximum is not None), default=None) == max(finite, default=None)
    assert [b.x for b in series.buckets] == sorted(b.x for b in series.buckets)
    assert len(series.buckets) <= max(buckets, min(len(points), 2 * buckets))


@pytest.mark.parametrize(
    ("points", "x"),
    [
        ([{"step": 1, "index": 0}, {"step": 2, "index": 1}], "step"),
        ([{"step": 1, "index": 0}, {"index": 1}], "index"),
        ([{"step": 1}, {"index": 1}], "time"),
    ],
)
def test_x_is_what_every_point_has(store, points, x):
    """Steps where all have them, else the order they were logged in, else the time."""
    store.append([delivery(points=[point(1.0, **each) for each in points])])
    assert store.series(SeriesQuery(RUN, "loss")).x == x


def test_a_series_can_be_zoomed_and_narrowed(store):
    """Bounds of x are inclusive; a column and a rank choose their points; x may be asked for."""
    rows = [point(float(n), index=n, column=column, rank=rank) for n in range(4) for column in "ab" for rank in (0, 1)]
    store.append([delivery(points=rows)])
    query = SeriesQuery(RUN, "loss", column="a", rank=1, x_min=1.0, x_max=2.0)
    assert store.series(query) == Series("loss", "a", "index", 2, (bucket(1, 1.0), bucket(2, 2.0)))
    assert store.series(SeriesQuery(RUN, "loss", column="a", rank=1, x="time", x_max=0)).buckets == ()


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        (SeriesQuery("no-such-run", "loss"), NotFound, "run 'no-such-run'"),
        (SeriesQuery(RUN, "los"), NotFound, "no metric 'los'"),
        (SeriesQuery(RUN, "loss", column="a"), NotFound, "column 'a'"),
        (SeriesQuery(RUN, "loss", buckets=0), InvalidArgument, "buckets 0"),
    ],
)
def test_what_is_not_there_is_named(store, query, error, message):
    """A run, a metric or a column that nothing was logged under is an error, not an empty chart."""
    store.append([delivery(points=[point(1.0)])])
    with pytest.raises(error, match=message):
        store.series(query)


def test_points_of_an_unknown_run_are_an_error(store):
    """Also where it is one of several."""
    store.append([delivery(points=[point(1.0)])])
    with pytest.raises(NotFound, match="run 'no-such-run'"):
        store.points(PointQuery((RUN, "no-such-run")))
