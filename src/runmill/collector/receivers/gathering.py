"""The receivers that fetch what nobody sends, each made from its configuration."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from runmill.collector.component import Component, Consumer, Signal
from runmill.collector.receivers.docker.config import DockerConfig
from runmill.collector.receivers.file_log import FileLogReceiver
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.collector.receivers.journal import JournalConfig, JournalReceiver
from runmill.collector.receivers.journald import JournaldReceiver
from runmill.collector.receivers.journald_config import JournaldConfig
from runmill.collector.receivers.process import ProcessReceiver
from runmill.collector.receivers.stdin import StdinReceiver
from runmill.collector.receivers.stream_config import ProcessConfig, StdinConfig
from runmill.collector.settings import Settings
from runmill.collector.telemetry import Telemetry
from runmill.errors import ConfigError

__all__ = ["GathererConfig", "make_gatherer"]

GathererConfig: TypeAlias = DockerConfig | FileLogConfig | JournalConfig | JournaldConfig | ProcessConfig | StdinConfig

_STATE_FOLDER: Final = "collector"
"""In the home: how far receivers have read."""


def make_gatherer(
    config: GathererConfig,
    consumers: Mapping[Signal, Consumer],
    *,
    receiver_id: str,
    place: str,
    settings: Settings,
    telemetry: Telemetry,
) -> Component:
    """Make the receiver that *config* describes; it hands on to the consumer of each signal.

    Raises:
        ConfigError: it gathers what no pipeline takes; the text names its *place* in the configuration.
    """
    state_folder = settings.home.path / _STATE_FOLDER
    if isinstance(config, FileLogConfig):
        return FileLogReceiver(
            config, consumers, receiver_id=receiver_id, telemetry=telemetry, state_folder=state_folder
        )
    if isinstance(config, DockerConfig):
        from runmill.collector.receivers.docker.receiver import DockerReceiver  # noqa: PLC0415 - an HTTP client: 12 MB

        return DockerReceiver(
            config, consumers, receiver_id=receiver_id, telemetry=telemetry, state_folder=state_folder
        )
    if isinstance(config, JournaldConfig):
        return JournaldReceiver(
            config, consumers, receiver_id=receiver_id, telemetry=telemetry, state_folder=state_folder
        )
    if isinstance(config, ProcessConfig | StdinConfig):
        make = _of_pipes(config, receiver_id, telemetry)
        return settings.lasting.take(receiver_id, config, consumers["logs"], make)
    missing = [signal for signal in ("logs", "metrics") if signal not in consumers]
    if missing:
        raise ConfigError(
            f"{place}: journals hold logs and metrics, and no pipeline takes its {missing[0]}. "
            f"Name {receiver_id!r} in 'service.pipelines.{missing[0]}' too."
        )
    return JournalReceiver(
        config,
        consumers,
        receiver_id=receiver_id,
        telemetry=telemetry,
        home=settings.home,
        put_artifact=settings.put_artifact,
    )


def _of_pipes(
    config: ProcessConfig | StdinConfig, receiver_id: str, telemetry: Telemetry
) -> Callable[[Consumer], Component]:
    """Give what makes a receiver that cannot read anything twice."""
    if isinstance(config, StdinConfig):
        return lambda onward: StdinReceiver(config, {"logs": onward}, receiver_id=receiver_id)
    return lambda onward: ProcessReceiver(config, {"logs": onward}, receiver_id=receiver_id, telemetry=telemetry)
