"""``up`` and ``serve``: the store, the views and, for the one, the collector, put together."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from runmill import home as homes
from runmill._version import __version__
from runmill.cli.collect import (
    MEMORY_LIMIT,
    RECEIVER,
    ConfigOption,
    ConfigSource,
    EndpointOption,
    InsecureOption,
    SetOption,
    memory_limit,
    opened,
    retention,
)
from runmill.cli.options import HomeOption, StoreOption
from runmill.cli.ownership import announced, choose_token, owned
from runmill.cli.render import say
from runmill.cli.store_care import age_seconds, size_bytes
from runmill.errors import ConfigError
from runmill.home import Home

if TYPE_CHECKING:
    from runmill.collector.asgi import ASGIApp
    from runmill.collector.config import Config
    from runmill.collector.receivers.otlp_config import HttpConfig
    from runmill.collector.service import Service
    from runmill.collector.settings import Settings
    from runmill.store.interface import Store
    from runmill.views.portal.collector_page import Look

# Functions import what they put together: `runmill logs` shall not wait for engines and frameworks it does not use.
# ruff: noqa: PLC0415

__all__ = ["serve", "up"]

_DEFAULT_ENDPOINT: Final = "127.0.0.1:4318"

IdleOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--idle-exit", metavar="SECONDS", min=0, help="Stop after so long without a request or a running run."
    ),
]


def up(
    *,
    config_files: ConfigOption = None,
    settings: SetOption = None,
    endpoint: EndpointOption = None,
    insecure: InsecureOption = False,
    idle_exit: IdleOption = None,
    store: StoreOption = None,
    home_dir: HomeOption = None,
) -> None:
    """Run collector, run store and portal as one process on one port, until Ctrl-C; SIGHUP reads its configuration."""
    home = homes.find(home_dir)
    source = ConfigSource(home, tuple(config_files or ()), tuple(settings or ()), endpoint, store)
    config = source.read()
    _listens_on(config)  # or there is nothing to start
    url = _store_url(config, home)
    opening = opened(url, memory_limit=memory_limit(config), retention=retention(config, url))
    with owned(home), opening as opened_store:
        asyncio.run(_up(source, config, opened_store, is_insecure=insecure, idle_exit=idle_exit))


def serve(
    *,
    endpoint: EndpointOption = None,
    idle_exit: IdleOption = None,
    max_age: Annotated[
        str | None,
        typer.Option(
            metavar="AGE",
            envvar="RUNMILL_RETENTION_MAX_AGE",
            help="Remove runs silent for so long, such as 90d (h, d, w): at once, then every hour.",
        ),
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            envvar="RUNMILL_RETENTION_MAX_SIZE",
            help="Remove the oldest runs until the tables take this: 50GB (MB, GB, TB).",
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            "--memory-limit",
            metavar="SIZE",
            envvar="RUNMILL_MEMORY_LIMIT",
            help="What the store's engine may hold in memory: 512MB, or as much as said (MB, GB, TB).",
        ),
    ] = None,
    store: StoreOption = None,
    home_dir: HomeOption = None,
) -> None:
    """Run the portal and the API over the home's run store, or over another, without a collector."""
    from runmill.store.pruner import Retention

    home = homes.find(home_dir)
    kept = Retention(
        None if max_age is None else age_seconds("--max-age", max_age),
        None if max_size is None else size_bytes("--max-size", max_size),
    )
    limit = MEMORY_LIMIT if memory is None else f"{size_bytes('--memory-limit', memory)}B"
    with owned(home), opened(store or str(home.store), memory_limit=limit, retention=kept) as opened_store:
        asyncio.run(_serve(home, opened_store, endpoint=endpoint or _DEFAULT_ENDPOINT, idle_exit=idle_exit))


async def _up(
    source: ConfigSource, config: "Config", store: "Store", *, is_insecure: bool, idle_exit: float | None
) -> None:
    from runmill.cli.activity import Activity
    from runmill.cli.serving import serve_until_stopped
    from runmill.collector.receivers.told import Told
    from runmill.collector.service import Service
    from runmill.views.app import create_app

    http, token, told = _listens_on(config), choose_token(), Told()
    wanted = None if is_insecure else _wanted_token(http, token)
    views = create_app(
        store, version=__version__, token=wanted, tell=told.tell, look_at_collector=lambda: _look(service)
    )
    activity = Activity(views, store)
    settings = _settings(source, store, activity, token=token, is_insecure=is_insecure)
    service = Service(config, settings, on_change=lambda collector: told.connect(collector.entrances[RECEIVER]))

    async def reload() -> None:
        say(await service.reload(_reading(source, config)))

    def announced() -> AbstractContextManager[None]:
        grpc = service.endpoints.get(f"{RECEIVER}.grpc")
        return _announced(
            source.home, service.endpoints[RECEIVER], token, is_wide=wanted is not None, is_tls=http.tls is not None,
            more=f", gRPC {grpc}" if grpc else "",
        )  # fmt: skip

    with closing(activity):
        await serve_until_stopped(service, announced=announced, idle=partial(activity.idle, idle_exit), reload=reload)


def _settings(source: ConfigSource, store: "Store", app: "ASGIApp", *, token: str, is_insecure: bool) -> "Settings":
    from runmill.cli.serving import bind_here_or_near, port_here_or_near
    from runmill.collector.receivers.otlp import bind
    from runmill.collector.settings import Settings

    return Settings(
        open_store=lambda _: store,
        fallback_app=app,
        bind=bind if source.endpoint else bind_here_or_near,
        choose_port=cache(port_here_or_near),  # once: a reload stays where it is
        home=source.home,
        put_artifact=partial(_put_artifact, store),
        token=token,
        is_insecure=is_insecure,
    )


def _reading(source: ConfigSource, first: "Config") -> "Callable[[], Config]":
    """Give what reads the configuration again, and refuses what a server at work cannot change."""

    def read() -> "Config":
        config = source.read()
        if _fixed(config, source.home) != _fixed(first, source.home):
            raise ConfigError(
                f"{config.source}: the portal's address, its TLS, the run store, its memory_limit or its retention "
                "is another one. Stop this server and start it again for that."
            )
        return config

    return read


def _fixed(config: "Config", home: Home) -> tuple[object, ...]:
    """Give what stays as it is while a server runs."""
    http = _listens_on(config)
    checks_clients = http.tls is not None and http.tls.client_ca_file is not None
    url = _store_url(config, home)
    return http.endpoint, http.tls is None, checks_clients, url, memory_limit(config), retention(config, url)


async def _serve(home: Home, store: "Store", *, endpoint: str, idle_exit: float | None) -> None:
    from runmill.cli.activity import Activity
    from runmill.cli.serving import Portal, is_wide, serve_until_stopped
    from runmill.views.app import create_app

    token = choose_token()
    wanted = token if is_wide(endpoint) else None
    activity = Activity(create_app(store, version=__version__, token=wanted), store)
    portal = Portal(activity, endpoint)
    with closing(activity):
        await serve_until_stopped(
            portal,
            announced=lambda: _announced(home, portal.endpoint, token, is_wide=wanted is not None),
            idle=partial(activity.idle, idle_exit),
        )


@contextmanager
def _announced(
    home: Home, endpoint: str, token: str, *, is_wide: bool, is_tls: bool = False, more: str = ""
) -> Iterator[None]:
    from runmill.cli.serving import local_address

    address = local_address(endpoint, is_tls=is_tls)
    query = f"/?token={token}" if is_wide else ""
    with announced(home, address, token):
        say(f"runmill {__version__}: {address}{query}{more} (home {home.path}); Ctrl-C stops.")
        yield


def _look(service: "Service") -> "Look":
    """Say how the collector does, in the words of the views."""
    from runmill.views.portal.collector_page import Count, Look, PipelineLook

    return Look(
        service.config.source,
        service.endpoints,
        [PipelineLook(p.pipeline_id, p.receivers, p.processors, p.exporters) for p in service.config.pipelines],
        [Count(series.name, dict(series.labels), value) for series, value in service.telemetry.series()],
    )


def _put_artifact(store: "Store", sha256: str, path: Path) -> None:
    """Take a file that a process left when it died."""
    if not store.has_artifact_bytes(sha256):
        with path.open("rb") as file:
            store.put_artifact_bytes(sha256, iter(partial(file.read, 1 << 20), b""))


def _wanted_token(http: "HttpConfig", token: str) -> str | None:
    """Give the token if other machines get to the portal without a certificate."""
    from runmill.cli.serving import is_wide

    checks_clients = http.tls is not None and http.tls.client_ca_file is not None
    return token if is_wide(http.endpoint) and not checks_clients else None


def _listens_on(config: "Config") -> "HttpConfig":
    """Give the settings of the port everything is on. Raises ConfigError when there is none."""
    from runmill.collector.receivers.otlp_config import OtlpConfig

    receiver = config.receivers.get(RECEIVER)
    is_used = any(RECEIVER in each.receivers for each in config.pipelines)
    if not is_used or not isinstance(receiver, OtlpConfig) or receiver.protocols.http is None:
        raise ConfigError(
            f"{config.source}: no pipeline has the receiver {RECEIVER!r} with 'http', on whose port the portal is. "
            "Add it, or use `runmill collect`."
        )
    return receiver.protocols.http


def _store_url(config: "Config", home: Home) -> str:
    """Give the store that the configuration writes to, so that the portal shows what comes in."""
    from runmill.collector.exporters.run_store_config import RunStoreConfig

    urls = {exporter.url for exporter in config.exporters.values() if isinstance(exporter, RunStoreConfig)}
    if len(urls) > 1:
        raise ConfigError(
            f"{config.source}: exporters: {len(urls)} run stores ({', '.join(sorted(urls))}), and a portal shows one."
        )
    return urls.pop() if urls else str(home.store)
