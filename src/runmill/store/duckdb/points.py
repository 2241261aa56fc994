"""Reading every point of a run, or of one of its metrics."""

import duckdb

from runmill.model import MetricPoint, RunId
from runmill.store.duckdb import rows
from runmill.store.duckdb.tallies import Span

__all__ = ["points"]


def points(connection: duckdb.DuckDBPyConnection, run_id: RunId, metric: str | None, span: Span) -> list[MetricPoint]:
    """Give the points in log order: by time, then index, then commit."""
    chosen = "" if metric is None else "and metric = $metric"
    values: dict[str, str | int] = {} if metric is None else {"metric": metric}
    table = connection.execute(
        f"select {rows.POINT_COLUMNS} from points "  # noqa: S608 - our own text
        f"where ingest_seq between $first and $last and run_id = $run_id {chosen} "
        'order by time_unix_nano, coalesce("index", -1), ingest_seq',
        values | {"run_id": run_id, "first": span.first, "last": span.last},
    ).to_arrow_table()
    return rows.metric_points(table)
