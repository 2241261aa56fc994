"""What takes bytes from strangers, fed by atheris until the time is over or a promise is broken.

    python tests/fuzz/decoders.py protobuf|attribute|json|container|lines|pieces [-max_total_time=600] [CORPUS-FOLDER]

What follows the target is libFuzzer's. The promise each time: whatever the bytes are, the answer is a value or a
`WireError`, what a receiver has counted can be decoded, as what the C parser finds in it, and no line or record is
lost. OTLP begins from the golden requests of the official SDKs.
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris
import pyarrow as pa

with atheris.instrument_imports(include=["runmill"]):
    from runmill.collector.lines import container
    from runmill.collector.lines.encoding import Origin, encode
    from runmill.collector.lines.entry import Entry
    from runmill.collector.receivers.recipes import stream_recipe
    from runmill.collector.receivers.stream_config import StdinConfig
    from runmill.errors import WireError
    from runmill.otlp import columns, protojson
    from runmill.otlp.attributes import read_attributes
    from runmill.otlp.count import count_records
    from runmill.otlp.divide import divide
    from runmill.otlp.schema import LogsRequest, MetricsRequest, parse
    from runmill.otlp.values import decode_attributes, dumps_object

GOLDEN = Path(__file__).parents[1] / "golden" / "otlp"
LINES = (
    b'{"log":"a\\n","stream":"stdout","time":"2026-11-22T01:04:26.734407489Z"}',
    b"2026-11-22T01:04:26.734407489Z stdout P a\n2026-11-22T01:04:26.734407489+00:00 stderr F b",
)
PRINTED = (
    b'{"asctime": "2026-11-22 01:04:26,734", "levelname": "ERROR", "name": "app", "message": "x"}\nplain\n',
    b'{"event": "hello", "level": "info", "timestamp": "2026-11-22T01:04:26.734407Z", "exc_info": null}\n',
    b'{"timestamp": "2026-11-22T09:30:00.1Z", "severity_number": 9, "logger": "a", "body": "b", "attributes": {}}\n',
    b"ERROR:app.train:failed\nTraceback (most recent call last):\n  File x, line 3\nValueError: bad\n",
    b"Traceback (most recent call last):\n  File x\nKeyError: 1\n\n"  # noqa: ISC004 - one text
    b"During handling of the above exception, another exception occurred:\n\n"
    b"Traceback (most recent call last):\n  File x\nTypeError: 2\nafter\n",
    b"[rank0]:   + Exception Group Traceback (most recent call last):\n[rank0]:   | File\n[rank0]:   | KeyError: x\n",
    b'2026-11-22 01:04:26,734 - app - WARNING - x\nINFO:     127.0.0.1:1 - "GET / HTTP/1.1" 200 OK\n 1%|\r 2%|\r\n',
)
RECIPE = stream_recipe(StdinConfig(max_log_size=1000), "stdout")


def told(found):
    """Give all rows as a text, in which NaN is NaN."""
    return repr([table.to_pylist() for table in (found.logs, found.points, found.events, found.artifacts)])


def protobuf(data):
    for kind, decode in ((LogsRequest, columns.decode_logs), (MetricsRequest, columns.decode_metrics)):
        try:
            request = parse(kind, data)
        except WireError:
            continue
        request.DiscardUnknownFields()
        found, expected = (decode(each, received_unix_nano=1) for each in (data, request.SerializeToString()))
        assert told(found) == told(expected)
    for signal in ("traces", "profiles"):
        with suppress(WireError):
            count_records(signal, data)


def attribute(data):
    """Read an attribute as a column and on its own: the same comes out."""
    lists = pa.array([[data]], pa.list_(pa.binary()))
    expected = dumps_object(decode_attributes([data])).decode()
    assert read_attributes(lists).objects().to_pylist() == [expected]


def json(data):
    for signal in ("logs", "metrics", "traces", "profiles"):
        try:
            payload = protojson.to_protobuf(signal, data)
        except WireError:
            continue
        count_records(signal, payload)  # what was translated is OTLP


def parsed(data):
    lines = data.split(b"\n")
    found = container.parse(lines, format="auto", max_line_bytes=1000, is_final=True)
    covered = {index for entry in found.entries for index in (entry[0], entry[1])}
    assert not lines[-1] or len(lines) - 1 in covered, "the last line is gone"
    payload = encode(found.entries, Origin({}, {}), observed_unix_nano=1)
    assert count_records("logs", payload) == len(found.entries)


def lines(data):
    """The first byte says where the rest is cut in two reads."""
    cut, raw = data[:1], data[1:]
    whole = RECIPE.read(raw, is_final=True)
    _check_lines(whole.entries, raw)
    head = raw[: cut[0] * len(raw) // 255 if cut else 0]
    begun = RECIPE.read(head, is_final=False)
    ended = RECIPE.read(raw[begun.consumed :], is_final=True)
    assert _said(begun.entries + ended.entries) == _said(whole.entries), "what was read depends on when it was read"


def _check_lines(entries, raw):
    covered = [index for first, last, *_ in entries for index in range(first, last + 1)]
    count = len(RECIPE.framing.split(raw, is_final=True).lines)
    assert sorted(covered) == list(range(count)), "a line is gone, or came twice"
    payload = encode(entries, Origin({}, {}), observed_unix_nano=1)
    assert count_records("logs", payload) == len(entries)


def _said(entries):
    return [repr(one._replace(first=0, last=0) if isinstance(one, Entry) else one[2:]) for one in entries]


def pieces(data):
    """The first byte says how large they may be."""
    most, payload = (data or b"\0")[0] + 1, data[1:]
    for signal in ("logs", "metrics", "traces"):
        try:
            count = count_records(signal, payload)
        except WireError:
            continue
        for sizer in ("items", "bytes"):
            found = list(divide(signal, payload, most=most, sizer=sizer))
            assert sum(count_records(signal, piece.payload) for piece in found) == count, "a record is gone"


REQUESTS = tuple(file.read_bytes() for file in GOLDEN.glob("*.binpb"))
TARGETS = {
    "protobuf": (protobuf, REQUESTS),
    "attribute": (attribute, (b"\x0a\x01k\x12\x03\x0a\x01v", b"\x0a\x01k\x12\x02\x18\x05")),
    "json": (json, tuple(file.read_bytes() for file in GOLDEN.glob("*.json"))),
    "container": (parsed, LINES),
    "lines": (lines, tuple(b"\x80" + printed for printed in PRINTED)),
    "pieces": (pieces, tuple(b"\x08" + request for request in REQUESTS)),
}


def main():
    target, seeds = TARGETS[sys.argv[1]]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        given = sys.argv[2:]
        corpora = [argument for argument in given if not argument.startswith("-")] or [folder]
        options = [argument for argument in given if argument.startswith("-")]
        atheris.Setup([sys.argv[0], *options, *corpora, folder], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
