"""Filling one store with what another holds, through the protocol alone: any engine into any other.

The rows go in batches, each of which the target knows again: a copy that was broken off goes on where it was when it is
begun anew. Files go after them, each once.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES, Columns
from runmill.errors import Conflict, InvalidArgument
from runmill.model import Run, RunId
from runmill.store.interface import Delivery, Store
from runmill.store.query import RunQuery

__all__ = ["Copied", "copy"]

_BATCH_ROWS: Final = 100_000
_RUNS_A_PAGE: Final = 1_000
_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy moved, or found moved already."""

    run_count: int
    log_count: int
    point_count: int
    file_count: int


def copy(source: Store, target: Store, *, tell: Callable[[int], None] = lambda _: None) -> Copied:
    """Copy all runs, records and files, and compare the counts at the end; *tell* hears how many rows are there.

    What *target* holds of others stays. While it goes on, nothing may be added to *source*.

    Raises:
        InvalidArgument: they are the same store.
        Conflict: *source* has grown since a copy of it was begun, or the counts differ at the end.
    """
    url = source.facts().url
    if url == target.facts().url:
        raise InvalidArgument(f"{url}: this is the source and the target. Name two stores.")
    _copy_rows(source, target, url, tell)
    run_ids = [run.run_id for run in _runs(source)]
    file_count = _copy_files(source, target, run_ids)
    _compare(source, target, run_ids)
    facts = source.facts()
    return Copied(len(run_ids), facts.log_count, facts.point_count, file_count)


def _copy_rows(source: Store, target: Store, url: str, tell: Callable[[int], None]) -> None:
    producer_id = f"copy of {url}"
    _mark(source, target, producer_id)
    last, row_count = 0, 0
    while True:
        columns, reached = source.columns_after(last, limit=_BATCH_ROWS)
        if reached == last:
            return
        target.append([Delivery(columns, producer_id, reached)])
        last = reached
        row_count += sum(table.num_rows for table in (columns.logs, columns.points, columns.events, columns.artifacts))
        tell(row_count)


def _mark(source: Store, target: Store, producer_id: str) -> None:
    """Note in *target* which state of the source is copied: batches are the same ones only where it is the same."""
    facts = source.facts()
    state = f"{producer_id}: {facts.run_count} runs, {facts.log_count} records, {facts.point_count} points"
    begun, same = (target.append([Delivery(_NOTHING, each, 0)]) for each in (producer_id, state))
    if begun and not same:
        raise Conflict(
            f"{facts.url}: something was added since it was first copied into {target.facts().url}, so what is there "
            "already cannot be told from what is new. Copy it into a store without it."
        )


_NOTHING: Final = Columns(
    logs=LOGS.empty_table(),
    points=POINTS.empty_table(),
    events=EVENTS.empty_table(),
    artifacts=ARTIFACTS.empty_table(),
    resources=RESOURCES.empty_table(),
)


def _runs(store: Store) -> Iterator[Run]:
    offset = 0
    while page := store.runs(RunQuery(include_children=True, limit=_RUNS_A_PAGE, offset=offset)):
        yield from page
        offset += len(page)


def _copy_files(source: Store, target: Store, run_ids: list[RunId]) -> int:
    hashes = {artifact.sha256 for run_id in run_ids for artifact in source.artifacts(run_id)}
    hashes |= {file.sha256 for model in source.models() for file in model.files}
    for sha256 in sorted(hashes):
        # A file whose bytes never came is missing there as it is here.
        if source.has_artifact_bytes(sha256) and not target.has_artifact_bytes(sha256):
            _copy_file(source, target, sha256)
    return len(hashes)


def _copy_file(source: Store, target: Store, sha256: str) -> None:
    # Over the disk: an object storage that is written to cannot wait for one that is read from.
    with tempfile.TemporaryFile() as file:
        for piece in source.artifact_bytes(sha256):
            file.write(piece)
        file.seek(0)
        target.put_artifact_bytes(sha256, iter(partial(file.read, _PIECE_BYTES), b""))


def _compare(source: Store, target: Store, run_ids: list[RunId]) -> None:
    different = [run_id for run_id in run_ids if _counts(source, run_id) != _counts(target, run_id)]
    if different:
        raise Conflict(
            f"{len(different)} runs have other counts in {target.facts().url} than in {source.facts().url}, first "
            f"{different[0]!r}. Something was written to one of them meanwhile; compare them, or copy once more."
        )


def _counts(store: Store, run_id: RunId) -> tuple[object, ...]:
    points = [(each.metric, each.column, each.count) for each in store.metrics([run_id])[run_id]]
    return store.loggers(run_id), sorted(points, key=str), len(store.artifacts(run_id))
