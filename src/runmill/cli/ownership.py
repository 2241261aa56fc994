"""One server a home: who holds the lock, and what it says about itself in ``server.json``."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from runmill.errors import Conflict, Unavailable
from runmill.home import Home, Server

__all__ = ["announced", "choose_token", "owned"]


@contextmanager
def owned(home: Home) -> Iterator[None]:
    """Hold the lock of *home*; the system takes it away from a process that dies, whatever way.

    Raises Conflict, naming who has it and where, when another server is at work there, and Unavailable when nothing
    can be written there.
    """
    with _in_words(home):
        home.path.mkdir(parents=True, exist_ok=True)
        opened = home.server_lock.open("ab")
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(_taken(home)) from None
        yield


@contextmanager
def announced(home: Home, endpoint: str, token: str) -> Iterator[None]:
    """Say in ``server.json`` where this process serves, for as long as it does."""
    with _in_words(home):
        home.write_server(Server(endpoint=endpoint, pid=os.getpid(), token=token))
    try:
        yield
    finally:
        home.remove_server()


def choose_token() -> str:
    """Give the secret that a server wider than loopback asks for: ``RUNMILL_TOKEN``, else a new one each start."""
    return os.environ.get("RUNMILL_TOKEN") or secrets.token_urlsafe(24)


@contextmanager
def _in_words(home: Home) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The home {home.path} cannot be written: {error.strerror}. Name another one with --home or RUNMILL_HOME."
        ) from error


def _taken(home: Home) -> str:
    server = home.find_server()
    who = f"process {server.pid} serves it at {server.endpoint}" if server else "its server is starting or stopping"
    return f"{home.path} is taken: {who}. Use that one, stop it, or name another home with --home."
