"""This process's way out: one journal and one delivery for each set of settings, whoever writes to it.

After a fork the child has its own, made when it first logs: its own journal, thread, pid and instance id.
"""

import atexit
import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from runmill.app import crashes
from runmill.app import settings as settings_module
from runmill.app.delivery import Delivery
from runmill.app.diagnosis import Fault
from runmill.app.notices import notice
from runmill.app.resource import describe_process
from runmill.app.sender import Sender
from runmill.app.settings import Settings
from runmill.home import Home, Server
from runmill.journal import folder as folders
from runmill.journal.backlog import write_faults
from runmill.journal.brief import Body, Place, Rest, whole
from runmill.journal.crash import find_crash
from runmill.journal.reader import read_own
from runmill.journal.records import Record
from runmill.journal.wills import Will, write_will
from runmill.journal.writer import Bounds, Journal
from runmill.otlp.journalled import Source

__all__ = ["Outlet", "choose_default", "default_outlet", "flush", "none_taken", "outlet", "shared_outlet"]

_outlets: Final[dict[Settings, "Outlet"]] = {}
_default: "Outlet | None" = None
_lock = threading.RLock()

_DISK_SHARE: Final = 0.1
"""Of the disk's free space, the part that one process's journal may take."""

_FAULTS_SECONDS: Final = 10.0
"""How often the loggers are looked through."""


def none_taken() -> None:
    """Stand in for the record that a thread gave last before it gave any."""


class Taken(threading.local):
    """The record that a thread gave last: in a list, to look up what is slow to find once for reading and writing."""

    def __init__(self) -> None:
        self.slot: list[Callable[[], logging.LogRecord | None]] = [none_taken]


class Outlet:
    """Where records go. Opened by the first record, or ahead of it by `open`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home: Home = settings.home
        self._journal: Journal | None = None
        self._delivery: Delivery | None = None
        self._is_closing = False
        self._resource: dict[str, Any] | None = None
        self.taken = Taken()
        """By a weak reference: the record must not be kept alive, and one that is made in its place is another."""
        self._is_watching_crashes = False
        self._find_faults: Callable[[], list[Fault]] = list
        self._faults: list[Fault] = []
        self._look_for_faults_at = 0.0
        self.write: Callable[[Record], None] = self._open_and_write
        """Keep one record: microseconds, no lock, no network. Raises ValueError only for a value that is not plain."""
        self.write_log: Callable[[Place, float, Body, Rest], None] = self._open_and_write_log
        """Keep a log in brief, sooner still. Raises anything for a value that is not plain."""

    def open(self) -> None:
        """Make the journal and start delivery, so that no log call has to."""
        with _lock:
            if self._journal is not None:
                return
            if self.settings.is_disabled:
                self.write = self.write_log = _ignore
                return
            resource = self._resource = self._resource or describe_process(self.settings)
            journal = _make_journal(self.settings, resource)
            journal_id = journal.folder.journal_id if journal.folder else f"memory-{resource['service.instance.id']}"
            self._journal = journal
            self._delivery = Delivery(
                self.settings,
                Source(read_own(journal), journal_id, resource),
                losses=journal.losses,
                now_and_then=self._report_faults,
            )
            self.write, self.write_log = journal.append, journal.append_log
            if self._is_watching_crashes:
                self.watch_crashes()
            if not self._is_closing:
                self._delivery.start()

    @property
    def resource(self) -> Mapping[str, Any]:
        """What this process is, as OTLP resource attributes; empty where nothing is to be sent."""
        self.open()
        return self._resource or {}

    def leave_will(self, record: Record, *, name: str) -> Will | None:
        """Have *record*, an event, said if this process dies without taking the will back.

        None where nothing would survive the process: a journal in memory, or none at all.
        """
        self.open()
        folder = self._journal.folder if self._journal is not None else None
        return write_will(folder.path, record, name=name) if folder is not None else None

    def watch_crashes(self) -> None:
        """Have a crash of the interpreter recorded, in forked children too, until `unwatch_crashes`."""
        self._is_watching_crashes = True
        if self._journal is not None and self._journal.folder is not None:
            crashes.arm(self._journal.folder.path)

    def unwatch_crashes(self) -> None:
        """Record them no longer."""
        self._is_watching_crashes = False
        crashes.disarm()

    def report_faults(self, find_faults: Callable[[], list[Fault]]) -> None:
        """Keep in the journal's folder, for ``runmill doctor``, what *find_faults* says keeps records back."""
        self._find_faults = find_faults

    def flush(self, timeout_seconds: float) -> int:
        """Deliver all that was written before this call; give how many records are still not acknowledged."""
        if self._journal is None or self._delivery is None:
            return 0
        deadline = time.monotonic() + timeout_seconds
        self._journal.tell_losses()
        newest = self._journal.segments[-1]
        if self._delivery.flush(timeout_seconds, until=(newest.number, newest.position)):
            self._delivery.adopt(max(0.0, deadline - time.monotonic()))
            return 0
        return self.pending_count()

    def pending_count(self) -> int:
        """Count the records that no collector has acknowledged yet."""
        return self._delivery.pending_count() if self._delivery is not None else 0

    def dropped_count(self) -> int:
        """Count the records that found no room in the journal."""
        return self._journal.losses.count("dropped") if self._journal is not None else 0

    def server(self) -> Server:
        """Say where this outlet delivers to now; it may not be answering."""
        return Sender(self.settings).server()

    def close(self) -> None:
        """Flush within the budget for the end of a program; what is left stays in the journal for the next one.

        What is logged still later (by exit hooks that run after ours) opens a journal of its own.
        """
        journal, delivery = self._journal, self._delivery
        if journal is None or delivery is None:
            return
        deadline = time.monotonic() + self.settings.exit_seconds
        self._is_closing = True
        delivery.stop()
        self._tell_of_crash(journal)
        self.flush(self.settings.exit_seconds)
        self._journal = self._delivery = None
        self.write, self.write_log = self._open_and_write, self._open_and_write_log
        journal.seal(self.write)
        newest = journal.segments[-1]
        if delivery.flush(max(0.0, deadline - time.monotonic()), until=(newest.number, newest.position)):
            # What was lost in that very moment has nobody to tell it but the next process.
            journal.close() if journal.losses.untold() else journal.remove()
        else:
            if journal.folder is None:
                notice(
                    f"{delivery.pending_count()} records were in memory alone and are lost: nobody took them in time"
                )
            journal.close()
        delivery.close()

    def forget(self) -> None:
        """In a forked child: leave the parent's journal alone and begin anew with the first record."""
        if self._journal is not None:
            self._journal.close()
        self._journal = self._delivery = self._resource = None
        self.write, self.write_log = self._open_and_write, self._open_and_write_log

    def _tell_of_crash(self, journal: Journal) -> None:
        """Record the crash of a forked child that had not logged yet: it had only its parent's file to write to."""
        if journal.folder is None or (crash := find_crash(journal.folder.path)) is None:
            return
        self.write(crash)
        crashes.forget(journal.folder.path)

    def _report_faults(self) -> None:
        """Called by the delivery thread; looks seldom, and writes only what is new."""
        now, journal = time.monotonic(), self._journal
        if now < self._look_for_faults_at or journal is None or journal.folder is None:
            return
        self._look_for_faults_at = now + _FAULTS_SECONDS
        faults = self._find_faults()
        if faults != self._faults:
            self._faults = faults
            with contextlib.suppress(OSError):  # a full disk: the records themselves matter more
                write_faults(journal.folder.path, [asdict(fault) for fault in faults])

    def _open_and_write(self, record: Record) -> None:
        self.open()
        self.write(record)

    def _open_and_write_log(self, place: Place, time: float, body: Body, rest: Rest) -> None:
        self._open_and_write(whole(place, time, body, rest))


def outlet(settings: Settings | None = None) -> Outlet:
    """Give the outlet for *settings* (by default those of the environment), always the same one for equal ones."""
    chosen = settings or settings_module.resolve()
    with _lock:
        found = _outlets.get(chosen)
        if found is None:
            found = _outlets[chosen] = Outlet(chosen)
        return found


def default_outlet() -> Outlet:
    """Give the outlet for callers that are given none: the chosen one, else that of the environment, read once."""
    global _default  # noqa: PLW0603 - one reference
    if _default is None:
        _default = outlet()
    return _default


def shared_outlet(settings: Settings) -> Outlet:
    """Give the default outlet where it delivers as *settings* say, else the one for *settings*.

    So the runs and the log of a program that called `runmill.configure` share one journal and one thread. How log
    records are shaped, scrubbed and named is for who logs them.
    """
    if _default is not None:
        shaped = _default.settings
        like = replace(settings, is_scrubbing=shaped.is_scrubbing, service_name=shaped.service_name)
        if like == shaped:
            return _default
    return outlet(settings)


def choose_default(chosen: Outlet | None) -> Outlet | None:
    """Make *chosen* the default outlet, None: that of the environment; give what it was before."""
    global _default
    before, _default = _default, chosen
    return before


def flush(timeout_seconds: float = 10.0) -> int:
    """Deliver everything this process logged; give how many records are still not acknowledged (0: all are safe)."""
    deadline = time.monotonic() + timeout_seconds
    return sum(each.flush(max(0.0, deadline - time.monotonic())) for each in tuple(_outlets.values()))


def _make_journal(settings: Settings, resource: dict[str, object]) -> Journal:
    try:
        folder = folders.create(settings.home, resource, notice=notice)
        disk_bytes = int(shutil.disk_usage(folder.path).free * _DISK_SHARE)
    except OSError as error:
        disk_bytes = 0
        notice(
            f"no journal in {str(settings.home.path)!r}: {error.strerror or error}; what is logged is kept in memory "
            "and is lost if the process is killed. Set RUNMILL_HOME to a folder that can be written."
        )
        folder = None
    bounds = Bounds(max_bytes=settings.journal_bytes, disk_bytes=disk_bytes)
    return Journal(folder, bounds=bounds, notice=notice)


def _ignore(*_record: Any) -> None:
    """Take a record where OTEL_SDK_DISABLED says that none is wanted."""


def _after_fork_in_child() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it: it is nobody's here
    _lock = threading.RLock()
    for each in _outlets.values():
        each.forget()


def _at_exit() -> None:
    for each in tuple(_outlets.values()):
        each.close()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
