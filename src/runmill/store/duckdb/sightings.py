"""Which runs there is anything of: when, and from what resource. So a run exists as soon as one row of it does."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import duckdb

from runmill.model import Attributes, RunId
from runmill.store.catalogue import Catalogue
from runmill.store.fold import Origin
from runmill.store.values import decode_attributes

__all__ = ["Sighting", "note", "read", "read_resource"]


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
        select run_id, resource_id, time_unix_nano, time_unix_nano, ingest_seq from events
        union all
        select run_id, '', time_unix_nano, time_unix_nano, ingest_seq from artifacts)
    select run_id, resource_id, min(first_time), max(last_time) from seen
    group by run_id, resource_id order by min(first_seq)"""

FindResource = Callable[[str], Attributes]


def note(catalogue: Catalogue, sightings: Iterable[Sighting], find_resource: FindResource) -> None:
    """Tell *catalogue*; resources are looked up for runs of which it does not know everything yet."""
    for run_id, resource_id, first, last in sightings:
        attributes = {} if catalogue.knows_origin(run_id) else find_resource(resource_id)
        parent_id = _text(attributes, _PARENT_ID)
        origin = Origin(
            first_seen_unix_nano=first,
            last_seen_unix_nano=last,
            experiment=_text(attributes, _EXPERIMENT),
            parent_id=RunId(parent_id) if parent_id else None,
            host=_text(attributes, _HOST),
            service=_text(attributes, _SERVICE),
        )
        catalogue.saw(run_id, origin)


def read(connection: duckdb.DuckDBPyConnection) -> list[Sighting]:
    """Give all sightings of what is stored, in the order of commits."""
    return [Sighting(*row) for row in connection.execute(_READ).fetchall()]


def read_resource(connection: duckdb.DuckDBPyConnection, resource_id: str) -> Attributes | None:
    """Give a resource's attributes, None when it is not stored."""
    rows = connection.execute(
        "select attributes from resources where resource_id = ? limit 1", [resource_id]
    ).fetchall()
    return decode_attributes(rows[0][0]) if rows else None


def _text(attributes: Attributes, key: str) -> str:
    value = attributes.get(key)
    return value if isinstance(value, str) else ""
