"""`attributes=`: what a handler puts on every record, where other handlers would need a formatter of one's own."""

import logging
import logging.config
from pathlib import Path

import pytest

import runmill
from runmill.app.added import Added
from runmill.testing import RecordingCollector

TASK_ID = {"task_id": "7", "worker": Path("/srv/w1")}


@pytest.mark.parametrize("attributes", [TASK_ID, lambda _record: TASK_ID], ids=["mapping", "callable"])
def test_attributes_are_on_every_record(attributes: Added, recording_collector: RecordingCollector) -> None:
    """What a formatter would add is an attribute, with the body left alone; the caller's own extra wins."""
    logger = logging.Logger("app")  # noqa: LOG001 - not in the tree: nothing is left behind
    logger.addHandler(runmill.Handler(endpoint=recording_collector.endpoint, attributes=attributes))
    logger.info("plain")
    logger.info("own", extra={"task_id": 8})
    assert runmill.flush(10) == 0
    found = [(each.body, each.attributes["task_id"], each.attributes["worker"]) for each in recording_collector.logs]
    assert found == [("plain", "7", "/srv/w1"), ("own", 8, "/srv/w1")]


def test_attributes_come_from_dict_config(recording_collector: RecordingCollector) -> None:
    """A function is named by its place, as logging's own documentation has it."""
    handler = {
        "class": "runmill.Handler",
        "endpoint": recording_collector.endpoint,
        "attributes": "ext://test_added_attributes.name_the_level",
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"otlp": handler},
            "loggers": {"configured": {"handlers": ["otlp"], "level": "INFO"}},
        }
    )
    logger = logging.getLogger("configured")
    try:
        logger.info("hello")
        assert runmill.flush(10) == 0
    finally:
        logger.handlers.clear()
    [record] = recording_collector.logs
    assert record.attributes["level_in_words"] == "info"


def name_the_level(record: logging.LogRecord) -> dict[str, object]:
    return {"level_in_words": record.levelname.lower()}


def test_attributes_that_fail_cost_nothing(recording_collector: RecordingCollector) -> None:
    """The program's function raises: the record arrives and says so, and the log call goes on."""
    logger = logging.Logger("app")  # noqa: LOG001 - as above
    logger.addHandler(runmill.Handler(endpoint=recording_collector.endpoint, attributes=lambda record: record.nothing))
    logger.info("arrives")
    assert runmill.flush(10) == 0
    [record] = recording_collector.logs
    said = """AttributeError("'LogRecord' object has no attribute 'nothing'")"""
    assert (record.body, record.attributes["log.attributes_error"]) == ("arrives", said)
