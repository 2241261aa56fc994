"""When a commit may follow the last."""

import pytest

from runmill.collector.exporters.pace import Pace


def test_a_few_commits_one_after_the_other_wait_for_nothing():
    """What a program sends at the end of a run is committed as it comes."""
    pace = Pace(interval_seconds=0.2)
    for number in range(4):
        start = 100 + number * 0.05
        assert pace.next_start() <= start
        pace.committed(start=start, end=start + 0.05)


def test_commits_that_go_on_take_a_quarter_of_the_time():
    """Where something always waits for the next one, the pause is three times the commit."""
    pace, now, busy = Pace(interval_seconds=0.2), 100.0, 0.0
    while now < 160:
        start = max(now, pace.next_start())
        now = start + 0.01
        busy += 0.01
        pace.committed(start=start, end=now)
    assert busy / 60 == pytest.approx(0.25, abs=0.01)


def test_no_pause_is_longer_than_the_interval():
    """A commit that took ten seconds does not keep the next one waiting for half a minute."""
    pace = Pace(interval_seconds=0.2)
    pace.committed(start=100, end=110)
    assert pace.next_start() == 110.2
