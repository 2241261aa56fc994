"""Which code a run ran: facts of the git repository around the current folder, as properties."""

import os
import subprocess
from pathlib import Path
from typing import Final

__all__ = ["git_properties"]

_SECONDS: Final = 2.0
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


def _is_in_repository(folder: Path) -> bool:
    # Looked for here first: most folders are in none, and starting git costs milliseconds.
    return any((each / ".git").exists() for each in (folder, *folder.parents))


def _ask(folder: "str | os.PathLike[str]", name: str, question: tuple[str, ...]) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 - fixed arguments
            ("git", *question),  # noqa: S607 - the git that the user has
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # no git here, or a file system too slow to ask: a run starts without these facts
    said = answer.stdout.strip() if answer.returncode == 0 else ""
    return str(bool(said)) if said and name == "azureml.git.dirty" else said
