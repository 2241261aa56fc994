"""What keeps a lake's files few: small ones, and rows that wait in the catalog, become large ones; old ones go."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

import duckdb

from runmill.store.duckdb.schema import Dialect

__all__ = ["DIALECT", "pack"]

_INLINED: Final = ("logs", "points", "events", "artifacts", "resources", "deliveries", "log_summaries")
"""Not point_summaries: of a struct with an infinite number the engine makes text it cannot read back."""

_INLINED_ROWS: Final = 200
"""An insert of no more rows makes no file: they wait in the catalog until they are packed."""

DIALECT: Final = Dialect(
    long_text="varchar not null",  # compressed by file, not by column
    settings=(
        "call lake.set_option('parquet_compression', 'zstd')",
        *(
            f"call lake.set_option('data_inlining_row_limit', {_INLINED_ROWS}, table_name => '{table}')"
            for table in _INLINED
        ),
        # In what order files are packed: a run's rows lie together.
        "alter table logs set sorted by (run_id, time_unix_nano)",
        "alter table points set sorted by (run_id, metric, time_unix_nano)",
    ),
)

_GRACE: Final = "now()::timestamp - interval 1 hour"
"""Readers may be at work on files that are out of use since less than this."""


def pack(connection: duckdb.DuckDBPyConnection, *, alone: Callable[[], AbstractContextManager[None]]) -> None:
    """Pack and delete, while others write. One process at a time."""
    with alone():
        connection.execute("call ducklake_flush_inlined_data('lake')")
    # Beside writers, each of whose commits it must give way to.
    connection.execute("set session ducklake_max_retry_count = 100")
    for step in (
        "call ducklake_rewrite_data_files('lake', delete_threshold => 0.2)",
        "call ducklake_merge_adjacent_files('lake')",
        f"call ducklake_expire_snapshots('lake', older_than => {_GRACE})",
        f"call ducklake_cleanup_old_files('lake', older_than => {_GRACE})",
    ):
        connection.execute(step)
