"""Every key of the receivers is in docs/collector.md, in the section of its component."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from runmill.collector import config
from runmill.collector.catalog import CATALOG
from runmill.collector.problems import sections_in
from runmill.collector.receivers.gathering import GathererConfig
from runmill.collector.receivers.operator_config import OperatorConfig
from runmill.collector.values import Section

TEXT = (Path(__file__).parents[2] / "docs" / "collector.md").read_text(encoding="utf-8")

OPERATORS = {get_args(one.model_fields["type"].annotation)[0]: one for one in sections_in(OperatorConfig)}
GATHERERS = {
    name: known.config for name, known in CATALOG["receivers"].items() if known.config in get_args(GathererConfig)
}
RECEIVERS = GATHERERS | {"otlp": CATALOG["receivers"]["otlp"].config}


def keys(section: type[Section], prefix: str = "") -> Iterator[str]:
    """Every key of a section, with those below it; operators have sections of their own."""
    for name, field in section.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        yield key
        if name != "operators":
            for below in sections_in(field.annotation):
                yield from keys(below, f"{key}.")


def documented(name: str) -> set[str]:
    """The keys in the table of a component's section."""
    found = re.search(rf"^(#+) `{name}`$(.*?)(?=^#|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no section"
    return set(re.findall(r"^\| `([\w.]+)` \|", found[2], re.MULTILINE))


@pytest.mark.parametrize("name", [name for name in RECEIVERS if name != "filelog"])
def test_keys_of_receivers_are_documented(name):
    """And nothing is documented that is not there."""
    assert documented(name) == set(keys(RECEIVERS[name]))


@pytest.mark.parametrize("name", OPERATORS)
def test_keys_of_operators_are_documented(name):
    """Beside `type` and `id`, which all of them have."""
    assert documented(name) == set(keys(OPERATORS[name])) - {"type", "id"}


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(receivers:.*?)```", TEXT, re.DOTALL))
def test_examples_are_configurations(example):
    """Each works when it is copied, with a pipeline around it."""
    names = re.findall(r"^  (\w+):", example.partition("service:")[0], re.MULTILINE)
    receivers = f"[{', '.join(names)}]"
    rest = "exporters: {debug: , run_store: {url: x}}\n"
    if "service:" not in example:
        rest += f"service: {{pipelines: {{logs: {{receivers: {receivers}, exporters: [debug]}}}}}}"
    text = example.replace("receivers:\n", "receivers:\n  otlp: {protocols: {http: }}\n", 1) + rest
    assert config.loads(text, environment={}).receivers.keys() >= set(names)
