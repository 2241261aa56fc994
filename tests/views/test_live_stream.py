"""Server-sent events over a real socket: nothing missed, nothing twice, and slow readers told."""

import json
from collections.abc import Iterator

import httpx
import pytest
from memory_store import MemoryStore
from training import add_file, record, run, scalar

from conftest import FAILED, RUN
from runmill.views.feed import Feed, News


def events(answer: httpx.Response) -> Iterator[tuple[str, str, dict]]:
    """Yield (event, id, data); the opening `retry` comes as an event without a name."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            yield fields.get("event", ""), fields.get("id", ""), json.loads(fields.get("data", "null"))
            fields = {}


def test_what_is_committed_arrives_as_it_is_committed(store: MemoryStore, client: httpx.Client) -> None:
    """Logs, points, the run's new state and files come as their events, and only of this run."""
    store.commit(run=run(RUN))
    with client.stream("GET", f"/api/v1/runs/{RUN}/stream") as answer:
        news = events(answer)
        next(news)
        store.commit(logs=[record(FAILED, "of another run"), mine := record(RUN, "hello")])
        assert next(news) == ("logs", str(mine.cursor), {"records": [_as_json(client, "hello")], "last": mine.cursor})
        store.commit(
            points=[scalar(RUN, "loss", value, index=place, step=place) for place, value in enumerate((3, 2.5))]
        )
        grown = {"metric": "loss", "column": None, "count": 2, "last": 2.5, "last_step": 1}
        assert next(news) == ("points", "", {"metrics": [grown]})
        file = add_file(store, RUN, "a.txt", b"a", "text/plain")
        name, _, data = next(news)
        assert (name, data["files"][0]["sha256"]) == ("files", file.sha256)


def _as_json(client: httpx.Client, text: str) -> dict:
    [line] = client.get(f"/api/v1/runs/{RUN}/logs", params={"text": text}).json()["records"]
    return line


@pytest.mark.parametrize("by_header", [True, False])
def test_a_reader_that_comes_back_gets_what_it_missed(
    store: MemoryStore, client: httpx.Client, *, by_header: bool
) -> None:
    """Last-Event-ID (or ?after=) names the last record seen; filters hold for what was missed and what comes."""
    seen, quiet, missed = record(RUN, "seen", level=13), record(RUN, "quiet"), record(RUN, "missed", level=17)
    store.commit(run=run(RUN), logs=[seen, quiet, missed])
    headers = {"Last-Event-ID": str(seen.cursor)} if by_header else {}
    query = {"level": "WARNING", "after": "0" if by_header else str(seen.cursor)}
    with client.stream("GET", f"/api/v1/runs/{RUN}/stream", params=query, headers=headers) as answer:
        news = events(answer)
        next(news)
        name, identity, data = next(news)
        assert (name, identity, bodies(data)) == ("logs", str(missed.cursor), ["missed"])
        store.commit(logs=[record(RUN, "still quiet"), record(RUN, "loud", level=21)])
        assert bodies(next(news)[2]) == ["loud"]


def bodies(data: dict) -> list[str]:
    return [each["body"] for each in data["records"]]


def test_a_cursor_that_is_none_is_refused(store: MemoryStore, client: httpx.Client) -> None:
    """`after` of a stream is a record's cursor."""
    store.commit(run=run(RUN))
    answer = client.get(f"/api/v1/runs/{RUN}/stream?after=newest")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_argument")


async def test_a_slow_reader_is_told_how_many_it_missed(store: MemoryStore) -> None:
    """What does not fit is counted; what is waiting stays whole and in order."""
    feed = Feed(store, None, capacity=3)
    first, second, third = ([record(RUN, f"{batch}-{place}") for place in range(2)] for batch in range(3))
    for batch in (first, second, third):
        store.commit(logs=batch)
    news = News()
    while len(news.logs) + news.dropped_count < 6:
        taken = await feed.take(timeout_seconds=5)
        assert taken is not None
        news.logs += taken.logs
        news.dropped_count += taken.dropped_count
    feed.close()
    assert news.logs == first
    assert news.dropped_count == 4
    assert store.listener_count == 0


async def test_a_closed_feed_wakes_its_reader(store: MemoryStore) -> None:
    """Nobody waits for a commit that will not come."""
    feed = Feed(store, None)
    feed.close()
    feed.close()
    assert await feed.take(timeout_seconds=5) is None
