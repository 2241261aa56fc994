"""Where records come from: a resource's and a scope's bytes to the few columns they fill, decoded once."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from google.protobuf.message import DecodeError

from runmill.model import Attributes, AttributeValue
from runmill.otlp import runs
from runmill.otlp.recent import Recent
from runmill.otlp.schema import InstrumentationScope, Resource
from runmill.otlp.values import UNDECODABLE, decode_attributes, dumps_object

__all__ = ["Origin", "origins", "scope_names"]

_INT32_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Origin:
    """What a resource says of every record under it."""

    resource_id: str
    """A hash of the attributes: the same resource has the same id whoever sent it, and in any order of its keys."""
    attributes: bytes
    """A JSON object."""
    run_id: str | None
    service: str
    """Empty when the sender has not named itself."""
    rank: int | None


def _origin(raw: bytes) -> Origin:
    attributes = _with_addresses(_attributes(raw))
    text = dumps_object({key: attributes[key] for key in sorted(attributes)})
    service = attributes.get("service.name")
    return Origin(
        resource_id=blake2b(text, digest_size=16).hexdigest(),
        attributes=text,
        run_id=_text_or_none(attributes.get(runs.RUN_ID)),
        service=service if isinstance(service, str) else "",
        rank=_rank(attributes.get(runs.RANK)),
    )


def _attributes(raw: bytes) -> Attributes:
    try:
        return decode_attributes(Resource.FromString(raw).attributes)
    except DecodeError:
        return {UNDECODABLE: raw}


def _with_addresses(attributes: Attributes) -> Attributes:
    """Give the attributes with run ids that can stand in an address: pages and the API name runs by them."""
    ids = {key: attributes.get(key) for key in (runs.RUN_ID, runs.PARENT_ID)}
    return {**attributes, **{key: runs.as_run_id(value) for key, value in ids.items() if isinstance(value, str)}}


def _text_or_none(value: AttributeValue) -> str | None:
    return value if isinstance(value, str) and value else None


def _rank(value: AttributeValue) -> int | None:
    # OTEL_RESOURCE_ATTRIBUTES knows only text, and torchrun's RANK is set there by hand.
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:10])
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _INT32_MAX else None


def _scope_name(raw: bytes) -> str:
    try:
        return str(InstrumentationScope.FromString(raw).name, "utf-8", "replace")
    except DecodeError:
        return ""


origins: Final = Recent(_origin, capacity=2048)
"""By a resource's bytes."""

scope_names: Final = Recent(_scope_name, capacity=2048)
"""By a scope's bytes."""
