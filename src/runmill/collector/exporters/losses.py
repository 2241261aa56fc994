"""What an exporter drops: counted each time, and said so often that it is noticed and no log overflows."""

import logging
from collections import Counter
from typing import Final

from runmill.collector.component import Batch
from runmill.collector.telemetry import Telemetry

__all__ = ["Losses"]

_log: Final = logging.getLogger(__name__)

_SAID: Final = 3
"""Batches of each reason of which every one is said; then the 10th, the 100th, ..."""


class Losses:
    """The drops of one exporter."""

    def __init__(self, exporter_id: str, telemetry: Telemetry) -> None:
        self.exporter_id = exporter_id
        self._telemetry = telemetry
        self._batches = Counter[str]()
        self._records = Counter[str]()

    def add(self, batch: Batch, why: object, *, reason: str) -> None:
        """Count the records of *batch* under *reason*; *why* is in words what happened this time."""
        self._telemetry.drop(self.exporter_id, batch, reason=reason)
        self._batches[reason] += 1
        self._records[reason] += batch.record_count
        if self._batches[reason] <= _SAID or str(self._batches[reason]).strip("0") == "1":
            _log.warning(
                "exporter %s: %d records dropped (%s, %d by now): %s",
                self.exporter_id, batch.record_count, reason, self._records[reason], why,
            )  # fmt: skip
