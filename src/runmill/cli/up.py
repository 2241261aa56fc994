"""``up``, ``serve`` and ``collect``: the store, the views and the collector, put together in three ways."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from runmill import home as homes
from runmill._version import __version__
from runmill.cli.options import HomeOption
from runmill.cli.ownership import announced, choose_token, owned
from runmill.cli.render import say
from runmill.errors import ConfigError
from runmill.home import Home

if TYPE_CHECKING:
    from runmill.collector.config import Config
    from runmill.collector.exporters.run_store import OpenStore
    from runmill.store.interface import Store

# Functions import what they put together: `runmill logs` shall not wait for engines and frameworks it does not use.
# ruff: noqa: PLC0415

__all__ = ["collect", "load_config", "serve", "up"]

_RECEIVER: Final = "otlp"
"""Its port is the one everything is on, and `--endpoint` is where it listens."""
_ENDPOINT_KEY: Final = f"receivers.{_RECEIVER}.protocols.http.endpoint"
_DEFAULT_ENDPOINT: Final = "127.0.0.1:4318"

EndpointOption: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Listen here and nowhere else; port 0 takes a free one."),
]
IdleOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--idle-exit", metavar="SECONDS", min=0, help="Stop after so long without a request or a running run."
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


def up(
    *,
    config_files: ConfigOption = None,
    settings: SetOption = None,
    endpoint: EndpointOption = None,
    idle_exit: IdleOption = None,
    home_dir: HomeOption = None,
) -> None:
    """Run collector, run store and portal as one process on one port, until Ctrl-C."""
    home = homes.find(home_dir)
    config = load_config(config_files, home, settings=settings, endpoint=endpoint)
    _listens_on(config)  # or there is nothing to start
    with owned(home), _opened(_store_url(config, home)) as store:
        asyncio.run(_up(home, config, store, is_fixed=endpoint is not None, idle_exit=idle_exit))


def serve(*, endpoint: EndpointOption = None, idle_exit: IdleOption = None, home_dir: HomeOption = None) -> None:
    """Run the portal and the API over the home's run store, without a collector."""
    home = homes.find(home_dir)
    with owned(home), _opened(str(home.store)) as store:
        asyncio.run(_serve(home, store, endpoint=endpoint or _DEFAULT_ENDPOINT, idle_exit=idle_exit))


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
    home_dir: HomeOption = None,
) -> None:
    """Run the pipelines of a configuration, without portal and API."""
    home = homes.find(home_dir)
    config = load_config(config_files, home, settings=settings, endpoint=endpoint)
    with ExitStack() as stack:
        asyncio.run(_collect(config, home, lambda url: stack.enter_context(_opened(url))))


def load_config(
    paths: Sequence[Path] | None,
    home: Home,
    *,
    settings: Sequence[str] | None = None,
    endpoint: str | None = None,
) -> "Config":
    """Read the collector's configuration (none: runmill's own) for *home*, say its warnings. Raises ConfigError."""
    from runmill.collector import config as configs

    overrides = dict(_split_setting(setting) for setting in settings or ())
    if endpoint is not None:
        overrides[_ENDPOINT_KEY] = f"'{endpoint}'"
    environment = {**os.environ, "RUNMILL_HOME": str(home.path)}
    config = configs.load(*(paths or [configs.DEFAULT_FILE]), overrides=overrides, environment=environment)
    for warning in config.warnings:
        say(f"{config.source}: {warning}")
    return config


def _split_setting(setting: str) -> tuple[str, str]:
    path, equals, value = setting.partition("=")
    if not path or not equals:
        raise ConfigError(f"--set {setting!r} is not PATH=VALUE. Write for example processors.batch.timeout=1s")
    return path, value


async def _up(home: Home, config: "Config", store: "Store", *, is_fixed: bool, idle_exit: float | None) -> None:
    from runmill.cli.activity import Activity
    from runmill.cli.serving import bind_here_or_near, is_wide, serve_until_stopped
    from runmill.collector import pipeline
    from runmill.collector.receivers.otlp import bind
    from runmill.collector.receivers.told import Told
    from runmill.collector.settings import Settings
    from runmill.views.app import create_app

    token = choose_token()
    wanted = token if is_wide(_listens_on(config)) else None
    told = Told()
    activity = Activity(create_app(store, version=__version__, token=wanted, tell=told.tell), store)
    settings = Settings(
        open_store=lambda _: store,
        fallback_app=activity,
        bind=bind if is_fixed else bind_here_or_near,
        home=home,
        put_artifact=partial(_put_artifact, store),
        token=token,
    )
    collector = pipeline.build(config, settings)
    told.connect(collector.entrances[_RECEIVER])
    with closing(activity):
        await serve_until_stopped(
            collector,
            announced=lambda: _announced(home, collector.endpoints[_RECEIVER], token, is_wide=wanted is not None),
            idle=partial(activity.idle, idle_exit),
        )


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


async def _collect(config: "Config", home: Home, open_store: "OpenStore") -> None:
    from runmill.cli.serving import serve_until_stopped
    from runmill.collector import pipeline
    from runmill.collector.settings import Settings

    collector = pipeline.build(config, Settings(open_store=open_store, home=home, token=choose_token()))

    @contextmanager
    def announced() -> Iterator[None]:
        say(f"Collecting on {', '.join(collector.endpoints.values())}; Ctrl-C stops.")
        yield

    await serve_until_stopped(collector, announced=announced)


@contextmanager
def _announced(home: Home, endpoint: str, token: str, *, is_wide: bool) -> Iterator[None]:
    from runmill.cli.serving import local_address

    address = local_address(endpoint)
    query = f"/?token={token}" if is_wide else ""
    with announced(home, address, token):
        say(f"runmill {__version__}: {address}{query} (home {home.path}); Ctrl-C stops.")
        yield


def _put_artifact(store: "Store", sha256: str, path: Path) -> None:
    """Take a file that a process left when it died."""
    if not store.has_artifact_bytes(sha256):
        with path.open("rb") as file:
            store.put_artifact_bytes(sha256, iter(partial(file.read, 1 << 20), b""))


def _listens_on(config: "Config") -> str:
    """Give the address of the port everything is on. Raises ConfigError when there is none."""
    from runmill.collector.receivers.otlp_config import OtlpConfig

    receiver = config.receivers.get(_RECEIVER)
    if not isinstance(receiver, OtlpConfig) or not any(_RECEIVER in each.receivers for each in config.pipelines):
        raise ConfigError(
            f"{config.source}: no pipeline has the receiver {_RECEIVER!r}, on whose port the portal is. "
            "Add it, or use `runmill collect`."
        )
    return receiver.protocols.http.endpoint


def _store_url(config: "Config", home: Home) -> str:
    """Give the store that the configuration writes to, so that the portal shows what comes in."""
    from runmill.collector.exporters.run_store import RunStoreConfig

    urls = {exporter.url for exporter in config.exporters.values() if isinstance(exporter, RunStoreConfig)}
    if len(urls) > 1:
        raise ConfigError(
            f"{config.source}: exporters: {len(urls)} run stores ({', '.join(sorted(urls))}), and a portal shows one."
        )
    return urls.pop() if urls else str(home.store)


@contextmanager
def _opened(url: str) -> "Iterator[Store]":
    from runmill import store

    with closing(store.open(url)) as opened:
        yield opened
