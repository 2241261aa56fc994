"""One file that is followed: what is read, what is acknowledged, what waits."""

import os
from dataclasses import dataclass

from runmill.collector.files.content import Content, open_content
from runmill.collector.files.cursors import Cursor
from runmill.collector.files.mark import is_continued

__all__ = ["Tail"]


@dataclass(slots=True, eq=False)
class Tail:
    """A file, open or not, with its cursor. Its name may have changed since it was opened, or be gone."""

    cursor: Cursor
    size_bytes: int
    """Of the file; of one that is compressed, the size of that."""
    seen_seconds: float
    """When it last grew, on the monotonic clock."""
    content: Content | None = None
    read_size_bytes: int = -1
    """The size at which all that could be read was read; -1: never."""
    held_seconds: float | None = None
    """Since when something at the cursor waits for its end, on the monotonic clock."""
    checked_bytes: int = -1
    """The size at which the content was last compared with the mark."""

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode."""
        return self.cursor.device, self.cursor.inode

    @property
    def has_news(self) -> bool:
        """Say whether there may be something that was not read."""
        return self.size_bytes != self.read_size_bytes

    @property
    def is_waiting(self) -> bool:
        """Say whether there may be something to give: news, or what has had no end for long enough."""
        return self.has_news or self.held_seconds is not None

    def open(self) -> Content:
        """Open it unless it is. Raises OSError; also when the name leads to another file by now."""
        if self.content is None:
            content = open_content(self.cursor.path, is_gzip=self.cursor.is_gzip)
            status = content.status()
            if (status.st_dev, status.st_ino) != self.identity:
                content.close()
                raise FileNotFoundError(self.cursor.path)
            self.content = content
        return self.content

    def close(self) -> None:
        """Let go of the file; what is known of it stays."""
        if self.content is not None:
            self.content.close()
            self.content = None

    def is_as_it_was(self, status: os.stat_result) -> bool:
        """Say whether a state is that of this very file when it was last looked at."""
        cursor = self.cursor
        return status.st_size == self.size_bytes and status.st_ino == cursor.inode and status.st_dev == cursor.device

    def look(self, status: os.stat_result, now: float) -> bool:
        """Note the file's state; say whether it is another than before."""
        if status.st_size == self.size_bytes:
            return False
        self.size_bytes = status.st_size
        self.seen_seconds = now
        return True

    def is_same_content(self) -> bool:
        """Say whether what was read of the file is still in it. Raises OSError."""
        if self.checked_bytes == self.size_bytes:
            return True
        is_shorter = not self.cursor.is_gzip and self.size_bytes < self.cursor.mark.offset
        if is_shorter or not is_continued(self.open(), self.cursor.mark):
            return False
        self.checked_bytes = self.size_bytes
        return True
