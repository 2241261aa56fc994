"""Records through the processors of a configuration, and no further: what would become of them."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson

from runmill.collector.component import Batch, Signal
from runmill.collector.config import Config
from runmill.collector.explain import notes_of
from runmill.collector.lines.encoding import Origin, encode
from runmill.collector.lines.entry import Gathered
from runmill.collector.pipeline import make_processors
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.collector.receivers.recipes import recipe_of, stream_recipe
from runmill.collector.receivers.stream_config import StdinConfig
from runmill.collector.telemetry import Telemetry
from runmill.errors import ConfigError
from runmill.otlp.count import count_records
from runmill.otlp.protojson import to_protobuf

__all__ = ["rehearse"]

_FIELDS: Final[dict[str, Signal]] = {"resourceLogs": "logs", "resourceMetrics": "metrics", "resourceSpans": "traces"}
_MOST_LINES: Final = 8192

_Read: TypeAlias = Callable[[bytes], list[Gathered]]


@dataclass(slots=True)
class _Tail:
    """What a pipeline's exporters would get."""

    count: int = 0

    async def consume(self, batch: Batch, /) -> None:
        self.count += batch.record_count


async def rehearse(config: Config, lines: Iterable[bytes], telemetry: Telemetry) -> list[str]:
    """Send *lines* through the processors of each pipeline of their signal; say what went in and what came out.

    A line is an export request in OTLP/JSON, as the `file` exporter writes them, or else text: as lines of files where
    a receiver `file_log` is at work, which tells what its operators drop, else as a program printed it.

    Raises:
        ConfigError: There are records, and no pipeline for them.
    """
    batches = list(_batches(lines, _reader(config, telemetry)))
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


def _batches(lines: Iterable[bytes], read: _Read) -> Iterator[Batch]:
    text = list[bytes]()
    for line in lines:
        signal = _signal_of(line)
        if signal is None:
            text.append(line)
        if text and (signal is not None or len(text) >= _MOST_LINES):
            yield _text_batch(text, read)
            text = []
        if signal is not None:
            payload = to_protobuf(signal, line)
            yield Batch(signal, payload, count_records(signal, payload))
    if text:
        yield _text_batch(text, read)


def _signal_of(line: bytes) -> Signal | None:
    """Give what an export request holds; None for what is none."""
    if not line.startswith(b"{"):
        return None
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return next((signal for name, signal in _FIELDS.items() if name in document), None)


def _reader(config: Config, telemetry: Telemetry) -> _Read:
    """Give what lines of text become."""
    used = [name for pipeline in config.pipelines for name in pipeline.receivers]
    sections = ((name, config.receivers[name]) for name in used)
    following = next(((name, section) for name, section in sections if isinstance(section, FileLogConfig)), None)
    recipe = recipe_of(following[1]) if following is not None else stream_recipe(StdinConfig(), None)

    def read(raw: bytes) -> list[Gathered]:
        reading = recipe.read(raw, is_final=True)
        if following is not None and telemetry.explainer is not None:
            telemetry.explainer.tell(following[0], notes_of(reading.drops))
        return reading.entries

    return read


def _text_batch(lines: list[bytes], read: _Read) -> Batch:
    entries = read(b"".join(line if line.endswith(b"\n") else line + b"\n" for line in lines))
    return Batch("logs", encode(entries, Origin({}, {}), observed_unix_nano=time.time_ns()), len(entries))
