"""Nothing is lost silently: what finds no room, and what nobody takes, is counted and told where it would have been."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runmill import home as homes
from runmill.journal import folder as folders
from runmill.journal.backlog import backlogs
from runmill.journal.losses import Loss, Losses
from runmill.journal.reader import Reader, read_abandoned, read_own
from runmill.journal.records import LOG, Log, Record, RunIdentity, run_key
from runmill.journal.writer import Bounds, Journal

RUN = run_key(RunIdentity("run-1", "diabetes", None, None))
OTHER_RUN = run_key(RunIdentity("run-2", "diabetes", None, None))
LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


def log(body: str, *, level: str = "INFO", run: str | None = None) -> Record:
    return tuple(Log(LOG, 1, run, "test", LEVELS[level], level, body, None, "", 0, "", 0, "", None, None, 0, 0))


def make(home: Path, *, wait_seconds: float = 0) -> Journal:
    """A journal of 16 segments of a page each."""
    folder = folders.create(homes.find(home), {"service.name": "test"}, notice=pytest.fail)
    bounds = Bounds(max_bytes=16 * 4096, segment_bytes=4096, wait_seconds=wait_seconds)
    return Journal(folder, bounds=bounds, notice=lambda _: None)


def fill(journal: Journal, level: str, *, run: str | None = None) -> int:
    """Log until a record of *level* is dropped; give how many were kept."""
    kept = 0
    while not journal.losses.all():
        journal.append(log("x" * 100, level=level, run=run))
        kept += 1
    return kept - 1


def read_all(reader: Reader) -> list[Record]:
    records: list[Record] = []
    while (batch := reader.next_batch()) is not None:
        records += batch.records
        reader.acknowledge()
    return records


def told(records: list[Record]) -> list[tuple[object, ...]]:
    """Whose, how severe, how many and of which level each record about a loss says."""
    return [
        (record[2], record[5], record[7]["runmill.lost_records"], record[7]["runmill.lost_level"])
        for record in records
        if record[3] == "runmill"
    ]


def test_at_the_bound_the_least_severe_goes_first(home: Path) -> None:
    """Each level has room that those below it cannot take; the last of it is for errors."""
    journal = make(home)
    kept = dict.fromkeys(LEVELS, 0)
    for level in LEVELS:
        for n in range(1000):
            journal.append(log("x" * 100 + str(n), level=level))
    for record in read_all(read_own(journal)):
        kept[record[5]] += record[3] == "test"
    lost = {loss.level: loss.count for loss in journal.losses.all()}
    assert {level: kept[level] + lost[level] for level in LEVELS} == dict.fromkeys(LEVELS, 1000)
    segments = {level: round(kept[level] / (kept["DEBUG"] / 8)) for level in LEVELS}
    assert segments == {"DEBUG": 8, "INFO": 4, "WARNING": 2, "ERROR": 2}


def test_each_run_is_told_what_it_lost(home: Path) -> None:
    """A WARNING in the run that lost records, by level, at the time the losses began."""
    journal = make(home)
    reader = read_own(journal)
    fill(journal, "DEBUG", run=RUN)
    journal.append(log("more", level="DEBUG", run=RUN))
    journal.append(log("other", level="DEBUG", run=OTHER_RUN))
    [first, second] = journal.losses.all()
    records = read_all(reader)
    assert told(records) == [(RUN, "WARNING", 2, "DEBUG"), (OTHER_RUN, "WARNING", 1, "DEBUG")]
    assert [record[1] for record in records if record[3] == "runmill"] == [
        first.first_unix_nano,
        second.first_unix_nano,
    ]
    *_, last = records
    assert last[6] == "1 DEBUG records dropped: the journal was full and no collector took what was in it"
    assert journal.losses.untold() == []


def test_what_is_told_is_not_told_again(home: Path) -> None:
    """Of losses that go on, each record counts what came since the one before."""
    journal = make(home)
    reader = read_own(journal)
    for count in (1, 2, 3):
        for _ in range(count):
            journal.losses.add("dropped", "no room", level="INFO")
        assert journal.tell_losses()
        assert told(read_all(reader)) == [(None, "WARNING", count, "INFO")]
    assert not journal.tell_losses()
    assert journal.losses.count("dropped") == 6


def test_a_successor_tells_what_a_dead_process_could_not(home: Path) -> None:
    """The count outlives its process, and is told under one number: also when the first to tell it dies of it."""
    journal = make(home)
    kept = fill(journal, "DEBUG", run=RUN)
    journal.close()  # as a killed process does: the lock goes, the files stay
    [left] = backlogs(homes.find(home))
    assert (left.dropped_count, left.rejected_count) == (1, 0)
    assert left.losses == ("1 DEBUG records dropped: the journal was full and no collector took what was in it",)
    for _ in range(2):  # the first one dies before anybody took what it sent
        [folder] = folders.abandoned(homes.find(home))
        reader = read_abandoned(folder)
        while (batch := reader.next_batch()) is not None and not told(batch.records):
            reader.acknowledge()
        assert batch is not None
        assert told(batch.records) == [(RUN, "WARNING", 1, "DEBUG")]
        folder.release()
    assert kept > 0
    assert reader.next_batch() == batch
    reader.acknowledge()
    assert reader.next_batch() is None


def test_a_count_cut_short_is_not_believed(tmp_path: Path) -> None:
    """A number whose checksum does not hold is not used: the one before is, or that it is unknown is said."""
    path = tmp_path / "losses"
    losses = Losses(path, clock=lambda: 7)
    losses.add("dropped", "no room", level="INFO")
    losses.add("dropped", "no room", level="INFO")
    losses.close()
    raw = bytearray(path.read_bytes())
    raw[20] ^= 0xFF  # the second save is in the first slot
    path.write_bytes(raw)
    assert Losses(path).all() == [Loss("dropped", "no room", None, "INFO", 1, 0, 7, 7)]
    path.write_bytes(b"\xa5" * len(raw))
    [unknown] = Losses(path).untold()
    assert (unknown.cause, unknown.reason) == ("damaged", "the file that had their number is damaged")


def test_losses_of_any_number_of_runs_are_counted(tmp_path: Path) -> None:
    """What the file has no room to keep apart is counted together: no number is lost."""
    losses = Losses(tmp_path / "losses")
    for n in range(300):
        losses.add("dropped", "no room", level="INFO", run_key=f"run-{n:03d}" + "x" * 100)
    losses.close()
    found = Losses(tmp_path / "losses").all()
    assert sum(loss.count for loss in found) == 300
    assert found[-1].reason == "for several reasons"


@pytest.fixture
def freeing() -> Iterator[threading.Event]:
    """Set at the end: whoever frees segments stops."""
    event = threading.Event()
    yield event
    event.set()


def test_a_caller_is_held_back_while_room_is_made(home: Path, freeing: threading.Event) -> None:
    """With the collector keeping up nothing is dropped: a full journal costs a wait, not records."""
    journal = make(home, wait_seconds=30)
    reader = read_own(journal)
    journal.freed_at = 1.0  # the collector has taken something before

    def deliver() -> None:
        while not freeing.is_set():
            read_all(reader)

    thread = threading.Thread(target=deliver)
    thread.start()
    for n in range(3000):
        journal.append(log(f"record {n}"))
    freeing.set()
    thread.join()
    assert journal.losses.all() == []


def test_nobody_waits_for_a_collector_that_is_away(home: Path) -> None:
    """Without progress a full journal is told by a count alone: no caller is held back, however long it may wait."""
    journal = make(home, wait_seconds=3600)
    for _ in range(3000):
        journal.append(log("x" * 100))
    assert journal.losses.count("dropped") > 0


def test_one_wait_in_vain_is_the_last_until_room_is_made(home: Path) -> None:
    """A collector that stopped holds a program up once: the next call does not wait again."""
    journal = make(home, wait_seconds=0.05)
    reader = read_own(journal)
    fill(journal, "INFO")
    reader.next_batch()
    reader.acknowledge()
    reader.next_batch()  # the first segment is freed: somebody makes progress
    dropped_count, waits = journal.losses.count("dropped"), 0
    while journal.losses.count("dropped") < dropped_count + 50:
        waited_at = journal._waited_in_vain_at
        journal.append(log("x" * 100))
        waits += journal._waited_in_vain_at != waited_at
    assert waits == 1


def test_a_loss_that_finds_no_room_itself_is_told_later(home: Path) -> None:
    """A journal too full to say so keeps the count until somebody takes what is in it."""
    journal = make(home)
    fill(journal, "ERROR", run=RUN)
    while journal.segments[-1].position < 4096 - 100:
        journal.append(log("", level="ERROR", run=RUN))
    lost_count = journal.losses.count("dropped")
    assert not journal.tell_losses()
    assert told(read_all(read_own(journal))) == [(RUN, "WARNING", lost_count, "ERROR")]


def test_what_a_kill_takes_from_memory_is_told(home: Path) -> None:
    """Beyond its share of the disk records are in memory alone: should the process be killed, its successor says so."""
    folder = folders.create(homes.find(home), {"service.name": "test"}, notice=pytest.fail)
    journal = Journal(folder, bounds=Bounds(segment_bytes=4096, disk_bytes=8192), notice=lambda _: None)
    reader = read_own(journal)
    for _ in range(2):
        for n in range(200):
            journal.append(log(f"record {n}"))
        [at_risk] = journal.losses.at_risk()
        assert at_risk.reason == "the journal takes its share of the disk"
        assert told(read_all(reader)) == []
    while journal.losses.at_risk():  # until it is back on the disk
        journal.append(log("small"))
        read_all(reader)
    for n in range(200):
        journal.append(log(f"record {n}"))
    journal.close()  # as a killed process does: what is in memory is gone
    [left] = folders.abandoned(homes.find(home))
    *_, last = read_all(read_abandoned(left))
    assert last[6] == (
        "records are in memory alone, and lost if the process is killed before they are delivered: "
        "the journal takes its share of the disk"
    )
