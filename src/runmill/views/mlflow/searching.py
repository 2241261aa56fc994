"""What every search has in common: a filter, an order and pages."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, Field

from runmill.views.mlflow.filters import Entity, Names, Value, fits, parse_clauses
from runmill.views.mlflow.ordering import in_order
from runmill.views.mlflow.paging import page_of

__all__ = ["Search", "ValueOf", "found_page"]

_Item = TypeVar("_Item")

ValueOf: TypeAlias = Callable[[_Item, Entity, str], Value]
"""Give what an item has under a name."""


class Search(BaseModel):
    """What is asked for."""

    filter: str = ""
    order_by: list[str] = []
    max_results: Annotated[int, Field(ge=1, le=200_000)] = 1000
    page_token: str = ""


def found_page(
    asked: Search, items: Sequence[_Item], value_of: ValueOf[_Item], names: Names
) -> tuple[Sequence[_Item], dict[str, Any]]:
    """Give the page asked for of those *items* that fit, and what the answer says of the next one.

    Raises InvalidArgument for a filter or an order that is none, or asks for what *names* does not have.
    """
    clauses = parse_clauses(asked.filter, names)
    found = [item for item in items if all(fits(each, value_of(item, each.entity, each.key)) for each in clauses)]
    ordered = in_order(found, asked.order_by, value_of, names)
    return page_of(ordered, token=asked.page_token, max_results=asked.max_results)
