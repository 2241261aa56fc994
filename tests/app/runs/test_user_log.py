"""What is printed inside `with run:` is in its log and a file of it, and still goes where it went."""

import logging
import sys
import threading

import pytest


def printed_in(run, tmp_path) -> str:
    run.download_file("logs/user_log.txt", tmp_path / "user_log.txt")
    return (tmp_path / "user_log.txt").read_text()


def test_both_streams_are_kept_in_order(run, tmp_path, capsys):
    """And passed on; what is printed outside is not in it."""
    print("before")
    with run:
        print("epoch", 1)
        print("careful", file=sys.stderr)
        sys.stdout.writelines(["épo", "ch 2\n"])
    print("after")
    assert printed_in(run, tmp_path) == "epoch 1\ncareful\népoch 2\n"
    passed = capsys.readouterr()
    assert (passed.out, passed.err) == ("before\nepoch 1\népoch 2\nafter\n", "careful\n")
    assert [run.get_file_names(), list(run.get_details()["logFiles"])] == [["logs/user_log.txt"]] * 2


def test_what_is_printed_is_the_runs_log(run, server):
    """Line by line as it comes, by stream; a bar is its last state, and a library's warning needs no set-up."""
    with run:
        print("epoch", 1)
        for step in range(3):
            print(f"\r{step} of 2", end="")
        print()
        logging.Logger("library").warning("careful")  # noqa: LOG001 - pytest listens at the root of the others
        assert _logged(run, server) == [("stdout", "epoch 1"), ("stdout", "2 of 2"), ("stderr", "careful")]
        print("no end", end="")
    assert _logged(run, server)[3:] == [("stdout", "no end")]


def test_a_line_is_of_the_inner_block(run, server):
    """A loop over children, each with its own block, keeps their lines apart."""
    with run:
        print("parent")
        with run.child_run() as child:
            print("child")
    assert (_logged(run, server), _logged(child, server)) == ([("stdout", "parent")], [("stdout", "child")])


def _logged(run, server) -> list[tuple[str, str]]:
    run.flush()
    records = server.get(f"/api/v1/runs/{run.id}/logs").json()["records"]
    return [(record["stream"], record["body"]) for record in records]


def test_a_failing_block_is_kept_too(run, tmp_path):
    """The exception leaves the block, and what was printed before it is there."""

    def train():
        with run:
            print("so far")
            raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        train()
    assert (printed_in(run, tmp_path), run.get_status()) == ("so far\n", "Failed")


def test_a_silent_block_leaves_no_file(run):
    """An empty log would only look like one."""
    with run:
        run.log("m", 1)
    assert run.get_file_names() == []


def test_blocks_within_blocks_each_have_theirs(run, tmp_path):
    """The outer one has all, the inner one its own."""
    with run:
        print("parent")
        with run.child_run() as child:
            print("child")
    assert (printed_in(run, tmp_path), printed_in(child, tmp_path)) == ("parent\nchild\n", "child\n")


def test_the_streams_are_put_back_whatever_the_order(run):
    """Blocks of two threads may end in any order; afterwards nothing of ours is in the way."""
    before = sys.stdout, sys.stderr
    child, is_inside, may_go_on = run.child_run(), threading.Event(), threading.Event()

    def work() -> None:
        with child:
            is_inside.set()
            may_go_on.wait(10)
            print("still heard")

    thread = threading.Thread(target=work)
    with run:
        thread.start()
        assert is_inside.wait(10)
    may_go_on.set()
    thread.join(10)
    assert child.get_file_names() == ["logs/user_log.txt"]
    assert (sys.stdout, sys.stderr) == before


def test_a_stream_is_what_it_was(run):
    """Libraries ask a stream for its encoding, its number, whether it is a terminal."""
    facts = sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.writable()
    with run:
        assert (sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.writable()) == facts
