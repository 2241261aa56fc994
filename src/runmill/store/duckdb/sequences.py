"""Which batches are stored: a producer numbers its own, and one that comes again is told by its number."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, TypeAlias

import duckdb
import orjson

from runmill.store.duckdb.texts import among, listed
from runmill.store.interface import Delivery

__all__ = ["Sequences"]

_Identity: TypeAlias = tuple[str, int]

_BEFORE_ALL: Final = -(2**63)
_MOST_PRODUCERS: Final = 10_000

_HIGHEST: Final = f"""
    select producer_id, max(last_sequence) from deliveries where producer_id {among("$producers")}
    group by producer_id"""  # noqa: S608 - our own text
_OFFERED: Final = """
    select unnest(from_json($offered, '[{"producer_id": "VARCHAR", "sequence": "BIGINT"}]'), max_depth := 2)"""
_STORED: Final = f"""
    with offered as ({_OFFERED})
    select producer_id, sequence from offered where exists (from deliveries as stored
        where stored.producer_id = offered.producer_id
        and offered.sequence between stored.sequence and stored.last_sequence)"""  # noqa: S608
_STORE: Final = f"insert into deliveries select producer_id, sequence, sequence from ({_OFFERED})"  # noqa: S608


class Sequences:
    """Knows the highest number of each producer it met: what is above is new, and no table is asked.

    Right for as long as nobody else commits; `forget` when somebody did.
    """

    def __init__(self) -> None:
        self._highest: dict[str, int] = {}

    def forget(self) -> None:
        """Ask the table again."""
        self._highest.clear()

    def without_repeats(self, connection: duckdb.DuckDBPyConnection, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Leave out what is stored already, and what is twice in *deliveries*; note the others as stored.

        The caller has a transaction open. Where it fails nothing need be undone here: a number that is known and not
        stored is looked for in the table.
        """
        first_of: dict[_Identity, Delivery] = {}
        for delivery in deliveries:
            if (identity := _identity(delivery)) is not None:
                first_of.setdefault(identity, delivery)
        for stored in self._stored(connection, first_of):
            del first_of[stored]
        if first_of:
            connection.execute(_STORE, {"offered": _as_json(first_of)})
        fresh = {id(delivery) for delivery in first_of.values()}
        return [delivery for delivery in deliveries if _identity(delivery) is None or _take(fresh, delivery)]

    def _stored(self, connection: duckdb.DuckDBPyConnection, offered: Collection[_Identity]) -> list[_Identity]:
        self._meet(connection, {producer_id for producer_id, _ in offered})
        doubtful = [
            (producer_id, sequence) for producer_id, sequence in offered if sequence <= self._highest[producer_id]
        ]
        for producer_id, sequence in offered:
            self._highest[producer_id] = max(sequence, self._highest[producer_id])
        return connection.execute(_STORED, {"offered": _as_json(doubtful)}).fetchall() if doubtful else []

    def _meet(self, connection: duckdb.DuckDBPyConnection, producer_ids: set[str]) -> None:
        if len(self._highest) > _MOST_PRODUCERS:
            self._highest.clear()
        if new := producer_ids - self._highest.keys():
            stored = connection.execute(_HIGHEST, {"producers": listed(new)}).fetchall()
            self._highest |= dict.fromkeys(new, _BEFORE_ALL) | dict(stored)


def _identity(delivery: Delivery) -> _Identity | None:
    if delivery.producer_id is None or delivery.sequence is None:
        return None
    return delivery.producer_id, delivery.sequence


def _take(fresh: set[int], delivery: Delivery) -> bool:
    """Say whether it is a fresh one, the first time it is asked: one object may be there twice."""
    if id(delivery) not in fresh:
        return False
    fresh.remove(id(delivery))
    return True


def _as_json(identities: Iterable[_Identity]) -> str:
    return orjson.dumps(
        [{"producer_id": producer_id, "sequence": sequence} for producer_id, sequence in identities]
    ).decode()
