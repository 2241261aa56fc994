"""Records through the processors of a configuration, and no further: what would become of them."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import orjson

from runmill.collector.component import Batch, Signal
from runmill.collector.config import Config
from runmill.collector.lines.encoding import Origin, encode
from runmill.collector.pipeline import make_processors
from runmill.collector.receivers.recipes import stream_recipe
from runmill.collector.receivers.stream_config import StdinConfig
from runmill.collector.telemetry import Telemetry
from runmill.errors import ConfigError
from runmill.otlp.count import count_records
from runmill.otlp.protojson import to_protobuf

__all__ = ["rehearse"]

_FIELDS: Final[dict[str, Signal]] = {"resourceLogs": "logs", "resourceMetrics": "metrics", "resourceSpans": "traces"}
_MOST_LINES: Final = 8192


@dataclass(slots=True)
class _Tail:
    """What a pipeline's exporters would get."""

    count: int = 0

    async def consume(self, batch: Batch, /) -> None:
        self.count += batch.record_count


async def rehearse(config: Config, lines: Iterable[bytes], telemetry: Telemetry) -> list[str]:
    """Send *lines* through the processors of each pipeline of their signal; say what went in and what came out.

    A line is an export request in OTLP/JSON, as the `file` exporter writes them, or else text, as a program printed it.

    Raises:
        ConfigError: There are records, and no pipeline for them.
    """
    batches = list(_batches(lines))
    if missing := {batch.signal for batch in batches} - {pipeline.signal for pipeline in config.pipelines}:
        raise ConfigError(
            f"{config.source}: no pipeline takes {' or '.join(sorted(missing))}. Add one, or leave them out."
        )
    said = []
    for pipeline in config.pipelines:
        own = [batch for batch in batches if batch.signal == pipeline.signal]
        tail = _Tail()
        stages = make_processors(pipeline, config, tail, telemetry)
        for batch in own:
            await (stages[-1] if stages else tail).consume(batch)
        for stage in reversed(stages):
            await stage.shutdown()
        came, exporters = sum(batch.record_count for batch in own), ", ".join(pipeline.exporters)
        said.append(f"pipeline {pipeline.pipeline_id}: {came:,} records in, {tail.count:,} to {exporters}")
    return said


def _batches(lines: Iterable[bytes]) -> Iterator[Batch]:
    text = list[bytes]()
    for line in lines:
        signal = _signal_of(line)
        if signal is None:
            text.append(line)
        if text and (signal is not None or len(text) >= _MOST_LINES):
            yield _text_batch(text)
            text = []
        if signal is not None:
            payload = to_protobuf(signal, line)
            yield Batch(signal, payload, count_records(signal, payload))
    if text:
        yield _text_batch(text)


def _signal_of(line: bytes) -> Signal | None:
    """Give what an export request holds; None for what is none."""
    if not line.startswith(b"{"):
        return None
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return next((signal for name, signal in _FIELDS.items() if name in document), None)


def _text_batch(lines: list[bytes]) -> Batch:
    raw = b"".join(line if line.endswith(b"\n") else line + b"\n" for line in lines)
    entries = stream_recipe(StdinConfig(), None).read(raw, is_final=True).entries
    return Batch("logs", encode(entries, Origin({}, {}), observed_unix_nano=time.time_ns()), len(entries))
