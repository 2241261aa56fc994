"""``debug``: what is printed at each verbosity."""

import io
import json

import pytest
from collector_fakes import batch

from runmill.collector.component import Batch
from runmill.collector.exporters.debug import Debug
from runmill.collector.exporters.debug_config import DebugConfig
from runmill.errors import Rejected


async def printed(verbosity, *batches):
    output = io.StringIO()
    exporter = Debug(DebugConfig(verbosity=verbosity), exporter_id="debug", output=output)
    for one in batches:
        await exporter.consume(one)
    return output.getvalue().splitlines()


async def test_basic_prints_a_line_a_batch():
    """Signal, records and bytes; traces too, which are never decoded."""
    spans = Batch("traces", b"12345", 3)
    assert await printed("detailed", spans) == await printed("basic", spans)
    assert await printed("basic", batch("a", "b"), spans) == [
        f"debug: logs, 2 records, {len(batch('a', 'b').payload)} bytes",
        "debug: traces, 3 records, 5 bytes",
    ]


async def test_normal_prints_a_line_a_record():
    """Time, logger and body are enough to see that the right thing arrives."""
    [_, *records] = await printed("normal", batch("hello", "world"))
    assert records == ["  1 hello", "  1 world"]


async def test_detailed_prints_whole_records_as_json():
    """Every column of the store, a JSON object a line."""
    [_, record] = await printed("detailed", batch("hello"))
    found = json.loads(record)
    assert (found["time_unix_nano"], found["body"], found["severity_number"]) == (1, "hello", 9)


async def test_bytes_that_are_not_otlp_are_rejected():
    """They cannot be printed, and sending them again cannot help."""
    with pytest.raises(Rejected):
        await printed("normal", Batch("logs", b"\xff", 1))
