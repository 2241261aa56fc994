"""A lake whose catalog is killed again and again while two writers commit: each batch is stored, once."""

import itertools
import threading
from collections import Counter
from contextlib import ExitStack, closing

import pytest
from lake_servers import Postgres
from store_columns import delivery, log, point

from runmill import store as stores
from runmill.errors import Refused
from runmill.store.interface import Store
from runmill.store.query import LogQuery

DEADLINE_SECONDS = 60


@pytest.fixture
def server():
    server = Postgres()
    server.sql("create database lake")
    yield server
    server.stop()


class Sender(threading.Thread):
    """Sends batch after batch, each again until it is acknowledged, as whoever keeps a journal does."""

    def __init__(self, store: Store, name: str) -> None:
        super().__init__(daemon=True)
        self._store = store
        self.producer = name
        self._acknowledged = threading.Semaphore(0)
        self.is_done = threading.Event()
        self.sent = self.refused = 0

    def run(self) -> None:
        for number in itertools.takewhile(lambda _: not self.is_done.is_set(), itertools.count()):
            rows = [log(body=f"{self.producer} {number}")] * (
                300 if number % 3 == 0 else 5
            )  # a file, or rows that wait
            while not self._is_taken(delivery(self.producer, number, logs=rows, points=[point(1.0)])):
                self.refused += 1
            self.sent += 1
            self._acknowledged.release()

    def _is_taken(self, batch) -> bool:
        try:
            self._store.append([batch])
        except Refused:
            return False
        return True

    def has_acknowledged(self, count: int) -> bool:
        """Wait until so many more were."""
        return all(self._acknowledged.acquire(timeout=DEADLINE_SECONDS) for _ in range(count))


def killed_while_they_commit(server: Postgres, folder, kills: int) -> None:
    url = f"ducklake:postgres:{server.connection('lake')} data_path={folder}"
    with ExitStack() as stack:
        senders = [Sender(stack.enter_context(closing(stores.open(url))), f"p{n}") for n in range(2)]
        for sender in senders:
            sender.start()
        for _ in range(kills):
            assert all(sender.has_acknowledged(2) for sender in senders)
            server.kill()
            server.start()
        for sender in senders:
            sender.is_done.set()
            sender.join(DEADLINE_SECONDS)
        print("batches", [sender.sent for sender in senders], "refusals", [sender.refused for sender in senders])
        reader = stack.enter_context(closing(stores.open(url)))
        expected = {
            f"{sender.producer} {number}": 300 if number % 3 == 0 else 5
            for sender in senders
            for number in range(sender.sent)
        }
        assert Counter(bodies(reader)) == expected
        assert reader.facts().point_count == sum(sender.sent for sender in senders)


def bodies(store: Store):
    """Every body, page by page, in the order of commits."""
    after = 0
    while page := store.logs(LogQuery(limit=10_000, committed_after=after)).records:
        yield from (record.body for record in page)
        after = page[-1].cursor


@pytest.mark.engines
def test_a_catalog_killed_while_two_commit_stores_each_batch_once(server, tmp_path):
    """What was acknowledged is there, what was not comes again and is there once."""
    killed_while_they_commit(server, tmp_path, kills=2)


@pytest.mark.engines
@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_catalog_killed_thirty_times_while_two_commit_stores_each_batch_once(server, tmp_path):
    """The same, however often."""
    killed_while_they_commit(server, tmp_path, kills=30)
