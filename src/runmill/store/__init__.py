"""Where runs live: append-only tables, a run's state as a fold over its events. Engines sit behind one protocol."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from runmill import home as homes
from runmill.errors import ConfigError
from runmill.home import Home

if TYPE_CHECKING:  # the protocol names Arrow tables: whoever only builds queries shall not load Arrow
    from runmill.store.connection import Connection
    from runmill.store.interface import Store

__all__ = ["connect", "open"]


def open(  # noqa: A001 - read as `runmill.store.open`
    url: str | Path,
    *,
    artifacts: str | Path | None = None,
    clock: Callable[[], int] = time.time_ns,
    memory_limit: str = "512MB",
    threads: int = 2,
) -> "Store":
    """Open the run store at *url*, making it when it is not there; its engine is imported only now.

    Args:
        url: ``duckdb:///absolute/folder`` or a folder.
        artifacts: The folder of the files' bytes. By default the home's, where *url* is the store of a home
            directory, else ``artifacts`` in the store's folder.
        clock: Nanoseconds since the epoch; decides which runs count as NotResponding.
        memory_limit: What the engine may hold in memory before it writes to disk.
        threads: How many threads one query may use.

    Raises:
        ConfigError: *url* names no engine, or what is there is not a run store of this version.
        Conflict: another process, or this one, has it open already.
    """
    from runmill.store.duckdb.store import DuckDBStore  # noqa: PLC0415 - the engine is heavy

    folder = _folder(url)
    return DuckDBStore(
        folder,
        artifacts=Path(artifacts).absolute() if artifacts is not None else _default_artifacts(folder),
        clock=clock,
        memory_limit=memory_limit,
        threads=threads,
    )


def connect(home: str | Path | None = None) -> "Connection":
    """Give SQL over the run store of a home directory, by default ``RUNMILL_HOME`` or your own. Nothing can change so.

    ```python
    with runmill.store.connect() as store:
        store.sql("select run_id, display_name, status from runs").to_pandas()
    ```

    Raises NotFound where there is no store, and Conflict where another process has it open that is no server.
    """
    from runmill.store.connection import Connection  # noqa: PLC0415 - Arrow is heavy

    return Connection(homes.find(home))


def _folder(url: str | Path) -> Path:
    if isinstance(url, Path) or ":" not in url:
        return Path(url).expanduser().absolute()
    parts = urlsplit(url)
    if parts.scheme != "duckdb" or parts.netloc or not parts.path.startswith("/"):
        raise ConfigError(f"store {url!r}: no such store. Give a folder or 'duckdb:///absolute/folder'.")
    return Path(unquote(parts.path))


def _default_artifacts(folder: Path) -> Path:
    home = Home(folder.parent)
    return home.artifacts if folder == home.store else folder / "artifacts"
