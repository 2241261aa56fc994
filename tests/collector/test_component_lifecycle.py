"""What every component owes, whatever it does: it stops without having started, and twice, and restarts nothing."""

import asyncio
import io
import os
import sys
from pathlib import Path

import pytest
from collector_fakes import RecordingConsumer, RecordingStore

from runmill import home as homes
from runmill.collector.exporters.debug import Debug
from runmill.collector.exporters.debug_config import DebugConfig
from runmill.collector.exporters.run_store import RunStore
from runmill.collector.exporters.run_store_config import RunStoreConfig
from runmill.collector.exporters.set_aside import SetAside
from runmill.collector.guard import Health
from runmill.collector.processors.batch import BatchConfig, Batcher
from runmill.collector.processors.memory_limiter import MemoryLimiter, MemoryLimiterConfig
from runmill.collector.receivers.file_log import FileLogReceiver
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.collector.receivers.journal import JournalConfig, JournalReceiver
from runmill.collector.receivers.otlp import OtlpReceiver, bind
from runmill.collector.receivers.otlp_config import HttpConfig
from runmill.collector.receivers.process import ProcessReceiver
from runmill.collector.receivers.stdin import StdinReceiver
from runmill.collector.receivers.stream_config import ProcessConfig, StdinConfig
from runmill.collector.telemetry import Telemetry


def otlp():
    config = HttpConfig(endpoint="127.0.0.1:0")
    return OtlpReceiver(
        config, {}, receiver_id="otlp", telemetry=Telemetry(), health=Health(), others=None, bind=bind, token=None
    )


def batch():
    return Batcher(BatchConfig(), RecordingConsumer(), processor_id="batch", telemetry=Telemetry())


def memory_limiter():
    config = MemoryLimiterConfig(check_interval="1s", limit_percentage=50)
    return MemoryLimiter(config, RecordingConsumer(), processor_id="memory_limiter", telemetry=Telemetry())


def run_store():
    config = RunStoreConfig(url="./store")
    store = RecordingStore()
    aside = SetAside(Path("nowhere"), exporter_id="run_store", telemetry=Telemetry())
    return RunStore(config, exporter_id="run_store", open_store=lambda _: store, aside=aside, telemetry=Telemetry())


def debug():
    return Debug(DebugConfig(), exporter_id="debug", output=io.StringIO())


def journal():
    return JournalReceiver(
        JournalConfig(), {}, receiver_id="journal", telemetry=Telemetry(), home=homes.find(), put_artifact=None
    )


def file_log():
    config = FileLogConfig(include=["/nowhere/*.log"])
    return FileLogReceiver(
        config,
        {"logs": RecordingConsumer()},
        receiver_id="file_log",
        telemetry=Telemetry(),
        state_folder=homes.find().path / "collector",
    )


def process():
    config = ProcessConfig(command=[sys.executable, "-c", "input()"])
    return ProcessReceiver(config, {"logs": RecordingConsumer()}, receiver_id="process", telemetry=Telemetry())


class NothingToRead:
    """An empty standard input."""

    descriptor = os.open(os.devnull, os.O_RDONLY)

    def fileno(self):
        return self.descriptor


def stdin():
    return StdinReceiver(
        StdinConfig(),
        {"logs": RecordingConsumer()},
        receiver_id="stdin",
        telemetry=Telemetry(),
        source=NothingToRead(),
    )


COMPONENTS = pytest.mark.parametrize(
    "make", [otlp, batch, memory_limiter, run_store, debug, journal, file_log, process, stdin]
)


@COMPONENTS
async def test_component_that_never_started_can_be_shut_down(make):
    """A start that fails elsewhere shuts everything down."""
    await make().shutdown()


@COMPONENTS
async def test_component_can_be_shut_down_twice(make):
    """The second time does nothing."""
    component = make()
    await component.start()
    await component.shutdown()
    await component.shutdown()


@COMPONENTS
async def test_component_leaves_no_task_behind(make):
    """What it started has ended when shutdown returns."""
    before = asyncio.all_tasks()
    component = make()
    await component.start()
    await component.shutdown()
    assert asyncio.all_tasks() == before
