"""The order of what was found: ``metrics.loss ASC``, ``start_time DESC``."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from runmill.errors import InvalidArgument
from runmill.views.mlflow.filters import NAME, Entity, Names, Value, parse_name

__all__ = ["in_order"]

_Item = TypeVar("_Item")

_ORDER: Final = re.compile(rf"\s*{NAME}(?:\s+(?P<direction>asc|desc))?\s*", re.IGNORECASE)


def in_order(
    items: Sequence[_Item], orders: Sequence[str], value_of: Callable[[_Item, Entity, str], Value], known: Names
) -> list[_Item]:
    """Give *items* by the first of *orders*, equal ones by the next, else as they came; what has no value comes last.

    Raises InvalidArgument for an order that is none, or by what is not *known*.
    """
    ordered = list(items)
    for order in reversed(orders):
        entity, key, is_descending = _parse(order, known)
        valued, rest = list[tuple[str | float, _Item]](), list[_Item]()
        for item in ordered:
            value = value_of(item, entity, key)
            if value is None or (isinstance(value, float) and math.isnan(value)):
                rest.append(item)
            else:
                valued.append((value, item))
        valued.sort(key=lambda pair: pair[0], reverse=is_descending)
        ordered = [item for _, item in valued] + rest
    return ordered


def _parse(order: str, known: Names) -> tuple[Entity, str, bool]:
    match = _ORDER.fullmatch(order)
    if match is None:
        raise InvalidArgument(f"order_by {order!r} is no order. Write for example 'metrics.loss ASC'.")
    entity, key, _ = parse_name(match["entity"], match["key"], known)
    return entity, key, (match["direction"] or "").lower() == "desc"
