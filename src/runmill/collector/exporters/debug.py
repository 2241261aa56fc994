"""``debug``: print what passes, to see that anything arrives and what."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from runmill.collector.component import Batch
from runmill.collector.exporters.debug_config import DebugConfig
from runmill.errors import Rejected, WireError
from runmill.otlp import columns

__all__ = ["Debug"]


class Debug:
    """Prints to *output* (by default where *config* says), and takes everything."""

    def __init__(
        self,
        config: DebugConfig,
        *,
        exporter_id: str,
        output: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._verbosity = config.verbosity
        self._exporter_id = exporter_id
        self._output = output
        self._clock = clock
        self._second = 0
        self._in_second = 0

    async def start(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing is held back."""

    async def consume(self, batch: Batch, /) -> None:
        """Print *batch*. Raises Rejected when it is not OTLP."""
        if not self._is_sampled():
            return
        text = await asyncio.to_thread(self._render, batch)
        for output in [self._output] if self._output else [getattr(sys, name) for name in self._config.output_paths]:
            print(text, file=output, flush=True)

    def _is_sampled(self) -> bool:
        """Count one more batch of this second, and say whether it is printed."""
        second = int(self._clock())
        self._in_second = self._in_second + 1 if second == self._second else 1
        self._second = second
        beyond, every = self._in_second - self._config.sampling_initial, self._config.sampling_thereafter
        return beyond <= 0 or (every > 0 and beyond % every == 0)

    def _render(self, batch: Batch) -> str:
        head = f"{self._exporter_id}: {batch.signal}, {batch.record_count} records, {len(batch.payload)} bytes"
        is_brief = self._verbosity == "basic" or batch.signal in ("traces", "profiles")
        return head if is_brief else "\n".join((head, *self._records(batch)))

    def _records(self, batch: Batch) -> Iterator[str]:
        for row in _rows(batch):
            if self._verbosity == "detailed":
                yield f"  {json.dumps(row, ensure_ascii=False)}"
            else:
                yield "  " + " ".join(str(row[key]) for key in _SHORT if row.get(key) not in (None, ""))


_SHORT = ("time_unix_nano", "severity_text", "logger", "body", "name", "metric", "column", "step", "value")


def _rows(batch: Batch) -> Iterator[dict[str, object]]:
    try:
        found = columns.decode_logs(batch.payload) if batch.signal == "logs" else columns.decode_metrics(batch.payload)
    except WireError as error:
        raise Rejected(str(error)) from error
    for table in (found.logs, found.points, found.events, found.artifacts):
        yield from table.to_pylist()
