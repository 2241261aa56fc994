"""An outlet that keeps what is written, for looking at records as they leave a run."""

import threading
import time
from pathlib import Path

from runmill.app.settings import Settings
from runmill.home import Home, Server
from runmill.journal.records import EVENT, POINT, Event, Point, Record

DEADLINE_SECONDS = 10


class RecordingOutlet:
    """Takes every record; delivers none, and says that none is pending."""

    def __init__(self, home: Path) -> None:
        self.home = Home(home)
        # An endpoint is named, so that no collector is started.
        self.settings = Settings(home=self.home, endpoint="http://127.0.0.1:9")
        self.records: list[Record] = []
        self._arrived = threading.Condition()

    @property
    def resource(self) -> dict[str, str]:
        return {"service.name": "recorded"}

    def write(self, record: Record) -> None:
        with self._arrived:
            self.records.append(record)
            self._arrived.notify_all()

    def leave_will(self, record: Record, *, name: str) -> None:
        return None

    def flush(self, timeout_seconds: float) -> int:
        return 0

    def server(self) -> Server:
        return Server("http://127.0.0.1:9", 0, "")

    def points(self) -> list[Point]:
        return [Point(*record) for record in self.records if record[0] == POINT]

    def events(self, name: str) -> list[Event]:
        return [event for record in self.records if record[0] == EVENT and (event := Event(*record)).event_name == name]

    def wait_for_events(self, name: str, count: int) -> list[Event]:
        deadline = time.monotonic() + DEADLINE_SECONDS
        with self._arrived:
            while len(self.events(name)) < count:
                assert self._arrived.wait(deadline - time.monotonic()), f"only {len(self.events(name))} of {count}"
        return self.events(name)
