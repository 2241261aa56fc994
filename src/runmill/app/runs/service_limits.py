"""Warnings where Azure ML's service would have cut or refused: for code that still has to run there as well.

runmill itself has none of these limits, and everything is stored whatever is warned of.
"""

import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from runmill.app.runs.link import WayOut
from runmill.app.settings import Settings
from runmill.home import Home, Server
from runmill.journal.records import EVENT, POINT, Event, Point, Record, parse_run_key
from runmill.journal.wills import Will
from runmill.otlp import runs

__all__ = ["LimitedOutlet", "look_at_call"]

# Source: Azure ML's page on resource limits and capacity, as of February 2025.
_METRIC_NAMES: Final = 50
_COLUMNS: Final = 15
_ROWS: Final = 1_000_000
_TEXT: Final = 255
_LABELS: Final = 50
_LABEL_KEY: Final = 100
_LABEL_VALUE: Final = 1_000
_NAME: Final = 256
_DESCRIPTION: Final = 5_000
_ERROR: Final = 3_000
_EXPERIMENT_TAG_KEY: Final = 250
_PATH: Final = 5_000
_SNAPSHOT: Final = "snapshot/"
_SNAPSHOT_FILES: Final = 2_000
_SNAPSHOT_BYTES: Final = 300 << 20
_A_CALL: Final = {"rows": 250, "children": 100}
"""What one call may bring: the service takes no larger batch."""


class LimitedOutlet:
    """Passes everything on to *behind*; warns of what Azure ML's service would not have taken, once a limit and run."""

    def __init__(self, behind: WayOut, *, most_rows: int = _ROWS) -> None:
        self._behind = behind
        self._most_rows = most_rows
        self._warned: set[tuple[str, str]] = set()
        self._names: dict[str, set[str]] = defaultdict(set)
        self._labels: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._columns: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._snapshots: dict[str, dict[str, int]] = defaultdict(dict)

    @property
    def home(self) -> Home:
        """That of the outlet behind."""
        return self._behind.home

    @property
    def settings(self) -> Settings:
        """Those of the outlet behind."""
        return self._behind.settings

    @property
    def resource(self) -> Mapping[str, Any]:
        """That of the outlet behind."""
        return self._behind.resource

    @property
    def write(self) -> Callable[[Record], None]:
        """Look at a record, then keep it."""
        return self._write

    def leave_will(self, record: Record, *, name: str) -> Will | None:
        """Do as the outlet behind."""
        return self._behind.leave_will(record, name=name)

    def flush(self, timeout_seconds: float) -> int:
        """Do as the outlet behind."""
        return self._behind.flush(timeout_seconds)

    def server(self) -> Server:
        """That of the outlet behind."""
        return self._behind.server()

    def look_at_call(self, key: str, what: str, count: int) -> None:
        """Warn where one call of a run brings too many."""
        self._warn_above(key, f"{what} in one call", count, _A_CALL[what])

    def _write(self, record: Record) -> None:
        if record[0] == POINT:
            self._look_at_point(Point._make(record))
        elif record[0] == EVENT:
            self._look_at_event(Event._make(record))
        self._behind.write(record)

    def _look_at_point(self, point: Point) -> None:
        self._look_at_metric(point.run_key, point.metric, point.position)
        # A row of numbers is a point a cell.
        if point.column is not None:
            self._look_at_columns(point.run_key, point.metric, [point.column])

    def _look_at_event(self, event: Event) -> None:
        if event.event_name == runs.METRIC:
            said = event.attributes or {}
            metric = said[runs.METRIC_NAME]
            self._look_at_metric(event.run_key, metric, said.get(runs.INDEX, said.get(runs.ROW)))
            self._look_at_cells(event.run_key, metric, event.body if isinstance(event.body, dict) else {"": event.body})
        elif event.event_name in runs.LIFECYCLE:
            self._look_at_facts(event.run_key, event.body)
        elif event.event_name == runs.ARTIFACT:
            self._look_at_file(event.run_key, event.body)
        elif event.event_name == runs.EXPERIMENT_UPDATED:
            longest = max(map(len, event.body.get("tags") or {}), default=0)
            self._warn_above(event.run_key, "characters in a key of its tags", longest, _EXPERIMENT_TAG_KEY)

    def _look_at_metric(self, key: str, metric: str, index: int | None) -> None:
        names = self._names[key]
        names.add(metric)
        self._warn_above(key, "metric names in a run", len(names), _METRIC_NAMES)
        # Positions and rows are counted from 0 where they are logged.
        count = 0 if index is None else index + 1
        self._warn_above(key, f"values under one name ({metric!r})", count, self._most_rows)

    def _look_at_cells(self, key: str, metric: str, cells: dict[str, Any]) -> None:
        self._look_at_columns(key, metric, [column for column in cells if column])
        longest = max((len(cell) for cell in cells.values() if isinstance(cell, str)), default=0)
        self._warn_above(key, f"characters in a value of {metric!r}", longest, _TEXT)

    def _look_at_columns(self, key: str, metric: str, columns: list[str]) -> None:
        known = self._columns[key, metric]
        known.update(columns)
        self._warn_above(key, f"columns in {metric!r}", len(known), _COLUMNS)
        self._warn_above(key, f"characters in a column of {metric!r}", max(map(len, columns), default=0), _TEXT)

    def _look_at_facts(self, key: str, body: dict[str, Any]) -> None:
        for kind in ("tags", "properties"):
            labels = body.get(kind) or {}
            known = self._labels[key, kind]
            known.update(labels)
            self._warn_above(key, f"{kind} of a run", len(known), _LABELS)
            self._warn_above(key, f"characters in a key of its {kind}", max(map(len, labels), default=0), _LABEL_KEY)
            longest = max((len(text) for text in labels.values() if text), default=0)
            self._warn_above(key, f"characters in a value of its {kind}", longest, _LABEL_VALUE)
        for fact, most in (("display_name", _NAME), ("description", _DESCRIPTION)):
            self._warn_above(key, f"characters in its {fact}", len(body.get(fact) or ""), most)
        message = str((body.get("error") or {}).get("message", ""))
        self._warn_above(key, "characters in its error", len(message), _ERROR)

    def _look_at_file(self, key: str, file: dict[str, Any]) -> None:
        self._warn_above(key, "characters in a file's path", len(file["path"]), _PATH)
        if file["path"].startswith(_SNAPSHOT):
            sizes = self._snapshots[key]
            sizes[file["path"]] = file["size_bytes"]
            self._warn_above(key, "files in a snapshot", len(sizes), _SNAPSHOT_FILES)
            self._warn_above(key, "bytes in a snapshot", sum(sizes.values()), _SNAPSHOT_BYTES)

    def _warn_above(self, key: str, what: str, count: int, most: int) -> None:
        if count <= most or (key, what) in self._warned:
            return
        self._warned.add((key, what))
        identity = parse_run_key(key)
        whose = f"run {identity.run_id}" if identity.run_id else f"experiment {identity.experiment}"
        text = f"{whose}: {count} {what}: Azure ML's service takes {most}. All of it is stored here."
        warnings.warn(text, UserWarning, stacklevel=2)


def look_at_call(outlet: WayOut, key: str, what: Literal["rows", "children"], count: int) -> None:
    """Warn where one call of a run brings too many; nothing where there are no limits."""
    # Records say nothing of the call they came from, so an outlet cannot tell by itself.
    if isinstance(outlet, LimitedOutlet):
        outlet.look_at_call(key, what, count)
