"""What container engines write, back to what the container printed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runmill.collector.lines import container
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.collector.receivers.file_origin import kubernetes_resource
from runmill.collector.receivers.recipes import recipe_of

TIME = "2026-11-22T01:04:26.734407489"
NANOS = 1795309466734407489


def docker(log, *, stream="stdout", time=f"{TIME}Z", **more):
    return json.dumps({"log": log, "stream": stream, **more, "time": time}).encode()


def parse(*lines, most=1 << 20, is_final=False):
    return container.parse(lines, format="auto", max_line_bytes=most, is_final=is_final)


def texts(found):
    return [(stream, text.decode()) for _, _, _, stream, text in found.entries]


def read(raw, *, is_final=False):
    """Bytes of a file to (time, stream, text), and how many of them were consumed."""
    recipe = recipe_of(FileLogConfig(include=["x"], operators=[{"type": "container"}], structured_lines=False))
    reading = recipe.read(raw, is_final=is_final)
    return [tuple(entry[2:]) for entry in reading.entries], reading.consumed


def test_docker_lines_lose_what_the_engine_added():
    """Newline and, of a terminal, carriage return; time and stream are the record's."""
    found = parse(docker("a\n"), docker("b\r\n", stream="stderr"), docker("\n"), docker("  c \r\r\n"))
    assert [entry[2:] for entry in found.entries] == [
        (NANOS, "stdout", b"a"), (NANOS, "stderr", b"b"), (NANOS, "stdout", b""), (NANOS, "stdout", b"  c \r"),
    ]  # fmt: skip


def test_docker_pieces_of_a_long_line_are_joined_for_each_stream():
    """A piece has no newline; the other stream's lines go between."""
    pieces = [docker("a" * 16384), docker("err\n", stream="stderr"), docker("b" * 16384), docker("c\n")]
    assert texts(parse(*pieces)) == [("stderr", "err"), ("stdout", "a" * 16384 + "b" * 16384 + "c")]


def test_docker_lines_in_other_forms():
    """Attributes of labels, keys in another order, a time with fewer digits."""
    odd = b'{"time":"2026-11-22T01:04:26.5Z","attrs":{"a":"b"},"stream":"stderr","log":"x\\n"}'
    found = parse(odd, docker("y\n", attrs={"k": "v"}), docker("z\n", time="2026-11-22T01:04:26Z"))
    assert [entry[2:] for entry in found.entries] == [
        (NANOS // 10**9 * 10**9 + 500_000_000, "stderr", b"x"),
        (NANOS, "stdout", b"y"),
        (NANOS // 10**9 * 10**9, "stdout", b"z"),
    ]


@pytest.mark.parametrize(
    "line",
    [docker("cut\n")[:20], b"{}", b'{"log":1}', b"no JSON", b'{"log":"a\\n"},{"log":"b\\n"}', b"", b'{"log":""}'],
)
def test_what_no_engine_wrote_is_kept_as_text(line):
    """Such as the last line of a file, cut by a crash; the lines around it are read as ever."""
    found = parse(docker("a\n"), line, docker("b\n"))
    assert texts(found) == [("stdout", "a"), (None, line.decode()), ("stdout", "b")]


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+02:00", "-11:30"])
def test_cri_lines_with_any_offset(zone):
    """containerd writes Z, cri-o a number."""
    [(_, _, time, stream, text)] = parse(f"{TIME}{zone} stdout F two  words ".encode()).entries
    hours, minutes = {"Z": (0, 0), "+00:00": (0, 0), "+02:00": (2, 0), "-11:30": (-11, -30)}[zone]
    assert (time, stream, text) == (NANOS - (hours * 60 + minutes) * 60 * 10**9, "stdout", b"two  words ")


def cri(tag, text, stream="stdout"):
    return f"{TIME}Z {stream} {tag} {text}".encode()


def test_cri_pieces_are_joined_for_each_stream():
    """P goes on, F ends; an empty F ends a line, or is a blank one."""
    lines = [
        cri("P", "a"), cri("P", "x", "stderr"), cri("P", "b"), cri("F", "y", "stderr"), cri("F", ""), cri("F", ""),
        cri("F:tag2", "tagged"), f"{TIME}Z stdout F".encode(),
    ]  # fmt: skip
    assert texts(parse(*lines)) == [
        ("stderr", "xy"), ("stdout", "ab"), ("stdout", ""), ("stdout", "tagged"), ("stdout", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("line", [cri("X", "a"), cri("Fa", "a"), b"2026 stdout F a", cri("F", "a", "stdin"), b"F"])
def test_cri_lines_that_are_none_are_kept_as_text(line):
    """An unknown tag, stream or time: nothing is guessed."""
    assert texts(parse(line)) == [(None, line.decode())]


def test_an_unfinished_line_is_held_with_all_that_is_tangled_with_it():
    """What comes after it in the file is read again together with it, and so is what stands on both sides."""
    first, second = cri("P", "x", "stderr"), cri("P", "a")
    raw = b"\n".join([cri("F", "0"), first, second, cri("F", "y", "stderr"), b""])
    entries, consumed = read(raw)
    assert (entries, raw[consumed:]) == ([(NANOS, "stdout", b"0")], raw[raw.index(first) :])
    entries, consumed = read(raw, is_final=True)
    assert entries[1:] == [(NANOS, "stderr", b"xy"), (NANOS, "stdout", b"a")]
    assert consumed == len(raw)


def test_a_line_without_end_is_given_in_parts():
    """Beyond `max_log_size` it is cut, so that nothing grows without bound."""
    lines = [cri("P", "x" * 10) for _ in range(5)]
    assert texts(parse(*lines, most=20)) == [("stdout", "x" * 20), ("stdout", "x" * 20)]


def test_invalid_utf8_of_a_container_is_replaced():
    """CRI files hold what the program wrote, byte for byte."""
    assert read(f"{TIME}Z stdout F ".encode() + b"\xff\n")[0] == [(NANOS, "stdout", "\ufffd".encode())]


def test_a_stream_that_no_engine_has_makes_a_line_of_nobody():
    """It is kept as it stands in the file."""
    line = json.dumps({"log": "x\n", "stream": ["stdout"], "time": f"{TIME}Z"}).encode()
    assert read(line + b"\n")[0] == [(0, None, line)]


PIECES = st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.sampled_from("PF"), st.text("ab ", max_size=3)))


@given(PIECES, st.data())
def test_lines_are_the_same_wherever_their_file_is_cut(pieces, data):
    """Read in two goes, with what was not consumed read again, they are what they are in one."""
    raw = b"".join(cri(tag, text, stream) + b"\n" for stream, tag, text in pieces)
    whole, _ = read(raw, is_final=True)
    first, consumed = read(raw[: data.draw(st.integers(0, len(raw)))])
    second, _ = read(raw[consumed:], is_final=True)
    assert sorted(first + second) == sorted(whole)
    for stream in ("stdout", "stderr"):
        printed = "".join(text for other, _, text in pieces if other == stream)
        assert "".join(text.decode() for _, other, text in whole if other == stream) == printed


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/log/pods/ml_train-0_12ab-f1/main/2.log", ("ml", "train-0", "12ab-f1", "main", "2")),
        ("/pods/kube-system_etcd_00ff/etcd/0.log.20230810-082034.gz", ("kube-system", "etcd", "00ff", "etcd", "0")),
        ("/var/lib/docker/containers/x/x-json.log", ()),
    ],
)  # fmt: skip
def test_kubernetes_paths_tell_whose_lines_they_are(path, expected):
    """Names of pods, containers and restarts; another path tells nothing, and is no error."""
    names = ("namespace.name", "pod.name", "pod.uid", "container.name", "container.restart_count")
    assert kubernetes_resource(path) == {f"k8s.{name}": value for name, value in zip(names, expected, strict=False)}


def test_links_to_kubernetes_files_tell_it_too():
    """As in /var/log/containers."""
    path = f"/var/log/containers/train-0_ml_main-{'0' * 64}.log"
    assert kubernetes_resource(path) == {
        "k8s.pod.name": "train-0", "k8s.namespace.name": "ml", "k8s.container.name": "main", "container.id": "0" * 64,
    }  # fmt: skip
