"""From the keys of a configuration to what is done with lines."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from runmill.collector.lines import container
from runmill.collector.lines.entry import Lines
from runmill.collector.lines.framing import NOP, Framing, codec_name
from runmill.collector.lines.multiline import Multiline
from runmill.collector.lines.recipe import Opening, Recipe, Step, as_bytes, as_text, plain
from runmill.collector.lines.trimming import Trim
from runmill.collector.lines.understanding import understand
from runmill.collector.receivers.file_log_config import FileLogConfig, MultilineConfig
from runmill.collector.receivers.operator_config import ContainerConfig
from runmill.collector.receivers.operators import steps_of
from runmill.collector.receivers.stream_config import StreamConfig

__all__ = ["engine_recipe", "recipe_of", "stream_recipe"]

_UNCUT_BYTES: Final = 1 << 30
"""What comes from an engine is cut by it, and joined up to the limit of the configuration."""


def recipe_of(config: FileLogConfig) -> Recipe:
    """Give what is done with the lines of files."""
    encoding = codec_name(config.encoding)
    return Recipe(Framing(encoding, config.max_log_size), _opening(config), tuple(_steps(config)))


def stream_recipe(config: StreamConfig, stream: str | None) -> Recipe:
    """Give what is done with what comes from a stream called *stream*."""

    def opening(lines: Sequence[bytes], _is_final: bool) -> Lines:  # noqa: FBT001 - an Opening
        return Lines([(index, index, 0, stream, line) for index, line in enumerate(lines)])

    return Recipe(Framing("utf-8", config.max_log_size), opening, (understand,) if config.structured_lines else ())


def engine_recipe(config: StreamConfig) -> Recipe:
    """Give what is done with what containers print, in the form in which CRI engines write it."""

    def opening(lines: Sequence[bytes], is_final: bool) -> Lines:  # noqa: FBT001 - an Opening
        return container.parse(lines, format="containerd", max_line_bytes=config.max_log_size, is_final=is_final)

    # Bytes become text once lines are whole: a character may be cut in two.
    steps = (as_text, understand) if config.structured_lines else (as_text,)
    return Recipe(Framing(NOP, _UNCUT_BYTES), opening, steps)


def _opening(config: FileLogConfig) -> Opening:
    if config.container is not None:
        return partial(_read_container, config.container)
    if config.multiline is not None:
        return _multiline(config.multiline, config.max_log_size)
    return as_bytes if config.encoding == NOP else plain


def _read_container(config: ContainerConfig, lines: Sequence[bytes], is_final: bool) -> Lines:  # noqa: FBT001 - an Opening
    return container.parse(lines, format=config.format, max_line_bytes=config.max_log_size, is_final=is_final)


def _multiline(config: MultilineConfig, max_bytes: int) -> Multiline:
    pattern = config.line_start_pattern or config.line_end_pattern or ""
    return Multiline(
        re.compile(pattern.encode()),
        "start" if config.line_start_pattern else "end",
        config.omit_pattern,
        max_bytes,
    )


def _steps(config: FileLogConfig) -> Iterator[Step]:
    if config.understands:
        yield understand
    keeps_all = config.preserve_leading_whitespaces and config.preserve_trailing_whitespaces
    if config.container is None and not keeps_all:
        yield Trim(is_left=not config.preserve_leading_whitespaces, is_right=not config.preserve_trailing_whitespaces)
    yield from steps_of(config.operators)
