"""Virtual environments made for scripts: one for each set of requirements, below the home, made once."""

import fcntl
import hashlib
import importlib.util
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from runmill.errors import ConfigError
from runmill.home import Home

__all__ = ["managed_interpreter"]

_READY: Final = "requirements.txt"
"""Written last: an environment without it was never finished."""
_MOST_SAID: Final = 4000


def managed_interpreter(home: Home, requirements: str, pip_version: str | None) -> Path:
    """Give the Python of the environment with these requirements, made if it is not there.

    Several scripts at once make one environment together: the others wait. Files that the requirements name are
    not looked into: change the requirements when they change.

    Raises:
        ConfigError: pip could not install them; the text is what it said.
        OSError: The home cannot be written.
    """
    key = hashlib.sha256("\0".join((sys.version, pip_version or "", requirements)).encode()).hexdigest()[:16]
    folder = home.environments / key
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _READY).exists():
            _make(folder, requirements, pip_version)
    return _python(folder)


def _make(folder: Path, requirements: str, pip_version: str | None) -> None:
    # With pip of its own only where it must: unpacking one takes seconds.
    has_pip = pip_version is not None or importlib.util.find_spec("pip") is None
    venv.EnvBuilder(clear=False, symlinks=True, with_pip=has_pip).create(folder / "venv")
    python = str(_python(folder))
    if pip_version is not None:
        _install([python, "-m", "pip"], f"pip=={pip_version}")
    listed = folder / "wanted.txt"
    listed.write_text(requirements, encoding="utf-8")
    pip = [python, "-m", "pip"] if has_pip else [sys.executable, "-m", "pip", "--python", python]
    _install(pip, "--requirement", str(listed))
    listed.replace(folder / _READY)


def _install(pip: Sequence[str], *what: str) -> None:
    options = ("--disable-pip-version-check", "--no-input", "--quiet")
    done = subprocess.run(  # noqa: S603 - pip, with what the user asked for
        [*pip, "install", *options, *what],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
        check=False,
    )
    if done.returncode != 0:
        raise ConfigError(f"pip could not install the environment's requirements:\n{done.stdout[-_MOST_SAID:].strip()}")


def _python(folder: Path) -> Path:
    return folder / "venv" / "bin" / "python"
