"""White space around text taken off."""

from dataclasses import dataclass

from runmill.collector.lines.entry import Entry, Lines

__all__ = ["Trim"]


@dataclass(frozen=True, slots=True)
class Trim:
    """Takes white space off the start, the end, or both, of what is plain text."""

    is_left: bool
    is_right: bool

    def __call__(self, found: Lines, _is_final: bool) -> Lines:  # noqa: FBT001 - a Step
        """Trim all entries that are text and nothing else."""
        strip = bytes.strip if self.is_left and self.is_right else bytes.lstrip if self.is_left else bytes.rstrip
        return Lines([one if isinstance(one, Entry) else (*one[:4], strip(one[4])) for one in found.entries])
