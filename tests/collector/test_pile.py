"""What waits between two stages: order, weight, and who is woken when."""

import asyncio

import pytest
from collector_fakes import settle
from hypothesis import given
from hypothesis import strategies as st

from runmill.collector.exporters.pile import Pile


def pile_of(*weights):
    pile = Pile(int)
    for weight in weights:
        pile.put(weight)
    return pile


@given(st.lists(st.integers(0, 20)), st.integers(0, 30))
async def test_everything_is_taken_once_in_order_and_never_more_than_fits(weights, max_records):
    """Only a single item may weigh more than is asked for; an item without records weighs one."""
    pile = pile_of(*weights)
    taken = []
    while group := pile.take(max_records=max_records):
        assert len(group) == 1 or sum(max(1, weight) for weight in group) <= max_records
        taken += group
    assert taken == weights


@pytest.mark.parametrize(("put", "woken"), [([1], False), ([1, 1], False), ([1, 2], True)])
async def test_who_waits_for_enough_is_woken_by_enough(put, woken):
    """Fewer records leave the waiter asleep."""
    pile = Pile(int)
    waiting = asyncio.create_task(pile.holds(3))
    for weight in put:
        pile.put(weight)
        await settle()
    assert waiting.done() is woken
    pile.close()
    assert await waiting is True


async def test_closing_wakes_who_waits_and_says_that_nothing_came():
    """An empty pile that is closed stays empty."""
    pile = Pile(int)
    waiting = asyncio.create_task(pile.holds())
    await settle()
    pile.close()
    assert await waiting is False


async def test_taking_makes_room():
    """Who waits for less is woken by a take."""
    pile = pile_of(5, 5)
    waiting = asyncio.create_task(pile.holds_less_than(6))
    await settle()
    assert not waiting.done()
    pile.take(max_records=5)
    await waiting
