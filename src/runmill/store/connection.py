"""SQL over a run store, for notebooks and the shell: through the process that has it open, else opened here."""

import json
import urllib.error
import urllib.request
from types import TracebackType
from typing import Final, Self

import pyarrow as pa

from runmill import store as stores
from runmill.errors import Conflict, InvalidArgument, NotFound, RunmillError, Unavailable
from runmill.home import Home, Server
from runmill.store.interface import Store

__all__ = ["Connection"]

_KINDS: Final = {"invalid_argument": InvalidArgument, "unavailable": Unavailable}
_SECONDS: Final = 120.0


class Connection:
    """Reads the run store of a home, or the one at *url*; a context manager. Nothing it is asked can change the store.

    Raises NotFound where there is no store, Conflict where a process has it open that is no server.
    """

    def __init__(self, home: Home, url: str | None = None) -> None:
        if url is None and not home.store.exists():
            raise NotFound(f"There is no run store in {home.path}: nothing was ever logged there.")
        self._open: Store | Server = _owner(home, url)

    def sql(self, text: str) -> pa.Table:
        """Answer one SELECT (or DESCRIBE, SHOW, EXPLAIN) over the tables of docs/store.md.

        Raises:
            InvalidArgument: it is no such statement, in DuckDB's words.
            Unavailable: it takes longer than a minute, or the server went away.
        """
        with self.stream(text) as batches:
            return batches.read_all()

    def stream(self, text: str) -> pa.RecordBatchReader:
        """Do as `sql`, batch by batch: for more than memory holds. The caller closes it."""
        return _asked(self._open, text) if isinstance(self._open, Server) else self._open.sql(text)

    def close(self) -> None:
        """Let go of the store. Safe to call twice."""
        if not isinstance(self._open, Server):
            self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _owner(home: Home, url: str | None) -> Store | Server:
    """Open the store, or give the server that has it."""
    try:
        return stores.open(home.store, artifacts=home.artifacts) if url is None else stores.open(url)
    except Conflict:
        server = home.find_server()
        if server is None:
            raise
        return server


def _asked(server: Server, text: str) -> pa.RecordBatchReader:
    headers = {
        "Authorization": f"Bearer {server.token}",
        "Content-Type": "application/json",
        "Accept": "application/vnd.apache.arrow.stream",
    }
    body = json.dumps({"query": text}).encode()
    request = urllib.request.Request(f"{server.endpoint}/api/v1/sql", body, headers)  # noqa: S310 - our own server's
    # No proxy: it has no business between this machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return pa.ipc.open_stream(opener.open(request, timeout=_SECONDS))
    except urllib.error.HTTPError as error:
        raise _refusal(error) from error
    except (OSError, pa.ArrowInvalid) as error:
        raise Unavailable(f"{server.endpoint} does not answer: {error}") from error


def _refusal(error: urllib.error.HTTPError) -> RunmillError:
    try:
        problem = json.load(error)["error"]
        return _KINDS.get(problem["code"], RunmillError)(problem["message"])
    except (ValueError, KeyError, TypeError):
        return RunmillError(f"{error.url} answered {error.code} and not in runmill's words.")
