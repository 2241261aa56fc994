"""Processes are killed in the middle of a burst: afterwards each record is in the store, exactly once.

Real processes throughout: a program that logs, `runmill up` with its store, SIGKILL, and the HTTP API to count.
"""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from processes import RunningServer, running

BLOCK = 500
BLOCKS_A_BURST = 24

PROGRAM = f"""
import logging, os, sys, runmill
logging.basicConfig(level=logging.INFO, handlers=[runmill.Handler()])
log = logging.getLogger(sys.argv[1])
count = 0
for _ in sys.stdin:
    for _ in range({BLOCK}):
        log.info("%d", count, extra={{"step": count, "loss": 0.5}})
        count += 1
    os.write(1, b"%d\\n" % count)  # all of these calls have returned
"""

DELIVER_THE_REST = """
import sys, runmill
runmill.Handler()
sys.exit(runmill.flush(30))
"""

pytestmark = pytest.mark.slow


def kills(few: int, *, many: int = 20) -> pytest.MarkDecorator:
    """Kill a *few* times with every run of the tests, and *many* times with the long ones."""
    return pytest.mark.parametrize(
        "kill_count", [few, pytest.param(many, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
    )


class LoggingProgram:
    """A process that logs a block of numbers, counted from 0, for each line it is given."""

    def __init__(self, logger: str) -> None:
        self.logger = logger
        self.kept_count = 0
        """Numbers whose log call is known to have returned."""
        command = [sys.executable, "-c", PROGRAM, logger]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def ask(self, block_count: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n" * block_count)

    def wait_for_blocks(self, block_count: int) -> None:
        assert self._process.stdout is not None
        for line in (self._process.stdout.readline() for _ in range(block_count)):
            self.kept_count = int(line)

    def kill(self) -> None:
        self._process.kill()
        self._end()

    def finish(self) -> None:
        """Let it come to its end, as programs do."""
        self._end()
        assert self._process.returncode == 0

    def _end(self) -> None:
        told, _ = self._process.communicate(timeout=30)  # closes its input: nothing more is asked for
        self.kept_count = int([str(self.kept_count), *told.split()][-1])


@pytest.fixture
def chance() -> random.Random:
    """Where the kills fall; the seed is in the output of a test that fails."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    return random.Random(seed)


def deliver_the_rest(home: Path) -> None:
    """What dead processes left is delivered by the server and by the next process of their home: nothing stays."""
    assert subprocess.run([sys.executable, "-c", DELIVER_THE_REST], check=False, timeout=60).returncode == 0
    deadline = time.monotonic() + 60
    while any((home / "journal").iterdir()):
        assert time.monotonic() < deadline, "journals that nobody delivers"
        time.sleep(0.02)  # folders disappear: there is nothing to wait on


def wait_for_a_commit(server: RunningServer, logger: str) -> None:
    """Return when some of the program's records are in the store, with others on their way."""
    parameters = {"logger": logger}
    url = f"{server.endpoint}/api/v1/logs/stream"
    with httpx.stream("GET", url, params=parameters, trust_env=False, timeout=30) as stream:
        assert any(line == "event: logs" for line in stream.iter_lines())


def stored_numbers(server: RunningServer, logger: str) -> list[int]:
    """Read all that one program logged through the HTTP API, page by page from the newest."""
    pages: list[list[int]] = []
    before = ""
    while True:
        page = server.get("/api/v1/logs", logger=logger, limit="10000", before=before).json()
        pages.append([int(record["body"]) for record in page["records"]])
        if not page["more_before"]:
            return [number for each in reversed(pages) for number in each]
        before = page["first"]


def assert_stored_once(server: RunningServer, program: LoggingProgram) -> None:
    """Everything whose call returned is there, nothing is there twice, and in the order it was logged."""
    numbers = stored_numbers(server, program.logger)
    assert len(numbers) >= program.kept_count
    assert numbers == list(range(len(numbers)))


@kills(5)
def test_a_killed_program_loses_nothing(kill_count: int, home: Path, chance: random.Random) -> None:
    """SIGKILL in a burst, with delivery going on: what was logged until then is in the store, once."""
    programs = [LoggingProgram(f"burst{n}") for n in range(kill_count)]
    with running(home) as server:
        for program in programs:
            program.ask(BLOCKS_A_BURST)
            program.wait_for_blocks(chance.randrange(1, BLOCKS_A_BURST))
            program.kill()
        deliver_the_rest(home)
        for program in programs:
            assert_stored_once(server, program)


@kills(2, many=50)
def test_a_killed_server_loses_nothing(kill_count: int, home: Path) -> None:
    """The server is killed while it commits; the program goes on, and finds the next server by itself."""
    program = LoggingProgram("steady")
    for _ in range(kill_count):
        with running(home) as server:
            program.ask(BLOCKS_A_BURST)
            wait_for_a_commit(server, program.logger)
            server.stop(signal.SIGKILL)
    with running(home) as server:
        program.finish()
        deliver_the_rest(home)
        assert_stored_once(server, program)
    assert program.kept_count == kill_count * BLOCKS_A_BURST * BLOCK


@kills(2)
def test_program_and_server_killed_together_lose_nothing(kill_count: int, home: Path, chance: random.Random) -> None:
    """As after a power cut: what the journals and the store hold makes up every record, once."""
    programs = []
    for n in range(kill_count):
        program = LoggingProgram(f"unlucky{n}")
        programs.append(program)
        with running(home) as server:
            program.ask(BLOCKS_A_BURST)
            wait_for_a_commit(server, program.logger)
            for kill in chance.sample([program.kill, lambda server=server: server.stop(signal.SIGKILL)], 2):
                kill()
    with running(home) as server:
        deliver_the_rest(home)
        for program in programs:
            assert_stored_once(server, program)
