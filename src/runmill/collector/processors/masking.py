"""What stands where a secret was: texts and values, masked by what matches in them."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from runmill.collector.processors.records import plain
from runmill.otlp.scrub import is_secret_name, scrub_text

__all__ = ["HashFunction", "Masks"]

HashFunction = Literal["none", "md5", "sha1", "sha3"]

_MASK: Final = "****"
_HASHES: Final[Mapping[HashFunction, Callable[[bytes], Any]]] = {
    "md5": hashlib.md5,
    "sha1": hashlib.sha1,
    "sha3": hashlib.sha3_256,
}
_SCALARS: Final = ("bool_value", "int_value", "double_value")


@dataclass(frozen=True, slots=True)
class Masks:
    """Changes values in place, and gives the names of the settings that did (none: nothing matched)."""

    blocked_keys: Sequence[re.Pattern[str]]
    blocked_values: Sequence[re.Pattern[str]]
    allowed_values: Sequence[re.Pattern[str]]
    hash_function: HashFunction
    with_secrets: bool
    with_all_types: bool

    def mask_pair(self, pair: Any) -> set[str]:
        """Mask the value of a KeyValue, whole if its key says so."""
        if any(pattern.search(pair.key) for pattern in self.blocked_keys):
            pair.value.string_value = self._mask(str(plain(pair.value)))
            return {"blocked_key_patterns"}
        if self.with_secrets and is_secret_name(pair.key) and pair.value.HasField("string_value"):
            pair.value.string_value = _MASK
            return {"secrets"}
        return self.mask_value(pair.value)

    def mask_value(self, value: Any) -> set[str]:
        """Mask what matches in the texts of an AnyValue."""
        kind = value.WhichOneof("value")
        if kind == "string_value" or (self.with_all_types and kind in _SCALARS):
            text = str(plain(value))
            masked, reasons = self._masked(text)
            if masked == text:
                return set()
            value.string_value = masked
            return reasons
        if kind == "array_value":
            return set[str]().union(*(self.mask_value(item) for item in value.array_value.values))
        if kind == "kvlist_value":
            return set[str]().union(*(self.mask_pair(pair) for pair in value.kvlist_value.values))
        return set()

    def _masked(self, text: str) -> tuple[str, set[str]]:
        if any(pattern.search(text) for pattern in self.allowed_values):
            return text, set()
        reasons = set[str]()
        for pattern in self.blocked_values:
            text, count = pattern.subn(lambda match: self._mask(match[0]), text)
            reasons |= {"blocked_values"} if count else set()
        scrubbed = scrub_text(text) if self.with_secrets else text
        return scrubbed, reasons | ({"secrets"} if scrubbed != text else set())

    def _mask(self, text: str) -> str:
        if self.hash_function == "none":
            return _MASK
        digest: str = _HASHES[self.hash_function](text.encode()).hexdigest()
        return digest
