"""``store compact`` and ``store prune``: looking after a store that nobody else has open."""

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from runmill import home as homes
from runmill.cli import render
from runmill.cli.options import AsJson, HomeOption, StoreOption
from runmill.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from runmill.store.interface import Store

__all__ = ["age_seconds", "compact", "prune", "size_bytes"]

_AGES: Final = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_SIZES: Final = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


def compact(*, as_json: AsJson = False, store: StoreOption = None, home_dir: HomeOption = None) -> None:
    """Fold what grows by commits, and return what the store can spare. A server does it by itself."""
    with _opened(store, home_dir) as opened:
        folded = opened.compact()
    if as_json:
        render.print_json([{"rows_before": folded.before, "rows_after": folded.after}])
    else:
        typer.echo(f"{folded.before:,} rows of sums are {folded.after:,} now.")


def prune(
    *,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Runs silent for so long, such as 90d (h, d, w).")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="The oldest runs, until the tables take this: 50GB (MB, GB, TB).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and leave it.")] = False,
    as_json: AsJson = False,
    store: StoreOption = None,
    home_dir: HomeOption = None,
) -> None:
    """Remove runs that have had their time: whole, with all below them and the files that no other run has."""
    from runmill.store.query import PruneQuery  # noqa: PLC0415 - the command line starts without the store

    if older_than is None and max_size is None:
        raise InvalidArgument("Say what shall go: --older-than AGE, --max-size SIZE, or both.")
    seconds = None if older_than is None else age_seconds("--older-than", older_than)
    query = PruneQuery(
        older_than_unix_nano=None if seconds is None else time.time_ns() - seconds * 10**9,
        max_size_bytes=None if max_size is None else size_bytes("--max-size", max_size),
        dry_run=dry_run,
    )
    with _opened(store, home_dir) as opened:
        gone = opened.prune(query)
    counts = {"runs": len(gone.run_ids), "logs": gone.log_count, "points": gone.point_count, "files": gone.file_count}
    if as_json:
        render.print_json([{**counts, "run_ids": list(gone.run_ids), "dry_run": dry_run}])
    else:
        said = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        typer.echo(f"{said} {'would go' if dry_run else 'are gone'}.")


@contextmanager
def _opened(url: str | None, home_dir: Path | None) -> "Iterator[Store]":
    """Open the store at *url*, else the home's; raises Conflict naming the server that has it."""
    from runmill import store as stores  # noqa: PLC0415

    if url is not None:
        with closing(stores.open(url)) as store:
            yield store
        return
    home = homes.find(home_dir)
    if not home.store.exists():
        raise NotFound(f"There is no run store in {home.path}: nothing was ever logged there.")
    with closing(stores.open(home.store, artifacts=home.artifacts)) as store:
        yield store


def age_seconds(option: str, text: str) -> int:
    """Read what an option says of an age, such as ``90d``. Raises InvalidArgument."""
    return _amount(option, text, _AGES)


def size_bytes(option: str, text: str) -> int:
    """Read what an option says of a size, such as ``50GB``. Raises InvalidArgument."""
    return _amount(option, text, _SIZES)


def _amount(option: str, text: str, units: dict[str, int]) -> int:
    found = re.fullmatch(rf"(\d+(?:\.\d+)?)({'|'.join(units)})", text)
    if found is None:
        raise InvalidArgument(f"{option} {text!r}: give a number and one of {', '.join(units)}.")
    return round(float(found[1]) * units[found[2]])
