"""What the address of a table of runs says: which runs, in which order, with which columns."""

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlencode

from fastapi import Depends, Query

__all__ = ["AskedRuns", "RunsAsked"]

_KEPT: Final = ("where", "sort", "metric", "column", "children")


@dataclass(frozen=True, slots=True)
class RunsAsked:
    """A table of runs."""

    where: str
    """A query for runs."""
    sort: str
    """A column's key, after ``-`` from the greatest down; empty, the newest run is first."""
    metric: str
    """What is drawn."""
    column: tuple[str, ...]
    """The keys of the columns that are chosen; empty, the usual ones are shown."""
    children: bool
    """Whether runs below others are among them."""
    offset: int
    """How many newer runs are passed by."""

    def but(self, **changed: object) -> str:
        """Give the query string with some of it changed; unless that is the offset, from the newest run on."""
        asked = {name: getattr(self, name) for name in _KEPT} | changed
        given = {name: "true" if value is True else value for name, value in asked.items() if value}
        return urlencode(given, doseq=True)


def _asked(
    *,
    where: Annotated[str, Query(description="a query for runs, as docs/search.md says")] = "",
    sort: Annotated[str, Query(description="number, name, experiment, status, started, took, or a column")] = "",
    metric: Annotated[str, Query(description="is drawn over the runs")] = "",
    column: Annotated[list[str] | None, Query(description="metric.NAME, property.NAME or tag.NAME")] = None,
    children: Annotated[bool, Query(description="also runs below others")] = False,
    offset: Annotated[int, Query(ge=0, description="how many newer runs to pass by")] = 0,
) -> RunsAsked:
    return RunsAsked(where.strip(), sort, metric, tuple(filter(None, column or ())), children, offset)


AskedRuns: TypeAlias = Annotated[RunsAsked, Depends(_asked)]
