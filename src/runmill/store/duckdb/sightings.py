"""Which runs there is anything of: when, and from what resource. So a run exists as soon as one row of it does."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import duckdb

from runmill.model import Attributes, RunId
from runmill.store.catalogue import Catalogue
from runmill.store.duckdb.texts import among, listed
from runmill.store.fold import Origin
from runmill.store.values import decode_attributes

__all__ = ["Sighting", "Sightings", "read", "read_resource", "stored_resources"]


class Sighting(NamedTuple):
    """Rows of one run from one resource; a file's facts name none: ``''``."""

    run_id: RunId
    resource_id: str
    first_time_unix_nano: int
    last_time_unix_nano: int


# Resource attributes, as `docs/conventions.md` and OTel's semantic conventions have them.
_EXPERIMENT: Final = "run.experiment"
_PARENT_ID: Final = "run.parent_id"
_HOST: Final = "host.name"
_SERVICE: Final = "service.name"

_READ: Final = """
    with seen as (
        select run_id, resource_id, first_time_unix_nano as first_time, last_time_unix_nano as last_time, first_seq
        from log_summaries where run_id is not null
        union all
        select run_id, resource_id, first_time_unix_nano, last_time_unix_nano, first_seq
        from point_summaries where run_id is not null
        union all
        select run_id, resource_id, time_unix_nano, time_unix_nano, ingest_seq from events where run_id is not null
        union all
        select run_id, '', time_unix_nano, time_unix_nano, ingest_seq from artifacts)
    select run_id, resource_id, min(first_time), max(last_time) from seen
    group by run_id, resource_id order by min(first_seq)"""


class Sightings:
    """Passes on to *catalogue* what was seen; the resource of a run is looked up when it is seen first."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: set[tuple[RunId, str]] = set()

    def note(self, connection: duckdb.DuckDBPyConnection, seen: Iterable[Sighting]) -> None:
        """Take note of committed rows, their resources among them."""
        joined = _joined(seen)
        new = joined.keys() - self._known
        resources = _read_resources(connection, {resource_id for _, resource_id in new})
        for key, sighting in joined.items():
            attributes = decode_attributes(resources.get(sighting.resource_id, "{}")) if key in new else {}
            self._catalogue.saw(sighting.run_id, _origin(sighting, attributes))
        self._known |= new


def read(connection: duckdb.DuckDBPyConnection) -> list[Sighting]:
    """Give all sightings of what is stored, in the order of commits."""
    return [Sighting(*row) for row in connection.execute(_READ).fetchall()]


def read_resource(connection: duckdb.DuckDBPyConnection, resource_id: str) -> Attributes | None:
    """Give a resource's attributes, None when it is not stored."""
    found = _read_resources(connection, {resource_id})
    return decode_attributes(found[resource_id]) if found else None


def stored_resources(connection: duckdb.DuckDBPyConnection, resource_ids: Iterable[str]) -> set[str]:
    """Give those of the ids that are stored."""
    chosen = f"select distinct resource_id from resources where resource_id {among('$ids')}"  # noqa: S608 - our own text
    return {resource_id for (resource_id,) in connection.execute(chosen, {"ids": listed(resource_ids)}).fetchall()}


def _read_resources(connection: duckdb.DuckDBPyConnection, resource_ids: set[str]) -> dict[str, str]:
    if not resource_ids:
        return {}
    chosen = f"select resource_id, attributes from resources where resource_id {among('$ids')}"  # noqa: S608 - our own text
    return dict(connection.execute(chosen, {"ids": listed(resource_ids)}).fetchall())


def _joined(seen: Iterable[Sighting]) -> dict[tuple[RunId, str], Sighting]:
    joined: dict[tuple[RunId, str], Sighting] = {}
    for each in seen:
        key = (each.run_id, each.resource_id)
        known = joined.get(key, each)
        first = min(known.first_time_unix_nano, each.first_time_unix_nano)
        joined[key] = Sighting(*key, first, max(known.last_time_unix_nano, each.last_time_unix_nano))
    return joined


def _origin(sighting: Sighting, attributes: Attributes) -> Origin:
    parent_id = _text(attributes, _PARENT_ID)
    return Origin(
        first_seen_unix_nano=sighting.first_time_unix_nano,
        last_seen_unix_nano=sighting.last_time_unix_nano,
        experiment=_text(attributes, _EXPERIMENT),
        parent_id=RunId(parent_id) if parent_id else None,
        host=_text(attributes, _HOST),
        service=_text(attributes, _SERVICE),
    )


def _text(attributes: Attributes, key: str) -> str:
    value = attributes.get(key)
    return value if isinstance(value, str) else ""
