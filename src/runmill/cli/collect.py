"""``collect``, and how each command that runs a collector reads its configuration."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from runmill import home as homes
from runmill.cli.options import HomeOption, StoreOption
from runmill.cli.render import say
from runmill.errors import ConfigError
from runmill.home import Home

if TYPE_CHECKING:
    from runmill.collector.config import Config
    from runmill.collector.explain import Explainer
    from runmill.collector.exporters.run_store import OpenStore
    from runmill.collector.settings import Settings
    from runmill.store.interface import Store
    from runmill.store.pruner import Retention

# Functions import what they put together: `runmill logs` shall not wait for engines and frameworks it does not use.
# ruff: noqa: PLC0415

__all__ = [
    "MEMORY_LIMIT", "RECEIVER", "ConfigOption", "ConfigSource", "EndpointOption", "InsecureOption", "SetOption",
    "collect", "memory_limit", "opened", "retention",
]  # fmt: skip

RECEIVER: Final = "otlp"
"""Its port is the one everything is on, and `--endpoint` is where it listens."""
_HTTP_KEY: Final = f"receivers.{RECEIVER}.protocols.http.endpoint"
_GRPC_KEY: Final = f"receivers.{RECEIVER}.protocols.grpc.endpoint"
_STORE_KEY: Final = "exporters.run_store.url"
MEMORY_LIMIT: Final = "512MiB"
"""Of a run store that no configuration speaks of."""

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
    explain: Annotated[
        bool, typer.Option("--explain", help="Say on stderr which rule of a processor dropped or changed a record.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Send standard input through the processors, explain what becomes of it, export nothing, and end.",
        ),
    ] = False,
    store: StoreOption = None,
    home_dir: HomeOption = None,
) -> None:
    """Run the pipelines of a configuration, without portal and API; SIGHUP reads it anew."""
    home = homes.find(home_dir)
    source = ConfigSource(home, tuple(config_files), tuple(settings or ()), endpoint, store)
    config = source.read()
    with ExitStack() as stack:
        if dry_run:
            _rehearse(config, stack.enter_context(_explaining(typer.echo)))
            return
        explainer = stack.enter_context(_explaining(say)) if explain else None
        limit = memory_limit(config)
        open_store = cache(
            lambda url: stack.enter_context(opened(url, memory_limit=limit, retention=retention(config, url)))
        )
        asyncio.run(_collect(source, config, _settings(home, open_store, explainer, is_insecure=insecure)))


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """Where the collector's configuration is from; read again, it is what the files say then."""

    home: Home
    files: Sequence[Path] = ()
    """None: runmill's own."""
    settings: Sequence[str] = ()
    endpoint: str | None = None
    store: str | None = None
    """Where the exporter `run_store` commits, whatever the files say."""

    def read(self) -> "Config":
        """Read it, and say its warnings. Raises ConfigError."""
        overrides = dict(_split_setting(setting) for setting in self.settings)
        if self.endpoint is not None:
            overrides[_HTTP_KEY] = f"'{self.endpoint}'"
        if self.store is not None:
            overrides[_STORE_KEY] = json.dumps(self.store)  # quoted: a URL may hold what means something in YAML
        config = self._load(overrides)
        if self.endpoint is not None and (port := _grpc_port(config)) is not None:
            host, _, http_port = self.endpoint.rpartition(":")
            config = self._load(overrides | {_GRPC_KEY: f"'{host}:{port if int(http_port) else 0}'"})
        for warning in config.warnings:
            say(f"{config.source}: {warning}")
        return config

    def _load(self, overrides: dict[str, str]) -> "Config":
        from runmill.cli.left_out import leave_out_unused

        leave_out_unused()  # before any component is imported: some make Arrow values then
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


@contextmanager
def _explaining(tell: Callable[[str], None]) -> "Iterator[Explainer]":
    """Give what tells of rules as they apply, and at the end of the block how often each did."""
    from runmill.collector.explain import Explainer

    explainer = Explainer(tell)
    try:
        yield explainer
    finally:
        for line in explainer.totals():
            tell(f"in all: {line}")


def _rehearse(config: "Config", explainer: "Explainer") -> None:
    from runmill.collector.rehearsal import rehearse
    from runmill.collector.telemetry import Telemetry

    for line in asyncio.run(rehearse(config, sys.stdin.buffer, Telemetry(explainer))):
        typer.echo(line)


def _settings(home: Home, open_store: "OpenStore", explainer: "Explainer | None", *, is_insecure: bool) -> "Settings":
    from runmill.collector.settings import Settings

    return Settings(
        open_store=open_store,
        home=home,
        token=os.environ.get("RUNMILL_TOKEN"),
        explainer=explainer,
        is_insecure=is_insecure,
    )


async def _collect(source: ConfigSource, config: "Config", settings: "Settings") -> None:
    from runmill.cli.serving import serve_until_stopped
    from runmill.collector.service import Service

    service = Service(config, settings)

    @contextmanager
    def announced() -> Iterator[None]:
        places = ", ".join(service.endpoints.values())
        say(f"Collecting{f' on {places}' if places else ''}; Ctrl-C stops.")
        yield

    async def reload() -> None:
        say(await service.reload(source.read))

    await serve_until_stopped(service, announced=announced, reload=reload)


@contextmanager
def opened(url: str, *, memory_limit: str = MEMORY_LIMIT, retention: "Retention | None" = None) -> "Iterator[Store]":
    """Open the store at *url* for the block; with *retention*, it removes what has had its time."""
    from runmill import store
    from runmill.cli.left_out import leave_out_unused
    from runmill.store.pruner import Retention

    leave_out_unused()
    with closing(store.open(url, memory_limit=memory_limit, retention=retention or Retention())) as found:
        yield found


def memory_limit(config: "Config") -> str:
    """Give what the run store's engine may hold in memory: the most that an exporter of *config* says."""
    from runmill.collector.exporters.run_store_config import RunStoreConfig

    limits = [each.memory_limit for each in config.exporters.values() if isinstance(each, RunStoreConfig)]
    return f"{max(limits)}B" if limits else MEMORY_LIMIT


def retention(config: "Config", url: str) -> "Retention":
    """Give what the store at *url* removes by itself: what its exporter in *config* says, nothing where there is none.

    Raises ConfigError where two exporters say different things.
    """
    from runmill.collector.exporters.run_store_config import RunStoreConfig
    from runmill.store.pruner import Retention

    exporters = [each for each in config.exporters.values() if isinstance(each, RunStoreConfig) and each.url == url]
    sections = [each.retention for each in exporters]
    said = {Retention(each.max_age, each.max_size_bytes, each.check_interval) for each in sections}
    if len(said) > 1:
        raise ConfigError(
            f"{config.source}: exporters: two into {url!r}, with a different 'retention'. Say the same at each."
        )
    return said.pop() if said else Retention()
