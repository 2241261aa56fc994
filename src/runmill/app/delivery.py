"""From the journal to the collector: batch by batch, in order, until each is acknowledged.

One thread a process does it in the background; `flush` does the same work on the calling thread, so it needs no
thread to be alive, and what it says is delivered is delivered.
"""

import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from runmill.app.grpc_sender import GrpcSender
from runmill.app.notices import notice
from runmill.app.sender import Sender, TooLarge, WrongReceiver
from runmill.app.settings import Settings
from runmill.errors import Refused, Rejected, Unavailable
from runmill.journal import folder as folders
from runmill.journal.loss_record import is_loss_record
from runmill.journal.losses import Losses
from runmill.journal.reader import JournalBatch, read_abandoned
from runmill.journal.records import Record, level_of, run_key_of
from runmill.otlp.journalled import Request, Source, artifact_hashes, records_of, requests
from runmill.otlp.partial import PartialSuccess

__all__ = ["Delivery"]

_INTERVAL_SECONDS: Final = 0.2
"""How often the thread looks for new records: nobody wakes it, so a log call costs no signal."""
_ADOPT_SECONDS: Final = 5.0
_FIRST_BACKOFF_SECONDS: Final = 0.5
_MOST_BACKOFF_SECONDS: Final = 30.0


class Delivery:
    """Delivers one process's journal, and those of dead processes that share its home."""

    def __init__(self, settings: Settings, own: Source, *, losses: Losses, now_and_then: Callable[[], None]) -> None:
        self._settings = settings
        self._own = own
        self._losses = losses
        self._now_and_then = now_and_then
        self._sender = GrpcSender(settings) if settings.protocol == "grpc" else Sender(settings)
        # Held by whoever delivers now. Nothing that logs waits for it.
        self._busy = threading.Lock()
        self._stop = threading.Event()
        # An item for each caller that waits to be that: the thread makes way for them, or it would never let go while
        # the program logs all the time. A list, because its calls are atomic.
        self._waiting: list[None] = []
        # A generator of its own: drawing from the program's would change what a seeded training run computes.
        self._random = random.Random()  # noqa: S311 - no secret
        self._backoff_seconds = _FIRST_BACKOFF_SECONDS
        self._retry_at = 0.0
        self._adopt_at = 0.0
        self._thread = threading.Thread(target=self._run, name="runmill-delivery", daemon=True)

    def start(self) -> None:
        """Begin in the background. At the end of the interpreter no thread starts: `flush` still works."""
        try:
            self._thread.start()
        except RuntimeError as error:
            notice(f"no delivery thread: {error}. What is logged stays in the journal until it is flushed.")

    def flush(self, timeout_seconds: float, *, until: tuple[int, int]) -> bool:
        """Deliver the journal up to the position *until* (segment, offset); False when it could not all be."""
        deadline = time.monotonic() + timeout_seconds
        if not self._take_over(timeout_seconds):
            return False
        try:
            while self._own.reader.position() < until and self._deliver_before(deadline):
                pass
        except Unavailable as error:
            self._back_off(error)
            return False
        except Exception as error:  # noqa: BLE001 - the edge to the user's program: a fault of ours is not theirs
            notice(f"delivery failed: {type(error).__name__}: {error}. It is tried again.")
            return False
        else:
            return True
        finally:
            self._busy.release()

    def adopt(self, timeout_seconds: float) -> None:
        """Deliver what dead processes of this home left, as far as time allows."""
        deadline = time.monotonic() + timeout_seconds
        if self._take_over(timeout_seconds):
            try:
                self._deliver_abandoned(deadline)
            except (Refused, Unavailable) as error:
                self._back_off(error)
            except Exception as error:  # noqa: BLE001 - as above
                notice(f"delivery failed: {type(error).__name__}: {error}. It is tried again.")
            finally:
                self._busy.release()

    def _take_over(self, timeout_seconds: float) -> bool:
        """Wait until nobody else delivers, ahead of the thread."""
        self._waiting.append(None)
        try:
            return self._busy.acquire(timeout=timeout_seconds)
        finally:
            self._waiting.pop()

    def pending_count(self) -> int:
        """Count the records of this process that are not acknowledged yet."""
        return self._own.reader.pending_count()

    def stop(self) -> None:
        """Tell the thread to end after what it is doing; returns at once."""
        self._stop.set()

    def close(self) -> None:
        """Let the connection go; a request that hangs keeps it until the process ends."""
        if self._busy.acquire(blocking=False):
            self._sender.close()
            self._busy.release()

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL_SECONDS):
            self._now_and_then()
            if time.monotonic() < self._retry_at:
                continue
            with self._busy:
                # Who stops delivery flushes the journal itself, and takes it away while this waited.
                if not self._stop.is_set():
                    self._deliver_all()

    def _deliver_all(self) -> None:
        try:
            while self._deliver_next(self._own, self._settings.timeout_seconds):
                if self._stop.is_set() or self._waiting:
                    return
            if time.monotonic() >= self._adopt_at:
                self._adopt_at = time.monotonic() + _ADOPT_SECONDS
                self._deliver_abandoned(deadline=float("inf"))
        except (Refused, Unavailable) as error:
            self._back_off(error)
        except Exception as error:  # noqa: BLE001 - the thread's edge: a fault of ours must not end delivery
            notice(f"delivery failed: {type(error).__name__}: {error}. It is tried again.")
            self._back_off(error)

    def _deliver_before(self, deadline: float) -> bool:
        """Deliver one batch, waiting where the collector asks for it; False when there is none.

        Raises Unavailable when nobody answers, or not before *deadline*.
        """
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                return self._deliver_next(self._own, min(remaining, self._settings.timeout_seconds))
            except Refused as error:
                self._back_off(error)
                time.sleep(max(0.0, min(self._retry_at, deadline) - time.monotonic()))
        raise Unavailable("the time is up")

    def _deliver_next(self, source: Source, timeout_seconds: float) -> bool:
        """Deliver one batch; False when there is none. Raises Refused or Unavailable: it will be the same again."""
        batch = source.reader.next_batch()
        if batch is None:
            return False
        if self._send(source, batch, timeout_seconds):
            source.reader.acknowledge()
        self._backoff_seconds, self._retry_at = _FIRST_BACKOFF_SECONDS, 0.0
        return True

    def _send(self, source: Source, batch: JournalBatch, timeout_seconds: float) -> bool:
        """Send all of *batch* that anybody takes; False when it has to be sent in smaller ones, and none of it was."""
        self._send_files(batch, timeout_seconds)
        is_none_sent = True
        for request in requests(source, batch):
            try:
                partial = self._send_request(request, timeout_seconds)
            except TooLarge as error:
                if is_none_sent and source.reader.halve():
                    return False
                self._lose(records_of(batch, request.signal), str(error))
            except Rejected as error:
                self._lose(records_of(batch, request.signal), str(error))
            else:
                if partial is not None:
                    self._lose_part(records_of(batch, request.signal), partial)
            is_none_sent = False
        return True

    def _send_request(self, request: Request, timeout_seconds: float) -> PartialSuccess | None:
        return self._sender.send(
            request.signal,
            request.payload,
            producer_id=request.producer_id,
            sequence=request.sequence,
            timeout_seconds=timeout_seconds,
        )

    def _lose_part(self, records: list[Record], partial: PartialSuccess) -> None:
        """Say and count what the collector left out of *records*; it says how many, not which."""
        notice(f"the collector did not take {partial.rejected_count} records of a batch: {partial.message!r}")
        if not partial.rejected_count or all(map(is_loss_record, records)):
            return
        words = f"the collector took the rest of a batch of {len(records):,}, and said {partial.message!r}"
        runs = set(map(run_key_of, records))
        run_key = runs.pop() if len(runs) == 1 else None
        self._losses.add("rejected", words, level="", run_key=run_key, count=partial.rejected_count)

    def _lose(self, records: Iterable[Record], words: str) -> None:
        """Say and count what the collector will never take; a record that tells of a loss is said only."""
        counts = Counter((run_key_of(each), level_of(each)) for each in records if not is_loss_record(each))
        notice(f"{counts.total()} records were rejected and are lost: {words}")
        for (run_key, level), count in counts.items():
            self._losses.add("rejected", words, run_key=run_key, level=level, count=count)

    def _send_files(self, batch: JournalBatch, timeout_seconds: float) -> None:
        """Put the bytes of uploaded files before the events that tell of them."""
        for sha256 in artifact_hashes(batch):
            path = self._settings.home.spool / sha256
            if not path.exists():  # the same bytes were put for another path
                continue
            self._send_file(sha256, path, timeout_seconds)

    def _send_file(self, sha256: str, path: Path, timeout_seconds: float) -> None:
        try:
            self._sender.put(sha256, path, timeout_seconds=timeout_seconds)
        except Rejected as error:
            # Not runmill's own server: the event still goes, and the bytes stay where they are.
            notice(f"the bytes of a file were not taken and stay at {str(path)!r}: {error}")
        else:
            path.unlink(missing_ok=True)

    def _deliver_abandoned(self, deadline: float) -> None:
        for folder in folders.abandoned(self._settings.home):
            is_done = False
            try:
                reader = read_abandoned(folder)
                source = Source(reader, folder.journal_id, folder.resource())
                while (remaining := deadline - time.monotonic()) > 0 and not is_done:
                    is_done = not self._deliver_next(source, min(remaining, self._settings.timeout_seconds))
            finally:
                folder.remove() if is_done else folder.release()
            if not is_done:
                return

    def _back_off(self, error: Exception) -> None:
        """Set when to try again: as the collector asks, else exponentially, with jitter so that processes spread."""
        if isinstance(error, WrongReceiver):
            notice(f"{error}. What is logged stays in the journal until the address or its token is right.")
        elif isinstance(error.__cause__, ssl.SSLError):
            notice(f"{error}. What is logged stays in the journal. See OTEL_EXPORTER_OTLP_CERTIFICATE.")
        asked = error.retry_after_seconds if isinstance(error, Refused) else None
        wait = asked if asked is not None else self._backoff_seconds * self._random.uniform(0.5, 1.5)
        self._retry_at = time.monotonic() + wait
        self._backoff_seconds = min(self._backoff_seconds * 2, _MOST_BACKOFF_SECONDS)
