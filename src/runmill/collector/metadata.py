"""What a request says beside its data, as headers of HTTP or metadata of gRPC: kept only where something uses it.

Source: OpenTelemetry Collector, client.Metadata; processor/batchprocessor, metadata_keys.
"""

from collections.abc import Collection, Mapping
from typing import Annotated

from pydantic import AfterValidator

from runmill.collector.component import Metadata

__all__ = ["MetadataKeys", "read_metadata", "restricted"]


def _check_keys(names: list[str]) -> list[str]:
    lowered = [name.lower() for name in names]
    for name in lowered:
        if not name or lowered.count(name) > 1:
            raise ValueError(f"{name!r} is empty or named twice (case does not matter). Name each header once")
    return lowered


MetadataKeys = Annotated[list[str], AfterValidator(_check_keys)]
"""Names of headers, in lower case."""


def read_metadata(headers: Mapping[str, str], names: Collection[str]) -> Metadata:
    """Give those of *headers* (names in lower case) that *names* has; what a request lacks is not there."""
    return frozenset((name, headers[name]) for name in names if name in headers)


def restricted(metadata: Metadata, names: Collection[str]) -> Metadata:
    """Give what *metadata* has under *names*."""
    return frozenset(pair for pair in metadata if pair[0] in names)
