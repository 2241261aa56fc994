"""``validate`` and ``store info``: what is wrong with a configuration, and what is in a store."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from runmill import home as homes
from runmill.cli import render
from runmill.cli.collect import ConfigSource
from runmill.cli.options import AsJson, HomeOption, StoreOption
from runmill.cli.reading import Json, Reader
from runmill.errors import InvalidArgument

__all__ = ["store_info", "validate"]

_DAY_SECONDS: Final = 86_400


def validate(
    config_file: Annotated[
        Path | None, typer.Argument(metavar="[CONFIG]", help="A collector's YAML file.", show_default=False)
    ] = None,
    *,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of configurations, for editors, and check nothing.")
    ] = False,
) -> None:
    """Check a collector's configuration: every mistake with its path, and status 2 when there is one."""
    if schema:
        from runmill.collector.config_schema import config_schema  # noqa: PLC0415 - only who asks waits for it to load

        typer.echo(json.dumps(config_schema(), indent=2))
        return
    if config_file is None:
        raise InvalidArgument("no configuration is given. Write: runmill validate FILE")
    config = ConfigSource(homes.find(), (config_file,)).read()
    pipelines = ", ".join(pipeline.pipeline_id for pipeline in config.pipelines)
    typer.echo(f"{config_file}: no mistakes; pipelines: {pipelines}")


def store_info(*, as_json: AsJson = False, store: StoreOption = None, home_dir: HomeOption = None) -> None:
    """Say what the run store holds and how large it is."""
    with Reader(homes.find(home_dir), store) as reader:
        found = reader.get("/store")
    if as_json:
        render.print_json([found])
        return
    render.print_facts(
        [
            ("store", found["url"]),
            ("schema", str(found["schema_version"])),
            ("runs", f"{found['run_count']:,}"),
            ("log records", f"{found['log_count']:,}"),
            ("metric points", f"{found['point_count']:,}"),
            ("size", render.size(found["size_bytes"])),
            ("removed", _removed(found)),
            ("stays", _stays(found["retention"])),
        ]
    )


def _removed(found: Json) -> str:
    """Say what was taken out since the store was made; nothing where nothing was."""
    counts = {"runs": "run", "log records": "log", "metric points": "point"}
    said = [f"{found[f'pruned_{key}_count']:,} {name}" for name, key in counts.items()]
    return ", ".join(said) if found["pruned_run_count"] or found["pruned_log_count"] else ""


def _stays(retention: Json) -> str:
    """Say what the store that was asked removes by itself."""
    limits = []
    if (age := retention["max_age_seconds"]) is not None:
        limits.append(f"runs silent for up to {age / _DAY_SECONDS:g} days")
    if (size := retention["max_size_bytes"]) is not None:
        limits.append(f"the newest that take {render.size(size)}")
    return "; ".join(limits) or "everything, until 'store prune'"
