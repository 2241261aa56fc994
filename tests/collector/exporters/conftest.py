"""Exporters as the pipeline makes them, from what the YAML would say."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from runmill.collector.component import Component, Consumer
from runmill.collector.explain import Explainer
from runmill.collector.exporters.making import make_exporter
from runmill.collector.exporters.otlp_config import OtlpGrpcConfig, OtlpHttpConfig
from runmill.collector.settings import Settings
from runmill.collector.telemetry import Telemetry
from runmill.home import Home

QUICK = {"initial_interval": "1ms", "max_interval": "5ms"}


@dataclass
class Exporting:
    component: Component
    consumer: Consumer
    telemetry: Telemetry
    told: list[str]
    """What `--explain` says."""

    def counted(self, *names: str) -> dict[str, int]:
        """The counters whose names begin with one of *names*, without the exporter's label."""
        found = self.telemetry.snapshot()
        return {
            key.replace('exporter="otlp"', "").replace("{}", "").replace('component="otlp",', ""): value
            for key, value in found.items()
            if key.startswith(names)
        }


@pytest.fixture
async def exporting(tmp_path) -> AsyncIterator[Callable[..., Awaitable[Exporting]]]:
    """Give a function that starts an exporter; stopped at the end. Its queue's file is in tmp_path."""
    told = list[str]()
    async with AsyncExitStack() as stack:

        async def start(endpoint, *, kind=OtlpHttpConfig, queue=None, retry=QUICK, **settings):
            config = kind(endpoint=endpoint, sending_queue=queue or {}, retry_on_failure=retry, **settings)
            telemetry = Telemetry(Explainer(told.append))
            run = Settings(open_store=lambda _: None, home=Home(tmp_path))
            outlet = make_exporter("otlp", config, settings=run, telemetry=telemetry)
            stack.push_async_callback(outlet.component.shutdown)
            await outlet.component.start()
            return Exporting(outlet.component, outlet.consumer, telemetry, told)

        yield start


@pytest.fixture
def grpc_config():
    return OtlpGrpcConfig
