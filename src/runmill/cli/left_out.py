"""Packages that the engine loads wherever they are installed, and that a server has no use for.

To tell what it is given, DuckDB imports pandas with the first value of a statement, and Arrow's datasets (with all
the clouds and formats they read) with the first table. Nobody gives it either here, and the two are 70 MB and half a
second.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

__all__ = ["leave_out_unused"]

_UNUSED: Final = ("pandas", "pyarrow.dataset")


class _LeftOut:
    """An import finder by which what is unused is not installed.

    None in `sys.modules` would say the same, but Arrow takes that for the package.
    """

    @staticmethod
    def find_spec(name: str, _: Sequence[str] | None, __: ModuleType | None = None) -> ModuleSpec | None:
        if name in _UNUSED:
            raise ModuleNotFoundError(f"No module named {name!r}: this process does without it.", name=name)
        return None  # the next finder knows


def leave_out_unused() -> None:
    """Let this process do without them, from now on: for a process that is ours from its start to its end."""
    if _LeftOut not in sys.meta_path:
        sys.meta_path.insert(0, _LeftOut)
