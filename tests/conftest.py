"""Every test starts from a clean environment and a home of its own."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from runmill.testing import RecordingCollector

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("without deadline", deadline=None)
hypothesis.settings.load_profile("without deadline")


def pytest_configure() -> None:
    """Let what tests start hear Ctrl-C and a hang-up, which the background jobs of a shell are born deaf to."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives somebody else's server."""
    for item in items:
        if not {"engine", "postgres", "object_storage"}.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.engines)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in list(os.environ):
        if name.startswith(("OTEL_", "RUNMILL_")) or name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("RUNMILL_HOME", str(tmp_path_factory.mktemp("home")))
    # A collector that starts by itself would outlive its test.
    monkeypatch.setenv("RUNMILL_AUTOSTART", "0")


@pytest.fixture
def home() -> Path:
    """The home directory that the environment names; nothing is in it yet."""
    return Path(os.environ["RUNMILL_HOME"])


@pytest.fixture
def recording_collector() -> Iterator[RecordingCollector]:
    with RecordingCollector() as collector:
        yield collector
