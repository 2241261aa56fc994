"""How far files are read survives whatever happens to the collector."""

import sqlite3

import pytest
from file_reading import bodies

from runmill.collector.component import Producer


def test_a_killed_collector_repeats_what_was_under_way_under_its_number(follow, log, append):
    """The run store recognises it: the same lines, the same producer, the same sequence; then it goes on."""
    append(log, "a\nb\n")
    reading = follow()
    first = reading.batch()
    reading.kill()
    append(log, "c\n")
    again, *more = reading.start().batches()
    assert (bodies(again), again.producer) == (bodies(first), first.producer)
    assert [(bodies(batch), batch.producer) for batch in more] == [
        (["c"], Producer(first.producer.producer_id, first.producer.sequence + 1))
    ]


def test_a_collector_killed_again_and_again_gives_each_line_under_one_number(follow, log, append):
    """Whether it ends before or after its batch was taken: no line is lost, none has two numbers."""
    reading, taken, expected = follow(force_flush_period=0), {}, []
    for round_number in range(30):
        lines = [f"{round_number}.{n}" for n in range(round_number % 4)]
        expected += lines
        append(log, "".join(f"{line}\n" for line in lines) + "torn"[: round_number % 3])
        expected_torn = "torn"[: round_number % 3]
        append(log, "\n" if expected_torn else "")
        expected += [expected_torn] if expected_torn else []
        batch = reading.batch()
        if batch is not None:
            taken[batch.producer] = bodies(batch)
            if round_number % 2:
                reading.harvest.done()
        if round_number % 3 == 0:
            reading.kill()
            reading.start()
    taken.update({batch.producer: bodies(batch) for batch in reading.batches()})
    assert [body for producer in sorted(taken, key=lambda one: one.sequence) for body in taken[producer]] == expected


def test_nothing_goes_on_while_a_batch_is_under_way(follow, log, append):
    """The offset stands until the lines were taken."""
    append(log, "a\n")
    reading = follow()
    assert bodies(reading.batch()) == ["a"]
    reading.stop()
    assert reading.start().read() == ["a"]


def test_a_batch_under_way_is_repeated_from_a_file_that_was_rotated_meanwhile(follow, log, append):
    """It is found under its new name."""
    append(log, "a\n")
    reading = follow()
    first = reading.batch()
    reading.kill()
    log.rename(log.with_name("app.log.1"))
    append(log, "b\n")
    again, rest = reading.start().batches()
    assert (bodies(again), again.producer, bodies(rest)) == (["a"], first.producer, ["b"])


def test_a_batch_under_way_from_a_file_that_is_gone_is_said_to_be_lost(follow, log, append, caplog):
    """Nothing can bring it back; the rest goes on."""
    append(log, "a\n")
    reading = follow()
    reading.batch()
    reading.kill()
    log.unlink()
    append(log.with_name("b.log"), "b\n")
    assert reading.start().read() == ["b"]
    assert "2 bytes of it may be lost" in caplog.text


@pytest.mark.parametrize("damage", [b"no database at all, but long enough to be taken for one" * 20, b"\0" * 100])
def test_damaged_cursors_are_put_aside(follow, log, append, caplog, damage):
    """That is said; files are read as for the first time."""
    append(log, "a\n")
    reading = follow()
    reading.read()
    reading.stop()
    path = reading.folder / "state" / "cursors"
    path.write_bytes(damage)
    assert reading.start().read() == ["a"]
    assert (len(list(path.parent.glob("cursors.damaged-*"))), "is put aside" in caplog.text) == (1, True)


def test_cursors_of_another_version_are_put_aside(follow, log, append, caplog):
    """What they mean is not known."""
    append(log, "a\n")
    reading = follow()
    reading.read()
    reading.stop()
    with sqlite3.connect(reading.folder / "state" / "cursors") as connection:
        connection.execute("update facts set value = '99' where name = 'version'")
    connection.close()
    assert reading.start().read() == ["a"]
    assert "another version ('99', not '1')" in caplog.text


def test_a_clock_that_goes_back_changes_nothing(follow, log, append):
    """What tells files apart is not time."""
    append(log, "a\n")
    reading = follow()
    reading.read()
    append(log, "b\n")
    assert reading.read(after=-500) == ["b"]
    assert reading.restart().read() == []


def test_an_inode_used_again_does_not_stand_for_what_was_under_way(follow, log, append, caplog):
    """Even when nothing of the first file was taken yet: other lines never go under its number."""
    append(log, "a\n")
    reading = follow()
    first = reading.batch()
    reading.kill()
    log.write_text("other\n")  # the same inode, as after deleting one and making another
    reading.start()
    found = reading.batches()
    assert [(bodies(batch), batch.producer == first.producer) for batch in found if batch.record_count] == [
        (["other"], False)
    ]
