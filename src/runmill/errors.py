"""Every exception runmill raises, chosen by what the catcher does next.

```text
RunmillError
├── ConfigError       fix the file or the setting that the message names
├── InvalidArgument   fix the call (also a ValueError)
├── WireError         the bytes are not OTLP
├── Refused           the data is fine: send it again later
├── Rejected          never send this again
├── NotFound          no such run, metric, file, ...
├── Conflict          something else holds or has already defined it
├── Unavailable       the run store cannot be reached now
└── RunFailed         a run that was waited for ended as Failed
```
"""

__all__ = [
    "ConfigError",
    "Conflict",
    "InvalidArgument",
    "NotFound",
    "Refused",
    "Rejected",
    "RunFailed",
    "RunmillError",
    "Unavailable",
    "WireError",
]


class RunmillError(Exception):
    """What all of runmill's exceptions are."""


class ConfigError(RunmillError):
    """A configuration is wrong; the text holds every mistake, one a line, each with its path."""


class InvalidArgument(RunmillError, ValueError):
    """A call's argument cannot be taken; nothing was stored."""


class WireError(RunmillError):
    """Bytes that are not what the protocol says."""


class Refused(RunmillError):
    """The receiver cannot take the data now; the same data may be sent again after a while."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Rejected(RunmillError):
    """The receiver will never take this data: sending it again cannot help."""


class NotFound(RunmillError):
    """What was asked for by name does not exist."""


class Conflict(RunmillError):
    """The name or the resource is taken by something else."""


class Unavailable(RunmillError):
    """No run store answers: nothing is lost, but nothing can be read now."""


class RunFailed(RunmillError):
    """The run that was waited for failed."""
