"""The receivers that fetch what nobody sends, each made from its configuration, and loaded when one names it."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from runmill.collector.component import Component, Consumer, Signal
from runmill.collector.receivers.docker.config import DockerConfig
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.collector.receivers.journal import JournalConfig, JournalReceiver
from runmill.collector.receivers.journald_config import JournaldConfig
from runmill.collector.receivers.stream_config import ProcessConfig, StdinConfig
from runmill.collector.settings import Settings
from runmill.collector.telemetry import Telemetry
from runmill.errors import ConfigError

# Nobody holds in memory, or waits for, what no configuration names.
# ruff: noqa: PLC0415

__all__ = ["GathererConfig", "make_gatherer"]

_Remembering: TypeAlias = DockerConfig | FileLogConfig | JournaldConfig
"""Of receivers that have written down how far they have read."""
_OfPipes: TypeAlias = ProcessConfig | StdinConfig
GathererConfig: TypeAlias = _Remembering | JournalConfig | _OfPipes

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
    if isinstance(config, ProcessConfig | StdinConfig):
        make = _of_pipes(config, receiver_id, telemetry)
        return settings.lasting.take(receiver_id, config, consumers["logs"], make)
    if not isinstance(config, JournalConfig):
        state_folder = settings.home.path / _STATE_FOLDER
        receiver = _remembering(config)
        return receiver(config, consumers, receiver_id=receiver_id, telemetry=telemetry, state_folder=state_folder)
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


def _remembering(config: _Remembering) -> Callable[..., Component]:
    """Load the receiver of *config*."""
    match config:
        case DockerConfig():
            from runmill.collector.receivers.docker.receiver import DockerReceiver

            return DockerReceiver
        case FileLogConfig():
            from runmill.collector.receivers.file_log import FileLogReceiver

            return FileLogReceiver
        case JournaldConfig():
            from runmill.collector.receivers.journald import JournaldReceiver

            return JournaldReceiver


def _of_pipes(config: _OfPipes, receiver_id: str, telemetry: Telemetry) -> Callable[[Consumer], Component]:
    """Give what makes a receiver that cannot read anything twice."""
    if isinstance(config, StdinConfig):
        from runmill.collector.receivers.stdin import StdinReceiver

        return lambda onward: StdinReceiver(config, {"logs": onward}, receiver_id=receiver_id, telemetry=telemetry)
    from runmill.collector.receivers.process import ProcessReceiver

    return lambda onward: ProcessReceiver(config, {"logs": onward}, receiver_id=receiver_id, telemetry=telemetry)
