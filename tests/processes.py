"""Real runmill processes for tests: commands that end, and servers that go on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from runmill.home import Home, Server

DEADLINE_SECONDS = 30


def runmill(*arguments: str, home: Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run one command to its end in a home."""
    return subprocess.run(
        [sys.executable, "-m", "runmill", *arguments],
        env={**os.environ, "RUNMILL_HOME": str(home)},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server in a process of its own."""

    home: Path
    process: "subprocess.Popen[str]"
    server: Server

    @property
    def endpoint(self) -> str:
        return self.server.endpoint

    def get(self, path: str, **parameters: str) -> httpx.Response:
        # Not httpx's five seconds: an answer takes longer on a machine that does much else.
        return httpx.get(f"{self.endpoint}{path}", params=parameters, trust_env=False, timeout=DEADLINE_SECONDS)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; give the exit status and all that was said on stderr."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for the end; give the exit status and all that was said on stderr."""
        _, said = self.process.communicate(timeout=DEADLINE_SECONDS)
        return self.process.returncode, said


@contextmanager
def running(home: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[RunningServer]:
    """Start `up` (or what *arguments* say) in *home*, ready when entered; killed if it still runs at the end."""
    command = [sys.executable, "-m", "runmill", *(arguments or ("up", "--endpoint", "127.0.0.1:0"))]
    process = subprocess.Popen(
        command,
        env={**os.environ, "RUNMILL_HOME": str(home), **(environment or {})},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield RunningServer(home, process, _wait_until_ready(Home(home), process))
        finally:
            process.kill()  # does nothing where it ended


def _wait_until_ready(home: Home, process: "subprocess.Popen[str]") -> Server:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        server = home.find_server()
        if server is not None and server.pid == process.pid:
            return server
        if process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode}: {process.communicate()[1]}")
        time.sleep(0.02)  # a file appears: there is nothing to wait on
    raise AssertionError("the server was not ready in time")
