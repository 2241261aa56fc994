"""What a commit adds, said in few rows: lists, counts and latest values are read from these, never from big tables."""

from collections.abc import Sequence
from typing import Final

import duckdb
import pyarrow as pa

from runmill.model import MetricSummary, RunId
from runmill.store.duckdb.rows import value_of
from runmill.store.duckdb.tallies import Span
from runmill.store.duckdb.texts import among, listed

__all__ = ["SUMMARISE_LOGS", "SUMMARISE_POINTS", "metric_summaries", "summarise_logs"]

SUMMARISE_LOGS: Final = """
    select run_id, service, logger, resource_id, count(*) as count,
        min(ingest_seq) as first_seq, max(ingest_seq) as last_seq,
        min(time_unix_nano) as first_time_unix_nano, max(time_unix_nano) as last_time_unix_nano
    from incoming_logs group by run_id, service, logger, resource_id order by first_seq"""

_LOG_SUMS: Final = ("count", "first_seq", "last_seq", "first_time_unix_nano", "last_time_unix_nano")

_PLACE: Final = """'time_unix_nano': time_unix_nano, 'index': coalesce("index", -1), 'ingest_seq': ingest_seq"""

SUMMARISE_POINTS: Final = f"""
    select run_id, metric, "column", resource_id, count(*) as count, count("value") as numeric_count,
        min("value") filter (isfinite("value")) as minimum, max("value") filter (isfinite("value")) as maximum,
        min({{{_PLACE}, 'value': "value"}}) filter ("value" is not null) as first_number,
        max({{{_PLACE}, 'value': "value"}}) filter ("value" is not null) as last_number,
        min({{{_PLACE}}}) as first_point,
        max({{{_PLACE}, 'step': step, 'kind': kind, 'value': "value", 'value_int': value_int,
              'value_json': value_json}}) as last_point,
        max({{'ingest_seq': ingest_seq, 'unit': unit, 'description': description}})
            filter (unit <> '' or description <> '') as described,
        min(ingest_seq) as first_seq, max(ingest_seq) as last_seq,
        min(time_unix_nano) as first_time_unix_nano, max(time_unix_nano) as last_time_unix_nano
    from incoming_points group by run_id, metric, "column", resource_id order by first_seq"""  # noqa: S608 - our own text

_READ: Final = f"""
    with merged as (
        select run_id, metric, "column", sum(count)::bigint as count, sum(numeric_count)::bigint as numeric_count,
            min(minimum) as minimum, max(maximum) as maximum, min(first_number) as first_number,
            max(last_number) as last_number, min(first_point) as first_point, max(last_point) as last_point,
            max(described) as described
        from point_summaries where run_id {among("$runs")} and first_seq >= $first and last_seq <= $last
        group by run_id, metric, "column")
    select run_id, metric, last_point.kind, "column", coalesce(described.description, ''),
        coalesce(described.unit, ''), count, numeric_count, first_number."value", last_number."value", minimum, maximum,
        last_point.step, last_point.time_unix_nano, last_point."value", last_point.value_int, last_point.value_json
    from merged order by first_point"""  # noqa: S608 - our own text


def summarise_logs(rows: pa.Table) -> pa.Table:
    """Do what SUMMARISE_LOGS does, at a twentieth of its cost for the few rows of a commit."""
    keys = ["run_id", "service", "logger", "resource_id"]
    ends = [(name, end) for name in ("ingest_seq", "time_unix_nano") for end in ("min", "max")]
    summed = rows.group_by(keys, use_threads=False).aggregate([("ingest_seq", "count"), *ends])
    return summed.rename_columns([*keys, *_LOG_SUMS])


def metric_summaries(
    connection: duckdb.DuckDBPyConnection, run_ids: Sequence[RunId], *, span: Span
) -> dict[RunId, list[MetricSummary]]:
    """Give the summaries of the runs, whose points lie in *span*."""
    found: dict[RunId, list[MetricSummary]] = {run_id: [] for run_id in run_ids}
    rows = connection.execute(_READ, {"runs": listed(found), "first": span.first, "last": span.last}).fetchall()
    for run_id, *known, value, value_int, value_json in rows:
        found[run_id].append(MetricSummary(*(*known, value_of(value, value_int, value_json))))
    return found
