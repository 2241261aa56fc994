"""Why records of this process's loggers do not arrive: what logging's own set-up keeps from a handler of ours."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

__all__ = ["Fault", "find_faults", "look_also"]

_MOST_FAULTS = 100
_further: "list[Callable[[], Iterable[Fault]]]" = []


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that keeps records back."""

    logger: str
    """``root`` for the root logger; ``logging`` for what holds for all of them."""
    problem: str
    remedy: str


def find_faults(ours: type[logging.Handler]) -> list[Fault]:
    """Look through all loggers there are for what keeps records from handlers of type *ours*.

    At most 100 faults, the general ones first.
    """
    return list(islice(chain(_Tree(ours).faults(), *(find() for find in _further)), _MOST_FAULTS))


def look_also(find: "Callable[[], Iterable[Fault]]") -> None:
    """Have *find* asked, too: by who knows of another way for records to go wrong."""
    _further.append(find)


class _Tree:
    """The loggers of this process, seen from one type of handler."""

    def __init__(self, ours: type[logging.Handler]) -> None:
        self._ours = ours

    def faults(self) -> Iterator[Fault]:
        """Yield what keeps records back."""
        root = logging.getLogger()
        named = sorted(root.manager.loggerDict.items())
        loggers = [(name, each) for name, each in named if isinstance(each, logging.Logger)]
        if not any(self._handlers(each) for each in (root, *(each for _, each in loggers))):
            yield Fault("logging", "none has a runmill.Handler", "logging.basicConfig(handlers=[runmill.Handler()])")
            return
        yield from self._general_faults(root)
        for name, logger in loggers:
            if logger.disabled:
                yield Fault(name, "it is disabled, as dictConfig and fileConfig do", "disable_existing_loggers=False")
            elif (end := self._cut_off_at(logger)) is not None:
                where = "it" if end is logger else f"its parent {end.name!r}"
                yield Fault(name, f"{where} does not propagate", f"runmill.configure(loggers=[{end.name!r}])")

    def _general_faults(self, root: logging.Logger) -> Iterator[Fault]:
        if root.manager.disable > 0:
            level = logging.getLevelName(root.manager.disable)
            yield Fault("logging", f"logging.disable({level}) holds all up to {level} back", "logging.disable(NOTSET)")
        if root.level > logging.DEBUG and any(handler.level < root.level for handler in self._handlers(root)):
            level = logging.getLevelName(root.level)
            yield Fault(
                "root",
                f"its level is {level}: what is below comes to no handler, unless its logger has a level of its own",
                "logging.basicConfig(level=logging.DEBUG, ...), or runmill.configure(level='DEBUG')",
            )

    def _handlers(self, logger: logging.Logger) -> list[logging.Handler]:
        return [handler for handler in logger.handlers if isinstance(handler, self._ours)]

    def _cut_off_at(self, logger: logging.Logger) -> logging.Logger | None:
        """Give the logger above which a record of *logger* does not get on its way to a handler of ours."""
        current: logging.Logger | None = logger
        while current is not None and not self._handlers(current):
            if not current.propagate:
                return current
            current = current.parent
        return None
