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


async def printed_of_ten(capsys, **settings):
    """How many of ten batches of one second are printed, to standard output and to standard error."""
    exporter = Debug(DebugConfig(**settings), exporter_id="debug", clock=lambda: 1.0)
    for _ in range(10):
        await exporter.consume(batch("a"))
    printed = capsys.readouterr()
    return len(printed.out.splitlines()), len(printed.err.splitlines())


@pytest.mark.parametrize(("every", "count"), [(1, 10), (4, 4), (0, 2)])
async def test_of_many_in_a_second_some_are_printed(capsys, every, count):
    """The first two, and of the others each so manyth."""
    assert await printed_of_ten(capsys, sampling_initial=2, sampling_thereafter=every) == (count, 0)


async def test_each_second_begins_anew(capsys):
    """So a quiet exporter prints all it gets."""
    seconds = iter([1.0, 1.5, 2.0, 2.5])
    config = DebugConfig(sampling_initial=1, sampling_thereafter=0)
    exporter = Debug(config, exporter_id="debug", clock=lambda: next(seconds))
    for names in ("a", "ab", "abc", "abcd"):
        await exporter.consume(batch(*names))
    assert [line.split(",")[1] for line in capsys.readouterr().out.splitlines()] == [" 1 records", " 3 records"]


async def test_prints_where_it_is_told(capsys):
    """To standard error, or to both."""
    assert await printed_of_ten(capsys, output_paths=["stderr"]) == (0, 10)
    assert await printed_of_ten(capsys, output_paths=["stdout", "stderr"]) == (10, 10)
