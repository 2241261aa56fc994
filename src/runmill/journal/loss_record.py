"""A loss as a record of the run that had it: at the time it began, where the lost records would be."""

import logging
from typing import Final

from runmill.journal.losses import Loss
from runmill.journal.records import LOG, Log, Record

__all__ = ["is_loss_record", "loss_record", "sentence"]

_LOGGER: Final = "runmill"
_COUNT: Final = "runmill.lost_records"
_NOUNS: Final = {"POINT": "metric points", "EVENT": "events of runs", "REQUEST": "exports of the OpenTelemetry SDK"}
_NANOS: Final = 10**9


def loss_record(loss: Loss) -> Record:
    """Give the record that tells what of *loss* is untold: the same one each time it is asked for the same loss."""
    return Log(
        record_kind=LOG,
        time=loss.first_unix_nano,
        run_key=loss.run_key,
        logger=_LOGGER,
        levelno=logging.WARNING,
        level_name="WARNING",
        body=f"{sentence(loss, loss.untold_count)}{_span(loss)}",
        attributes={
            _COUNT: loss.untold_count,
            "runmill.lost_level": loss.level,
            "runmill.lost_by": loss.cause,
            "runmill.lost_reason": loss.reason,
        },
        file_path="",
        line_number=0,
        function_name="",
        thread_id=0,
        thread_name="",
        trace_id=None,
        span_id=None,
        trace_flags=0,
        dropped_attributes_count=0,
    )


def is_loss_record(record: Record) -> bool:
    """Say whether *record* is one that tells of a loss: it is not told again when it is lost itself."""
    return record[0] == LOG and record[3] == _LOGGER and _COUNT in (record[7] or ())


def sentence(loss: Loss, count: int) -> str:
    """Say how many of what were lost and why."""
    if loss.cause == "damaged":
        return f"an unknown number of records was lost: {loss.reason}"
    if loss.cause == "in memory":
        return (
            f"records are in memory alone, and lost if the process is killed before they are delivered: {loss.reason}"
        )
    what = _NOUNS.get(loss.level) or f"{loss.level} records".strip()
    return f"{count:,} {what} {loss.cause}: {loss.reason}"


def _span(loss: Loss) -> str:
    seconds = (loss.last_unix_nano - loss.first_unix_nano) / _NANOS
    return f" (from here on, for {seconds:,.0f} s)" if seconds >= 1 else ""
