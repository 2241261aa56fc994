"""What one reader of a live view has not been sent yet: bounded, and honest about what did not fit."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from runmill.model import Artifact, LogRecord, MetricPoint, RunEvent, RunId
from runmill.store.interface import Committed, Store, Unsubscribe

__all__ = ["CAPACITY", "Feed", "News"]

CAPACITY: Final = 20_000
"""Log records kept for a reader that does not keep up: some 10 MB."""


@dataclass(slots=True)
class News:
    """What commits added of one run (of everything, without a run) since the reader last took it."""

    logs: list[LogRecord] = field(default_factory=list)
    points: list[MetricPoint] = field(default_factory=list)
    events: list[RunEvent] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    dropped_count: int = 0

    def add(self, newer: "News", *, capacity: int) -> None:
        """Take *newer* in; its log records and points are counted instead where there is no room for them."""
        if self.logs and len(self.logs) + len(newer.logs) > capacity:
            self.dropped_count += len(newer.logs)
        else:
            self.logs += newer.logs
        # Of points and files a reader learns only that there are new ones: a few say as much as all.
        self.points = (self.points + newer.points)[-capacity:]
        self.events += newer.events[-1:]
        self.artifacts += newer.artifacts


class Feed:
    """One reader's place between the committing thread, which never waits, and its event loop.

    Made, read and closed on the event loop.
    """

    def __init__(self, store: Store, run_id: RunId | None, *, capacity: int = CAPACITY) -> None:
        self._run_id = run_id
        self._capacity = capacity
        self._loop = asyncio.get_running_loop()
        self._waiting = News()
        self._arrived = asyncio.Event()
        self._unsubscribe: Unsubscribe = store.subscribe(self._hear)

    async def take(self, *, timeout_seconds: float) -> News | None:
        """Give all that is waiting, or None when nothing comes in time."""
        try:
            await asyncio.wait_for(self._arrived.wait(), timeout_seconds)
        except TimeoutError:
            return None
        self._arrived.clear()
        news, self._waiting = self._waiting, News()
        return news

    def close(self) -> None:
        """Hear no more."""
        self._unsubscribe()

    def _hear(self, committed: Committed) -> None:
        """Pick this run's part, on the committing thread: no matching of texts here, it would hold up the commits."""
        news = self._part(committed)
        if news.logs or news.points or news.events or news.artifacts:
            try:
                self._loop.call_soon_threadsafe(self._offer, news)
            except RuntimeError:
                return  # the loop is closed: the server is gone, and its readers with it

    def _part(self, committed: Committed) -> News:
        run_id = self._run_id
        if run_id is None:
            return News(logs=list(committed.logs))
        return News(
            logs=[record for record in committed.logs if record.run_id == run_id],
            points=[point for owner, point in committed.points if owner == run_id],
            events=[event for event in committed.events if event.run_id == run_id],
            artifacts=[artifact for artifact in committed.artifacts if artifact.run_id == run_id],
        )

    def _offer(self, news: News) -> None:
        self._waiting.add(news, capacity=self._capacity)
        self._arrived.set()
