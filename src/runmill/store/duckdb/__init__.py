"""The DuckDB engine: one file, owned by one process. Its SQL keeps to what DuckLake also takes.

So: no keys, no constraint but NOT NULL, no sequences, no updates, times as bigint; rows are only ever added.
"""
