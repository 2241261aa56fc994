"""Blanks secrets in log records before they leave the process: what is named as one, and what looks like one.

Done on the delivery thread. A pattern must be worth its mistakes: words that training runs are full of (``tokens=512``,
``secretary``, the hash of a commit) stay, so a bare ``token`` counts only with a long value that has a digit in it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from runmill.journal.records import LOG, Log, Record

__all__ = ["SCRUBBED", "is_secret_name", "scrub", "scrub_text"]

SCRUBBED: Final = "[scrubbed]"
"""What stands where a secret was."""

_NAMES: Final = (
    r"pass(?:word|wd|phrase)|secret|credentials?|(?:api|access|account|private|shared)[_-]?key|"
    r"(?:auth|access|refresh|session|id|api|bot)[_-]?token|client[_-]?secret|secret[_-]?key"
)
_VALUE: Final = r""""[^"\n]*"|'[^'\n]*'|[^\s,;&"'(){}\[\]<>]+"""

_SECRET_NAME: Final = re.compile(rf"(?:^|.*[._\-/ ]|.*(?:db|user))(?:{_NAMES}|authorization|(?:set-)?cookie)$")

# `password=...`, `"api_key": "..."`; the scheme of an Authorization header stays; `pwd=/home/me` is a folder.
_NAMED: Final = re.compile(
    rf"""((?:{_NAMES})["']?\s{{0,3}}[:=]\s{{0,3}})(?:{_VALUE})"""
    r"""|(authorization["']?\s{0,3}[:=]\s{0,3}["']?(?:(?:basic|bearer|digest|token)\s{1,3})?)[^\s"',;]+"""
    rf"""|(\bpwd=)(?![/~])(?:{_VALUE})"""
    r"""|(\btoken["']?\s{0,3}[:=]\s{0,3}["']?)(?=[\w.~+/\-]*\d)[\w.~+/\-]{16,}=*"""
    r"""|([?&;]sig=)[\w%+/=\-]{16,}""",
    re.IGNORECASE,
)
# The same without values, for texts in lower case: many times faster, and nearly always the end of it.
_NAME_HINT: Final = re.compile(rf"""(?:{_NAMES}|authorization|pwd|token|sig)["']?\s{{0,3}}[:=]""")

# What can be told by its form alone, wherever it stands.
_FORMS: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----|\Z)"
    r"|\beyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*"  # JSON web token
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # AWS
    r"|\bAIza[\w\-]{35}|\bya29\.[\w\-]{20,}|\bGOCSPX-[\w\-]{20,}"  # Google
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{22,}|\bglpat-[\w\-]{20,}"  # GitHub, GitLab
    r"|\bhf_[A-Za-z0-9]{30,}|\br8_[A-Za-z0-9]{30,}|\bnvapi-[\w\-]{20,}|\bgsk_\w{20,}"  # model hubs
    r"|\bsk-(?=[\w\-]*\d)[\w\-]{20,}|\b[rs]k_live_\w{16,}"  # language model services, Stripe
    r"|\bxox[abeoprs]-[\w\-]{10,}|\bSG\.[\w\-]{20,}\.[\w\-]{20,}"  # Slack, SendGrid
    r"|\bnpm_[A-Za-z0-9]{36}|\bpypi-[\w\-]{50,}|\bdapi[a-f0-9]{32}",  # package indexes, Databricks
    re.DOTALL,
)
_BEARER: Final = re.compile(r"(\bbearer\s{1,3})(?=[\w.~+/\-]*\d)[\w.~+/\-]{16,}=*", re.IGNORECASE)
_URL: Final = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s/:@]{0,256}:)[^\s/@]+(?=@)")
_LONG_WORD: Final = re.compile(r"[\w\-]{16,}")

_MOST_CHARS: Final = 64 << 10
"""A search holds the interpreter: longer texts are gone through piece by piece."""

# Attribute values come again and again. Harmless ones only: no secret is kept here.
_harmless: Final[set[str]] = set()
_MOST_HARMLESS: Final = 4096
_MOST_HARMLESS_CHARS: Final = 4096


def scrub(record: Record) -> Record:
    """Give *record* with each secret in its body and attributes blanked; itself where there is none.

    Only log records: metrics and the events of runs are as they were logged.
    """
    if record[0] != LOG:
        return record
    log = Log._make(record)
    body, attributes = _scrubbed(log.body), log.attributes and _scrubbed(log.attributes)
    if body is log.body and attributes is log.attributes:
        return record
    return log._replace(body=body, attributes=attributes)


def scrub_text(text: str) -> str:
    """Give *text* with each secret in it blanked."""
    return _scrubbed_text(text)


def is_secret_name(name: str) -> bool:
    """Say whether what is called so is a secret, whatever it looks like."""
    return _is_secret_name(name)


def _scrubbed(value: Any) -> Any:
    """Give *value* without secrets: the very same object where nothing was found."""
    if type(value) is str:
        return _scrubbed_text(value)
    if isinstance(value, Mapping):
        items = {key: _scrubbed_item(key, item) for key, item in value.items()}
        return value if all(items[key] is item for key, item in value.items()) else items
    if isinstance(value, list | tuple):
        cleaned = [_scrubbed(item) for item in value]
        return value if all(new is old for new, old in zip(cleaned, value, strict=True)) else cleaned
    return value


def _scrubbed_item(key: Any, value: Any) -> Any:
    if value and type(value) in (str, bytes) and type(key) is str and _is_secret_name(key):
        return SCRUBBED
    if type(value) is not str:
        return _scrubbed(value)
    if key == "token" and _NAMED.match(f"token={value}"):
        return SCRUBBED
    return value if value in _harmless else _remembered(value)


def _remembered(text: str) -> str:
    cleaned = _scrubbed_text(text)
    if cleaned is text and len(text) < _MOST_HARMLESS_CHARS:
        if len(_harmless) >= _MOST_HARMLESS:
            _harmless.clear()
        _harmless.add(text)
    return cleaned


@lru_cache(maxsize=4096)
def _is_secret_name(name: str) -> bool:
    return _SECRET_NAME.match(name.lower()[:256]) is not None


def _scrubbed_text(text: str) -> str:
    if len(text) > _MOST_CHARS:
        pieces = [_scrubbed_text(piece) for piece in _pieces(text)]
        return "".join(pieces) if any(SCRUBBED in piece for piece in pieces) else text
    cleaned = text
    if ("=" in text or ":" in text) and _NAME_HINT.search(text.lower()):
        cleaned = _NAMED.sub(_blank, cleaned)
    if "://" in text and "@" in text:
        cleaned = _URL.sub(_blank, cleaned)
    if _LONG_WORD.search(text) or "-----BEGIN" in text:
        cleaned = _FORMS.sub(SCRUBBED, _BEARER.sub(_blank, cleaned))
    return cleaned if cleaned != text else text


def _blank(match: re.Match[str]) -> str:
    """Keep what says which secret it was: the one group that matched."""
    return (match[match.lastindex] if match.lastindex else "") + SCRUBBED


def _pieces(text: str) -> list[str]:
    """Cut a long text at ends of lines where it has some."""
    pieces, at = [], 0
    while at < len(text):
        end = at + _MOST_CHARS
        if end < len(text):
            end = text.rfind("\n", at, end) + 1 or end
            end = end if end > at else at + _MOST_CHARS
        pieces.append(text[at:end])
        at = end
    return pieces
