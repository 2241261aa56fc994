"""Where runs live: append-only tables, a run's state as a fold over its events. Engines sit behind one protocol."""

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runmill import home as homes
from runmill.errors import ConfigError
from runmill.store.pruner import Retention

if TYPE_CHECKING:  # the protocol names Arrow tables: whoever only builds queries shall not load Arrow
    from runmill.store.connection import Connection
    from runmill.store.interface import Store

__all__ = ["connect", "open"]

_ENGINES: Final = {"duckdb": "runmill.store.duckdb.opening", "ducklake": "runmill.store.duckdb.opening"}
"""By the scheme of a URL, the module whose ``open_url`` opens it: all that is known of an engine outside its folder."""


def open(  # noqa: A001 - read as `runmill.store.open`
    url: str | Path,
    *,
    artifacts: str | Path | None = None,
    clock: Callable[[], int] = time.time_ns,
    memory_limit: str = "512MB",
    threads: int = 1,
    retention: Retention = Retention(),  # noqa: B008 - a frozen value
) -> "Store":
    """Open the run store at *url*, making it when it is not there; its engine is imported only now.

    Args:
        url: A folder, ``duckdb:///absolute/folder``, or
            ``ducklake:postgres:<libpq connection> data_path=<s3://, abfss://, az://, gs:// or a shared folder>``,
            whose ``data_path`` is needed the first time only.
        artifacts: The folder (for a lake: or URL) of the files' bytes. By default the home's, where *url* is the
            store of a home directory, else ``artifacts`` beside the rows.
        clock: Nanoseconds since the epoch; decides which runs count as NotResponding.
        memory_limit: What the engine may hold in memory before it writes to disk.
        threads: How many threads one query may use. The caller's own waits busily while another works for it: with two,
            a commit takes twice the CPU time and most reads a third more. Callers never wait for each other.
        retention: What the store removes by itself, from a thread of its own; by default nothing.

    Raises:
        ConfigError: *url* names no engine, or what is there is not a run store of this version.
        Conflict: another process, or this one, has it open already.
        Unavailable: what it is shared by does not answer.
    """
    if isinstance(url, Path) or ":" not in url:
        url = Path(url).expanduser().absolute().as_uri().replace("file:", "duckdb:", 1)
    scheme = url.partition(":")[0]
    if scheme not in _ENGINES:
        raise ConfigError(
            f"store {url!r}: no such store. Give a folder, 'duckdb:///absolute/folder' or 'ducklake:postgres:...'."
        )
    engine = importlib.import_module(_ENGINES[scheme])
    store: Store = engine.open_url(
        url, artifacts=artifacts, clock=clock, memory_limit=memory_limit, threads=threads, retention=retention
    )
    return store


def connect(home: str | Path | None = None, *, url: str | None = None) -> "Connection":
    """Give SQL over the run store of a home directory, by default ``RUNMILL_HOME`` or your own. Nothing can change so.

    With *url*, over the store there, such as one that machines share: what `open` takes.

    ```python
    with runmill.store.connect() as store:
        store.sql("select run_id, display_name, status from runs").to_pandas()
    ```

    Raises NotFound where there is no store, and Conflict where another process has it open that is no server.
    """
    from runmill.store.connection import Connection  # noqa: PLC0415 - Arrow is heavy

    return Connection(homes.find(home), url)
