"""Opening this engine by URL: ``duckdb:///folder`` is a file of this process, ``ducklake:postgres:...`` a lake."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runmill.errors import ConfigError
from runmill.home import Home
from runmill.store.artifacts import ArtifactBytes
from runmill.store.duckdb import lake_url
from runmill.store.duckdb.database import Database
from runmill.store.duckdb.lake import Lake
from runmill.store.duckdb.store import DuckDBStore
from runmill.store.pruner import Retention

__all__ = ["open_url"]


def open_url(
    url: str,
    *,
    artifacts: str | Path | None,
    clock: Callable[[], int],
    memory_limit: str,
    threads: int,
    retention: Retention,
) -> DuckDBStore:
    """Open the store at *url*; see `runmill.store.open`."""
    if url.startswith("ducklake:"):
        lake = Lake(lake_url.parse(url), memory_limit=memory_limit, threads=threads)
        return DuckDBStore(
            lake, artifacts=ArtifactBytes(_place(artifacts, lake.data_path)), clock=clock, retention=retention
        )
    folder = _folder(url)
    files = Path(artifacts).absolute() if artifacts is not None else _beside(folder)
    file = Database(folder, memory_limit=memory_limit, threads=threads)
    return DuckDBStore(file, artifacts=ArtifactBytes(files), clock=clock, retention=retention)


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme != "duckdb" or parts.netloc or not parts.path.startswith("/"):
        raise ConfigError(f"store {url!r}: no such store. Give a folder or 'duckdb:///absolute/folder'.")
    return Path(unquote(parts.path))


def _beside(folder: Path) -> Path:
    home = Home(folder.parent)
    return home.artifacts if folder == home.store else folder / "artifacts"


def _place(artifacts: str | Path | None, data_path: str) -> Path | str:
    place = str(artifacts) if artifacts is not None else f"{data_path}artifacts"
    return place if "://" in place else Path(place).absolute()
