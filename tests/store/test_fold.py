"""A run's state from its events."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runmill.model import Run, RunEvent, RunId
from runmill.store.fold import NOT_RESPONDING_AFTER_NANO, Origin, fold, seen_at

RUN = RunId("run-1")
ORIGIN = Origin(first_seen_unix_nano=10, last_seen_unix_nano=20, experiment="from-resource", host="h", service="svc")


def event(time: int, name: str, /, **body: Any) -> RunEvent:
    return RunEvent(RUN, time, f"run.{name}", body)


def folded(*events: RunEvent) -> Run:
    return fold(RUN, events, ORIGIN)


def test_a_run_is_what_its_events_say():
    """Facts, tags, properties, times and outcome all come from the events."""
    assert folded(
        event(100, "started", experiment="mnist", name="brave-fox", user="ann", host="gpu1", type="script"),
        event(200, "updated", display_name="Brave Fox", tags={"a": "1", "b": None}, properties={"commit": "abc"}),
        event(300, "updated", tags={"a": "2", "c": 3}, removed_tags=["b"], properties={"commit": "def", "x": "y"}),
        event(350, "heartbeat"),
        event(400, "ended", status="Failed", error={"code": "OOM", "message": "out of memory"}),
    ) == Run(
        run_id=RUN,
        experiment="mnist",
        name="brave-fox",
        display_name="Brave Fox",
        number=0,
        status="Failed",
        start_time_unix_nano=100,
        end_time_unix_nano=400,
        type="script",
        tags={"a": "2", "c": "3"},
        properties={"commit": "abc", "x": "y"},
        error={"code": "OOM", "message": "out of memory"},
        user="ann",
        host="gpu1",
        service="svc",
        last_seen_unix_nano=400,
    )


def test_a_run_known_by_its_data_alone_is_running():
    """Something produced the data, and the resource says what it can."""
    assert folded() == Run(
        run_id=RUN,
        experiment="from-resource",
        name="run-1",
        display_name="run-1",
        number=0,
        status="Running",
        start_time_unix_nano=10,
        end_time_unix_nano=None,
        host="h",
        service="svc",
        last_seen_unix_nano=20,
    )


@pytest.mark.parametrize(
    ("events", "status", "end"),
    [
        ([event(1, "started")], "Running", None),
        ([event(1, "started", status="Queued")], "Queued", None),
        ([event(1, "started"), event(2, "updated", status="Finalizing")], "Finalizing", None),
        ([event(1, "started"), event(2, "updated", status="no such status")], "Running", None),
        ([event(1, "started"), event(2, "updated", status="Canceled")], "Canceled", 2),
        ([event(1, "started"), event(2, "ended")], "Completed", 2),
        ([event(1, "started"), event(2, "ended", error={"message": "x"})], "Failed", 2),
        ([event(1, "started"), event(2, "ended", status="Running")], "Completed", 2),
        ([event(2, "ended", status="Canceled")], "Canceled", 2),
        ([event(1, "started"), event(2, "ended"), event(3, "updated", status="Running")], "Completed", 2),
        ([event(1, "started"), event(2, "ended"), event(3, "ended", status="Failed")], "Completed", 2),
        ([event(1, "started"), event(2, "ended", status="Failed", error={}), event(3, "started")], "Running", None),
    ],
)
def test_status_follows_the_events(events, status, end):
    """A run that ended stays as it ended, until it starts again."""
    run = folded(*events)
    assert (run.status, run.end_time_unix_nano) == (status, end)


def test_a_resumed_run_began_when_it_first_began():
    """Starting again clears the error and keeps the start."""
    run = folded(event(1, "started"), event(2, "ended", error={"message": "x"}), event(3, "started"))
    assert (run.start_time_unix_nano, run.error) == (1, None)


_VALUES = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "Failed", "Running"])
_BODIES = st.dictionaries(
    st.sampled_from(["status", "name", "tags", "removed_tags", "properties", "error", "parent_id", "other"]),
    _VALUES | st.lists(_VALUES, max_size=2) | st.dictionaries(st.sampled_from("ab"), _VALUES),
)
_EVENTS = st.lists(
    st.builds(
        RunEvent,
        st.just(RUN),
        st.integers(0, 1000),
        st.sampled_from(["run.started", "run.updated", "run.ended", "run.heartbeat", "run.unknown"]),
        _BODIES,
    ),
    unique_by=lambda event: event.time_unix_nano,
)


@given(_EVENTS, st.randoms())
def test_the_order_of_arrival_does_not_matter(events, random):
    """Events of different times give one state in whatever order they come, and whatever their bodies hold."""
    shuffled = list(events)
    random.shuffle(shuffled)
    assert folded(*shuffled) == folded(*events)


def test_between_equal_times_arrival_decides():
    """Of two facts of one moment the one that came later counts."""
    assert folded(event(1, "updated", name="a"), event(1, "updated", name="b")).name == "b"


@pytest.mark.parametrize(
    ("status", "silence", "shown"),
    [
        ("Running", NOT_RESPONDING_AFTER_NANO, "Running"),
        ("Running", NOT_RESPONDING_AFTER_NANO + 1, "NotResponding"),
        ("Queued", NOT_RESPONDING_AFTER_NANO + 1, "Queued"),
        ("Completed", NOT_RESPONDING_AFTER_NANO + 1, "Completed"),
    ],
)
def test_silence_is_shown_of_runs_that_should_speak(status, silence, shown):
    """A run that is at work and silent for more than 2 minutes is NotResponding; one that waits or ended is not."""
    run = folded(event(1000, "started", status=status), event(1000, "updated", status=status))
    assert seen_at(run, 1000 + silence).status == shown
