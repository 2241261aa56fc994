"""Pages of log lines as the server sends them: around a moment, over time, and why there is nothing."""

import re

import httpx
import pytest
from training import RUN, SECOND, START, commit, record, run

from runmill.store.interface import Store
from runmill.store.query import LogCount
from runmill.views.portal.histogram import HEIGHT, WIDTH, histogram_of

HUNDRED = [record(RUN, f"line {n:03d}", level=13 if n % 50 == 0 else 9, at=n) for n in range(100)]


def lines(page: str) -> list[str]:
    return re.findall(r'<span class="message">([^<]*)', page)


@pytest.fixture
def hundred(store: Store) -> Store:
    commit(store, events=run(RUN), logs=HUNDRED)
    return store


def test_a_moment_has_lines_from_before_and_after_it(hundred: Store, client: httpx.Client) -> None:
    """Half of the page is on each side of a divider, and both sides go on."""
    page = client.get(f"/runs/{RUN}/logs?limit=6&at={START + 40 * SECOND}").text
    before, after = page.split('id="moment"')
    assert lines(before) == ["line 037", "line 038", "line 039"]
    assert lines(after) == ["line 040", "line 041", "line 042"]
    assert ('id="older"' in before, 'id="newer"' in after) == (True, True)
    assert "data-tail" not in page


@pytest.mark.parametrize(("at", "before", "after"), [(-5, 0, 3), (500, 3, 0)])
def test_a_moment_outside_of_the_log_shows_its_end(
    hundred: Store, client: httpx.Client, at: int, before: int, after: int
) -> None:
    """Before the first line there are only later ones, and the other way round."""
    page = client.get(f"/runs/{RUN}?limit=6&at={START + at * SECOND}").text
    assert tuple(len(lines(part)) for part in page.split('id="moment"')) == (before, after)


def test_a_moment_keeps_to_the_filters(hundred: Store, client: httpx.Client) -> None:
    """Only lines that fit are around it."""
    page = client.get(f"/runs/{RUN}?level=WARNING&at={START + 40 * SECOND}").text
    assert [lines(part) for part in page.split('id="moment"')] == [["line 000"], ["line 050"]]


def test_the_bars_are_links_to_their_slices(hundred: Store, client: httpx.Client) -> None:
    """Following each of them in turn shows every line once."""
    page = client.get(f"/runs/{RUN}/logs?text=line 01").text
    assert '<span class="info">10 info</span>' in page
    links = re.findall(r'<a href="([^"]+)" tabindex', page)
    shown = [line for link in links for line in lines(client.get(link.replace("&amp;", "&")).text)]
    assert shown == [f"line {n:03d}" for n in range(10, 20)]


def test_an_empty_page_says_what_to_leave_out(hundred: Store, client: httpx.Client) -> None:
    """The filter that matches nothing is named, and what would be there without each."""
    page = client.get(f"/runs/{RUN}/logs?level=WARNING&text=kraken").text
    assert "Nothing matches text &#39;kraken&#39;." in page
    assert re.findall(r"<li>Without ([^:]+): <a [^>]+>([^<]+)", page) == [("text &#39;kraken&#39;", "2 lines")]
    both = client.get(f"/runs/{RUN}/logs?level=WARNING&text=line 001").text
    assert [count for _, count in re.findall(r"<li>Without ([^:]+): <a [^>]+>([^<]+)", both)] == ["1 line", "2 lines"]


def test_a_query_with_a_mistake_is_marked(hundred: Store, client: httpx.Client) -> None:
    """The term that is wrong, and the way to the page without it."""
    answer = client.get(f"/runs/{RUN}/logs?q=ok level:loud")
    assert answer.status_code == 400
    assert "<code>ok <mark>level:loud</mark></code><span>query, column 4: " in answer.text
    assert f'<a href="/runs/{RUN}/logs">Without the query</a>' in answer.text


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../etc/passwd", "Europe", '"', "%00", ""])
def test_a_zone_that_is_none_leaves_the_servers(hundred: Store, client: httpx.Client, zone: str) -> None:
    """A cookie may hold anything; the page comes all the same."""
    answer = client.get(f"/runs/{RUN}/logs", headers={"Cookie": f"theme=dark; zone={zone}"})
    assert (answer.status_code, 'data-zone=""' in answer.text) == (200, True)


def test_a_span_of_time_can_be_taken_away(hundred: Store, client: httpx.Client) -> None:
    """It stands above the lines in words, and its link keeps the other filters."""
    page = client.get(f"/runs/{RUN}/logs?level=INFO&since={START + 10 * SECOND}&until={START + 12 * SECOND}").text
    assert lines(page) == ["line 010", "line 011"]
    assert re.findall(r'class="filter-chip" href="([^"]+)"', page) == [f"/runs/{RUN}/logs?level=INFO"]
    nothing = client.get(f"/runs/{RUN}/logs?since={START + 5000 * SECOND}").text
    assert re.search(r"Nothing matches since \d\d:\d\d:\d\d", nothing)


def test_a_warning_among_thousands_is_seen() -> None:
    """Bars fit their box, the worst stands on the ground and has a height."""
    counts = [LogCount(0, 9, 100_000), LogCount(0, 17, 1), LogCount(119, 13, 1)]
    drawn = histogram_of(counts, slices=120)
    assert drawn is not None
    [first, last] = drawn.bars
    assert [(piece.level, piece.y + piece.height) for piece in first.pieces] == [
        ("error", HEIGHT),
        ("info", HEIGHT - 2),
    ]
    assert (first.pieces[0].height, first.pieces[1].y >= 0) == (2, True)
    assert (last.x + last.width < WIDTH, last.start_unix_nano, last.end_unix_nano) == (True, 119, 120)
    assert drawn.counts == {"error": 1, "warn": 1, "info": 100_000}


def test_lines_of_one_instant_have_no_course() -> None:
    """There is nothing to choose from."""
    assert histogram_of([LogCount(5, 9, 3)], slices=120) is None
    assert histogram_of([], slices=120) is None
