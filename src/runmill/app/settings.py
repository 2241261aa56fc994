"""What the app side is told: keyword argument, else RUNMILL_*, else OTEL_*, else default. Read once, then a value."""

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from urllib.parse import unquote

from runmill import home as homes
from runmill.app.limits import RecordLimits
from runmill.errors import ConfigError
from runmill.home import Home

__all__ = ["Settings", "resolve", "switch"]

_MILLISECONDS_FROM = 1000.0
"""OTEL_EXPORTER_OTLP_TIMEOUT is milliseconds in the specification, seconds in its Python SDK: from 1000 the former."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process delivers; equal settings share one journal and one delivery thread."""

    home: Home
    endpoint: str | None = None
    """Base address of an OTLP/HTTP receiver; None: the home's server, else what listens on localhost:4318."""
    logs_endpoint: str | None = None
    """Whole address for logs, used as it is; None: `endpoint` + ``/v1/logs``."""
    metrics_endpoint: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    protocol: str = "http/protobuf"
    """``http/protobuf`` or, with the ``grpc`` extra, ``grpc``."""
    compression: str = "none"
    """``none`` or ``gzip``."""
    timeout_seconds: float = 10.0
    certificate: str | None = None
    """A file of certificates to trust, in place of the system's."""
    client_certificate: str | None = None
    """A file with the certificate that this process shows a receiver that asks for one."""
    client_key: str | None = None
    """The file of its key; None: it is in the same file."""
    service_name: str | None = None
    exit_seconds: float = 1.8
    """How long the end of the program may wait for delivery; the rest stays in the journal."""
    journal_bytes: int = 256 << 20
    is_scrubbing: bool = False
    """Blank secrets in log records before they are sent."""
    system_metrics_seconds: float = 10.0
    """Between two looks at the machine while a run is active; 0: none are taken."""
    is_disabled: bool = False
    """OTEL_SDK_DISABLED: nothing is journaled or sent."""
    record_limits: RecordLimits = field(default_factory=RecordLimits)


def resolve(
    *,
    home: str | os.PathLike[str] | None = None,
    endpoint: str | None = None,
    headers: dict[str, str] | None = None,
    service_name: str | None = None,
    scrub: bool | None = None,
) -> Settings:
    """Put the settings together. Raises ConfigError for a variable whose value cannot be used."""
    return Settings(
        home=homes.find(home),
        endpoint=_address("endpoint", endpoint or _first("RUNMILL_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")),
        logs_endpoint=None if endpoint else _address("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"),
        metrics_endpoint=None if endpoint else _address("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"),
        headers=tuple(headers.items()) if headers is not None else _pairs("OTEL_EXPORTER_OTLP_HEADERS"),
        protocol=_protocol(),
        compression=_choice("OTEL_EXPORTER_OTLP_COMPRESSION", "none", "gzip"),
        timeout_seconds=_timeout_seconds(),
        certificate=_pem("OTEL_EXPORTER_OTLP_CERTIFICATE"),
        client_certificate=_pem("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
        client_key=_pem("OTEL_EXPORTER_OTLP_CLIENT_KEY"),
        service_name=service_name or _first("RUNMILL_SERVICE_NAME"),
        exit_seconds=_number("RUNMILL_EXIT_SECONDS", 1.8),
        journal_bytes=int(_number("RUNMILL_JOURNAL_BYTES", 256 << 20)),
        is_scrubbing=switch("RUNMILL_SCRUB", default=False) if scrub is None else scrub,
        system_metrics_seconds=_number("RUNMILL_SYSTEM_METRICS", 10.0),
        is_disabled=os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true",
        record_limits=RecordLimits(
            attribute_count=_limit("ATTRIBUTE_COUNT_LIMIT", default=128) or 0,
            value_length=_limit("ATTRIBUTE_VALUE_LENGTH_LIMIT", default=None),
        ),
    )


def _first(*names: str) -> str | None:
    return next((value for name in names if (value := os.environ.get(name, "").strip())), None)


def _address(name: str, value: str | None = None) -> str | None:
    value = value or _first(name)
    if value is None:
        return None
    if not value.startswith(("http://", "https://")):
        raise ConfigError(f"{name}: {value!r} is not the address of an OTLP/HTTP receiver. Write http://HOST:PORT.")
    return value.rstrip("/") if name == "endpoint" else value


def _number(name: str, default: float) -> float:
    value = _first(name)
    if value is None:
        return default
    try:
        number = float(value)
    except ValueError:
        raise ConfigError(f"{name}: {value!r} is not a number. Set one, or unset it for {default:g}.") from None
    if not isfinite(number):
        raise ConfigError(f"{name}: {value!r} is not a finite number. Set one, or unset it for {default:g}.")
    if number < 0:
        raise ConfigError(f"{name}: {value!r} is negative. Set a number from 0, or unset it for {default:g}.")
    return number


def switch(name: str, *, default: bool) -> bool:
    """Read a variable that is on or off. Raises ConfigError."""
    value = (_first(name) or str(default)).lower()
    if value not in ("1", "true", "0", "false"):
        raise ConfigError(f"{name}: {value!r} is neither on nor off. Set '1' or '0', or unset it.")
    return value in ("1", "true")


def _limit(name: str, *, default: int | None) -> int | None:
    """Read a limit on log records: its own variable, else the one for every signal."""
    for variable in (f"OTEL_LOGRECORD_{name}", f"OTEL_{name}"):
        if _first(variable) is not None:
            return int(_number(variable, 0))
    return default


def _timeout_seconds() -> float:
    number = _number("OTEL_EXPORTER_OTLP_TIMEOUT", 10.0)
    return number / 1000 if number >= _MILLISECONDS_FROM else number


def _choice(name: str, *known: str) -> str:
    """Read one of the values *known*, the first of which is the default."""
    value = _first(name) or known[0]
    if value not in known:
        raise ConfigError(f"{name}: {value!r} is not known. Set one of {', '.join(map(repr, known))}, or unset it.")
    return value


def _protocol() -> str:
    value = _choice("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "grpc")
    if value == "grpc" and find_spec("grpc") is None:
        raise ConfigError(
            "OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' needs the 'grpc' extra. Run pip install 'runmill[grpc]', or set "
            "'http/protobuf'."
        )
    return value


def _pem(name: str) -> str | None:
    value = _first(name)
    if value is not None and not Path(value).is_file():
        raise ConfigError(f"{name}: there is no file {value!r}. Name a PEM file, or unset it.")
    return value


def _pairs(name: str) -> tuple[tuple[str, str], ...]:
    """Read ``key=value,key=value`` with URL-encoded values. Source: OTLP exporter specification, Headers."""
    pairs = []
    for part in filter(None, (part.strip() for part in (_first(name) or "").split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"{name}: {part!r} is not KEY=VALUE. Write KEY=VALUE, several with commas between.")
        pairs.append((key.strip(), unquote(value.strip())))
    return tuple(pairs)
