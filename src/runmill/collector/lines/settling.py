"""How much of a block is whole: what may go on waits for the next block, with all that is tangled with it."""

from runmill.collector.lines.entry import Lines

__all__ = ["settle"]


def settle(found: Lines) -> tuple[Lines, int | None]:
    """Give the entries that are made of lines before a certain one only, and that line's number (None: all are).

    A line held back may stand between the pieces of an entry that is whole. That entry is held back with it, since the
    next block begins with the held line, and would see the other half again.
    """
    held = found.held
    if held is None:
        return found, None
    while True:
        earlier = min((entry[0] for entry in found.entries if entry[1] >= held), default=held)
        if earlier >= held:
            break
        held = earlier
    return found._replace(entries=[entry for entry in found.entries if entry[1] < held]), held
