"""Places in a record, as configurations name them: ``body``, ``body.user``, ``attributes["http.method"]``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runmill.collector.lines.entry import Entry

__all__ = ["MISSING", "Field", "parse_field"]

MISSING: Final = object()
"""What `Field.get` gives where there is nothing."""

_PART: Final = re.compile(r"""\.?([A-Za-z_][\w-]*)|\[(?:"([^"]*)"|'([^']*)')\]""")
_ROOTS: Final = ("body", "attributes", "resource")


@dataclass(frozen=True, slots=True)
class Field:
    """One place in a record; records are never changed, what changes is given anew."""

    root: str
    keys: tuple[str, ...]

    def get(self, entry: Entry) -> Any:
        """Give the value there, or MISSING."""
        value = self._root_of(entry)
        for key in self.keys:
            if not isinstance(value, Mapping) or key not in value:
                return MISSING
            value = value[key]
        return value

    def set(self, entry: Entry, value: Any) -> Entry:
        """Give the record with *value* there; what stands in the way makes way."""
        return self._with_root(entry, _with(self._root_of(entry), self.keys, value))

    def remove(self, entry: Entry) -> Entry:
        """Give the record without it; the same record where there is nothing."""
        if self.get(entry) is MISSING:
            return entry
        if not self.keys:
            return self._with_root(entry, "" if self.root == "body" else {})
        return self._with_root(entry, _without(self._root_of(entry), self.keys))

    def _root_of(self, entry: Entry) -> Any:
        if self.root == "body":
            return entry.body
        return entry.attributes if self.root == "attributes" else dict(entry.resource)

    def _with_root(self, entry: Entry, value: Any) -> Entry:
        if self.root == "body":
            return entry._replace(body=value)
        mapping = value if isinstance(value, Mapping) else {"value": value}
        if self.root == "attributes":
            return entry._replace(attributes=dict(mapping))
        return entry._replace(resource=tuple((key, str(text)) for key, text in mapping.items()))


def parse_field(text: str) -> Field:
    """Read a place. Raises ValueError with what to write instead."""
    keys, at = list[str](), 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            break
        keys.append(next(group for group in found.groups() if group is not None))
        at = found.end()
    if text[:1] == "." or at < len(text) or not keys or keys[0] not in _ROOTS:
        raise ValueError(
            f'{text!r} is no field. Write body, body.KEY, attributes.KEY, attributes["KEY"] or resource.KEY'
        )
    return Field(keys[0], tuple(keys[1:]))


def _with(value: Any, keys: tuple[str, ...], new: Any) -> Any:
    if not keys:
        return new
    below = dict(value) if isinstance(value, Mapping) else {}
    below[keys[0]] = _with(below.get(keys[0]), keys[1:], new)
    return below


def _without(value: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    below = dict(value)
    if len(keys) == 1:
        del below[keys[0]]
    else:
        below[keys[0]] = _without(below[keys[0]], keys[1:])
    return below
