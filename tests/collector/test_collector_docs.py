"""docs/collector.md has a section for every component, with a table made from the class that reads its keys."""

import re
import runpy
from pathlib import Path

import pytest

from runmill.collector import config

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "collector.md").read_text(encoding="utf-8")
TABLES = runpy.run_path(str(DOCS / "component_tables.py"))


def test_tables_are_what_the_classes_say():
    """`python docs/component_tables.py` writes them: no key is undocumented, and none documented that is not there."""
    assert TABLES["with_tables"](TEXT) == TEXT


def test_every_component_has_a_section_with_its_keys():
    """Under its own name; where there are several, under one of them, which tells of the others."""
    rows = {section: list(TABLES["rows_of"](section)) for section in TABLES["components"]().values()}
    missing = [section.__name__ for section, lines in rows.items() if lines and "".join(lines) not in TEXT]
    assert missing == []
    for name in TABLES["components"]():
        assert f"`{name.partition('.')[2]}`" in TEXT


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
