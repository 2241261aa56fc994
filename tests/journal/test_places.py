"""What a journal keeps in brief is read as the Log it was: in its process, after a kill, whatever became of a place."""

import threading
from marshal import dumps
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runmill import home as homes
from runmill.journal import folder as folders
from runmill.journal.brief import MARSHAL_VERSION, Place
from runmill.journal.places import PLACES_NAME
from runmill.journal.reader import Reader, read_abandoned, read_own
from runmill.journal.records import LOG, Log, Record
from runmill.journal.writer import Bounds, Journal


def make(home: Path, *, bounds: Bounds | None = None) -> Journal:
    folder = folders.create(homes.find(home), {}, notice=lambda _text: None)
    return Journal(folder, bounds=bounds or Bounds(), notice=lambda _text: None)


def place(template: str | None = None, *, line: int = 7) -> Place:
    return (None, "app", 20, "INFO", "/app/train.py", line, "train", 11, "MainThread", template)


def packed(*args: Any) -> bytes:
    return dumps(args, MARSHAL_VERSION)


def log(body: Any, attributes: dict[str, Any] | None = None, *, line: int = 7) -> Record:
    return tuple(
        Log(LOG, 1.5, None, "app", 20, "INFO", body, attributes, "/app/train.py", line, "train", 11, "MainThread",
            None, None, 0, 0)
    )  # fmt: skip


def read_all(reader: Reader) -> list[Record]:
    records: list[Record] = []
    while (batch := reader.next_batch()) is not None:
        records += batch.records
        reader.acknowledge()
    return records


def read_dead(home: Path) -> list[Record]:
    [folder] = folders.abandoned(homes.find(home))
    records = read_all(read_abandoned(folder))
    folder.remove()
    return records


def test_a_log_in_brief_is_read_as_the_log_it_was(home: Path) -> None:
    """Text, text with arguments, attributes, span and count: each is whole again, beside what was never brief."""
    journal = make(home)
    journal.append_log(place(), 1.5, "plain", None)
    journal.append_log(place("step %d loss %.2f"), 1.5, packed(3, 0.25), None)
    journal.append_log(place(), 1.5, "fields", {"a": [1, {"b": None}]})
    journal.append(log("never brief"))
    journal.append_log(place(), 1.5, {"a": "structure"}, None)
    journal.append_log(place("%s"), 1.5, packed("span"), ({"k": 1}, "a" * 32, "b" * 16, 1, 2))
    assert read_all(read_own(journal)) == [
        log("plain"),
        log("step 3 loss 0.25"),
        log("fields", {"a": [1, {"b": None}]}),
        log("never brief"),
        log({"a": "structure"}),
        (*log("span", {"k": 1})[:13], "a" * 32, "b" * 16, 1, 2),
    ]


def test_a_killed_process_leaves_its_places_behind(home: Path) -> None:
    """Whoever delivers a dead journal finds the place of every record, from its first segment to its last."""
    journal = make(home, bounds=Bounds(segment_bytes=1024))
    for n in range(200):
        journal.append_log(place("step %d", line=n % 20), 1.5, packed(n), None)
    journal.close()
    assert read_dead(home) == [log(f"step {n}", line=n % 20) for n in range(200)]


def test_records_of_more_places_than_there_is_room_for_are_whole(home: Path) -> None:
    """A program of very many call sites loses nothing: what found no room among the places is written out."""
    journal = make(home)
    for n in range(4000):
        journal.append_log(place("step %d", line=n), 1.5, packed(n), None)
    journal.close()
    assert read_dead(home) == [log(f"step {n}", line=n) for n in range(4000)]


def test_a_very_long_message_takes_no_room_of_others(home: Path) -> None:
    """It is kept whole, and the places that come behind it are still kept once."""
    journal, long = make(home), "x" * (1 << 20) + "%d"
    journal.append_log(place(long), 1.5, packed(1), None)
    for n in range(100):
        journal.append_log(place("step %d"), 1.5, packed(n), None)
    assert list(journal.places.known.values()) == [place("step %d")]
    journal.close()
    assert read_dead(home) == [log(long % 1), *(log(f"step {n}") for n in range(100))]


@pytest.mark.parametrize("damage", ["gone", "zeros"])
def test_records_whose_places_are_lost_still_say_what_they_have(home: Path, damage: str) -> None:
    """After a power failure the text is delivered, and the arguments as such."""
    journal = make(home)
    journal.append_log(place(), 1.5, "text", None)
    journal.append_log(place("step %d"), 1.5, packed(3), None)
    assert journal.folder is not None
    path = journal.folder.path / PLACES_NAME
    journal.close()
    path.unlink() if damage == "gone" else path.write_bytes(bytes(64))
    text, args = map(Log._make, read_dead(home))
    assert (text.body, text.time, text.attributes) == ("text", 1.5, None)
    assert (args.body, args.time, (args.attributes or {})["log.args"]) == ("", 1.5, (3,))


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.text()),
            st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.binary(), st.none(), st.booleans()),
            st.one_of(st.none(), st.dictionaries(st.text(), st.integers())),
        ),
        max_size=20,
    )
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_template_argument_and_attributes_come_back(
    home: Path, said: list[tuple[str | None, Any, dict[str, Any] | None]]
) -> None:
    """The body is what Python makes of template and argument; where it makes nothing both are there, and marked."""
    journal, expected = make(home), list[Record]()
    for template, argument, attributes in said:
        if template is None:
            journal.append_log(place(), 1.5, argument, attributes)
            expected.append(log(argument, attributes))
            continue
        journal.append_log(place(template), 1.5, packed(argument), attributes)
        try:
            expected.append(log(template % (argument,), attributes))
        except (ValueError, TypeError, OverflowError) as error:
            fault = {"log.format_error": f"{type(error).__name__}: {error}", "log.args": (argument,)}
            expected.append(log(template, {**(attributes or {}), **fault}))
    records = read_all(read_own(journal))
    journal.remove()
    assert records == expected


def test_threads_that_find_a_place_at_once_each_keep_theirs(home: Path) -> None:
    """Eight threads, the same hundred call sites, no lock: each record has its own place and its own words."""
    journal = make(home, bounds=Bounds(segment_bytes=16384))
    together = threading.Barrier(8)

    def append(name: int) -> None:
        together.wait(30)
        for n in range(1000):
            journal.append_log(place("%s:%s", line=n % 100), 1.5, packed(name, n), None)

    threads = [threading.Thread(target=append, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [log(f"{name}:{n}", line=n % 100) for name in range(8) for n in range(1000)]
    assert sorted(read_all(read_own(journal)), key=repr) == sorted(expected, key=repr)


def test_a_batch_of_briefs_is_no_larger_than_one_of_whole_records(home: Path) -> None:
    """What counts is what a request will take: a MiB of briefs is several requests, each halved where that is asked."""
    journal = make(home)
    for n in range(20_000):
        journal.append_log(place("step %d"), 1.5, packed(n), None)
    reader = read_own(journal)
    batch = reader.next_batch()
    assert batch is not None
    assert 5_000 < len(batch.records) < 10_000
    assert reader.halve()
    half = reader.next_batch()
    assert half is not None
    assert half.records == batch.records[: len(half.records)]
    assert abs(len(half.records) - len(batch.records) / 2) <= 1
