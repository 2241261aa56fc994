"""What a question in SQL may name: the store's tables, and functions that only compute.

A list of what is allowed, held against the engine's own parse of the text. To forbid writing is not enough: a SELECT
may name functions that write for it, in the database of a lake's catalog or in its storage, and views that show how
the catalog is reached.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import duckdb

from runmill.errors import InvalidArgument
from runmill.store.duckdb.schema import TABLES

__all__ = ["tables"]

_TABLE: Final = re.compile(r"create table (\w+)")
_NAMES: Final = frozenset(_TABLE.findall(" ".join(TABLES))) | {"runs", "duckdb_columns", "duckdb_tables"}
_QUALIFIERS: Final = frozenset({"", "main", "lake", "runs"})
_CATALOGUE: Final = ("information_schema", frozenset({"columns", "tables"}))
_SHOWN: Final = frozenset({"", '"tables"', "__show_tables_expanded"})
_FUNCTIONS: Final = frozenset(
    {
        "range", "generate_series", "unnest", "repeat", "json_each", "json_tree", "histogram", "histogram_values",
        "pragma_table_info", "duckdb_columns", "duckdb_tables", "duckdb_functions", "duckdb_types", "duckdb_keywords",
    }
)  # fmt: skip
_SYSTEM: Final = ("duckdb_", "pragma_", "pg_", "sqlite_")
"""How the engine's own views begin: a query's own name for something must not stand for one of them elsewhere in it."""
_EXPLAIN: Final = re.compile(r"\s*explain\b(\s+analyze\b|\s*\([^)]*\))?", re.IGNORECASE)


def tables(connection: duckdb.DuckDBPyConnection, text: str) -> set[str]:
    """Give what *text*, one statement, names.

    Raises InvalidArgument when it names anything that is not allowed, or the engine cannot take it apart.
    """
    asked = _EXPLAIN.sub("", text, count=1)
    [(written,)] = connection.execute("select json_serialize_sql($asked)", {"asked": asked}).fetchall()
    parsed = json.loads(written)
    if parsed["error"]:
        raise InvalidArgument(f"SQL {text!r}: {parsed['error_message']}")
    nodes = list(_nodes(parsed["statements"]))
    own = {name for node in nodes for name in _names_of_its_own(node)}
    named = [(name, node) for node in nodes if (name := _named(node)) is not None]
    for name, node in named:
        if not _is_allowed(node, name, own):
            raise InvalidArgument(
                f"SQL: {name!r} is not among the tables of the store, nor of the functions that only compute. "
                "`runmill sql` lists the tables."
            )
    return {name for name, _ in named}


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    """Give every object in the parse, whatever it hangs on."""
    if isinstance(part, dict):
        yield part
    for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _nodes(child)


def _names_of_its_own(node: dict[str, Any]) -> Iterator[str]:
    """Give what WITH names in *node*."""
    for entry in node.get("cte_map", {}).get("map", ()):
        if not (name := entry["key"].lower()).startswith(_SYSTEM):
            yield name


def _named(node: dict[str, Any]) -> str | None:
    match node.get("type"):
        case "BASE_TABLE" | "SHOW_REF":
            return str(node["table_name"]).lower()
        case "TABLE_FUNCTION":
            return str(node["function"]["function_name"]).lower()
    return None


def _is_allowed(node: dict[str, Any], name: str, own: set[str]) -> bool:
    match node["type"]:
        case "TABLE_FUNCTION":
            function = node["function"]
            return name in _FUNCTIONS and not (function["catalog"] or function["schema"])
        case "SHOW_REF":
            return name in _SHOWN
    schema, catalog = node["schema_name"].lower(), node["catalog_name"].lower()
    if schema == _CATALOGUE[0]:
        return name in _CATALOGUE[1]
    return {schema, catalog} <= _QUALIFIERS and (name in _NAMES or (name in own and not schema))
