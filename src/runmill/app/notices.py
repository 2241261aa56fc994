"""What runmill has to say to the person at the screen: one line on stderr, each text once, at most a few a minute.

Never through ``logging``: a logger it serves would bring it back to itself.
"""

import sys
import threading
import time

__all__ = ["notice"]

_MOST_A_MINUTE = 5

_lock = threading.Lock()
_said: set[str] = set()
_times: list[float] = []


def notice(text: str) -> None:
    """Say *text* on stderr if it is new. Never raises: stderr may be closed, or be no file at all."""
    if not _lock.acquire(blocking=False):  # busy in another thread, or in this one below a signal handler
        return
    try:
        now = time.monotonic()
        _times[:] = [at for at in _times if now - at < 60]  # noqa: PLR2004 - seconds
        if text in _said or len(_times) >= _MOST_A_MINUTE:
            return
        _said.add(text)
        _times.append(now)
        sys.stderr.write(f"runmill: {text}\n")
    except (AttributeError, OSError, ValueError):
        return
    finally:
        _lock.release()
