"""``otlp``, made from its configuration: a server a protocol, each with what it asks of its callers."""

from collections.abc import Mapping

from runmill.collector.access import required_token
from runmill.collector.component import Component, Consumer, Signal
from runmill.collector.exposition import MetricsApp
from runmill.collector.guard import Health
from runmill.collector.receivers.otlp import OtlpReceiver
from runmill.collector.receivers.otlp_config import GrpcConfig, HttpConfig, OtlpConfig
from runmill.collector.settings import Settings
from runmill.collector.telemetry import Telemetry

__all__ = ["make_otlp"]


def make_otlp(
    name: str,
    config: OtlpConfig,
    consumers: Mapping[Signal, Consumer],
    *,
    place: str,
    settings: Settings,
    telemetry: Telemetry,
    health: Health,
    metadata_names: frozenset[str],
) -> dict[str, Component]:
    """Make the receiver *name*; nothing starts yet. HTTP goes by that name, gRPC by ``NAME.grpc``.

    Of what requests come with, *metadata_names* are kept where the configuration says so.

    Raises:
        ConfigError: an endpoint is wider than loopback, and nothing would keep strangers out.
    """
    made = dict[str, Component]()
    if (http := config.protocols.http) is not None:
        token = _token(http, f"{place}.protocols.http.endpoint", settings)
        made[name] = OtlpReceiver(
            http,
            consumers,
            receiver_id=name,
            telemetry=telemetry,
            health=health,
            others=MetricsApp(telemetry, settings.fallback_app, token=token),
            bind=settings.bind,
            token=token,
            metadata_names=metadata_names,
        )
    if (grpc := config.protocols.grpc) is not None:
        # Only who uses gRPC waits for it to load.
        from runmill.collector.receivers.otlp_grpc import OtlpGrpcReceiver  # noqa: PLC0415

        token = _token(grpc, f"{place}.protocols.grpc.endpoint", settings)
        made[f"{name}.grpc"] = OtlpGrpcReceiver(
            grpc,
            consumers,
            receiver_id=name,
            telemetry=telemetry,
            choose_port=settings.choose_port,
            token=token,
            metadata_names=metadata_names,
        )
    return made


def _token(protocol: HttpConfig | GrpcConfig, place: str, settings: Settings) -> str | None:
    checks_clients = protocol.tls is not None and protocol.tls.client_ca_file is not None
    return required_token(
        protocol.endpoint,
        place=place,
        token=settings.token,
        is_insecure=settings.is_insecure,
        checks_clients=checks_clients,
    )
