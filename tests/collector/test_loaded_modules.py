"""A collector holds in memory what its configuration names, and nothing of the rest."""

import subprocess
import sys

import pytest

BUILD = """
import sys
from runmill.collector import config, pipeline
from runmill.collector.settings import Settings
pipeline.build(config.loads(sys.argv[1], environment={}), Settings(open_store=lambda url: None))
print(*sorted({"pyarrow", "duckdb", "grpc", "httpx", "confluent_kafka"} & sys.modules.keys()))
"""
CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
processors: {batch: }
exporters: {EXPORTER}
service: {pipelines: {logs: {receivers: [otlp], processors: [batch], exporters: [NAME]}}}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exporter", "loaded"),
    [("otlp_http: {endpoint: 'http://backend:4318'}", "httpx"), ("file: {path: out.json}", "")],
    ids=["otlp_http", "file"],
)
def test_a_collector_that_passes_data_on_loads_no_engine(exporter, loaded, home):
    """Arrow and what decodes with it are 70 MB, which one beside every job need not have."""
    text = CONFIG.replace("EXPORTER", exporter).replace("NAME", exporter.partition(":")[0])
    ended = subprocess.run([sys.executable, "-c", BUILD, text], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == loaded.split()
