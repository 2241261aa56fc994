"""``runmill`` and ``python -m runmill``: the command line, or the words that say what it needs."""

import sys
from importlib.util import find_spec
from typing import Final

__all__ = ["main"]

_NEEDED: Final = ("duckdb", "fastapi", "httpx", "orjson", "pyarrow", "pydantic", "rich", "typer", "uvicorn", "yaml")
"""Import names of the `server` extra that the commands cannot do without."""

_USAGE_ERROR: Final = 2


def main() -> None:
    """Run the command that the arguments name; exit 2 with the way out when the bare package was installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"runmill: the command line needs packages that are not installed: {', '.join(missing)}.\n"
            "Install them with: pip install 'runmill[server]'\n"
        )
        sys.exit(_USAGE_ERROR)
    from runmill.cli.app import run  # noqa: PLC0415 - importable only once the extra is there

    run()


if __name__ == "__main__":
    main()
