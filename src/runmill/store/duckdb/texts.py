"""Lists of texts as one parameter: for every single value it is given, DuckDB looks for pandas on the disk (70 us)."""

from collections.abc import Iterable

import orjson

__all__ = ["among", "listed"]


def listed(texts: Iterable[str]) -> str:
    """Give the value of a parameter that `among` names."""
    return orjson.dumps(list(texts)).decode()


def among(parameter: str) -> str:
    """Give the SQL that holds for those in the list: ``f"run_id {among('$runs')}"``."""
    return f"in (select unnest(from_json({parameter}, '[\"VARCHAR\"]')))"
