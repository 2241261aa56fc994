"""Extensions of the engine from their wheels, loaded by path: nothing is downloaded, nothing is copied elsewhere."""

import importlib
from collections.abc import Iterable
from importlib.resources import files

import duckdb

from runmill.errors import ConfigError

__all__ = ["load"]


def load(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Load the extensions into the whole engine. Raises ConfigError when a wheel is not installed, or not this one's.

    The engine checks their signatures.
    """
    for name in names:
        try:
            connection.execute(f"load '{_path(name)}'")
        except (ImportError, duckdb.Error) as error:
            raise ConfigError(
                f"DuckDB's extension {name!r} for version {duckdb.__version__} cannot be loaded: {error}. "
                "Install it with: pip install 'runmill[lake]'"
            ) from error


def _path(name: str) -> str:
    wheel = files(importlib.import_module(f"duckdb_extension_{name}"))
    return str(wheel / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension")
