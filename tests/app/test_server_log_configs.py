"""Servers that configure logging themselves take every handler off: asked to, ours is on again, with their loggers."""

import copy
import logging
import logging.config
import time
from collections.abc import Iterator
from typing import Any

import gunicorn.glogging
import pytest
import uvicorn.config

import runmill
from runmill.testing import RecordingCollector

CONFIGS: dict[str, dict[str, Any]] = {
    "uvicorn": uvicorn.config.LOGGING_CONFIG,
    "gunicorn": gunicorn.glogging.CONFIG_DEFAULTS,
}
LOGGERS = {"uvicorn": ["uvicorn", "uvicorn.access"], "gunicorn": ["gunicorn.error", "gunicorn.access"]}


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What the servers' own configurations leave is taken back."""
    root = logging.getLogger()
    names = ["", *(name for names in LOGGERS.values() for name in names), "uvicorn.error", "uvicorn.asgi"]
    before = {
        name: (logging.getLogger(name or None).handlers[:], logging.getLogger(name or None).level) for name in names
    }
    yield
    for name, (handlers, level) in before.items():
        logger = logging.getLogger(name or None) if name else root
        logger.handlers[:], logger.propagate, logger.disabled = handlers, True, False
        logger.setLevel(level)


@pytest.mark.parametrize("server", ["uvicorn", "gunicorn"])
def test_a_servers_own_configuration_is_outlived(server: str, recording_collector: RecordingCollector) -> None:
    """Their dictConfig wipes all handlers and cuts their loggers off; the records of those arrive, once."""
    with runmill.configure(
        endpoint=recording_collector.endpoint, loggers=LOGGERS[server], console="none", reattach=True
    ) as configured:
        logging.config.dictConfig(copy.deepcopy(CONFIGS[server]) | {"disable_existing_loggers": False})
        deadline = time.monotonic() + 30
        while any(configured.handler not in logging.getLogger(name).handlers for name in ("root", *LOGGERS[server])):
            assert time.monotonic() < deadline, "not attached again"
            time.sleep(0.01)  # a thread does it as soon as logging's lock is free: there is nothing to wait on
        for name in LOGGERS[server]:
            logging.getLogger(name).error("from %s", name)
        assert runmill.flush(10) == 0
    assert [record.body for record in recording_collector.logs] == [f"from {name}" for name in LOGGERS[server]]
