"""What a value in the YAML may look like: durations, sizes and addresses in the OpenTelemetry Collector's notation."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema, model_validator

__all__ = [
    "DURATION_SCHEMA",
    "Duration",
    "Endpoint",
    "Section",
    "Size",
    "UrlPath",
    "is_loopback",
    "section_of",
    "split_endpoint",
]

_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d)")

_BYTES: Final = {
    "": 1, "b": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE)

_LAST_PORT: Final = 65535


class Section(BaseModel):
    """One mapping of the YAML: unknown keys are mistakes, and a key without a value means its default."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    not_here: ClassVar[Mapping[str, str]] = {}
    """Keys that the OpenTelemetry Collector has in this place, and why they are refused; ends in what to do."""

    @model_validator(mode="before")
    @classmethod
    def _fill_empty(cls, found: object) -> object:
        if found is None:
            return {}
        if not isinstance(found, Mapping):
            return found
        # `http:` with nothing behind it turns the protocol on with its defaults; a scalar left empty is not given.
        sections = {key for key in found if key in cls.model_fields and section_of(cls, key)}
        return {k: {} if v is None else v for k, v in found.items() if v is not None or k in sections}


def section_of(owner: type[Section], key: str) -> type[Section] | None:
    """Give the section that *key* of *owner* holds, or None where it holds a plain value."""
    annotation = owner.model_fields[key].annotation
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
    return None


def _parse_duration(value: object) -> object:
    if value in (0, "0") and not isinstance(value, bool):
        return 0.0
    parts = _DURATION.findall(value) if isinstance(value, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise ValueError(f"{value!r} is not a duration. Write a number with its unit, such as 200ms, 10s or 1m30s")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _parse_size(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2].lower() not in _BYTES:
        raise ValueError(f"{value!r} is not a size. Write bytes as a number, or with a unit such as 20MiB or 1MB")
    return int(float(match[1]) * _BYTES[match[2].lower()])


def _check_endpoint(value: str) -> str:
    host, colon, port = value.rpartition(":")
    is_bare_ipv6 = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not colon or not port.isascii() or not port.isdigit() or int(port) > _LAST_PORT or is_bare_ipv6:
        raise ValueError(f"{value!r} is not HOST:PORT. Write for example localhost:4318, 0.0.0.0:4318 or [::1]:4318")
    return value


def _check_path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f"{value!r} is not a path. Begin it with '/'")
    return value


DURATION_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [{"const": 0}, {"type": "string", "pattern": rf"^(({_DURATION.pattern})+|0)$"}]
}
"""How a Duration is written, for editors."""
SIZE_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": rf"^{_SIZE.pattern.replace('a-z', 'A-Za-z')}$"},
    ]
}

Duration = Annotated[
    float,
    BeforeValidator(_parse_duration),
    WithJsonSchema(DURATION_SCHEMA),
]
"""Seconds, written as in Go: ``200ms``, ``1m30s``, and days: ``90d``; a bare number is a mistake, except 0."""

Size = Annotated[
    int,
    BeforeValidator(_parse_size),
    WithJsonSchema(SIZE_SCHEMA),
]
"""Bytes, written as a number or with a unit: ``1MiB`` is 1,048,576, ``1MB`` is 1,000,000."""

Endpoint = Annotated[str, AfterValidator(_check_endpoint)]
"""``HOST:PORT``; port 0 takes a free one, no host means every interface."""


UrlPath = Annotated[str, AfterValidator(_check_path)]
"""The path of an address, from its first slash on."""


def split_endpoint(endpoint: str) -> tuple[str, int]:
    """Give host and port of an Endpoint; an IPv6 address comes without its brackets."""
    host, _, port = endpoint.rpartition(":")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Say whether a host reaches this machine only; names other than ``localhost`` and below it do not."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
