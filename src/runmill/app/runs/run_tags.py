"""The part of a Run that names and labels it: tags (may change), properties (only ever added), names."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from runmill.app.runs.run_part import RunPart
from runmill.errors import Conflict, InvalidArgument

__all__ = ["TagCalls", "tag_texts"]


class TagCalls(RunPart):
    """Changes are written at once; the properties without ``get_`` are as last known here."""

    @property
    def tags(self) -> Mapping[str, str | None]:
        """Tags as last known here; ``get_tags`` asks the store."""
        return MappingProxyType(dict(self._state.tags))

    def get_tags(self) -> dict[str, str | None]:
        """Read the tags. Raises Unavailable."""
        return dict(self._refresh().tags)

    def tag(self, key: str, value: object = None) -> None:
        """Set one tag; anything but text becomes ``str(value)``, None is a tag without a value."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Set several tags at once; others stay. Raises InvalidArgument for a key that is not text."""
        texts = tag_texts(tags, "run.set_tags")
        if texts:
            self._update({"tags": texts}, tags={**self._state.tags, **texts})

    def remove_tags(self, tags: Iterable[str]) -> None:
        """Take tags away by key; keys that are not there are left aside."""
        keys = [tags] if isinstance(tags, str) else list(tags)
        left = {key: value for key, value in self._state.tags.items() if key not in keys}
        if keys:
            self._update({"removed_tags": keys}, tags=left)

    @property
    def properties(self) -> Mapping[str, str]:
        """Properties as last known here; ``get_properties`` asks the store."""
        return MappingProxyType(dict(self._state.properties))

    def get_properties(self) -> dict[str, str]:
        """Read the properties. Raises Unavailable."""
        return dict(self._refresh().properties)

    def add_properties(self, properties: Mapping[str, object]) -> None:
        """Add facts that never change.

        Raises Conflict when one is there already with another value, and adds none then.
        """
        texts = {_key(key, "run.add_properties"): str(value) for key, value in properties.items()}
        for key, value in texts.items():
            known = self._state.properties.get(key, value)
            if known != value:
                raise Conflict(
                    f"run.add_properties: {key!r} is {known!r} and cannot become {value!r}: properties never change. "
                    "Use a tag for what may."
                )
        if texts:
            self._update({"properties": texts}, properties={**self._state.properties, **texts})

    @property
    def display_name(self) -> str:
        """What the run is called on its page."""
        return self._state.display_name

    @display_name.setter
    def display_name(self, text: str) -> None:
        self._update({"display_name": str(text)}, display_name=str(text))

    @property
    def description(self) -> str:
        """What the run is about, in a few words."""
        return self._state.description

    @description.setter
    def description(self, text: str) -> None:
        self._update({"description": str(text)}, description=str(text))


def tag_texts(tags: Mapping[str, object], where: str) -> dict[str, str | None]:
    """Give tags as they are kept. Raises InvalidArgument for a key that is not text."""
    return {_key(key, where): None if value is None else str(value) for key, value in tags.items()}


def _key(key: object, where: str) -> str:
    if isinstance(key, str) and key:
        return str.__str__(key)
    raise InvalidArgument(f"{where}: a key must be text that is not empty, got {key!r}.")
