"""What a backend took only in part: the rest is dropped, since OTLP forbids to send it again, and counted.

Source: OTLP specification, Partial Success.
"""

import logging
from dataclasses import replace
from typing import Final

from runmill.collector.component import Batch
from runmill.collector.exporters.losses import Losses
from runmill.otlp.partial import decode_partial_success, parse_partial_success

__all__ = ["count_partial_success"]

_log: Final = logging.getLogger(__name__)


def count_partial_success(answer: bytes, batch: Batch, losses: Losses, *, is_json: bool = False) -> None:
    """Count the records of *batch* that an accepting *answer* says were not taken, and repeat its words."""
    partial = (parse_partial_success if is_json else decode_partial_success)(answer)
    if partial is None:
        return
    if partial.rejected_count:
        lost = replace(batch, record_count=min(partial.rejected_count, batch.record_count))
        losses.add(lost, f"of {batch.record_count}, by the backend: {partial.message}", reason="partial_success")
    else:
        _log.warning(
            "exporter %s: the backend took %d records, and says: %s",
            losses.exporter_id, batch.record_count, partial.message,
        )  # fmt: skip
