"""The tables, and the version they have."""

from dataclasses import dataclass
from typing import Final

import duckdb

from runmill.errors import ConfigError
from runmill.store.duckdb.transaction import transaction

__all__ = ["FILE", "VERSION", "Dialect", "prepare"]

VERSION: Final = 3
"""Of the tables below. A change to them is a new version, and a step that brings the old one up to it."""

LONG_TEXT: Final = "{long_text}"


@dataclass(frozen=True, slots=True)
class Dialect:
    """In what the statements that make the tables differ between attachments."""

    long_text: str
    """The type of columns that hold long texts."""
    settings: tuple[str, ...] = ()
    """What is said once, when the tables are there."""


FILE: Final = Dialect(long_text="varchar using compression zstd not null")

_PRUNINGS: Final = """create table prunings (
    last_seq bigint not null, run_count bigint not null, log_count bigint not null, point_count bigint not null)"""

# ingest_seq counts rows over all tables in the order of their commits; readers use it as cursor.
TABLES: Final = (
    f"""create table logs (
        time_unix_nano bigint not null, observed_time_unix_nano bigint not null,
        severity_number utinyint not null, severity_text varchar not null, logger varchar not null,
        body {LONG_TEXT}, body_is_json boolean not null, attributes {LONG_TEXT}, event_name varchar not null,
        trace_id varchar, span_id varchar, dropped_attributes_count uinteger not null,
        run_id varchar, service varchar not null, stream varchar, rank integer, resource_id varchar not null,
        ingest_seq bigint not null)""",
    """create table points (
        run_id varchar, metric varchar not null, kind varchar not null, "column" varchar, "index" bigint, step bigint,
        time_unix_nano bigint not null, start_time_unix_nano bigint, "value" double, value_int bigint,
        value_json varchar, attributes varchar not null, unit varchar not null, description varchar not null,
        temporality varchar, is_monotonic boolean, scope varchar not null, service varchar not null, rank integer,
        resource_id varchar not null, ingest_seq bigint not null)""",
    """create table events (
        run_id varchar, time_unix_nano bigint not null, name varchar not null, body varchar not null,
        rank integer, resource_id varchar not null, ingest_seq bigint not null)""",
    """create table artifacts (
        run_id varchar not null, path varchar not null, size_bytes bigint not null, media_type varchar not null,
        sha256 varchar not null, time_unix_nano bigint not null, ingest_seq bigint not null)""",
    f"create table resources (resource_id varchar not null, attributes {LONG_TEXT})",
    # Which batches are stored, from the first to the last of a stretch: what is delivered again is recognised by it.
    "create table deliveries (producer_id varchar not null, sequence bigint not null, last_sequence bigint not null)",
    # What one commit added to each (run, service, logger, resource); read instead of the logs.
    """create table log_summaries (
        run_id varchar, service varchar not null, logger varchar not null, resource_id varchar not null,
        count bigint not null, first_seq bigint not null, last_seq bigint not null,
        first_time_unix_nano bigint not null, last_time_unix_nano bigint not null)""",
    # What one commit added to each (run, metric, column, resource); read instead of the points. The structs begin with
    # a point's place in log order, so the smallest of them is the first point and the largest the last.
    """create table point_summaries (
        run_id varchar, metric varchar not null, "column" varchar, resource_id varchar not null,
        count bigint not null, numeric_count bigint not null, minimum double, maximum double,
        first_number struct(time_unix_nano bigint, "index" bigint, ingest_seq bigint, "value" double),
        last_number struct(time_unix_nano bigint, "index" bigint, ingest_seq bigint, "value" double),
        first_point struct(time_unix_nano bigint, "index" bigint, ingest_seq bigint),
        last_point struct(time_unix_nano bigint, "index" bigint, ingest_seq bigint, step bigint, kind varchar,
                          "value" double, value_int bigint, value_json varchar),
        described struct(ingest_seq bigint, unit varchar, description varchar),
        first_seq bigint not null, last_seq bigint not null,
        first_time_unix_nano bigint not null, last_time_unix_nano bigint not null)""",
    # What was taken out, and the newest ingest_seq at that time.
    _PRUNINGS,
    "create table schema_version (version integer not null)",
)


def prepare(connection: duckdb.DuckDBPyConnection, *, where: str, dialect: Dialect = FILE) -> None:
    """Make the tables in an empty database; bring those of an older version up to this one.

    Raises:
        ConfigError: another program's database, or a newer runmill's; it is left as it was.
    """
    found = "select table_name from duckdb_tables() where database_name = current_database()"
    tables = {name for (name,) in connection.execute(found).fetchall()}
    if not tables:
        _create(connection, dialect)
    elif "schema_version" not in tables:
        raise ConfigError(f"{where}: a DuckDB database of something else (its tables: {', '.join(sorted(tables))}).")
    else:
        _check_version(connection, where)


# From the version before to each version.
_STEPS: Final = {
    2: "alter table events alter column run_id drop not null",
    3: f"""{_PRUNINGS};
        create table ranges (producer_id varchar not null, sequence bigint not null, last_sequence bigint not null);
        insert into ranges select producer_id, sequence, sequence from deliveries;
        drop table deliveries;
        alter table ranges rename to deliveries""",  # noqa: S608 - our own text
}


def _create(connection: duckdb.DuckDBPyConnection, dialect: Dialect) -> None:
    with transaction(connection):
        for table in TABLES:
            connection.execute(table.replace(LONG_TEXT, dialect.long_text))
        connection.execute("insert into schema_version values (?)", [VERSION])
    # A lake takes these for tables that are there only. Without them it is larger, and right.
    for setting in dialect.settings:
        connection.execute(setting)


def _check_version(connection: duckdb.DuckDBPyConnection, where: str) -> None:
    [(found,)] = connection.execute("select max(version) from schema_version").fetchall()
    if found > VERSION:
        raise ConfigError(
            f"{where}: a run store of version {found!r}, and this runmill knows version {VERSION}. "
            "Use the runmill that wrote it, or a newer one."
        )
    for version in range(found + 1, VERSION + 1):
        with transaction(connection):
            connection.execute(_STEPS[version])
            connection.execute("update schema_version set version = ?", [version])
