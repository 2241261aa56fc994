"""Listening sockets that outlive those who serve on them: between one server and the next nobody is turned away."""

import socket
from collections import defaultdict

from runmill.collector.receivers.otlp import Bind

__all__ = ["KeptSockets"]


class KeptSockets:
    """A `Bind` that gives the same socket for the same endpoint, round after round.

    A round is one collector's start. Who asks twice for an endpoint in one round gets two sockets: where both cannot
    be had, that is the mistake it would be without this.
    """

    def __init__(self, bind: Bind) -> None:
        self._bind = bind
        self._kept = defaultdict[str, list[socket.socket]](list)
        self._used = defaultdict[str, int](int)

    def __call__(self, endpoint: str) -> socket.socket:
        """Give a listening socket that is the caller's to close. Raises OSError when the address cannot be had."""
        kept, position = self._kept[endpoint], self._used[endpoint]
        if position == len(kept):
            kept.append(self._bind(endpoint))
        self._used[endpoint] += 1
        return kept[position].dup()

    def begin_round(self) -> None:
        """Count from anew who asks for what."""
        self._used.clear()

    def close_unused(self) -> None:
        """Close what nobody asked for in this round."""
        for endpoint, kept in self._kept.items():
            while len(kept) > self._used[endpoint]:
                kept.pop().close()

    def close(self) -> None:
        """Close all of them."""
        self.begin_round()
        self.close_unused()
