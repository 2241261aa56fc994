"""Uploads over connections that break."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import httpx
import pytest

from processes import RunningServer
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.workspace import Workspace

SIZE = 20_000_000
CUT_AFTER = 13_000_000


class BreakingProxy:
    """Passes bytes on to a server, and counts them; breaks the first connection that carries more than `CUT_AFTER`."""

    def __init__(self, server: RunningServer) -> None:
        self._server = ("127.0.0.1", httpx.URL(server.endpoint).port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.carried = 0
        self.has_cut = False
        self._ends: list[socket.socket] = []
        Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        for end in (self._listening, *self._ends):
            _shut(end)
            end.close()

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                self._ends += [client, server]
                Thread(target=self._pass, args=(client, server), kwargs={"is_up": True}, daemon=True).start()
                Thread(target=self._pass, args=(server, client), kwargs={"is_up": False}, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, *, is_up: bool) -> None:
        with suppress(OSError):  # the other direction has shut both
            while piece := source.recv(1 << 16):
                target.sendall(piece)
                self.carried += len(piece) if is_up else 0
                if self.carried > CUT_AFTER and not self.has_cut:
                    self.has_cut = True
                    break
        _shut(source)
        _shut(target)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(server: RunningServer) -> Iterator[BreakingProxy]:
    proxy = BreakingProxy(server)
    yield proxy
    proxy.close()


def test_a_file_goes_on_where_its_connection_broke(server, proxy, stored, tmp_path):
    """It arrives whole by itself, and what had come before the break is not sent again."""
    content = os.urandom(SIZE)
    (tmp_path / "weights.bin").write_bytes(content)
    workspace = Workspace(home=tmp_path / "home", endpoint=proxy.endpoint)
    run = Experiment(workspace, "broken").start_logging(outputs=False, snapshot_directory=None)
    run.upload_file("weights.bin", tmp_path / "weights.bin")
    run.complete()
    stored(run.id, "Completed")
    assert server.get(f"/api/v1/runs/{run.id}/files/weights.bin").content == content
    assert proxy.has_cut
    # What was on its way when it broke is sent twice, and a little is said around it.
    assert SIZE < proxy.carried < SIZE + 6_000_000
    assert list((tmp_path / "home" / "spool").iterdir()) == []
