"""The attributes of many records at once: each distinct one is read once, the rest is a matter of numbers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from runmill.otlp import arrays
from runmill.otlp.pairs import Pairs, read_pairs

__all__ = ["Attributes", "read_attributes"]

_Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Attributes:
    """Which record has which attributes; each record has a key once."""

    record_count: int
    record_of: _Numbers
    """The record of each attribute, ascending."""
    pair_of: _Numbers
    """Which one of `pairs` each attribute is."""
    pairs: Pairs

    def named(self, key: str) -> _Numbers:
        """Give the places of the attributes of that key."""
        number = self.pairs.keys.get(key)
        if number is None:
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(self.pairs.key_of[self.pair_of] == number)

    def having(self, values: pa.Array, places: _Numbers) -> _Numbers:
        """Give those of *places* whose attribute has one of the pairs' *values*."""
        return places[arrays.is_there(values)[self.pair_of[places]]]

    def column(self, places: _Numbers, values: pa.Array) -> pa.Array:
        """Give, for each record, that one of the pairs' *values* that an attribute at *places* has; null elsewhere."""
        pair_of_record = np.full(self.record_count, -1)
        pair_of_record[self.record_of[places]] = self.pair_of[places]
        return values.take(pa.array(pair_of_record, mask=pair_of_record < 0))

    def objects(self, *, without: _Numbers | None = None) -> pa.StringArray:
        """Give each record's attributes as a JSON object, leaving out those at the places *without*."""
        left = np.ones(len(self.pair_of), dtype=bool)
        left[without if without is not None else []] = False
        offsets = np.zeros(self.record_count + 1, dtype=np.int32)
        np.cumsum(np.bincount(self.record_of[left], minlength=self.record_count), out=offsets[1:])
        members = self.pairs.members.take(pa.array(self.pair_of[left]))
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), members), ",")
        return pc.binary_join_element_wise("{", joined, "}", "")


def read_attributes(lists: pa.ListArray) -> Attributes:
    """Read each record's list of KeyValues in bytes. Of a key that is there twice the last value counts."""
    encoded = lists.flatten().dictionary_encode()
    record_of = np.repeat(np.arange(len(lists)), lists.value_lengths().to_numpy())
    pair_of = encoded.indices.to_numpy().astype(np.int64)
    pairs = read_pairs(encoded.dictionary)
    return Attributes(len(lists), *_each_key_once(record_of, pair_of, pairs), pairs)


def _each_key_once(record_of: _Numbers, pair_of: _Numbers, pairs: Pairs) -> tuple[_Numbers, _Numbers]:
    """Put the last value of a key where its first was, as a dict does."""
    keys = record_of * len(pairs.keys) + pairs.key_of[pair_of]
    if np.diff(np.sort(keys)).all():  # nearly always
        return record_of, pair_of
    order = np.argsort(keys, kind="stable")
    is_new = np.diff(keys[order], prepend=-1, append=-1) != 0
    firsts, lasts = order[is_new[:-1]], order[is_new[1:]]
    pair_of[firsts] = pair_of[lasts]
    firsts.sort()
    return record_of[firsts], pair_of[firsts]
