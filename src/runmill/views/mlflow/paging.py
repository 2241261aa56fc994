"""Long answers in pages: a page's token says where the next one begins."""

from collections.abc import Sequence
from typing import Any, TypeVar

from runmill.errors import InvalidArgument

__all__ = ["page_of"]

_Item = TypeVar("_Item")


def page_of(items: Sequence[_Item], *, token: str, max_results: int) -> tuple[Sequence[_Item], dict[str, Any]]:
    """Give the page that begins at *token*, and what an answer says of the next one: nothing where there is none.

    Raises InvalidArgument for a token that no page gave.
    """
    if token and not (token.isascii() and token.isdigit()):
        raise InvalidArgument(f"page_token={token!r} is none that an answer gave.")
    start = int(token or 0)
    end = start + max_results
    return items[start:end], {"next_page_token": str(end)} if end < len(items) else {}
