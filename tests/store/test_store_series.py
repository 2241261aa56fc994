"""Metrics as charts draw them: reduced to slices of x, whatever x is; on every engine."""

import itertools
import math
import random
from bisect import bisect_left
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_columns import NOW, delivery, point

from runmill.errors import InvalidArgument, NotFound
from runmill.store.query import Bucket, Series, SeriesQuery

by_example = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
run_ids = (f"example-{number}" for number in itertools.count())

RUN = "run-000001"


def stored(store, points):
    run_id = next(run_ids)
    store.append([delivery(points=[point(**each, run_id=run_id) for each in points])])
    return run_id


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


def test_every_slice_is_what_its_points_come_to(store):
    """Of many points in any order: each slice sums up those between its x and the next one's, and nothing else."""
    rng = random.Random(7)
    values = (math.nan, math.inf, *(n / 8 for n in range(98)))
    points = [
        {"value": rng.choice(values), "step": rng.randrange(-9_000, 9_000), "time_unix_nano": rng.randrange(10**9)}
        for _ in range(35_000)
    ]
    series = store.series(SeriesQuery(stored(store, points), "loss", buckets=100))
    points.sort(key=lambda each: each["step"])  # of equal steps, in the order they were committed
    begins = [bisect_left(points, each.x, key=lambda each: each["step"]) for each in series.buckets]
    expected = []
    for begin, end in zip(begins, [*begins[1:], len(points)], strict=True):
        inside = points[begin:end]
        summed = bucket(inside[0]["step"], *(each["value"] for each in inside))
        expected.append(replace(summed, time_unix_nano=min(each["time_unix_nano"] for each in inside)))
    assert (series.buckets, len(begins)) == (tuple(expected), 100)


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


def row(index, *, metric="pr", **cells):
    """Give one row as its cells are stored: a point each."""
    return [point(value, metric=metric, column=column, index=index) for column, value in cells.items()]


def test_a_column_is_drawn_over_another_of_its_rows(store):
    """Row by row, by ascending x; a row without that cell, or with one that is no place, is left out."""
    rows = [
        *row(0, recall=0.9, precision=0.5), *row(1, recall=0.1, precision=1.0), *row(2, recall=0.5, precision=0.75),
        *row(3, precision=0.0), *row(4, recall=math.nan, precision=0.0), *row(5, recall=0.5, precision=math.inf),
    ]  # fmt: skip
    # A forked process goes on counting where its parent was: the same place, and another row.
    forked = [{**each, "resource_id": "child"} for each in row(1, recall=0.2, precision=0.9)]
    store.append([delivery(points=rows + forked)])
    assert store.series(SeriesQuery(RUN, "pr", column="precision", x_column="recall")) == Series(
        "pr", "precision", "metric", 5,
        tuple(bucket(x, y) for x, y in [(0.1, 1.0), (0.2, 0.9), (0.5, 0.75), (0.5, math.inf), (0.9, 0.5)]),
    )  # fmt: skip
    reduced = store.series(SeriesQuery(RUN, "pr", column="precision", x_column="recall", buckets=2, x_max=0.5))
    assert reduced.buckets == (bucket(0.1, 1.0), bucket(0.2, 0.9), bucket(0.5, 0.75), bucket(0.5, math.inf))
    [all_in_one] = store.series(SeriesQuery(RUN, "pr", column="precision", x_column="recall", buckets=1)).buckets
    assert all_in_one == bucket(0.1, 1.0, 0.9, 0.75, math.inf, 0.5)


def test_a_metric_is_drawn_over_another_at_the_same_steps(store):
    """Rank by rank; of two numbers at a step the newest counts, and a step without one is left out."""
    points = [point(rank + step / 8, step=step, rank=rank) for step in range(4) for rank in (0, 1)]
    tokens = [point(1000 * step + rank, metric="tokens", step=step, rank=rank) for step in (2, 0, 1) for rank in (0, 1)]
    store.append([delivery(points=points + tokens), delivery(points=[point(500, metric="tokens", step=1, rank=0)])])
    over = SeriesQuery(RUN, "loss", x_metric="tokens")
    expected = [(0, 0.0), (1, 1.0), (500, 0.125), (1001, 1.125), (2000, 0.25), (2001, 1.25)]
    assert store.series(over) == Series("loss", None, "metric", 6, tuple(bucket(x, y) for x, y in expected))
    of_one = store.series(replace(over, rank=1, x_min=500.0))
    assert of_one == Series("loss", None, "metric", 2, (bucket(1001, 1.125), bucket(2001, 1.25)))


@pytest.mark.parametrize(("x", "found"), [(None, [(10, 1.0), (20, 2.0)]), ("step", [(20, 1.0)]), ("time", [])])
def test_what_two_metrics_share_may_be_said(store, x, found):
    """Without steps that all points have, the order they were logged in; or what is asked for."""
    points = [point(1.0, index=0, step=7), point(2.0, index=1)]
    across = [point(10, metric="n", index=0), point(20, metric="n", index=1, step=7)]
    store.append([delivery(points=points + [{**each, "time_unix_nano": NOW + 1} for each in across])])
    series = store.series(SeriesQuery(RUN, "loss", x=x, x_metric="n"))
    assert series.buckets == tuple(bucket(x, y) for x, y in found)


def test_a_column_may_be_drawn_over_another_metrics_column(store):
    """Both have names of their own."""
    points = [*row(0, metric="a", loss=0.5, other=9.0), *row(0, metric="b", seen=100, other=9.0)]
    store.append([delivery(points=points)])
    query = SeriesQuery(RUN, "a", column="loss", x_metric="b", x_column="seen")
    assert store.series(query).buckets == (bucket(100, 0.5),)


@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=30), st.integers(1, 4))
@by_example
def test_a_series_over_any_numbers_loses_none(store, rows, buckets):
    """However wide x is spread: every row with a place counts, extremes stay and x rises."""
    places = [[{"value": cell, "column": name, "index": n} for name, cell in zip("xy", cells, strict=True)]
              for n, cells in enumerate(rows)]  # fmt: skip
    run_id = stored(store, [*itertools.chain.from_iterable(places)])
    series = store.series(SeriesQuery(run_id, "loss", column="y", x_column="x", buckets=buckets))
    drawn = [y for x, y in rows if math.isfinite(x)]
    finite = [y for y in drawn if math.isfinite(y)]
    assert series.count == sum(each.count for each in series.buckets) == len(drawn)
    assert min((b.minimum for b in series.buckets if b.minimum is not None), default=None) == min(finite, default=None)
    assert max((b.maximum for b in series.buckets if b.maximum is not None), default=None) == max(finite, default=None)
    assert [b.x for b in series.buckets] == sorted(b.x for b in series.buckets)


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        (SeriesQuery("no-such-run", "loss"), NotFound, "run 'no-such-run'"),
        (SeriesQuery(RUN, "los"), NotFound, "no metric 'los'"),
        (SeriesQuery(RUN, "loss", column="a"), NotFound, "column 'a'"),
        (SeriesQuery(RUN, "loss", x_metric="tokens"), NotFound, "no metric 'tokens'"),
        (SeriesQuery(RUN, "loss", x_column="a"), NotFound, "no metric 'loss', column 'a'"),
        (SeriesQuery(RUN, "los", x_metric="loss"), NotFound, "no metric 'los'"),
        (SeriesQuery(RUN, "loss", buckets=0), InvalidArgument, "buckets 0"),
    ],
)
def test_what_is_not_there_is_named(store, query, error, message):
    """A run, a metric or a column that nothing was logged under is an error, not an empty chart."""
    store.append([delivery(points=[point(1.0)])])
    with pytest.raises(error, match=message):
        store.series(query)
