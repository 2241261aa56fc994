"""All open streams of an application, so that a server can end them: one that is open keeps it from stopping."""

from runmill.model import RunId
from runmill.store.interface import Store
from runmill.views.feed import Feed

__all__ = ["Feeds"]


class Feeds:
    """Opens, counts and ends feeds; everything here happens on the event loop."""

    def __init__(self) -> None:
        self._open: set[Feed] = set()
        self._closed = False

    def open(self, store: Store, run_id: RunId | None) -> Feed:
        """Begin to listen for one reader; after `close` the feed is closed from the start."""
        feed = Feed(store, run_id)
        self._open.add(feed)
        if self._closed:
            self.release(feed)
        return feed

    def release(self, feed: Feed) -> None:
        """End one."""
        feed.close()
        self._open.discard(feed)

    def close(self) -> None:
        """End all, and those still to come: call it before the server waits for its connections."""
        self._closed = True
        for feed in tuple(self._open):
            self.release(feed)
