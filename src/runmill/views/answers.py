"""Values to JSON: dataclasses by their field names, and the floats JSON has no word for as strings."""

import base64
import dataclasses
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson
from starlette.responses import Response

__all__ = ["JsonResponse", "encode", "plain"]

_FLOAT_CARRIERS: Final = ("float", "Any", "Mapping", "Sequence", "tuple", "Attribute", "Bucket", "LogRecord")


def encode(value: object) -> bytes:
    """Give *value* as JSON; NaN and infinities are ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``, bytes are base64."""
    return orjson.dumps(plain(value), default=_other, option=orjson.OPT_NON_STR_KEYS)


def plain(value: Any) -> Any:
    """Give *value* with its non-finite floats as strings; what has none comes back as it is, uncopied."""
    if isinstance(value, float):
        return value if math.isfinite(value) else _non_finite(value)
    if value is None or isinstance(value, (str, int, bytes)):
        return value
    if dataclasses.is_dataclass(value):
        return _plain_dataclass(value)
    if isinstance(value, Mapping):
        items = {key: plain(item) for key, item in value.items()}
        return value if isinstance(value, dict) and _same(items.values(), value.values()) else items
    return _plain_items(value) if isinstance(value, Iterable) else value


def _plain_items(values: Iterable[Any]) -> Any:
    if isinstance(values, list) and _is_finite(values):
        return values
    parts = [plain(item) for item in values]
    return values if isinstance(values, (list, tuple)) and _same(parts, values) else parts


def _is_finite(values: list[Any]) -> bool:
    """Say whether all are finite numbers: a sum with one that is not is none either, and costs no look at each."""
    try:
        return math.isfinite(sum(values))
    except (TypeError, OverflowError):
        return False


def _same(after: Iterable[Any], before: Iterable[Any]) -> bool:
    return all(new is old for new, old in zip(after, before, strict=True))


def _plain_dataclass(value: Any) -> Any:
    # orjson writes a dataclass faster than we can turn it into a dict: leave it alone unless a field must change.
    changed = {}
    for name in _carriers(type(value)):  # type: ignore[arg-type]  # a class is hashable
        before = getattr(value, name)
        if before and (after := plain(before)) is not before:
            changed[name] = after
    if not changed:
        return value
    return {field.name: changed.get(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)}


@lru_cache(maxsize=64)
def _carriers(kind: Any) -> tuple[str, ...]:
    """Name the fields whose declared type can hold a float, directly or inside."""
    fields = dataclasses.fields(kind)
    return tuple(field.name for field in fields if any(word in str(field.type) for word in _FLOAT_CARRIERS))


def _non_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _other(value: object) -> object:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} {value!r} has no JSON form")


class JsonResponse(Response):
    """A JSON answer under the rules of `encode`; never cached, because a run goes on."""

    media_type = "application/json"

    def __init__(self, content: object, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(content, status_code, {"Cache-Control": "no-store", **(headers or {})})

    def render(self, content: object) -> bytes:
        """Write the body."""
        return encode(content)
