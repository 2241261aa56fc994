"""Reading metrics, on every engine."""

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_columns import NOW, delivery, log, point

from runmill.errors import NotFound
from runmill.model import MetricPoint, MetricPoints, MetricSummary
from runmill.store.query import PointQuery

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


def test_points_of_an_unknown_run_are_an_error(store):
    """Also where it is one of several."""
    store.append([delivery(points=[point(1.0)])])
    with pytest.raises(NotFound, match="run 'no-such-run'"):
        store.points(PointQuery((RUN, "no-such-run")))
