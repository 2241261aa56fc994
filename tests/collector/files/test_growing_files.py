"""Files that grow: each line once, whole, whenever and however it was written."""

import codecs
import json
import os
import resource

import pytest
from file_reading import bodies


def test_a_line_written_in_two_goes_is_one_record(follow, log, append):
    """What has no end yet waits for it."""
    append(log, "be")
    reading = follow()
    assert reading.read() == []
    append(log, "gun\n")
    assert reading.read() == ["begun"]


def test_a_last_line_without_an_end_is_given_after_a_while_and_once(follow, log, append):
    """Its newline, when it comes, is no record of its own."""
    append(log, "whole\nrest")
    reading = follow()
    assert reading.read() == ["whole"]
    assert reading.read(after=0.4) == []
    assert reading.read(after=0.2) == ["rest"]
    append(log, "\r\nnext\n")
    assert reading.read() == ["next"]


def test_text_that_comes_after_a_line_was_given_is_a_record(follow, log, append):
    """The rest of a line that was waited for too short is not lost."""
    append(log, "first half")
    reading = follow()
    reading.read()
    assert reading.read(after=1) == ["first half"]
    append(log, " second half\n")
    assert reading.read() == ["second half"]


def test_a_line_that_grows_is_waited_for_but_not_for_ever(follow, log, append):
    """Quiet for half a second ends it; something that never is quiet ends after ten times that."""
    reading, written = follow(), ""
    for _ in range(13):
        append(log, ".")
        written += "."
        assert reading.read(after=0.4) == []
    append(log, ".")
    assert reading.read(after=0.4) == [written + "."]


def test_without_a_flush_period_a_line_is_waited_for_for_ever(follow, log, append):
    """`force_flush_period: 0` never gives half a line."""
    append(log, "half")
    reading = follow(force_flush_period=0)
    assert reading.read() + reading.read(after=1e6) == []


def test_a_file_that_was_empty_is_read_when_it_is_filled(follow, log, append):
    """Nothing is known of an empty file but its place."""
    log.touch()
    reading = follow()
    assert reading.read() == []
    append(log, "a\n")
    assert reading.read() == ["a"]


def test_blank_lines_are_records(follow, log, append):
    """Leading ones and several in a row: nothing is taken away."""
    append(log, "\n\na\n\n\nb\n")
    assert follow().read() == ["", "", "a", "", "", "b"]


def test_a_long_line_is_cut_and_its_pieces_are_all_there_is(follow, log, append):
    """Longer than `max_log_size` is several records; a character is never cut in two."""
    append(log, "ä" * 10 + "\nnext\n")
    assert follow(max_log_size=7).read() == ["äää", "äää", "äää", "ä", "next"]


def test_a_line_longer_than_any_buffer_is_read(follow, log, append):
    """Several MiB without a newline come in pieces of `max_log_size`, in bounded memory."""
    append(log, "x" * (3 << 20) + "y\nnext\n")
    found = follow().read()
    assert ([len(body) for body in found], found[-2:]) == ([1 << 20, 1 << 20, 1 << 20, 1, 4], ["y", "next"])


def test_more_than_a_buffer_of_lines_is_read_in_order(follow, log, append):
    """No line is lost or doubled where buffers meet."""
    lines = [f"line {n} " + "x" * (n % 300 + 1) for n in range(40_000)]
    append(log, "\n".join(lines) + "\n")
    reading = follow()
    assert reading.read() == lines


def test_start_at_the_end_gives_nothing_old(follow, log, append, tmp_path):
    """Old lines stay unread; new ones, and files that come later, are read."""
    append(log, "old\n")
    reading = follow(start_at="end")
    assert reading.read() == []
    append(log, "new\n")
    append(tmp_path / "later.log", "all of it\n")
    assert sorted(reading.read()) == ["all of it", "new"]


def test_where_a_file_was_read_to_counts_more_than_start_at(follow, log, append, tmp_path):
    """After a restart neither `beginning` repeats nor `end` skips; a file that came meanwhile is read whole."""
    append(log, "one\n")
    reading = follow()
    assert reading.read() == ["one"]
    reading.stop()
    append(log, "two\n")
    append(tmp_path / "meanwhile.log", "three\n")
    reading.settings = {"start_at": "end"}
    assert sorted(reading.restart().read()) == ["three", "two"]


def test_white_space_around_a_line_goes_unless_it_is_to_stay(follow, log, append):
    """By default both ends are trimmed, as upstream does."""
    append(log, "  a \n")
    assert follow().read() == ["a"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"preserve_leading_whitespaces": True}, "  a"),
        ({"preserve_trailing_whitespaces": True}, "a "),
        ({"preserve_leading_whitespaces": True, "preserve_trailing_whitespaces": True}, "  a "),
    ],
)
def test_white_space_is_kept_where_asked_for(follow, log, settings, expected):
    """Each end has its key."""
    log.write_text("  a \n")
    assert follow(**settings).read() == [expected]


@pytest.mark.parametrize(
    ("encoding", "written", "expected"),
    [
        ("utf-8", codecs.BOM_UTF8 + "ä\r\nb\n".encode(), ["ä", "b"]),
        ("utf-8", b"\xff ok\n\xc3", ["� ok", "�"]),
        ("utf-8", b"\0\0\0\0a\n", ["a"]),
        ("utf-16", codecs.BOM_UTF16_BE + "ä\r\n\u0a00b\n".encode("utf-16-be"), ["ä", "\u0a00b"]),
        ("utf-16le", "ä\n\u0a00\n".encode("utf-16-le"), ["ä", "\u0a00"]),
        ("utf-16le", codecs.BOM_UTF16_LE + "a\n".encode("utf-16-le"), ["a"]),
        ("latin-1", "ä\n".encode("latin-1"), ["ä"]),
        ("big5", "中\n".encode("big5"), ["中"]),
        ("nop", b"\xff\n", ['{"$bytes":"/w=="}']),
        ("nop", b"plain\n", ["plain"]),
    ],
)  # fmt: skip
def test_encodings_are_read(follow, log, encoding, written, expected):
    """Byte order marks are no text, invalid bytes are replaced, zeros that a truncated file left are taken off."""
    log.write_bytes(written)
    reading = follow(encoding=encoding)
    found = reading.read()
    assert found + reading.read(after=1) == expected


def test_wide_lines_are_followed_while_they_grow(follow, log, append):
    """The byte order mark holds for the whole file, however late its lines come."""
    append(log, codecs.BOM_UTF16_BE + "one\n".encode("utf-16-be"))
    reading = follow(encoding="utf-16")
    assert reading.read() == ["one"]
    append(log, "two\n".encode("utf-16-be"))
    assert reading.read() == ["two"]


def test_a_character_cut_by_a_write_is_read_whole(follow, log, append):
    """Half a character waits like half a line."""
    append(log, "ä".encode()[:1])
    reading = follow()
    assert reading.read() == []
    append(log, "ä\n".encode()[1:])
    assert reading.read() == ["ä"]


def test_a_file_that_may_not_be_read_is_read_when_it_may(follow, log, append, tmp_path, caplog):
    """It is said once, and costs the others nothing."""
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    append(log, "secret\n")
    log.chmod(0)
    append(tmp_path / "open.log", "open\n")
    reading = follow()
    assert (reading.read(), reading.read()) == (["open"], [])
    assert len(caplog.messages) == 1
    log.chmod(0o600)
    assert reading.read() == ["secret"]


def test_what_is_no_file_is_left_alone(follow, tmp_path, log, append):
    """A folder, a FIFO that nobody writes to and a device neither stop the others nor are waited for."""
    (tmp_path / "folder.log").mkdir()
    os.mkfifo(tmp_path / "fifo.log")
    (tmp_path / "null.log").symlink_to("/dev/zero")
    append(log, "a\n")
    assert follow().read() == ["a"]


def test_more_files_than_may_be_open_are_all_read(follow, tmp_path, append):
    """The number of open files is bounded, the number of files is not."""
    for n in range(50):
        append(tmp_path / f"{n}.log", f"{n}\n")
    reading = follow(max_concurrent_files=8)
    assert sorted(reading.read()) == sorted(str(n) for n in range(50))
    for n in range(50):
        append(tmp_path / f"{n}.log", f"again {n}\n")
    assert sorted(reading.read()) == sorted(f"again {n}" for n in range(50))
    reading.read()
    assert reading.harvest.open_file_count <= 8


def test_many_files_that_rest_are_still_read_when_they_grow(follow, tmp_path, append):
    """Of very many files those that rest are looked at in every tenth round, those that grow in each."""
    for n in range(600):
        append(tmp_path / f"{n}.log", "old\n")
    os.utime(tmp_path, (0, 0))  # a folder that has not changed for long
    reading = follow(start_at="end")
    reading.read(after=3600)
    append(tmp_path / "7.log", "new\n")
    assert [body for _ in range(10) for body in reading.read(after=0.2)] == ["new"]
    append(tmp_path / "7.log", "newer\n")
    assert reading.read(after=0.2) == ["newer"]
    append(tmp_path / "later.log", "another\n")
    assert reading.read(after=0.2) == ["another"]


def test_files_take_turns(follow, tmp_path, append):
    """A file with much to read does not hold up the others for longer than a batch."""
    append(tmp_path / "a.log", ("x" * 1023 + "\n") * (20 << 10))
    reading = follow()
    first = reading.batch()
    reading.harvest.done()
    append(tmp_path / "b.log", "short\n")
    assert first.record_count < 5000
    second = reading.batch()
    assert "short" in bodies(second)


def test_attributes_say_which_file_it_was(follow, log, append, tmp_path):
    """The name by default; the path, and both behind links, when asked for; and what is configured for all."""
    append(tmp_path / "real.txt", "a\n")
    log.symlink_to(tmp_path / "real.txt")
    reading = follow(
        include_file_path=True, include_file_name_resolved=True, include_file_path_resolved=True,
        attributes={"team": "ml"}, resource={"service.name": "trainer"},
    )  # fmt: skip
    [row] = reading.rows()
    assert row["attributes"] == (
        '{"team":"ml","log.file.name":"app.log",'
        f'"log.file.path":"{log}","log.file.name_resolved":"real.txt","log.file.path_resolved":"{tmp_path}/real.txt"}}'
    )
    assert (row["service"], row["observed_time_unix_nano"]) == ("trainer", reading.clock.unix_nano())


def test_attributes_say_whose_file_it_was(follow, log, append):
    """By the names that the system has for them."""
    append(log, "a\n")
    reading = follow(include_file_name=False, include_file_owner_name=True, include_file_owner_group_name=True)
    [row] = reading.rows()
    assert json.loads(row["attributes"]) == {
        "log.file.owner.name": log.owner(), "log.file.owner.group.name": log.group(),
    }  # fmt: skip


def test_an_owner_without_a_name_costs_the_group_nothing(follow, log, append):
    """A user of a container is often none of the machine's."""
    if os.geteuid() != 0:
        pytest.skip("only root may give a file away")
    append(log, "a\n")
    os.chown(log, 4_000_000, -1)
    reading = follow(include_file_name=False, include_file_owner_name=True, include_file_owner_group_name=True)
    [row] = reading.rows()
    assert json.loads(row["attributes"]) == {"log.file.owner.group.name": log.group()}


def test_lines_are_joined_by_a_pattern(follow, log, append):
    """A record that may go on waits for the next one, or for a while."""
    append(log, "lost\n1 a\n  b\n2 c\n")
    reading = follow(multiline={"line_start_pattern": r"^\d "})
    assert reading.read() == ["lost", "1 a\n  b"]
    append(log, "  d\n")
    assert (reading.read(after=0.1), reading.read(after=0.6)) == ([], ["2 c\n  d"])


def test_lines_are_joined_by_a_pattern_at_their_end(follow, log, append):
    """The pattern itself can be left out."""
    append(log, "a\nb;\nc;\nd")
    reading = follow(multiline={"line_end_pattern": ";$", "omit_pattern": True})
    assert (reading.read(), reading.read(after=1)) == (["a\nb", "c"], ["d"])


@pytest.mark.long
def test_a_line_of_a_gigabyte_is_read_in_bounded_memory(follow, log):
    """In pieces of `max_log_size`, of which only a few are held at once."""
    piece, count = b"x" * (1 << 20), 1 << 10
    with log.open("wb") as file:
        for _ in range(count):
            file.write(piece)
        file.write(b"\nnext\n")
    reading = follow()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reading.harvest.poll()
    found = list[int]()
    while (batch := reading.harvest.next_batch()) is not None:
        found += [len(body) for body in bodies(batch)]
        reading.harvest.done()
        reading.harvest.poll()
    assert (found[:-1], found[-1]) == ([1 << 20] * count, len("next"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10  # KiB
