"""Container log files, from bytes to OTLP: lines per CPU second, docker's format and CRI's.

    python benchmarks/container_lines.py

Each figure is the best of several passes over 20,000 lines in memory, one core: framing, parsing, joining, encoding.
Then 10,000 files that nobody writes to are watched, at the default interval: what share of a core that is.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from runmill.collector.component import Batch
from runmill.collector.lines.encoding import Origin, encode
from runmill.collector.receivers.file_log import FileLogReceiver
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.collector.receivers.recipes import recipe_of
from runmill.collector.telemetry import Telemetry

LINES = 20_000
PASSES = 9
FILES = 10_000
WATCHED_SECONDS = 20
BODY = "epoch 3 step %d loss 0.25 " + "x" * 80


def moment(n: int) -> str:
    return f"2026-11-22T01:{n // 5000 % 60:02d}:26.{n:09d}"


SOURCES = {
    "docker json-file": lambda n: f'{{"log":"{BODY % n}\\n","stream":"stdout","time":"{moment(n)}Z"}}\n',
    "CRI (containerd)": lambda n: f"{moment(n)}Z stdout F {BODY % n}\n",
    "CRI (cri-o)": lambda n: f"{moment(n)}+00:00 stdout F {BODY % n}\n",
    "plain file": lambda n: f"{BODY % n}\n",
    "logging's format": lambda n: f"INFO:app.train:{BODY % n}\n",
    "JSON of structlog": lambda n: f'{{"event": "{BODY % n}", "level": "info", "timestamp": "{moment(n)}Z"}}\n',
}


def seconds(raw: bytes, config: FileLogConfig) -> float:
    recipe, origin = recipe_of(config), Origin({"service.name": "bench"}, {"log.file.name": "0.log"})
    best = float("inf")
    for _ in range(PASSES):
        start = time.process_time()
        reading = recipe.read(raw, is_final=False)
        encode(reading.entries, origin, observed_unix_nano=1)
        best = min(best, time.process_time() - start)
        assert len(reading.entries) == LINES
    return best


class Taking:
    """Takes every batch, and says when every file was read."""

    def __init__(self) -> None:
        self.count = 0
        self.has_all = asyncio.Event()

    async def consume(self, batch: Batch, /) -> None:
        self.count += batch.record_count
        if self.count == FILES:
            self.has_all.set()


async def idle_share(folder: Path) -> float:
    """Watch files until all are read, and then for a while in which nothing comes."""
    for number in range(FILES):
        (folder / f"{number}.log").write_text(f"line of {number}\n")
    taking = Taking()
    config = FileLogConfig(include=[f"{folder}/*.log"], start_at="beginning")
    receiver = FileLogReceiver(
        config, {"logs": taking}, receiver_id="file_log", telemetry=Telemetry(), state_folder=folder / "state"
    )
    await receiver.start()
    await taking.has_all.wait()
    await asyncio.sleep(12)  # a file that grew is looked at in each round for ten seconds
    start, cpu = time.monotonic(), time.process_time()
    await asyncio.sleep(WATCHED_SECONDS)
    share = (time.process_time() - cpu) / (time.monotonic() - start)
    await receiver.shutdown()
    return share


def main() -> None:
    for name, line in SOURCES.items():
        raw = "".join(map(line, range(LINES))).encode()
        operators = [{"type": "container"}] if name.startswith(("docker", "CRI")) else []
        rate = LINES / seconds(raw, FileLogConfig(include=["x"], operators=operators))
        print(f"{name:18} {rate:>10,.0f} lines/s  {rate * len(raw) / LINES / 1e6:>6.1f} MB/s")
    with tempfile.TemporaryDirectory() as folder:
        print(f"{FILES:,} files at rest: {asyncio.run(idle_share(Path(folder))):.1%} of a core")


if __name__ == "__main__":
    main()
