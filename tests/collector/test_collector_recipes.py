"""What users copy: the recipes of docs/collector.md, and the configuration of a collector in front of runmill."""

import re
from pathlib import Path

import pytest

from runmill.collector import config
from runmill.errors import ConfigError

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "collector.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"```yaml\n# (\w+)\.yaml\n(.*?)```", TEXT, re.DOTALL))


@pytest.mark.parametrize("name", ["docker", "kubernetes", "systemd", "slurm"])
def test_recipes_are_whole_configurations(name):
    """Each works as it is."""
    assert config.loads(RECIPES[name], environment={"RUNMILL_HOME": "/home"}).pipelines


def test_the_example_for_a_stock_collector_has_only_keys_of_both():
    """But for what is the OpenTelemetry Collector's own: extensions."""
    example = (ROOT / "examples" / "otelcol-config.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        config.loads(example, environment={})
    refused = re.findall(r"^[^:]+: ([\w./]+): is not taken here", str(caught.value), re.MULTILINE)
    assert refused == ["extensions.file_storage", "service.extensions"]
