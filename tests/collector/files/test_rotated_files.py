"""Files that are renamed, copied, truncated, compressed, deleted: nothing is read twice, nothing is left out."""

import gzip
import os
import shutil
from contextlib import suppress

import pytest
from file_reading import bodies


def rotate(log, suffix=".1"):
    """Rename as logrotate does; give the new path."""
    return log.rename(log.with_name(log.name + suffix))


def copytruncate(log, name):
    shutil.copy(log, log.with_name(name))
    os.truncate(log, 0)


def test_a_renamed_file_is_read_on(follow, log, append):
    """The new name is in the pattern too: nothing is read again, and its last lines are not lost."""
    append(log, "a\n")
    reading = follow()
    assert reading.read() == ["a"]
    append(log, "b\n")
    append(rotate(log), "c\n")
    append(log, "d\n")
    assert sorted(reading.read()) == ["b", "c", "d"]


def test_a_file_renamed_out_of_the_pattern_is_read_to_its_end(follow, log, append, tmp_path):
    """It stays open until it was quiet for a while."""
    append(log, "a\n")
    reading = follow()
    assert reading.read() == ["a"]
    append(log, "b\n")
    gone = log.rename(tmp_path / "elsewhere.txt")
    append(log, "d\n")
    assert sorted(reading.read()) == ["b", "d"]
    append(gone, "c\n")
    assert reading.read(after=10) == ["c"]
    reading.read(after=60)
    append(gone, "too late\n")
    assert reading.read() == []


def test_several_rotations_between_two_looks(follow, log, append, tmp_path):
    """Three generations at once: each is found under its new name."""
    append(log, "1\n")
    reading = follow()
    assert reading.read() == ["1"]
    for generation in (2, 3, 4):
        for n in (3, 2, 1):
            with suppress(FileNotFoundError):
                (tmp_path / f"app.log.{n}").rename(tmp_path / f"app.log.{n + 1}")
        rotate(log)
        append(log, f"{generation}\n")
    assert sorted(reading.read()) == ["2", "3", "4"]


def test_a_file_copied_and_truncated_is_read_once(follow, log, append):
    """The copy is known as what it is: its unread tail is read from it, the file begins anew."""
    append(log, "a\n")
    reading = follow()
    assert reading.read() == ["a"]
    append(log, "tail\n")
    copytruncate(log, "app.log.1")
    append(log, "new\n")
    found = reading.read()
    assert sorted(found + reading.read()) == ["new", "tail"]


def test_a_copy_waits_for_its_original_to_be_truncated(follow, log, append):
    """Seen in between, when both have the same lines, the copy gives none of them."""
    append(log, "a\nb\n")
    reading = follow()
    assert reading.read() == ["a", "b"]
    append(log, "c\n")
    shutil.copy(log, log.with_name("app.log.1"))
    assert reading.read() == ["c"]
    os.truncate(log, 0)
    append(log, "d\n")
    found = reading.read()
    assert found + reading.read() == ["d"]


def test_a_backup_is_not_read_again(follow, log, append):
    """A copy whose original goes on is no new log."""
    append(log, "a\n")
    reading = follow()
    reading.read()
    shutil.copy(log, log.with_name("app.log.bak"))
    assert (reading.read(), reading.read(after=11)) == ([], [])
    append(log, "b\n")
    assert reading.read() == ["b"]


def test_a_truncated_file_that_grew_beyond_where_it_was_is_read_from_its_start(follow, log, append):
    """Its size does not tell; what stands before the offset does."""
    append(log, "old\n" * 10)
    reading = follow()
    reading.read()
    log.write_text("")
    append(log, "new\n" * 20)
    assert reading.read() == ["new"] * 20


def test_a_truncated_file_with_the_same_beginning_is_read_from_its_start(follow, log, append):
    """A banner longer than the fingerprint is no reason to miss lines."""
    banner = "=" * 1500 + "\n"
    append(log, banner + "first run, some lines\n")
    reading = follow()
    reading.read()
    log.write_text(banner + "second run, other lines, more of them\n")
    assert reading.read() == [banner.strip(), "second run, other lines, more of them"]


def test_a_truncated_file_is_read_from_its_start(follow, log, append):
    """Shorter than what was read of it: all is new."""
    append(log, "a long line\n")
    reading = follow()
    reading.read()
    log.write_text("b\n")
    assert reading.read() == ["b"]


def test_short_files_that_begin_alike_are_different_files(follow, log, append, tmp_path):
    """One that is a prefix of the other, and two with the same content: each is read."""
    append(log, "same\n")
    append(tmp_path / "other.log", "same\nmore\n")
    append(tmp_path / "third.log", "same\n")
    reading = follow()
    assert sorted(reading.read()) == ["more", "same", "same", "same"]
    append(tmp_path / "fourth.log", "same\n")
    append(log, "grown\n")
    assert sorted(reading.read()) == ["grown", "same"]


def test_a_file_moved_while_nobody_looked_is_read_on(follow, log, append):
    """After a restart it is known under its new name."""
    append(log, "a\n")
    reading = follow()
    reading.read()
    reading.stop()
    append(log, "b\n")
    rotate(log)
    append(log, "c\n")
    reading.start()
    assert sorted(reading.read()) == ["b", "c"]


def test_a_file_compressed_while_nobody_looked_is_read_on(follow, log, append):
    """Rotated and gzipped: its unread tail is found in the compressed file."""
    append(log, "a\n")
    reading = follow()
    reading.read()
    reading.stop()
    append(log, "b\n")
    log.with_name("app.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()
    append(log, "c\n")
    reading.start()
    assert sorted(reading.read()) == ["b", "c"]


def test_a_file_compressed_under_our_eyes_is_not_read_again(follow, log, append):
    """While both are there the compressed one waits; then it is known."""
    append(log, "a\n")
    reading = follow()
    reading.read()
    old = rotate(log)
    reading.read()
    log.with_name("app.log.1.gz").write_bytes(gzip.compress(old.read_bytes()))
    assert reading.read() == []
    old.unlink()
    assert [reading.read(after=seconds) for seconds in (1, 40, 1, 1)] == [[], [], [], []]


def test_an_inode_used_again_is_another_file(follow, log, append):
    """The offset of the file that had it before is not applied, however long the new one is."""
    append(log, "old\n")
    reading = follow()
    reading.read()
    reading.stop()
    # The same inode with other content is all that can be seen of a file that was deleted and whose inode was reused.
    log.write_text("new, and longer\n")
    reading.start()
    assert reading.read() == ["new, and longer"]


def test_inodes_that_change_with_a_restart_do_not_matter(follow, log, append):
    """On some shared mounts they do: name and content tell."""
    append(log, "a\n")
    reading = follow()
    reading.read()
    reading.stop()
    copy = shutil.copy(log, log.with_name("copy"))
    log.unlink()
    copy.rename(log)
    append(log, "b\n")
    reading.start()
    assert reading.read() == ["b"]


def test_a_deleted_file_is_read_to_its_end(follow, log, append):
    """It was open: what was written before it was deleted is read; one of the same name is another file."""
    append(log, "a\n")
    reading = follow()
    reading.read()
    append(log, "b\n")
    log.unlink()
    assert reading.read() == ["b"]
    append(log, "c\n")
    assert reading.read() == ["c"]


def test_a_partial_line_of_a_rotated_file_is_given(follow, log, append):
    """Its end never comes: after the flush period it is a record, from the old file."""
    append(log, "half")
    reading = follow()
    assert reading.read() == []
    rotate(log)
    append(log, "next\n")
    assert reading.read(after=0.1) == ["next"]
    assert reading.read(after=1) == ["half"]


def test_a_link_and_its_target_are_one_file(follow, tmp_path, append):
    """Both are in the pattern, it is read once."""
    append(tmp_path / "real.log", "a\n")
    (tmp_path / "link.log").symlink_to(tmp_path / "real.log")
    assert follow().read() == ["a"]


def test_a_link_that_is_turned_to_another_file_is_followed(follow, log, append, tmp_path):
    """The end of the first is read, and the second from its beginning."""
    append(tmp_path / "one", "1\n")
    append(tmp_path / "two", "2\n")
    log.symlink_to(tmp_path / "one")
    reading = follow()
    assert reading.read() == ["1"]
    append(tmp_path / "one", "end of 1\n")
    log.unlink()
    log.symlink_to(tmp_path / "two")
    assert sorted(reading.read()) == ["2", "end of 1"]


def test_links_that_lead_in_circles_lead_nowhere(follow, tmp_path, append):
    """`**` ends, and finds each file once."""
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    append(below / "x.log", "a\n")
    (below / "up").symlink_to(tmp_path)
    (tmp_path / "self.log").symlink_to(tmp_path / "self.log")
    reading = follow(include=[str(tmp_path / "**" / "*.log")])
    assert reading.read() == ["a"]


def test_patterns_and_odd_names(follow, tmp_path, append):
    """`**`, braces and classes; what is excluded stays out; names with spaces and brackets are names."""
    for name in ("a.log", "with space.log", "[odd] ü.log", "secret.log", "b.txt", "c.md"):
        (tmp_path / "deep" / "er").mkdir(parents=True, exist_ok=True)
        append(tmp_path / "deep" / "er" / name, f"{name}\n")
    reading = follow(include=[f"{tmp_path}/**/*.{{log,tx[t]}}"], exclude=[f"{tmp_path}/**/secret*"])
    assert sorted(reading.read()) == ["[odd] ü.log", "a.log", "b.txt", "with space.log"]


def test_a_gzip_file_is_read_once_and_on(follow, append, tmp_path):
    """A member that is appended is read; the rest is not read again."""
    path = tmp_path / "old.log.gz"
    append(path, gzip.compress(b"a\nb\n"))
    reading = follow()
    assert reading.read() == ["a", "b"]
    append(path, gzip.compress(b"c\n") + bytes(10))
    assert (reading.read(), reading.restart().read()) == (["c"], [])


def test_a_corrupt_gzip_file_gives_what_it_can(follow, append, tmp_path, caplog):
    """What is broken is said once, and costs the other files nothing."""
    lines = "".join(f"{n} {os.urandom(20).hex()}\n" for n in range(5000)).encode()
    broken = bytearray(gzip.compress(lines))
    broken[len(broken) // 2 :] = bytes(len(broken) // 2)
    append(tmp_path / "broken.log.gz", bytes(broken))
    append(tmp_path / "fine.log", "fine\n")
    reading = follow()
    found = reading.read() + reading.read() + reading.read(after=1)
    assert "fine" in found
    assert lines.decode().splitlines()[:100] == [line for line in found if line != "fine"][:100]
    assert len([message for message in caplog.messages if "broken.log.gz" in message]) <= 1


def test_old_files_are_left_out_when_asked_to(follow, append, tmp_path):
    """`exclude_older_than` looks at when a file was last written to."""
    append(tmp_path / "old.log", "old\n")
    os.utime(tmp_path / "old.log", (0, 0))
    append(tmp_path / "new.log", "new\n")
    assert follow(exclude_older_than="1h").read() == ["new"]


def test_files_of_any_age_are_read_where_the_limit_is_0(follow, log, append):
    """As upstream: 0 is no limit."""
    append(log, "old\n")
    os.utime(log, (1, 1))
    assert follow(exclude_older_than="0s").read() == ["old"]


@pytest.mark.parametrize("compression", ["", "gzip"])
def test_compression_can_be_said(follow, append, tmp_path, compression):
    """`gzip` whatever the name is; empty: never."""
    append(tmp_path / "a.log", gzip.compress(b"text\n"))
    found = follow(compression=compression, encoding="latin-1").read(after=0)
    assert ("text" in found) == (compression == "gzip")


@pytest.mark.parametrize("pattern", ["later/*.log", "later/**/*.log", "later/*/x.log", "**/x.log"])
def test_a_folder_that_comes_later_is_looked_into(follow, tmp_path, append, pattern):
    """Also when other patterns have found files already, and nothing else has changed."""
    append(tmp_path / "a.log", "a\n")
    reading = follow(include=[str(tmp_path / "*.log"), str(tmp_path / pattern)])
    assert reading.read() == ["a"]
    (tmp_path / "later" / "deep").mkdir(parents=True)
    path = tmp_path / "later" / ("x.log" if pattern == "later/*.log" else "deep/x.log")
    append(path, "x\n")
    assert reading.read() == ["x"]


def test_a_piece_of_a_container_line_left_at_a_rotation_is_given(follow, tmp_path, append):
    """The piece ends with its file, and nothing of the next file is taken for its end."""
    log = tmp_path / "0.log"
    append(log, "2026-11-22T01:00:00.1Z stdout P half\n")
    reading = follow(operators=[{"type": "container"}])
    assert reading.read() == []
    log.rename(tmp_path / "0.log.20261122-010000")
    append(log, "2026-11-22T01:00:00.2Z stdout F whole\n")
    assert sorted(reading.read(after=0.1) + reading.read(after=1)) == ["half", "whole"]


def test_a_container_that_is_started_again_has_a_file_of_its_own(follow, tmp_path, append):
    """`0.log` is read to its end and `1.log` from its beginning, each with its number of restarts."""
    folder = tmp_path / "team_trainer_0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f" / "main"
    folder.mkdir(parents=True)
    append(folder / "0.log", "2026-11-22T01:00:00.1Z stdout F first\n")
    reading = follow(include=[str(tmp_path / "*/*/*.log")], operators=[{"type": "container"}])
    assert reading.read() == ["first"]
    append(folder / "0.log", "2026-11-22T01:00:00.2Z stderr P killed\n")
    append(folder / "1.log", "2026-11-22T01:00:01.1Z stdout F again\n")
    found = reading.batches(after=0.1) + reading.batches(after=1)
    told = {body: b"restart_count\x12\x03\n\x011" in batch.payload for batch in found for body in bodies(batch)}
    assert told == {"again": True, "killed": False}
