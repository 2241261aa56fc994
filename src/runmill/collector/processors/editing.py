"""The stage around a processor that changes records: decode, edit, count what it dropped by rule, encode, hand on."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final, Protocol

from runmill.collector.component import Batch, Consumer, Signal
from runmill.collector.processors.account import Account
from runmill.collector.processors.records import Request, decode
from runmill.collector.telemetry import Telemetry
from runmill.errors import Rejected, WireError

__all__ = ["Edit", "Editing"]

# Editing more than this keeps the event loop longer than handing it to a thread costs.
_LARGE_BYTES: Final = 16 * 2**10


class Edit(Protocol):
    """What a processor does to a request."""

    def __call__(self, signal: Signal, request: Request, account: Account, /) -> bool:
        """Change *request* in place, tell *account* what is dropped or changed, and say whether anything was.

        May run in any thread, and for several requests at once.
        """


@dataclass(frozen=True, slots=True)
class Editing:
    """Hands on what *edit* leaves. A batch it does not change goes on in the bytes it came as."""

    edit: Edit
    onward: Consumer
    processor_id: str
    telemetry: Telemetry

    async def start(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing is held back."""

    async def consume(self, batch: Batch, /) -> None:
        """Edit *batch* and hand it on; when nothing is left of it, that was all. Raises Rejected if it is not OTLP."""
        try:
            if len(batch.payload) < _LARGE_BYTES:
                edited, account = self._edited(batch)
            else:
                edited, account = await asyncio.to_thread(self._edited, batch)
        except WireError as error:
            raise Rejected(str(error)) from error
        if self.telemetry.explainer is not None and account.notes:
            self.telemetry.explainer.tell(self.processor_id, account.notes)
        if edited.record_count or not batch.record_count:
            await self.onward.consume(edited)
        # Counted once it is over: a batch that is refused downstream comes again, and is counted then.
        self._count(batch, edited, account)

    def _edited(self, batch: Batch) -> tuple[Batch, Account]:
        request = decode(batch.signal, batch.payload)
        account = Account(None if self.telemetry.explainer is None else [], batch.metadata)
        if not self.edit(batch.signal, request, account):
            return batch, account
        left = batch.record_count - account.drops.total()
        return replace(batch, payload=request.SerializeToString(), record_count=left), account

    def _count(self, batch: Batch, edited: Batch, account: Account) -> None:
        labels = {"processor": self.processor_id, "signal": batch.signal}
        self.telemetry.add("otelcol_processor_incoming_items", batch.record_count, **labels)
        self.telemetry.add("otelcol_processor_outgoing_items", edited.record_count, **labels)
        for rule, count in account.drops.items():
            self.telemetry.add(
                "runmill_dropped_records_total", count,
                component=self.processor_id, reason=rule, signal=batch.signal,
            )  # fmt: skip
