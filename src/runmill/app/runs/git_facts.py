"""Which code a run ran: facts of the git repository around the current folder, as properties."""

import os
import subprocess
from pathlib import Path
from typing import Final

__all__ = ["git_properties", "uncommitted_changes"]

_SECONDS: Final = 2.0
_MOST_CHANGES_BYTES: Final = 10 << 20
_FACTS: Final = {
    "azureml.git.repository_uri": ("AZUREML_GIT_REPOSITORY_URI", ("config", "--get", "remote.origin.url")),
    "azureml.git.branch": ("AZUREML_GIT_BRANCH", ("symbolic-ref", "--short", "-q", "HEAD")),
    "azureml.git.commit": ("AZUREML_GIT_COMMIT", ("rev-parse", "-q", "--verify", "HEAD")),
    "azureml.git.dirty": ("AZUREML_GIT_DIRTY", ("status", "--porcelain", "-uno")),
}
# What MLflow calls the same facts; programs look for either.
_TWINS: Final = {
    "azureml.git.repository_uri": "mlflow.source.git.repoURL",
    "azureml.git.branch": "mlflow.source.git.branch",
    "azureml.git.commit": "mlflow.source.git.commit",
}
_BUILD: Final = {"azureml.git.build_id": "AZUREML_GIT_BUILD_ID", "azureml.git.build_uri": "AZUREML_GIT_BUILD_URI"}


def git_properties(folder: "str | os.PathLike[str]") -> dict[str, str]:
    """Give the facts of the repository around *folder*; none where there is no git or no repository.

    ``AZUREML_GIT_*`` variables override what git says. ``azureml.git.dirty`` is there, as ``True``, only when
    tracked files have changes that are not committed.
    """
    facts = {name: os.environ.get(variable) or "" for name, (variable, _) in _FACTS.items()}
    if _is_in_repository(Path(folder).absolute()):
        facts = {name: facts[name] or _ask(folder, name, question) for name, (_, question) in _FACTS.items()}
    facts |= {name: os.environ.get(variable, "") for name, variable in _BUILD.items()}
    facts |= {twin: facts[name] for name, twin in _TWINS.items()}
    return {name: fact for name, fact in facts.items() if fact}


def uncommitted_changes(folder: "str | os.PathLike[str]") -> bytes:
    """Give the changes to tracked files as ``git apply`` takes them; nothing where all is committed, or too much."""
    if not _is_in_repository(Path(folder).absolute()):
        return b""
    said = _answer(folder, ("diff", "--binary", "HEAD"))
    return said if len(said) <= _MOST_CHANGES_BYTES else b""


def _is_in_repository(folder: Path) -> bool:
    # Looked for here first: most folders are in none, and starting git costs milliseconds.
    return any((each / ".git").exists() for each in (folder, *folder.parents))


def _ask(folder: "str | os.PathLike[str]", name: str, question: tuple[str, ...]) -> str:
    said = _answer(folder, question).decode(errors="replace").strip()
    return str(bool(said)) if said and name == "azureml.git.dirty" else said


def _answer(folder: "str | os.PathLike[str]", question: tuple[str, ...]) -> bytes:
    """Give what git prints; nothing where it is not there, or fails, or the file system is too slow to ask."""
    try:
        answer = subprocess.run(  # noqa: S603 - fixed arguments
            ("git", *question),  # noqa: S607 - the git that the user has
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return answer.stdout if answer.returncode == 0 else b""
