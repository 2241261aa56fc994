"""What a user may log, turned into plain Python values; what cannot be is refused in words.

No numeric library is imported: an array is whatever has ``tolist``, a NumPy or torch scalar whatever has ``item``.
"""

import json
import reprlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeAlias

from runmill.errors import InvalidArgument

__all__ = ["Scalar", "is_number", "to_columns", "to_document", "to_items", "to_name", "to_scalar", "to_step"]

Scalar: TypeAlias = "int | float | str | bool | None"

_PLAIN: Final = frozenset({float, str, bool, type(None)})
_INT64_END: Final = 2**63
"""OTLP's integers are 64 bits wide, signed."""


def is_number(value: Scalar) -> bool:
    """Say whether a plain scalar can be charted: an int or a float, not a bool."""
    return type(value) is float or type(value) is int


def to_name(name: object, where: str) -> str:
    """Give a metric's name as plain text. Raises InvalidArgument for an empty one or for what is not text."""
    if isinstance(name, str) and name.strip():
        return str.__str__(name)
    raise InvalidArgument(f"{where}: the metric's name must be text that is not empty, got {name!r}.")


def to_step(step: object, where: str) -> int | None:
    """Give a step as an int; whole floats and NumPy integers are taken. Raises InvalidArgument for others."""
    if step is None:
        return None
    value = to_scalar(step, where)
    if type(value) is float and value.is_integer():
        return to_step(int(value), where)
    if type(value) is int:
        return value
    raise InvalidArgument(f"{where}: step must be a whole number or None, got {step!r}.")


def to_scalar(value: object, where: str) -> Scalar:
    """Give *value* as an int, float, str, bool or None of exactly that type.

    NumPy, torch and pandas scalars and arrays of one element become the Python value they hold; Decimal and Fraction
    become floats. An int beyond 64 bits becomes the nearest float, since OTLP holds no wider ones.

    Raises:
        InvalidArgument: it is none of these; the text says which call takes it, or what to do with it.
    """
    if type(value) in _PLAIN:
        return value  # type: ignore[return-value]  # mypy does not narrow by membership
    if isinstance(value, int):
        return _to_int64(int(value), where)
    if isinstance(value, float | Decimal | Fraction):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    return _unwrapped(value, where)


def to_items(value: object, where: str) -> list[Scalar]:
    """Give the elements of a list, tuple, range, generator, one-dimensional array, ... as plain scalars.

    Raises:
        InvalidArgument: not iterable, a mapping, or an element is not a scalar (its position is named).
    """
    if isinstance(value, Mapping):
        raise InvalidArgument(f"{where}: got a mapping; log it with log_row (one row) or log_table (columns).")
    tolist = _method(value, "tolist")
    elements = tolist() if tolist else value
    if not isinstance(elements, Iterable):
        raise InvalidArgument(f"{where}: got {_short(value)}, which holds no elements; log one value with log.")
    return [to_scalar(element, f"{where}[{position}]") for position, element in enumerate(elements)]


def to_columns(value: object, where: str) -> dict[str, list[Scalar]]:
    """Give a table (a mapping of columns, or a data frame) as equally long lists by column name.

    A column that is a single scalar, text included, is a column of one row.

    Raises:
        InvalidArgument: not a table, or the columns differ in length (all lengths are named).
    """
    table = _frame_columns(value) if hasattr(value, "columns") else value
    if not isinstance(table, Mapping):
        raise InvalidArgument(
            f"{where}: a table is a dict of columns, like {{'epoch': [1, 2], 'loss': [0.5, 0.4]}}; got {_short(value)}."
        )
    columns = {str(name): _to_column(cells, f"{where}[{name!r}]") for name, cells in table.items()}
    if len({len(cells) for cells in columns.values()}) > 1:
        lengths = ", ".join(f"{name!r} has {len(cells)}" for name, cells in columns.items())
        raise InvalidArgument(f"{where}: columns must be equally long; {lengths}.")
    return columns


def to_document(value: object, where: str) -> dict[str, Any]:
    """Give a JSON object, given as a dict (arrays may be NumPy's) or as JSON text, in plain values of its own.

    Raises:
        InvalidArgument: the text is not JSON, what it holds is not an object, or a value has no JSON form.
    """
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=_json_form)
        document = json.loads(text)
    except (ValueError, TypeError) as error:
        raise InvalidArgument(f"{where}: not a JSON document: {error}. Give a dict or JSON text.") from error
    if not isinstance(document, dict):
        raise InvalidArgument(f"{where}: a JSON object is needed, got {_short(value)}.")
    return document


def _to_int64(value: int, where: str) -> int | float:
    if -_INT64_END <= value < _INT64_END:
        return value
    try:
        return float(value)
    except OverflowError:
        raise InvalidArgument(f"{where}: the integer {_short(value)} is too large to be stored as a number.") from None


def _unwrapped(value: object, where: str) -> Scalar:
    take = _method(value, "item") or _method(value, "numpy")
    try:
        inner = take() if take else value
    except (ValueError, RuntimeError, TypeError):
        # An array of several elements has no single item; which error says so depends on the library.
        inner = value
    if type(inner) is type(value):
        raise InvalidArgument(f"{where}: {_advice(value)}")
    return to_scalar(inner, where)


def _advice(value: object) -> str:
    if isinstance(value, Mapping):
        return f"got {_short(value)}; log a dict with log_row (one row) or log_table (columns)."
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview):
        return f"got {_short(value)}; log several values with log_list."
    return f"got {_short(value)}; a value is an int, float, str, bool or None: convert it with float() or str()."


def _to_column(cells: object, where: str) -> list[Scalar]:
    if isinstance(cells, str) or not isinstance(cells, Iterable) or getattr(cells, "ndim", 1) == 0:
        return [to_scalar(cells, where)]
    return to_items(cells, where)


def _frame_columns(frame: Any) -> dict[Any, Any]:
    return {name: frame[name] for name in frame.columns}


def _json_form(value: object) -> object:
    convert = _method(value, "tolist") or _method(value, "numpy")
    if convert is None:
        raise TypeError(f"{_short(value)} has no JSON form")
    return convert()


def _method(value: object, name: str) -> Callable[[], Any] | None:
    # Never of the class object itself: `log("x", np.float64)` is a mistake to be told.
    found = None if isinstance(value, type) else getattr(value, name, None)
    return found if callable(found) else None


def _short(value: object) -> str:
    return f"{reprlib.repr(value)} ({type(value).__name__})"
