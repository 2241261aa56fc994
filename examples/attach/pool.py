"""multiprocessing.Pool, whichever way it starts its workers.

    python pool.py fork|spawn|forkserver

A forked worker has the handlers of its parent, a spawned one starts with none: an initializer that attaches serves
both, as `basicConfig` does nothing where the root logger has a handler. The pool ends its workers by a signal in the
middle of whatever they do; what they logged by then is in their journals, and the parent delivers it.
"""

import logging
import multiprocessing
import sys

import runmill

log = logging.getLogger("pool")


def attach() -> None:
    logging.basicConfig(level=logging.INFO, handlers=[runmill.Handler()])


def square(number: int) -> int:
    log.info("squaring %d", number)
    return number * number


def main(start_method: str) -> None:
    attach()
    with multiprocessing.get_context(start_method).Pool(2, initializer=attach) as pool:
        total = sum(pool.imap_unordered(square, range(20)))
    log.info("the sum is %d", total)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "spawn")
