"""What only a lake promises: many processes write and read it, and any of them, or its catalog, may die."""

import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest
from store_columns import delivery, event, log, point, resource

from runmill import store as stores
from runmill.errors import ConfigError, Refused, Unavailable
from runmill.store.query import LogQuery, PruneQuery, RunQuery

DEADLINE_SECONDS = 30


@pytest.fixture
def opened(lake_url):
    """Open the lake as often as a test likes."""
    stack = []

    def one_more(url=lake_url):
        stack.append(stores.open(url))
        return stack[-1]

    yield one_more
    for store in stack:
        store.close()


def bodies(store) -> list[str]:
    return [record.body for record in store.logs(LogQuery(limit=10_000)).records]


def files(store) -> int:
    """How many files hold log records."""
    with store._attachment.reader() as connection:
        [(count,)] = connection.execute("select count(*) from ducklake_list_files('lake', 'logs')").fetchall()
    return count


def until(condition) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_taken(store, batch) -> bool:
    """Deliver it as a sender does: what is refused on a busy machine is delivered again."""
    with suppress(Refused):
        store.append([batch])
        return True
    return False


def test_writers_that_race_store_each_batch_once(opened):
    """Four writers deliver the same batches at the same time: each is stored once, under numbers of its own."""
    writers = [opened() for _ in range(4)]
    repeats = []

    def write(store):
        batches = [delivery("p", number, logs=[log(body=f"{number}-{n}") for n in range(2)]) for number in range(8)]
        repeats.extend(store.append([batch]) for batch in batches)

    threads = [threading.Thread(target=write, args=[store]) for store in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader = opened()
    assert Counter(bodies(reader)) == Counter(f"{number}-{n}" for number in range(8) for n in range(2))
    assert sum(repeats) == 3 * 8
    cursors = [record.cursor for record in reader.logs(LogQuery(limit=100)).records]
    assert sorted(cursors) == list(range(1, 17))


def test_what_another_writer_committed_is_heard_and_read(opened):
    """A reader hears of the commits of others, in their order, and its runs and counts are those of all."""
    reader, writer = opened(), opened()
    heard = []
    reader.subscribe(heard.append)
    for number in range(3):
        writer.append(
            [
                delivery(
                    logs=[log(body=str(number), run_id="run-000001")],
                    points=[point(float(number))],
                    events=[event("run.started", {"experiment": "e"})],
                    resources=[resource(service__name="svc")],
                )
            ]
        )
    until(lambda: sum(len(commit.logs) for commit in heard) == 3)
    assert [record.body for commit in heard for record in commit.logs] == ["0", "1", "2"]
    assert [point.value for commit in heard for _, point in commit.points] == [0.0, 1.0, 2.0]
    assert reader.runs(RunQuery()) == writer.runs(RunQuery())
    assert reader.metrics(["run-000001"]) == writer.metrics(["run-000001"])
    assert reader.loggers("run-000001") == [("train", 3)]


def test_what_another_process_folds_packs_and_prunes_changes_the_answers_of_all_alike(opened, postgres):
    """A fold and a packing change no answer anywhere; what one process prunes is gone for the others."""
    keeper, other = opened(), opened()
    for number in range(6):
        rows = {"logs": [log(run_id=f"run-00000{number % 2}")], "points": [point(1.5, run_id=f"run-00000{number % 2}")]}
        ended = event("run.ended", {"status": "Completed"}, run_id=f"run-00000{number % 2}")
        other.append([delivery("p", number, events=[ended], **rows)])
    until(lambda: keeper.facts().log_count == 6)
    before = keeper.runs(RunQuery()), keeper.metrics(["run-000000", "run-000001"]), keeper.logs(LogQuery())
    folded = other.compact()
    assert folded.before > folded.after
    keeper.append([delivery("p", 5, logs=[log()])])  # a repeat: to take note of it, everything is read anew
    assert (keeper.runs(RunQuery()), keeper.metrics(["run-000000", "run-000001"]), keeper.logs(LogQuery())) == before
    other.prune(PruneQuery(older_than_unix_nano=time.time_ns()))
    until(lambda: keeper.facts().log_count == 0)
    assert (keeper.runs(RunQuery()), bodies(keeper)) == ([], [])


def test_small_commits_make_few_files(opened):
    """Rows of small commits wait in the catalog; packed, all rows of a table are one file, and nothing is lost."""
    store = opened()
    for number in range(5):
        store.append([delivery("p", number, logs=[log(body=str(number))])])
    before = files(store)
    store.append([delivery("p", 5, logs=[log(body="5")] * 500)])
    store.compact()
    assert (before, files(store)) == (0, 1)
    assert Counter(bodies(store)) == Counter(["0", "1", "2", "3", "4", *["5"] * 500])


def test_two_that_compact_do_not_meet(opened):
    """Compaction may run anywhere at any time: both return, writers go on, and every row is there."""
    stores_ = [opened() for _ in range(3)]
    for number in range(4):
        stores_[0].append([delivery("p", number, logs=[log(body=str(number))] * 300)])
    failures = []

    def compact(store):
        try:
            store.compact()
        except Unavailable as error:  # another commit came first too often: it is to be tried later
            failures.append(error)

    threads = [threading.Thread(target=compact, args=[store]) for store in stores_[:2]]
    for thread in threads:
        thread.start()
    for number in range(4, 8):
        until(lambda n=number: is_taken(stores_[2], delivery("p", n, logs=[log(body=str(n))] * 300)))
    for thread in threads:
        thread.join()
    assert len(failures) < 2
    assert Counter(bodies(opened())) == Counter({str(number): 300 for number in range(8)})


WRITE = """
import sys
sys.path.insert(0, sys.argv[2])
from store_columns import delivery, log, point
from runmill import store
opened = store.open(sys.argv[1])
print("open", flush=True)
for line in sys.stdin:
    number = int(line)
    logs = [log(body=f"{number}-{n}") for n in range(300)]
    opened.append([delivery("p", number, logs=logs, points=[point(1.5)] * 9)])
    print(number, flush=True)
"""


class Child:
    """A process that appends a batch for each number it is told."""

    def __init__(self, url) -> None:
        command = [sys.executable, "-c", WRITE, url, str(Path(__file__).parent)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "open\n"

    def tell(self, *numbers) -> None:
        self.process.stdin.write("".join(f"{number}\n" for number in numbers))
        self.process.stdin.flush()

    def kill(self) -> list[int]:
        """End it, and give the batches it acknowledged."""
        self.process.kill()
        acknowledged = [int(line) for line in self.process.stdout]
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        return acknowledged


@pytest.mark.slow
def test_a_writer_killed_anywhere_leaves_no_half_batch(opened, lake_url):
    """What it acknowledged is there, what it had begun is there whole or not at all, and others go on at once."""
    kill_often(opened, lake_url, kills=2)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_writer_killed_a_hundred_times_leaves_no_half_batch(opened, lake_url):
    """Killed a hundred times at any moment, with retries of what was not acknowledged: nothing lost, nothing twice."""
    kill_often(opened, lake_url, kills=100)


def kill_often(opened, lake_url, *, kills):
    survivor = opened()
    next_number = 0
    for kill in range(kills):
        child = Child(lake_url)
        numbers = range(next_number, next_number + 20)
        child.tell(*numbers)
        if kill % 3:  # not at once: some batches are through, and one is under way
            child.process.stdout.readline()
            time.sleep(kill % 7 * 0.01)
        child.kill()
        next_number += 20
        # Its sender delivers again what was not acknowledged; to be sure, everything.
        survivor.append(
            [
                delivery("p", n, logs=[log(body=f"{n}-{m}") for m in range(300)], points=[point(1.5)] * 9)
                for n in numbers
            ]
        )
    with survivor._attachment.reader() as connection:
        counts = connection.execute(
            "select count(*), count(distinct body), count(distinct ingest_seq) from logs"
        ).fetchall()
        points = connection.execute("select count(*) from points").fetchall()
    assert counts == [(next_number * 300,) * 3]
    assert points == [(next_number * 9,)]


def test_a_catalog_that_goes_away_and_comes_back_loses_nothing(object_storage, monkeypatch):
    """Killed under a writer, the catalog refuses for as long as it is away; then the same store goes on, once each."""
    from lake_servers import Postgres

    for name, value in object_storage.environment.items():
        monkeypatch.setenv(name, value)
    server = Postgres()
    try:
        server.sql("create database away")
        url = f"ducklake:postgres:{server.connection('away')} data_path=s3://runs/away"
        with closing(stores.open(url)) as store:
            store.append([delivery("p", 0, logs=[log(body="before")])])
            server.kill()
            with pytest.raises(Refused, match="cannot commit now"):
                store.append([delivery("p", 1, logs=[log(body="during")])])
            with pytest.raises(Unavailable, match="cannot be read now"):
                store.logs(LogQuery())
            server.start()
            assert store.append([delivery("p", 0, logs=[log()]), delivery("p", 1, logs=[log(body="during")])]) == 1
            assert bodies(store) == ["before", "during"]
    finally:
        server.stop()


def test_many_may_open_an_empty_catalog_at_once(postgres, object_storage, monkeypatch, tmp_path):
    """One makes the tables, the others find them; a folder that all share does as storage."""
    postgres.sql("create database crowd")
    url = f"ducklake:postgres:{postgres.connection('crowd')} data_path={tmp_path}"
    found = []
    threads = [threading.Thread(target=lambda: found.append(stores.open(url))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert [store.append([delivery(logs=[log()])]) for store in found] == [0, 0, 0]
    finally:
        for store in found:
            store.close()


@pytest.mark.parametrize(
    ("rest", "text"),
    [
        ("", "names no catalog"),
        ("dbname=none host=/nowhere", "the catalog does not answer"),
        ("dbname=none data_path=ftp://x", "data_path='ftp://x' is no place for data"),
        ("host=/nowhere password=secret", r"password=\*\*\*"),
        ("postgresql://me:secret@localhost:1/x?data_path=s3://a/b", r"me:\*\*\*@localhost"),
    ],
)
def test_a_lake_that_cannot_be_opened_says_why(rest, text, object_storage, monkeypatch):
    """Where, and what is wrong; a password is never shown."""
    with pytest.raises((ConfigError, Unavailable), match=text) as raised:
        stores.open(f"ducklake:postgres:{rest}")
    assert "secret" not in str(raised.value)


def test_a_new_lake_must_say_where_its_data_goes(postgres):
    """The catalog remembers it: only the first needs to say it."""
    postgres.sql("create database nowhere")
    with pytest.raises(ConfigError, match="Add data_path=s3://bucket/prefix"):
        stores.open(f"ducklake:postgres:{postgres.connection('nowhere')}")
