"""pytest: what the code under test logs goes to runmill, each record with the test it was logged in.

    pytest pytest_logs.py

The fixture belongs into your conftest.py. It adds a handler beside pytest's own: `caplog` and the captured log of a
failed test work as before.
"""

import logging
from collections.abc import Iterator

import pytest

import runmill
from runmill.testing import RecordingCollector


@pytest.fixture(autouse=True)
def sent_logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """Attach for the length of one test."""

    def add_test(record: logging.LogRecord) -> bool:
        record.test = request.node.nodeid
        return True

    handler = runmill.Handler(service_name="tests")
    handler.addFilter(add_test)
    root = logging.getLogger()
    root.addHandler(handler)
    yield
    root.removeHandler(handler)
    handler.close()


def pay(amount: int) -> None:
    logging.getLogger("payments").warning("card refused", extra={"amount": amount})


def test_a_refused_card_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    pay(17)
    assert caplog.messages == ["card refused"]


def test_what_is_logged_arrives_as_otlp() -> None:
    """To check what leaves your program: an OTLP server in a thread that keeps what it is sent."""
    with RecordingCollector() as collector:
        handler = runmill.Handler(endpoint=collector.endpoint)
        logging.getLogger("payments").addHandler(handler)
        pay(18)
        [record] = collector.wait_for_logs(1)
        logging.getLogger("payments").removeHandler(handler)
        handler.close()
    assert (record.body, record.severity_text, record.attributes["amount"]) == ("card refused", "WARNING", 18)
