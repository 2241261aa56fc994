"""``validate`` and ``store info``: what is wrong with a configuration, and what is in a store."""

import json
from pathlib import Path
from typing import Annotated

import typer

from runmill import home as homes
from runmill.cli import render
from runmill.cli.collect import ConfigSource
from runmill.cli.options import AsJson, HomeOption, StoreOption
from runmill.cli.reading import Reader
from runmill.errors import InvalidArgument

__all__ = ["store_info", "validate"]


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
        ]
    )
