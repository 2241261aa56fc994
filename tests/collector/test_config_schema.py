"""The JSON schema for editors takes what the reader takes, explains it, and marks what can be known to be wrong."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from processes import runmill
from runmill.collector import config
from runmill.collector.config_schema import config_schema

GOLDEN = Path(__file__).parents[1] / "golden" / "config"
SCHEMA = config_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

PIPELINE = "\nservice: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}"


def mistakes(text: str) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize(
    "path", [config.DEFAULT_FILE, *sorted(GOLDEN.glob("valid_*.yaml"))], ids=lambda path: path.stem
)
def test_what_the_reader_takes_has_no_mistake(path):
    """The default configuration, and all that is there to be tried."""
    assert mistakes(path.read_text(encoding="utf-8")) == []


def test_schema_is_one():
    """As its own dialect says."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("processors: {batch: {send_batch_sise: 1}}", ["$.processors.batch"]),
        ("processors: {batch/x: {send_batch_size: -1}, btach: }", ["$.processors", "$.processors['batch/x']"]),
        ("processors: {batch: {timeout: 5}}", ["$.processors.batch"]),
        ("processors: {batch: {timeout: 5 seconds}}", ["$.processors.batch"]),
        ("exporters: {file: {path: a, rotation: {max_days: many}}}", ["$.exporters.file"]),
        ("recievers: {}", ["$"]),
    ],
)
def test_mistakes_are_marked_where_they_are(text, places):
    """Unknown keys and components, and values of another kind."""
    assert sorted(mistakes(text + PIPELINE)) == places


@pytest.mark.parametrize(
    "text",
    [
        "processors: {batch: {timeout: 1m30s, send_batch_size: '${env:SIZE:-100}'}, batch/2: , memory_limiter: }",
        "exporters: {file: {path: a, rotation: , flush_interval: 0}, debug: }",
        "receivers: {otlp: {protocols: {http: {max_request_body_size: 20MiB}}}, file_log: {include: [a], exclude: }}",
    ],
)
def test_short_forms_are_taken(text):
    """Units, variables, and keys without a value."""
    assert mistakes(text + PIPELINE) == []


def test_every_component_and_nearly_every_key_is_explained():
    """What an editor shows comes from where the key is read."""
    components = SCHEMA["properties"]["processors"]["patternProperties"]
    assert components["^batch(/.+)?$"]["anyOf"][0] == {"$ref": "#/$defs/BatchConfig"}
    assert SCHEMA["$defs"]["BatchConfig"]["properties"]["timeout"]["description"] == (
        "How long a batch waits at most; 0 joins nothing."
    )


def test_command_prints_it(home):
    """Ready to be written to a file."""
    ended = runmill("validate", "--schema", home=home)
    assert (json.loads(ended.stdout), ended.returncode, ended.stderr) == (SCHEMA, 0, "")
