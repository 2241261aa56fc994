"""``debug``: print what passes, to see that anything arrives and what."""

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import TextIO

from runmill.collector.component import Batch
from runmill.collector.exporters.debug_config import DebugConfig
from runmill.errors import Rejected, WireError
from runmill.otlp import columns

__all__ = ["Debug"]


class Debug:
    """Prints to *output* (standard output), and takes everything."""

    def __init__(self, config: DebugConfig, *, exporter_id: str, output: TextIO | None = None) -> None:
        self._verbosity = config.verbosity
        self._exporter_id = exporter_id
        self._output = output

    async def start(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing is held back."""

    async def consume(self, batch: Batch, /) -> None:
        """Print *batch*. Raises Rejected when it is not OTLP."""
        text = await asyncio.to_thread(self._render, batch)
        print(text, file=self._output or sys.stdout, flush=True)

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
