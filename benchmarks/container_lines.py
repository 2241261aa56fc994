"""Container log files, from bytes to OTLP: lines per CPU second, docker's format and CRI's.

    python benchmarks/container_lines.py

Each figure is the best of several passes over 20,000 lines in memory, one core: framing, parsing, joining, encoding.
"""

import time

from runmill.collector.lines.encoding import Origin, encode
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.collector.receivers.recipes import recipe_of

LINES = 20_000
PASSES = 9
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


def main() -> None:
    for name, line in SOURCES.items():
        raw = "".join(map(line, range(LINES))).encode()
        operators = [{"type": "container"}] if name.startswith(("docker", "CRI")) else []
        rate = LINES / seconds(raw, FileLogConfig(include=["x"], operators=operators))
        print(f"{name:18} {rate:>10,.0f} lines/s  {rate * len(raw) / LINES / 1e6:>6.1f} MB/s")


if __name__ == "__main__":
    main()
