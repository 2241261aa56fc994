"""What a journal promises: nothing is lost with its process, nothing is read twice, nothing is dropped uncounted."""

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runmill import home as homes
from runmill.journal import folder as folders
from runmill.journal import segment as segments
from runmill.journal.control import Control, Progress
from runmill.journal.frames import count, pack, unpack
from runmill.journal.reader import Reader, read_abandoned, read_own
from runmill.journal.records import LOG, Log, Record
from runmill.journal.writer import Bounds, Journal


def log(body: str, *, levelno: int = 20) -> Record:
    return tuple(Log(LOG, 1, None, "test", levelno, f"L{levelno}", body, None, "", 0, "", 0, "", None, None, 0, 0))


def make(home: Path, *, bounds: Bounds | None = None, notices: list[str] | None = None) -> Journal:
    said: list[str] = [] if notices is None else notices
    folder = folders.create(homes.find(home), {"service.name": "test"}, notice=said.append)
    return Journal(folder, bounds=bounds or Bounds(), notice=said.append)


def read_all(reader: Reader) -> list[str]:
    bodies: list[str] = []
    while (batch := reader.next_batch()) is not None:
        bodies += [record[6] for record in batch.records]
        reader.acknowledge()
    return bodies


def test_what_is_appended_is_read_in_order_across_segments(home: Path) -> None:
    """Records come out as they went in, however many segments they fill."""
    journal = make(home, bounds=Bounds(segment_bytes=4096))
    bodies = [f"record {n} " + "x" * (n % 200) for n in range(500)]
    for body in bodies:
        journal.append(log(body))
    assert read_all(read_own(journal)) == bodies


def test_a_segment_is_removed_when_it_was_acknowledged(home: Path) -> None:
    """What is delivered takes no room: only the segment being written stays."""
    journal = make(home, bounds=Bounds(segment_bytes=4096))
    for n in range(200):
        journal.append(log(f"record {n}"))
    assert journal.folder is not None
    assert len(list(journal.folder.path.glob("*.segment"))) > 1
    read_all(read_own(journal))
    assert len(list(journal.folder.path.glob("*.segment"))) == 1


def test_a_batch_is_the_same_until_it_is_acknowledged(home: Path) -> None:
    """A batch that is read again has the same number and the same records, whatever was appended meanwhile."""
    journal = make(home)
    journal.append(log("first"))
    reader = read_own(journal)
    batch = reader.next_batch()
    journal.append(log("second"))
    assert reader.next_batch() == batch
    reader.acknowledge()
    following = reader.next_batch()
    assert batch is not None
    assert following is not None
    assert (following.sequence, following.records) == (batch.sequence + 1, [log("second")])


def test_a_successor_repeats_the_batch_under_way(home: Path) -> None:
    """After a crash between sending and acknowledgement, the same records go under the same number."""
    journal = make(home)
    journal.append(log("sent"))
    batch = read_own(journal).next_batch()
    journal.append(log("not sent"))
    journal.close()  # as a killed process does: the lock goes, the files stay
    [folder] = folders.abandoned(homes.find(home))
    reader = read_abandoned(folder)
    assert reader.next_batch() == batch
    assert read_all(reader) == ["sent", "not sent"]
    assert folder.resource() == {"service.name": "test"}


def test_a_journal_in_use_is_nobody_elses(home: Path) -> None:
    """As long as its process lives, a journal is not abandoned; then exactly one takes it."""
    journal = make(home)
    assert list(folders.abandoned(homes.find(home))) == []
    journal.close()
    [held] = folders.abandoned(homes.find(home))
    assert list(folders.abandoned(homes.find(home))) == []
    held.remove()
    assert list(folders.abandoned(homes.find(home))) == []


WRITER = """
import sys, runmill.home
from runmill.journal import folder
from runmill.journal.writer import Bounds, Journal
made = folder.create(runmill.home.find(sys.argv[1]), {}, notice=print)
journal = Journal(made, bounds=Bounds(segment_bytes=65536), notice=print)
n = 0
while True:
    journal.append((0, 1, None, "test", 20, "INFO", str(n), None, "", 0, "", 0, "", None, None, 0, 0))
    n += 1
    if n % 1000 == 0:
        print(n, flush=True)
"""


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_it_was_told_was_kept(home: Path) -> None:
    """SIGKILL in a burst: every record whose append returned is there, once, in order."""
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(home)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        kept = 0
        for _ in range(20):
            kept = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        kept = int(([str(kept), *writer.stdout.read().splitlines()])[-1])
        writer.wait()
        writer.stdout.close()
        [folder] = folders.abandoned(homes.find(home))
        bodies = read_all(read_abandoned(folder))
        assert len(bodies) >= kept
        assert bodies == [str(n) for n in range(len(bodies))]
        folder.remove()


def test_threads_append_without_losing_or_mixing(home: Path) -> None:
    """Eight threads at once, over many segments: each record is whole, and each thread's are in its order."""
    journal = make(home, bounds=Bounds(segment_bytes=16384))

    def append(name: str) -> None:
        for n in range(2000):
            journal.append(log(f"{name}:{n}"))

    threads = [threading.Thread(target=append, args=(str(name),)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bodies = read_all(read_own(journal))
    by_thread = {name: [body for body in bodies if body.startswith(f"{name}:")] for name in range(8)}
    assert by_thread == {name: [f"{name}:{n}" for n in range(2000)] for name in range(8)}
    assert journal.losses.all() == []


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns every few instructions, so that what can come between comes between."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.slow
@pytest.mark.usefixtures("restless")
def test_threads_reader_and_onlooker_get_on_without_locks(home: Path) -> None:
    """While segments are written, freed, reused and counted by ten threads: each record once, in order, no error."""
    journal, is_over = make(home, bounds=Bounds(segment_bytes=512)), threading.Event()
    reader = read_own(journal)

    def append(name: int) -> None:
        for n in range(800):
            journal.append(log(f"{name}:{n}"))

    def read() -> list[str]:
        bodies = list[str]()
        while not is_over.is_set():
            bodies += read_all(reader)
        return bodies + read_all(reader)

    def look_on() -> None:
        while not is_over.is_set():
            reader.pending_count()
            _ = journal.segments[-1].position

    with ThreadPoolExecutor(10) as pool:
        reading, looking = pool.submit(read), pool.submit(look_on)
        try:
            list(pool.map(append, range(8)))
        finally:
            is_over.set()
    assert looking.result() is None
    by_thread = {name: [body for body in reading.result() if body.startswith(f"{name}:")] for name in range(8)}
    assert by_thread == {name: [f"{name}:{n}" for n in range(800)] for name in range(8)}
    assert journal.losses.all() == []


def test_a_full_disk_is_answered_with_memory_and_one_notice(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room for a segment the records stay in memory, readable, and the person is told."""
    notices: list[str] = []
    journal = make(home, bounds=Bounds(segment_bytes=4096), notices=notices)

    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(segments.os, "posix_fallocate", no_space)
    for n in range(100):
        journal.append(log(str(n)))
    assert read_all(read_own(journal)) == [str(n) for n in range(100)]
    assert "No space left on device" in notices[0]


def test_beyond_its_share_of_the_disk_a_journal_is_in_memory(home: Path) -> None:
    """A journal does not fill the disk: what comes then is kept, readable, and the person is told."""
    notices: list[str] = []
    journal = make(home, bounds=Bounds(segment_bytes=4096, disk_bytes=8192), notices=notices)
    bodies = [f"record {n}" for n in range(500)]
    for body in bodies:
        journal.append(log(body))
    assert journal.folder is not None
    assert len(list(journal.folder.path.glob("*.segment"))) == 2
    assert read_all(read_own(journal)) == bodies
    assert "its share of the disk" in notices[0]


def test_a_torn_frame_is_stepped_over(home: Path) -> None:
    """A record whose bytes were not all written is skipped and counted; the ones around it are read."""
    journal = make(home)
    for body in ("before", "torn", "after"):
        journal.append(log(body))
    assert journal.folder is not None
    [path] = journal.folder.path.glob("*.segment")
    raw = path.read_bytes()
    journal.close()
    path.write_bytes(raw.replace(b"torn", b"to\0\0"))
    [folder] = folders.abandoned(homes.find(home))
    reader = read_abandoned(folder)
    assert read_all(reader) == ["before", "after"]
    assert reader.torn_count == 1


@given(st.lists(st.text(max_size=50), max_size=20), st.binary(max_size=64))
def test_frames_end_where_bytes_stop_making_sense(bodies: list[str], garbage: bytes) -> None:
    """Whole frames are read, whatever follows them; nothing raises."""
    buffer = b"".join(pack(log(body)) for body in bodies)
    assert [record[6] for record in unpack(buffer + bytes(8), most_bytes=1 << 20).records] == bodies
    assert count(buffer) == len(bodies)
    read = unpack(buffer + garbage, most_bytes=1 << 20)
    assert [record[6] for record in read.records][: len(bodies)] == bodies


def test_progress_survives_a_write_cut_short(tmp_path: Path) -> None:
    """When the newest slot is damaged, the progress before it is found."""
    path = tmp_path / "control"
    control = Control(path)
    control.save(Progress(sequence=1, segment=0, start=0, end=10))
    control.save(Progress(sequence=2, segment=0, start=10, end=20))
    control.close()
    raw = bytearray(path.read_bytes())
    raw[12] ^= 0xFF  # the second save is in the first slot
    path.write_bytes(raw)
    assert Control(path).progress == Progress(sequence=1, segment=0, start=0, end=10)


def test_a_number_that_may_have_been_used_is_not_used_again(home: Path) -> None:
    """With the progress damaged beyond reading, what is left goes under numbers no store takes for known ones."""
    journal = make(home)
    journal.append(log("delivered"))
    reader = read_own(journal)
    assert read_all(reader) == ["delivered"]
    used = range(reader.position()[0], 1000)
    journal.append(log("left"))
    journal.close()
    [folder] = folders.abandoned(homes.find(home))
    control = folder.path / folders.CONTROL_NAME
    control.write_bytes(b"\xa5" * control.stat().st_size)
    batch = read_abandoned(folder).next_batch()
    assert batch is not None
    assert [record[6] for record in batch.records] == ["delivered", "left"]
    assert batch.sequence not in used


@given(st.lists(st.integers(0, 40), max_size=30))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_segments_that_are_written_again_lose_and_repeat_nothing(home: Path, acknowledged_after: list[int]) -> None:
    """Delivery and logging by turns, so that segments are reused, then a kill: every record is read once, in order."""
    journal = make(home, bounds=Bounds(segment_bytes=4096))
    reader, logged, read = read_own(journal), 0, list[str]()
    for count_before in acknowledged_after:
        for _ in range(count_before):
            journal.append(log(f"record {logged}"))
            logged += 1
        if (batch := reader.next_batch()) is not None:
            read += [record[6] for record in batch.records]
            reader.acknowledge()
    journal.close()
    [folder] = folders.abandoned(homes.find(home))
    read += read_all(read_abandoned(folder))
    folder.remove()
    assert read == [f"record {n}" for n in range(logged)]


def test_a_steady_flow_takes_no_more_room_than_two_segments(home: Path) -> None:
    """What is delivered as fast as it is logged goes round in the same files."""
    journal = make(home, bounds=Bounds(segment_bytes=4096))
    reader = read_own(journal)
    assert journal.folder is not None
    names: set[int] = set()
    for n in range(1000):
        journal.append(log(f"record {n}"))
        read_all(reader)
        names |= {path.stat().st_ino for path in journal.folder.path.glob("*.s*")}
    assert len(names) == 2


def test_a_place_somebody_else_may_write_is_not_looked_into(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a shared temporary folder anybody can leave files: only a private one of this user counts."""
    monkeypatch.setattr(folders.tempfile, "gettempdir", lambda: str(tmp_path))
    place = tmp_path / f"runmill-{os.getuid()}"
    place.mkdir(mode=0o700)
    assert [root.parent for root in folders.roots(homes.find(home))] == [home, place]
    place.chmod(0o777)
    assert folders.roots(homes.find(home)) == (home / "journal",)
