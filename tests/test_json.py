"""A line of JSON in place of a message: for output that something collects."""

import io
import json
import logging
import logging.config

import pytest

import runmill
from runmill.json import JsonFormatter
from runmill.otlp.encode import encode_logs
from runmill.otlp.json_line import decode_line
from runmill.testing import ReceivedRequest, RecordingCollector


def printing(formatter: logging.Formatter) -> tuple[logging.Logger, io.StringIO]:
    """Give a logger that prints to what is given with it."""
    printed = io.StringIO()
    handler = logging.StreamHandler(printed)
    handler.setFormatter(formatter)
    logger = logging.Logger("app.train")  # noqa: LOG001 - not in the tree: nothing is left behind
    logger.addHandler(handler)
    return logger, printed


def test_the_collector_reads_the_record_that_the_handler_sends(recording_collector: RecordingCollector) -> None:
    """One record, printed as JSON and sent by the handler, is one and the same."""
    logger, printed = printing(JsonFormatter())
    logger.addHandler(runmill.Handler(endpoint=recording_collector.endpoint))
    try:
        {}["lost"]
    except KeyError:
        logger.exception("step %d failed", 3, extra={"loss": float("nan"), "raw": b"\xff", "tags": {"a": [1, None]}})
    assert runmill.flush(5) == 0
    [sent] = recording_collector.logs
    line = encode_logs([decode_line(printed.getvalue())], lambda _key: b"")
    recording_collector.receive(ReceivedRequest("POST", "/v1/logs", {}, line))
    [_, read] = recording_collector.logs
    for name in ("scope", "time_unix_nano", "severity_number", "severity_text", "body", "trace_id"):
        assert getattr(read, name) == getattr(sent, name), name
    assert repr(sorted(read.attributes.items())) == repr(sorted(sent.attributes.items()))  # repr: NaN equals itself


def test_a_line_is_one_line_of_json() -> None:
    """Whatever is in the message."""
    logger, printed = printing(JsonFormatter())
    logger.warning("two\nlines and a surrogate \ud800")
    [line] = printed.getvalue().splitlines()
    assert json.loads(line)["body"] == "two\nlines and a surrogate \ud800"


def test_static_fields_are_attributes_and_names_can_be_changed() -> None:
    """python-json-logger's own arguments hold."""
    logger, printed = printing(JsonFormatter(static_fields={"team": "ml"}, rename_fields={"body": "message"}))
    logger.info("hello", extra={"n": 1})
    line = json.loads(printed.getvalue())
    assert (line["message"], line["attributes"]["team"], line["attributes"]["n"]) == ("hello", "ml", 1)


@pytest.mark.parametrize("key", ["()", "class"])
def test_dict_config_makes_it_by_name(key: str) -> None:
    """By its public path, as a factory or a class, a format string or not."""
    printed = io.StringIO()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"otel": {key: "runmill.json.JsonFormatter"}},
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "otel", "stream": printed}},
            "loggers": {"app.printed": {"handlers": ["out"], "level": "INFO"}},
        }
    )
    logging.getLogger("app.printed").info("configured")
    logging.getLogger("app.printed").handlers.clear()
    assert json.loads(printed.getvalue())["logger"] == "app.printed"
