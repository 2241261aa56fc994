"""Server-sent events over a real socket: nothing missed, nothing twice, and slow readers told."""

import json
from collections.abc import Iterator

import httpx
import pytest
from training import FAILED, RUN, add_file, commit, record, run, scalar

from runmill.model import LogRecord, RunId
from runmill.store.interface import Store
from runmill.store.query import LogQuery
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


def stored(store: Store, text: str) -> LogRecord:
    [found] = store.logs(LogQuery(run_id=RunId(RUN), text=text)).records
    return found


def bodies(data: dict) -> list[str]:
    return [each["body"] for each in data["records"]]


def test_what_is_committed_arrives_as_it_is_committed(store: Store, client: httpx.Client) -> None:
    """Logs, points, files and the run's new state come as their events, and only of this run."""
    commit(store, events=run(RUN))
    with client.stream("GET", f"/api/v1/runs/{RUN}/stream") as answer:
        news = events(answer)
        next(news)
        commit(store, logs=[record(FAILED, "of another run"), record(RUN, "hello")])
        name, identity, data = next(news)
        cursor = stored(store, "hello").cursor
        assert (name, identity, data["last"], bodies(data)) == ("logs", str(cursor), cursor, ["hello"])
        commit(store, points=[scalar(RUN, "loss", value, index=step, step=step) for step, value in enumerate((3, 2.5))])
        grown = {"metric": "loss", "column": None, "count": 2, "last": 2.5, "last_step": 1}
        assert next(news) == ("points", "", {"metrics": [grown]})
        sha256 = add_file(store, RUN, "a.txt", b"a", "text/plain")
        name, _, data = next(news)
        assert (name, data["files"][0]["sha256"]) == ("files", sha256)
        commit(store, events=run(RUN, took=60)[1:])
        name, _, data = next(news)
        assert (name, data["run_id"], data["status"]) == ("run", RUN, "Completed")


@pytest.mark.parametrize("by_header", [True, False])
def test_a_reader_that_comes_back_gets_what_it_missed(store: Store, client: httpx.Client, *, by_header: bool) -> None:
    """Last-Event-ID (or ?after=) names the last record seen; filters hold for what was missed and what comes."""
    missing = [record(RUN, "seen", level=13), record(RUN, "quiet"), record(RUN, "missed", level=17)]
    commit(store, events=run(RUN), logs=missing)
    seen = str(stored(store, "seen").cursor)
    headers = {"Last-Event-ID": seen} if by_header else {}
    query = {"level": "WARNING", "after": "0" if by_header else seen}
    with client.stream("GET", f"/api/v1/runs/{RUN}/stream", params=query, headers=headers) as answer:
        news = events(answer)
        next(news)
        name, identity, data = next(news)
        assert (name, identity, bodies(data)) == ("logs", str(stored(store, "missed").cursor), ["missed"])
        commit(store, logs=[record(RUN, "still quiet"), record(RUN, "loud", level=21)])
        assert bodies(next(news)[2]) == ["loud"]


def test_a_cursor_that_is_none_is_refused(store: Store, client: httpx.Client) -> None:
    """`after` of a stream is a record's cursor."""
    commit(store, events=run(RUN))
    answer = client.get(f"/api/v1/runs/{RUN}/stream?after=newest")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_argument")


async def test_a_slow_reader_is_told_how_many_it_missed(store: Store) -> None:
    """What does not fit is counted; what is waiting stays whole and in order."""
    feed = Feed(store, None, capacity=3)
    for batch in range(3):
        commit(store, logs=[record(RUN, f"{batch}-{place}") for place in range(2)])
    news = News()
    while len(news.logs) + news.dropped_count < 6:
        taken = await feed.take(timeout_seconds=5)
        assert taken is not None
        news.logs += taken.logs
        news.dropped_count += taken.dropped_count
    feed.close()
    assert [each.body for each in news.logs] == ["0-0", "0-1"]
    assert news.dropped_count == 4


def test_a_server_stops_while_a_stream_is_open(store: Store, client: httpx.Client) -> None:
    """The reader of a live view does not keep the server alive: leaving this test stops it within its limit."""
    commit(store, events=run(RUN))
    request = client.build_request("GET", f"/api/v1/runs/{RUN}/stream")
    assert next(events(client.send(request, stream=True)))[0] == ""
