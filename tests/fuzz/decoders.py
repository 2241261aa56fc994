"""Both decoders of OTLP and the container parser, fed by atheris until the time is over or a promise is broken.

    python tests/fuzz/decoders.py protobuf|json|container [-max_total_time=600] [CORPUS-FOLDER]

What follows the target is libFuzzer's. The promise each time: whatever the bytes are, the answer is a value or a
`WireError`, and what a receiver has counted can be decoded. It begins from the golden requests of the official SDKs.
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["runmill"]):
    from runmill.collector.lines import container
    from runmill.errors import WireError
    from runmill.otlp import columns, protojson
    from runmill.otlp.count import count_records

GOLDEN = Path(__file__).parents[1] / "golden" / "otlp"
LINES = (
    b'{"log":"a\\n","stream":"stdout","time":"2026-11-22T01:04:26.734407489Z"}',
    b"2026-11-22T01:04:26.734407489Z stdout P a\n2026-11-22T01:04:26.734407489+00:00 stderr F b",
)


def protobuf(data):
    for signal, decode in (("logs", columns.decode_logs), ("metrics", columns.decode_metrics)):
        try:
            count_records(signal, data)
        except WireError:
            continue
        decode(data)  # raises nothing any more
    for signal in ("traces", "profiles"):
        with suppress(WireError):
            count_records(signal, data)


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


TARGETS = {"protobuf": (protobuf, "*.binpb"), "json": (json, "*.json"), "container": (parsed, "")}


def main():
    target, pattern = TARGETS[sys.argv[1]]
    seeds = [file.read_bytes() for file in GOLDEN.glob(pattern)] if pattern else LINES
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
