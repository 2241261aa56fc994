"""Every exception runmill raises, chosen by what the catcher does next.

```text
RunmillError
├── UserError             what was asked for cannot be: the message says what to change
│   ├── ConfigError       fix the file or the setting that the message names
│   ├── InvalidArgument   fix the call (also a ValueError)
│   │   └── QueryMistake  fix the query at the column that the message names
│   ├── NotFound          no such run, metric, file, ...
│   └── Conflict          something else holds or has already defined it
├── WireError             the bytes are not OTLP
├── Refused               the data is fine: send it again later
├── Rejected              never send this again
├── Unavailable           the run store cannot be reached now
└── RunFailed             a run that was waited for ended as Failed
```
"""
# ruff: noqa: N818 - named by what happened, as the tree above reads

__all__ = [
    "ConfigError",
    "Conflict",
    "InvalidArgument",
    "NotFound",
    "QueryMistake",
    "Refused",
    "Rejected",
    "RunFailed",
    "RunmillError",
    "Unavailable",
    "UserError",
    "WireError",
]


class RunmillError(Exception):
    """What all of runmill's exceptions are."""

    @property
    def message(self) -> str:
        """The text, for code that reads it so."""
        return str(self)


class UserError(RunmillError):
    """What was asked for cannot be; nothing was changed."""


class ConfigError(UserError):
    """A configuration is wrong; the text holds every mistake, one a line, each with its path."""


class InvalidArgument(UserError, ValueError):
    """A call's argument cannot be taken; nothing was stored."""


class QueryMistake(InvalidArgument):
    """A query that a person wrote cannot be read."""

    def __init__(self, message: str, *, column: int) -> None:
        super().__init__(message)
        self.column = column
        """Where the mistake begins, counted from 1."""


class WireError(RunmillError):
    """Bytes that are not what the protocol says."""


class Refused(RunmillError):
    """The receiver cannot take the data now; the same data may be sent again after a while."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Rejected(RunmillError):
    """The receiver will never take this data: sending it again cannot help."""


class NotFound(UserError):
    """What was asked for by name does not exist."""


class Conflict(UserError):
    """The name or the resource is taken by something else."""


class Unavailable(RunmillError):
    """No run store answers: nothing is lost, but nothing can be read now."""


class RunFailed(RunmillError):
    """The run that was waited for failed."""
