"""``collect``, and how each command that runs a collector reads its configuration."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from runmill import home as homes
from runmill.cli.options import HomeOption
from runmill.cli.render import say
from runmill.errors import ConfigError
from runmill.home import Home

if TYPE_CHECKING:
    from runmill.collector.config import Config
    from runmill.collector.exporters.run_store import OpenStore
    from runmill.store.interface import Store

# Functions import what they put together: `runmill logs` shall not wait for engines and frameworks it does not use.
# ruff: noqa: PLC0415

__all__ = [
    "RECEIVER", "ConfigOption", "ConfigSource", "EndpointOption", "InsecureOption", "SetOption", "collect", "opened",
]  # fmt: skip

RECEIVER: Final = "otlp"
"""Its port is the one everything is on, and `--endpoint` is where it listens."""
_HTTP_KEY: Final = f"receivers.{RECEIVER}.protocols.http.endpoint"
_GRPC_KEY: Final = f"receivers.{RECEIVER}.protocols.grpc.endpoint"

EndpointOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Listen here and nowhere else; port 0 takes a free one. gRPC has a port of its own on that host.",
    ),
]
ConfigOption: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The collector's configuration; else runmill's own. Several are merged, the later ones win.",
    ),
]
SetOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Replace a value of the configuration, by its path."),
]
InsecureOption: TypeAlias = Annotated[
    bool, typer.Option("--insecure", help="Ask nobody for a token or a certificate, not even other machines.")
]


def collect(
    *,
    config_files: Annotated[
        list[Path],
        typer.Option(
            "--config", metavar="FILE", help="The collector's configuration. Several are merged, the later ones win."
        ),
    ],
    settings: SetOption = None,
    endpoint: EndpointOption = None,
    insecure: InsecureOption = False,
    home_dir: HomeOption = None,
) -> None:
    """Run the pipelines of a configuration, without portal and API; SIGHUP reads it anew."""
    home = homes.find(home_dir)
    source = ConfigSource(home, tuple(config_files), tuple(settings or ()), endpoint)
    config = source.read()
    with ExitStack() as stack:
        open_store = cache(lambda url: stack.enter_context(opened(url)))
        asyncio.run(_collect(source, config, open_store, is_insecure=insecure))


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """Where the collector's configuration is from; read again, it is what the files say then."""

    home: Home
    files: Sequence[Path] = ()
    """None: runmill's own."""
    settings: Sequence[str] = ()
    endpoint: str | None = None

    def read(self) -> "Config":
        """Read it, and say its warnings. Raises ConfigError."""
        overrides = dict(_split_setting(setting) for setting in self.settings)
        if self.endpoint is not None:
            overrides[_HTTP_KEY] = f"'{self.endpoint}'"
        config = self._load(overrides)
        if self.endpoint is not None and (port := _grpc_port(config)) is not None:
            host, _, http_port = self.endpoint.rpartition(":")
            config = self._load(overrides | {_GRPC_KEY: f"'{host}:{port if int(http_port) else 0}'"})
        for warning in config.warnings:
            say(f"{config.source}: {warning}")
        return config

    def _load(self, overrides: dict[str, str]) -> "Config":
        from runmill.collector import config as configs

        environment = {**os.environ, "RUNMILL_HOME": str(self.home.path)}
        return configs.load(*(self.files or [configs.DEFAULT_FILE]), overrides=overrides, environment=environment)


def _split_setting(setting: str) -> tuple[str, str]:
    path, equals, value = setting.partition("=")
    if not path or not equals:
        raise ConfigError(f"--set {setting!r} is not PATH=VALUE. Write for example processors.batch.timeout=1s")
    return path, value


def _grpc_port(config: "Config") -> int | None:
    """Give the port that gRPC is configured for; None where it is not spoken."""
    from runmill.collector.receivers.otlp_config import OtlpConfig
    from runmill.collector.values import split_endpoint

    receiver = config.receivers.get(RECEIVER)
    if not isinstance(receiver, OtlpConfig) or receiver.protocols.grpc is None:
        return None
    return split_endpoint(receiver.protocols.grpc.endpoint)[1]


async def _collect(source: ConfigSource, config: "Config", open_store: "OpenStore", *, is_insecure: bool) -> None:
    from runmill.cli.serving import serve_until_stopped
    from runmill.collector.service import Service
    from runmill.collector.settings import Settings

    settings = Settings(
        open_store=open_store, home=source.home, token=os.environ.get("RUNMILL_TOKEN"), is_insecure=is_insecure
    )
    service = Service(config, settings)

    @contextmanager
    def announced() -> Iterator[None]:
        say(f"Collecting on {', '.join(service.endpoints.values())}; Ctrl-C stops.")
        yield

    async def reload() -> None:
        say(await service.reload(source.read))

    await serve_until_stopped(service, announced=announced, reload=reload)


@contextmanager
def opened(url: str) -> "Iterator[Store]":
    """Open the store at *url* for the block."""
    from runmill import store

    with closing(store.open(url)) as found:
        yield found
