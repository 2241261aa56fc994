"""Follows files through rotation: says which there are, which of them is one known under another name, which is new.

```text
renamed                     same device and inode, same content: read on
copied, then truncated      the copy is the old content, and is read on; the file itself begins anew
truncated, inode reused     same device and inode, other content: begins anew
moved, compressed           related name, same content: read on
```
"""

import logging
import time
from dataclasses import replace
from typing import Final

from runmill.collector.files.content import Content, end_of, open_content
from runmill.collector.files.cursors import Cursor, Cursors, Plan
from runmill.collector.files.finding import Finder, Found, look_at
from runmill.collector.files.following import Following
from runmill.collector.files.kinship import Kinship
from runmill.collector.files.mark import Mark, is_continued, mark_at
from runmill.collector.files.tail import Tail

__all__ = ["Follower"]

_log: Final = logging.getLogger(__name__)

# A copy is taken for what it is once the original was truncated; that follows at once, or never.
_COPY_SECONDS: Final = 10.0
# A file that was renamed or deleted may still be written to by those who have it open.
_LEFT_SECONDS: Final = 30.0
# So few files are all looked at in each round; of more, those that rest are looked at less often.
_FEW_FILES: Final = 512
_TURNS: Final = 10
_AWAKE_SECONDS: Final = 10.0


class Follower:
    """Knows every file by its cursor. Used from one thread at a time."""

    def __init__(self, following: Following, cursors: Cursors) -> None:
        self._following = following
        self._finder = Finder(following.include, following.exclude)
        self._cursors = cursors
        self._tails: dict[tuple[int, int], Tail] = {}
        self._by_path: dict[str, Tail] = {}
        self._by_id: dict[int, Tail] = {}
        self._awake: dict[int, Tail] = {}
        """Those that grew lately or are not read to their end: what a round costs is theirs, however many rest."""
        self._parked: dict[int, Cursor] = {}
        """Cursors of files that are not there now, or not yet found again."""
        self._changed: dict[int, Cursor] = {}
        self._planned: dict[int, Mark] = {}
        """Of files with bytes that were under way when the collector ended: how they look behind these."""
        self._kinship: Kinship | None = None
        self.open_count = 0
        """How many files were open at the end of the last round."""
        self._paths: tuple[str, ...] = ()
        self._left = set[tuple[int, int]]()
        """Files that are not found any more, and may still be read to their end."""
        self._turn = 0
        self._waiting: dict[tuple[int, int], float] = {}
        self._faults: dict[str, str] = {}
        self._patterns = repr(sorted(following.include))
        # Who was here before, and looked for the same files, has seen all that are old.
        self._is_first_round = cursors.include != self._patterns

    @property
    def waiting(self) -> list[Tail]:
        """The files that may have something to give, by their number."""
        return [tail for _, tail in sorted(self._awake.items()) if tail.is_waiting]

    def restore(self) -> Plan | None:
        """Take up the cursors that were kept; give what was under way."""
        cursors, plan = self._cursors.load()
        self._parked = {cursor.file_id: cursor for cursor in cursors}
        self._planned = {planned.file_id: planned.mark for planned in plan.ranges} if plan else {}
        return plan

    def find_tail(self, file_id: int) -> Tail | None:
        """Give the file with this number, or None when it is not there now."""
        return self._by_id.get(file_id)

    def poll(self, now: float) -> None:
        """Look which files there are; *now* is the monotonic clock's."""
        self._kinship = None  # of the round before
        self._rest(now)
        paths = self._finder.find()
        if paths is self._paths and len(paths) > _FEW_FILES:
            self._look_at_some(paths, now)
        else:
            self._look_at_all(paths, now)
        if self._awake or self._left:  # else nothing was opened
            self._close_some()
        self._is_first_round = False
        self._cursors.include = self._patterns

    @property
    def changed(self) -> list[Cursor]:
        """The cursors that changed since they were last written down."""
        return list(self._changed.values())

    def written(self) -> None:
        """All that changed is written down."""
        self._changed.clear()

    def mark(self, tail: Tail, offset: int) -> Mark:
        """Mark the file's content up to *offset*. Raises OSError, CorruptFile."""
        return mark_at(tail.open(), offset, most_head_bytes=self._following.fingerprint_bytes)

    def move(self, file_id: int, mark: Mark) -> None:
        """Set how far a file is read, wherever it is by now."""
        tail = self._by_id.get(file_id)
        known = tail.cursor if tail is not None else self._parked.get(file_id)
        if known is None:
            return
        self._planned.pop(file_id, None)
        cursor = replace(known, mark=mark)
        self._changed[file_id] = cursor
        if tail is not None:
            tail.cursor = cursor
        else:
            self._parked[file_id] = cursor

    def begin_anew(self, tail: Tail, now: float) -> Tail:
        """Take what is in the file now for a new one: what was read of it is not in it any more."""
        self._park(tail)
        cursor = replace(tail.cursor, file_id=self._cursors.new_file_id(), mark=Mark(), gone_seconds=None)
        content, tail.content = tail.content, None
        return self._follow(cursor, size_bytes=tail.size_bytes, now=now, content=content)

    def complain(self, path: str, fault: str) -> None:
        """Say once what is wrong with a file; an empty *fault* is good news."""
        if self._faults.get(path, "") != fault:
            self._faults[path] = fault
            if fault:
                _log.warning("%s: %s", path, fault)

    def close(self) -> None:
        """Let go of all files."""
        for tail in self._by_id.values():
            tail.close()

    def _look_at_all(self, paths: tuple[str, ...], now: float) -> None:
        self._paths = paths
        present = set[tuple[int, int]]()
        for path in paths:
            found = look_at(path)
            if found is None:
                continue
            identity = (found.status.st_dev, found.status.st_ino)
            if identity not in present:  # a link and its target are one file
                present.add(identity)
                self._see(found, identity, now)
        self._left = {identity for identity in self._tails if identity not in present}
        self._leave_left(now)

    def _look_at_some(self, paths: tuple[str, ...], now: float) -> None:
        """Look at the files that grew lately, and at a share of the others: no folder has changed."""
        self._turn = (self._turn + 1) % _TURNS
        share = paths[self._turn :: _TURNS]
        for path in {*share, *(tail.cursor.path for tail in self._awake.values())}:
            tail, found = self._by_path.get(path), look_at(path)
            if found is None or (tail is not None and tail.is_as_it_was(found.status)):
                continue
            identity = (found.status.st_dev, found.status.st_ino)
            # What is not known is another name of a known one, or cannot be read yet.
            if tail is not None and tail.identity == identity:
                self._see(found, identity, now)
            elif identity not in self._tails:
                self._adopt(found, identity, now)
        self._leave_left(now)

    def _rest(self, now: float) -> None:
        for file_id, tail in tuple(self._awake.items()):
            if not tail.is_waiting and now - tail.seen_seconds >= _AWAKE_SECONDS:
                del self._awake[file_id]

    def _leave_left(self, now: float) -> None:
        for identity in self._left:
            if (tail := self._tails.get(identity)) is not None:
                self._leave(tail, now)

    def _see(self, found: Found, identity: tuple[int, int], now: float) -> None:
        tail = self._tails.get(identity)
        if tail is None:
            self._adopt(found, identity, now)
            return
        if tail.cursor.path != found.path:
            self._by_path.pop(tail.cursor.path, None)
            tail.cursor = self._changed[tail.cursor.file_id] = replace(tail.cursor, path=found.path)
        self._by_path[found.path] = tail
        if tail.look(found.status, now):
            self._awake[tail.cursor.file_id] = tail
        if not tail.cursor.is_gzip and found.status.st_size < tail.cursor.mark.offset:
            self.begin_anew(tail, now)

    def _adopt(self, found: Found, identity: tuple[int, int], now: float) -> None:
        oldest = self._following.exclude_older_than_seconds
        if oldest and time.time() - found.status.st_mtime > oldest:
            return
        is_gzip = self._following.is_gzip(found.path)
        try:
            content = open_content(found.path, is_gzip=is_gzip)
        except OSError as error:
            self.complain(found.path, f"cannot be opened: {error.strerror}. It is tried again.")
            return
        self.complain(found.path, "")
        if self._is_unfinished_copy(content, found, identity, now):
            content.close()
            return
        known = self._find_known(content, found, identity)
        cursor = known or self._new_cursor(content, found, identity, is_gzip=is_gzip)
        cursor = replace(
            cursor, path=found.path, device=identity[0], inode=identity[1], is_gzip=is_gzip, gone_seconds=None
        )
        self._parked.pop(cursor.file_id, None)
        self._follow(cursor, size_bytes=found.status.st_size, now=now, content=content)

    def _find_known(self, content: Content, found: Found, identity: tuple[int, int]) -> Cursor | None:
        """Give the cursor of the same content: of this very file, else of one that it was moved or copied from."""
        kinship = self._kinship_now()
        gone = [*kinship.of_identity(identity), *kinship.alike(content, found.path)]
        for cursor in filter(None, (self._parked.get(cursor.file_id) for cursor in gone)):
            if is_continued(content, self._last_mark(cursor)):
                return cursor
        original = self._find_original(content, found)
        if original is not None and is_continued(content, original.mark):
            return replace(original, file_id=self._cursors.new_file_id())
        return None

    def _find_original(self, content: Content, found: Found) -> Cursor | None:
        """Give the cursor of a file that is there too and begins alike."""
        alike = self._kinship_now().alike(content, found.path)
        return next((self._by_id[one.file_id].cursor for one in alike if one.file_id in self._by_id), None)

    def _is_unfinished_copy(self, content: Content, found: Found, identity: tuple[int, int], now: float) -> bool:
        """Say whether to wait: the file it seems to be a copy of has not been truncated or removed yet."""
        if any(cursor.file_id in self._parked for cursor in self._kinship_now().of_identity(identity)):
            return False  # known by itself
        if self._find_original(content, found) is None:
            self._waiting.pop(identity, None)
            return False
        if now - self._waiting.setdefault(identity, now) < _COPY_SECONDS:
            return True
        del self._waiting[identity]
        return False

    def _kinship_now(self) -> Kinship:
        if self._kinship is None:
            known = (*self._parked.values(), *(tail.cursor for tail in self._by_id.values()))
            self._kinship = Kinship(replace(cursor, mark=self._last_mark(cursor)) for cursor in known)
        return self._kinship

    def _last_mark(self, cursor: Cursor) -> Mark:
        """Give the mark that tells most: an inode may be used again before the first bytes of its file were taken."""
        return self._planned.get(cursor.file_id, cursor.mark)

    def _new_cursor(self, content: Content, found: Found, identity: tuple[int, int], *, is_gzip: bool) -> Cursor:
        mark = Mark()
        if self._is_first_round and self._following.start_at == "end":
            end = end_of(content) if is_gzip else found.status.st_size
            mark = mark_at(content, end, most_head_bytes=self._following.fingerprint_bytes)
        return Cursor(self._cursors.new_file_id(), found.path, *identity, mark, is_gzip=is_gzip)

    def _follow(self, cursor: Cursor, *, size_bytes: int, now: float, content: Content | None) -> Tail:
        tail = Tail(cursor, size_bytes, now, content)
        self._tails[tail.identity] = self._by_path[cursor.path] = self._by_id[cursor.file_id] = tail
        self._awake[cursor.file_id] = tail
        self._changed[cursor.file_id] = cursor
        return tail

    def _leave(self, tail: Tail, now: float) -> None:
        """A file is not found any more: read what is left of it while it is open, then let it go."""
        if tail.content is not None:
            try:
                if tail.look(tail.content.status(), now):
                    self._awake[tail.cursor.file_id] = tail
            except OSError:
                tail.close()
        is_done = not tail.is_waiting and now - tail.seen_seconds > _LEFT_SECONDS
        if tail.content is None or is_done:
            tail.close()
            self._park(tail)

    def _park(self, tail: Tail) -> None:
        cursor = replace(tail.cursor, gone_seconds=time.time())
        self._parked[cursor.file_id] = self._changed[cursor.file_id] = cursor
        del self._tails[tail.identity], self._by_id[cursor.file_id]
        self._awake.pop(cursor.file_id, None)
        if self._by_path.get(cursor.path) is tail:
            del self._by_path[cursor.path]

    def _close_some(self) -> None:
        """Close those that rested longest; what is closed is opened again when it grows."""
        opened = [tail for tail in self._by_id.values() if tail.content is not None]
        excess = max(0, len(opened) - self._following.max_open_files)
        for tail in sorted(opened, key=lambda tail: tail.seen_seconds)[:excess]:
            tail.close()
        self.open_count = len(opened) - excess
