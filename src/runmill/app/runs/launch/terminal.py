"""A terminal of our own for a script's stream: the script draws as on the real one, and bytes pass it unchanged."""

import fcntl
import os
import struct
import termios
from typing import Final

__all__ = ["fit_terminal", "open_terminal"]

_DEFAULT_SIZE: Final = os.terminal_size((80, 24))


def open_terminal() -> tuple[int, int]:
    """Give our end and the script's end of a new terminal, as large as the one we stand at. Raises OSError."""
    ours, theirs = os.openpty()
    attributes = termios.tcgetattr(theirs)
    # Without it every line end would become two characters, here and once more on the real terminal.
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    fit_terminal(theirs)
    return ours, theirs


def fit_terminal(descriptor: int) -> None:
    """Make a terminal, by either end, as large as the one we stand at is now. Raises OSError for what is none."""
    columns, lines = _size()
    # Source: tty_ioctl(4), TIOCSWINSZ: struct winsize.
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def _size() -> os.terminal_size:
    for descriptor in (1, 2, 0):
        try:
            return os.get_terminal_size(descriptor)
        except OSError:
            continue
    return _DEFAULT_SIZE
