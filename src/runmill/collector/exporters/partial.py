"""What a backend took only in part: the rest is dropped, since OTLP forbids to send it again, and counted.

Source: OTLP specification, Partial Success.
"""

import logging
from dataclasses import replace
from typing import Final

from runmill.collector.component import Batch
from runmill.collector.telemetry import Telemetry
from runmill.otlp.partial import decode_partial_success

__all__ = ["count_partial_success"]

_log: Final = logging.getLogger(__name__)


def count_partial_success(answer: bytes, batch: Batch, *, exporter_id: str, telemetry: Telemetry) -> None:
    """Count the records of *batch* that an accepting *answer* says were not taken, and repeat its words."""
    partial = decode_partial_success(answer)
    if partial is None:
        return
    if partial.rejected_count:
        telemetry.drop(exporter_id, replace(batch, record_count=partial.rejected_count), reason="partial_success")
    _log.warning(
        "exporter %s: the backend did not take %d of %d records: %s",
        exporter_id, partial.rejected_count, batch.record_count, partial.message,
    )  # fmt: skip
