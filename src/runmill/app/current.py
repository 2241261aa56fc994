"""Which run a log record belongs to: asked on every log call, so answered by two look-ups."""

from contextvars import ContextVar, Token
from typing import Final

from runmill.app.identity import identity_from_environment
from runmill.journal.records import parse_run_key, run_key

__all__ = [
    "current_run_key",
    "enter",
    "leave",
    "process_wide_run_key",
    "run_ended",
    "run_key_in_context",
    "run_started",
]

_in_context: ContextVar[str | None] = ContextVar("runmill_current_run", default=None)


def _key_from_environment() -> str | None:
    identity = identity_from_environment()
    return run_key(identity) if identity else None


# Keys of the runs this process started and has not ended, in that order. A forked child keeps them: what a worker of
# a run logs belongs to the run.
_active: dict[str, None] = {}
_launched_as: str | None = _key_from_environment()
process_wide_run_key: str | None = _launched_as
"""Of the process's only active run, or None."""


run_key_in_context: Final = _in_context.get
"""Give the key of the run entered in this context, or None. Asked on each log call: one C call."""


def current_run_key() -> str | None:
    """Give the key of the run entered in this context, else of the process's only active run, else None.

    Child runs do not make their parent ambiguous: outside of ``with`` the parent is the current run.
    """
    return run_key_in_context() or process_wide_run_key


def enter(key: str) -> Token[str | None]:
    """Make a run the current one of this context until ``leave``."""
    return _in_context.set(key)


def leave(token: Token[str | None]) -> None:
    """Go back to the run that was current before ``enter``."""
    try:
        _in_context.reset(token)
    except ValueError:
        # Left in another context than entered: a generator closed elsewhere. That context has no run of its own.
        _in_context.set(None)


def run_started(key: str) -> None:
    """Count a run as active."""
    _active[key] = None
    _choose()


def run_ended(key: str) -> None:
    """Count it no longer; nothing happens when it was not."""
    _active.pop(key, None)
    _choose()


def _choose() -> None:
    global process_wide_run_key  # noqa: PLW0603 - one word of process state, read on each log call
    active = [(key, parse_run_key(key)) for key in tuple(_active)]
    ids = {identity.run_id for _, identity in active}
    roots = [key for key, identity in active if identity.parent_id not in ids]
    process_wide_run_key = roots[0] if len(roots) == 1 else None if roots else _launched_as
