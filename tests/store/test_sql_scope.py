"""What SQL over a store may name, on every engine: its tables and functions that compute, and nothing that acts."""

import pytest
from store_columns import delivery, event, log, point

from runmill import store as stores
from runmill.errors import InvalidArgument
from runmill.store.duckdb.catalog_lock import ask

ANSWERED = {
    "select count(*) as n from logs where logger = 'train'": [{"n": 2}],
    "select status from runs": [{"status": "Running"}],
    "from Main.RUNS select run_id": [{"run_id": "run-000001"}],
    "with runs_of as (select run_id from runs) select count(*) as n from runs_of join points using (run_id)": [
        {"n": 1}
    ],
    "with recursive t(n) as (select 1 union all select n + 1 from t where n < 3) select max(n) as n from t": [{"n": 3}],
    "select range as n from range(2)": [{"n": 0}, {"n": 1}],
    "select unnest([1, 2]) as n, 'postgres_execute' as text": [
        {"n": 1, "text": "postgres_execute"},
        {"n": 2, "text": "postgres_execute"},
    ],
    "select count(*) > 5 as found from (describe logs)": [{"found": True}],
    "select count(*) > 0 as found from (show tables) where name = 'logs'": [{"found": True}],
    "select count(*) as n from information_schema.columns where table_name = 'runs' and column_name = 'tags'": [
        {"n": 1}
    ],
}

REFUSED = [
    "select * from postgres_execute('catalog', 'create table evil (a int)')",
    "explain analyze select * from \"Postgres_Execute\"('catalog', 'create table evil (a int)')",
    "select (select a from postgres_query('catalog', 'select lo_create(0) as a'))",
    "with logs as (from postgres_query('catalog', 'select lo_create(0)')) from logs",
    "select * from query('from postgres_query(''catalog'', ''select lo_create(0)'')')",
    "select * from json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "select * from postgres_attach('dbname=postgres')",
    "select * from postgres_scan('dbname=postgres', 'public', 'x')",
    "select * from ducklake_set_option('lake', 'parquet_compression', 'snappy')",
    "select * from lake.set_option('parquet_compression', 'snappy')",
    "select * from ducklake_delete_orphaned_files('lake', cleanup_all => true)",
    "select * from ducklake_flush_inlined_data('lake')",
    "select * from catalog.public.ducklake_metadata",
    "select * from __ducklake_metadata_lake.ducklake_metadata",
    "select path from duckdb_databases()",
    "select path from duckdb_databases",
    "show databases",
    "select a.path from (with duckdb_databases as (select 1 as x) from duckdb_databases) b, duckdb_databases a",
    "select * from pragma_database_list",
    "select * from duckdb_secrets()",
    "select * from read_text('/etc/hostname')",
    "select * from '/etc/hostname'",
    "select * from glob('/*')",
]  # fmt: skip


@pytest.fixture
def filled(store):
    """A store with a run, two records and a point."""
    rows = {"logs": [log(), log(run_id="run-000001")], "points": [point(1.5)], "events": [event("run.started", {})]}
    store.append([delivery(**rows)])
    return store


def test_what_reads_and_computes_is_answered(filled):
    """Tables by any of their names, WITH, DESCRIBE, and functions that need nothing but their arguments."""
    assert {sql: filled.sql(sql).read_all().to_pylist() for sql in ANSWERED} == ANSWERED


def test_what_acts_or_looks_elsewhere_is_refused(filled):
    """A function that acts is refused where it is called, as are the catalog's other tables, and files."""
    for sql in REFUSED:
        with pytest.raises(InvalidArgument):
            filled.sql(sql)


@pytest.mark.engines
def test_no_question_changes_the_catalog_of_a_lake(lake_url):
    """After all of them the catalog's database has what it had: tables, objects, options and snapshots."""
    store = stores.open(lake_url)
    try:
        store.append([delivery("p", 1, logs=[log()])])
        before = catalog(store)
        test_what_acts_or_looks_elsewhere_is_refused(store)
        assert catalog(store) == before
    finally:
        store.close()


def catalog(store) -> object:
    with store._attachment.reader() as connection:
        return ask(
            connection,
            "select json_build_array((select count(*) from pg_class), (select count(*) from pg_largeobject_metadata), "
            "(select json_agg(m order by key) from ducklake_metadata m), "
            "(select max(snapshot_id) from ducklake_snapshot))::text",
        )
