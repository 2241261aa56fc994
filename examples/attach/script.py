"""A plain script: one handler on the root logger, and nothing else changes.

runmill up          # in another terminal; or log now and start it later: nothing is lost
python script.py
"""

import logging

import runmill

# Beside the console, not instead of it. Leave StreamHandler out and runmill alone has the lines.
logging.basicConfig(level=logging.INFO, handlers=[runmill.Handler(), logging.StreamHandler()])

log = logging.getLogger("report")


def main() -> None:
    log.info("reading %d files", 3)
    # What is in `extra` keeps its type: a number can be searched as a number.
    log.info("read", extra={"row_count": 1200, "share": 0.25, "columns": ["a", "b"]})
    try:
        int("twelve")
    except ValueError:
        log.exception("one row was skipped")


if __name__ == "__main__":
    main()
