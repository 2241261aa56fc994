"""Files that are followed with a clock that stands still unless it is told to go on."""

from dataclasses import dataclass, field
from pathlib import Path

from runmill.collector.component import Batch
from runmill.collector.files.harvest import Harvest, Pace
from runmill.collector.receivers.file_log import open_harvest
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.otlp import columns


@dataclass
class FakeClock:
    seconds: float = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def unix_nano(self) -> int:
        return int(self.seconds * 1e9)


def bodies(batch: Batch) -> list[object]:
    return [row["body"] for row in rows(batch)]


def rows(batch: Batch) -> list[dict[str, object]]:
    found = columns.decode_logs(batch.payload).logs.to_pylist()
    assert len(found) == batch.record_count
    return found


@dataclass
class Reading:
    """A collector of files that can be stopped, killed and started again."""

    folder: Path
    settings: dict[str, object]
    clock: FakeClock = field(default_factory=FakeClock)
    harvest: Harvest | None = None

    def start(self) -> "Reading":
        settings = {"include": [str(self.folder / "*.log*")], "start_at": "beginning", **self.settings}
        config = FileLogConfig(**settings)
        pace = Pace(config.force_flush_period, self.clock.monotonic, self.clock.unix_nano)
        self.harvest = open_harvest(config, self.folder / "state" / "cursors", pace)
        return self

    def stop(self) -> None:
        if self.harvest is not None:
            self.harvest.close()
            self.harvest = None

    def kill(self) -> None:
        """End as SIGKILL does: nothing more is written down."""
        self.harvest._follower.close()
        self.harvest._cursors._connection.close()
        self.harvest = None

    def restart(self) -> "Reading":
        self.stop()
        return self.start()

    def batch(self, *, after: float = 0) -> Batch | None:
        """Look once, and give what goes next without saying that it was taken."""
        self.clock.seconds += after
        self.harvest.poll()
        return self.harvest.next_batch()

    def batches(self, *, after: float = 0) -> list[Batch]:
        """Look once, and take all there is."""
        self.clock.seconds += after
        self.harvest.poll()
        found = []
        while (batch := self.harvest.next_batch()) is not None:
            found.append(batch)
            self.harvest.done()
        return found

    def read(self, *, after: float = 0) -> list[object]:
        """The bodies of all there is now."""
        return [body for batch in self.batches(after=after) for body in bodies(batch)]

    def rows(self, *, after: float = 0) -> list[dict[str, object]]:
        return [row for batch in self.batches(after=after) for row in rows(batch)]
