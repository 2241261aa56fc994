"""What the run store will never take, in files: it stops nobody, and is still there for who wants to know why."""

import hashlib
import logging
import os
from pathlib import Path
from typing import Final

from runmill.collector.component import Batch
from runmill.collector.telemetry import Telemetry
from runmill.errors import Rejected

__all__ = ["SetAside"]

_log: Final = logging.getLogger(__name__)

_MOST_BYTES: Final = 256 * 2**20
"""In the folder. What comes then is told and counted as ever, and its bytes are gone: a disk must not fill up."""


class SetAside:
    """Keeps batches in *folder*, as the OTLP requests they came as."""

    def __init__(self, folder: Path, *, exporter_id: str, telemetry: Telemetry) -> None:
        self._folder = folder
        self._exporter_id = exporter_id
        self._telemetry = telemetry

    def keep(self, batch: Batch, error: Exception) -> Rejected:
        """Write *batch*, which fails with *error*, to a file of its own; say so, and give what its sender is told."""
        path = self._kept(batch)
        where = f"kept as {path}" if path else "not kept, for there is no room"
        self._telemetry.add(
            "runmill_run_store_set_aside_records_total",
            batch.record_count,
            exporter=self._exporter_id,
            signal=batch.signal,
        )
        self._telemetry.explain(self._exporter_id, batch, verb="set aside", rule="the run store fails on them")
        _log.error(
            "exporter %s: %d records of %s were set aside (%s), as the run store fails on them: %r",
            self._exporter_id, batch.record_count, batch.signal, where, error,
        )  # fmt: skip
        if isinstance(error, Rejected):
            return error
        return Rejected(f"the run store fails on this data, which is {where}: {error!r}. Do not send it again.")

    def _kept(self, batch: Batch) -> Path | None:
        name = f"{batch.signal}-{hashlib.sha256(batch.payload).hexdigest()[:16]}.binpb"
        try:
            return self._write(name, batch.payload)
        except OSError:
            _log.exception("exporter %s: %s cannot be written to", self._exporter_id, self._folder)
            return None

    def _write(self, name: str, payload: bytes) -> Path | None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / name
        if not path.exists():
            used = sum(file.stat().st_size for file in self._folder.iterdir())
            if used + len(payload) > _MOST_BYTES:
                return None
            with path.open("wb") as file:
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
        return path
