"""Reading the collector's YAML: every golden mistake with its exact text, and what a right one comes to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runmill.collector import config
from runmill.collector.exporters.debug_config import DebugConfig
from runmill.collector.exporters.run_store_config import RunStoreConfig
from runmill.collector.processors.batch import BatchConfig
from runmill.collector.processors.memory_limiter import MemoryLimiterConfig
from runmill.collector.receivers.otlp_config import HttpConfig
from runmill.collector.values import is_loopback, split_endpoint
from runmill.errors import ConfigError

CASES = sorted((Path(__file__).parents[1] / "golden" / "config").glob("*.yaml"))

MINIMAL = """
receivers: {otlp: {protocols: {http: {endpoint: "ENDPOINT"}}}}
processors: {batch: {send_batch_size: "SIZE", timeout: "TIMEOUT"}}
exporters: {debug: }
service: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}
"""


def minimal(*, endpoint="localhost:4318", size="1", timeout="1s", overrides=None, **environment):
    text = MINIMAL.replace("ENDPOINT", endpoint).replace("SIZE", size).replace("TIMEOUT", timeout)
    return config.loads(text, overrides=overrides, environment=environment)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_golden_case_is_read_or_refused_with_the_text_at_its_top(case):
    """Every mistake is told in one error, a line each, with path and remedy: the comment on top."""
    text = case.read_text(encoding="utf-8")
    expected = "\n".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("#"))
    try:
        config.loads(text, source="FILE", environment={})
        found = ""
    except ConfigError as error:
        found = str(error)
    assert found == expected


def test_values_are_typed():
    """Durations become seconds, sizes bytes, and what is not given has its default."""
    found = config.load(CASES[0].with_name("valid_everything.yaml"), environment={})
    assert found.receivers["otlp/wide"].protocols.http == HttpConfig(
        endpoint="[::1]:0", max_request_body_size=1_048_576, logs_url_path="/otlp/logs"
    )
    assert found.processors == {
        "batch/large": BatchConfig(send_batch_size=1000, timeout="90s", send_batch_max_size=2000),
        "memory_limiter": MemoryLimiterConfig(check_interval="0.5s", limit_mib=512, spike_limit_mib=100),
    }
    assert found.exporters == {
        "logging": DebugConfig(verbosity="detailed"),
        "run_store": RunStoreConfig(url="./store", commit_interval=0, max_waiting_bytes=64_000_000),
    }
    assert found.pipelines == (
        config.Pipeline(
            "logs/first", "logs", ("otlp/wide",), ("memory_limiter", "batch/large"), ("run_store", "logging")
        ),
        config.Pipeline("metrics", "metrics", ("otlp/wide",), (), ("run_store",)),
        config.Pipeline("traces", "traces", ("otlp/wide",), (), ("logging",)),
    )
    assert found.processors["batch/large"].timeout == 90


def test_default_configuration_stores_logs_and_metrics_on_loopback():
    """What `runmill up` runs has no mistake and no warning once it knows its home."""
    found = config.load(config.DEFAULT_FILE, environment={"RUNMILL_HOME": "/home/me"})
    assert found.warnings == ()
    assert found.receivers["otlp"].protocols.http.endpoint == "127.0.0.1:4318"
    assert found.exporters["run_store"].url == "/home/me/store"
    assert [(pipeline.signal, pipeline.exporters) for pipeline in found.pipelines] == [
        ("logs", ("run_store",)),
        ("metrics", ("run_store",)),
    ]


def test_default_configuration_is_the_file_at_the_top_of_the_repository():
    """There is one copy: what a reader finds is what runs."""
    assert config.DEFAULT_FILE.resolve() == Path(__file__).parents[2] / "collector-config.yaml"


def test_overrides_replace_values_by_their_path():
    """`--endpoint` reaches the receiver, whatever the file says, and quotes around a value are YAML's."""
    path = "receivers.otlp.protocols.http.endpoint"
    assert minimal(overrides={path: "'[::1]:1'"}).receivers["otlp"].protocols.http.endpoint == "[::1]:1"
    assert minimal(overrides={path: "${env:HERE}"}, HERE="localhost:2").receivers["otlp"].protocols.http.endpoint == (
        "localhost:2"
    )


def test_override_reaches_a_section_that_is_empty():
    """`http:` without a value is a section all the same."""
    text = (CASES[0].with_name("valid_minimal.yaml")).read_text(encoding="utf-8")
    found = config.loads(text, overrides={"receivers.otlp.protocols.http.max_request_body_size": "5"}, environment={})
    assert found.receivers["otlp"].protocols.http.max_request_body_size == 5


def test_variable_alone_takes_the_type_of_its_field():
    """`${env:N}` is the number 8 where a number is wanted and the text 0123 where text is."""
    found = minimal(endpoint="${env:HOST}:${PORT}", size="${env:N}", HOST="localhost", PORT="0123", N="8")
    assert found.processors["batch"].send_batch_size == 8
    assert found.receivers["otlp"].protocols.http.endpoint == "localhost:0123"


def test_variable_that_is_not_set_takes_its_default_or_warns():
    """`:-` gives the default, which may be empty; without one the value is empty, and that is said."""
    found = minimal(endpoint="${env:HOST:-local}host:4${env:REST}", size="${env:N:-3}", timeout="${env:T:-}")
    assert found.receivers["otlp"].protocols.http.endpoint == "localhost:4"
    assert found.processors["batch"] == BatchConfig(send_batch_size=3)
    [warning] = found.warnings
    assert warning == (
        "receivers.otlp.protocols.http.endpoint: the variable REST is not set, so its value is empty. "
        "Set it, or give a default: ${env:REST:-default}."
    )


def test_file_and_yaml_stand_for_what_is_in_them(tmp_path):
    """A mounted secret in the midst of a text, a list as a whole value, and YAML where it is written."""
    (tmp_path / "host").write_text("localhost\n")
    (tmp_path / "names").write_text("[otlp]\n")
    text = MINIMAL.replace("ENDPOINT", f"${{file:{tmp_path}/host}}:1").replace("SIZE", "${yaml:7}")
    text = text.replace("TIMEOUT", "1s").replace("receivers: [otlp],", f"receivers: '${{file:{tmp_path}/names}}',")
    found = config.loads(text, environment={})
    assert found.receivers["otlp"].protocols.http.endpoint == "localhost:1"
    assert found.processors["batch"].send_batch_size == 7
    assert found.pipelines[0].receivers == ("otlp",)


def test_two_dollars_are_one():
    """`$$` writes a dollar sign, also before a brace, and a lone one stays."""
    text = "receivers: {otlp: {protocols: {http: {logs_url_path: '/$${env:A}$$ $B'}}}}\n"
    rest = "exporters: {debug: }\nservice: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}"
    found = config.loads(text + rest, environment={"A": "1", "B": "2"})
    assert found.receivers["otlp"].protocols.http.logs_url_path == "/${env:A}$ $B"


def test_file_that_cannot_be_read_is_a_config_error(tmp_path):
    """A missing file is named, with what to give instead."""
    with pytest.raises(ConfigError, match=r"^/.*/none\.yaml: cannot be read: .*No such file.* Give the path of a YAML"):
        config.load(tmp_path / "none.yaml")


def test_file_that_is_not_text_is_a_config_error(tmp_path):
    """Bytes that are no UTF-8 are refused like any other mistake."""
    file = tmp_path / "config.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"cannot be read: .*utf-8"):
        config.load(file)


@pytest.mark.parametrize("source", ["written", "/dev/zero"])
def test_document_without_end_is_a_config_error(tmp_path, source):
    """Neither a file of gigabytes nor one that never ends is read to its end."""
    file = tmp_path / "huge.yaml"
    file.write_text(f"# {'x' * 2_000_000}")
    with pytest.raises(ConfigError, match=r"it has 1048577 characters, and 1048576 are the most that are read\."):
        config.load(file if source == "written" else source)


def test_brackets_without_end_are_a_config_error():
    """YAML deeper than can be read is refused in words, in a file and in a value of its own."""
    with pytest.raises(ConfigError, match=r"^FILE: is nested too deeply\. "):
        config.loads("receivers: " + "[" * 3000, source="FILE", environment={})
    with pytest.raises(ConfigError, match=r"processors\.batch\.send_batch_size: '&a \[\*a\]' cannot be taken"):
        minimal(overrides={"processors.batch.send_batch_size": "&a [*a]"})


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_as_config_error(text):
    """No text makes anything but a ConfigError."""
    with pytest.raises(ConfigError):
        config.loads(text, environment={})


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("0", 0), ("200ms", 0.2), ("1m30s", 90), ("1.5h", 5400), ("10us", 1e-5), ("10µs", 1e-5), ("1ns", 1e-9)],
)
def test_duration_is_read_as_go_writes_it(written, seconds):
    """Units add up, and 0 needs none."""
    assert minimal(timeout=written).processors["batch"].timeout == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True), ("LOCALHOST.", True), ("a.localhost", True), ("127.8.9.1", True), ("::1", True),
        ("0.0.0.0", False), ("", False), ("::", False), ("10.0.0.1", False), ("localhost.evil.com", False),
    ],
)  # fmt: skip
def test_loopback_is_this_machine_only(host, expected):
    """Only names and addresses that nothing else can have count as loopback."""
    assert is_loopback(host) is expected


def test_endpoint_is_split_into_host_and_port():
    """An IPv6 address loses its brackets."""
    assert [split_endpoint(e) for e in ("localhost:1", ":2", "[::1]:3")] == [("localhost", 1), ("", 2), ("::1", 3)]


def test_several_files_are_merged_and_the_later_one_wins(tmp_path):
    """Mappings key by key, lists as a whole; what is set by its path goes before all of them."""
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(MINIMAL.replace("ENDPOINT", "localhost:1").replace("SIZE", "1").replace("TIMEOUT", "1s"))
    second.write_text("processors: {batch: {timeout: 2s}}\nexporters: {debug/b: }\n"
                      "service: {pipelines: {logs: {exporters: [debug/b]}}}\n")  # fmt: skip
    found = config.load(first, second, overrides={"processors.batch.send_batch_size": "7"}, environment={})
    assert found.processors == {"batch": BatchConfig(timeout="2s", send_batch_size=7)}
    assert set(found.exporters) == {"debug", "debug/b"}
    assert found.pipelines == (config.Pipeline("logs", "logs", ("otlp",), (), ("debug/b",)),)
    assert found.source == f"{first}, {second}"


def test_mistakes_come_with_the_variables_that_are_not_set():
    """What is missing may well stand there, as a variable."""
    text = """
receivers: {otlp: {protocols: {http: }}}
exporters: {run_store: {url: "${env:STORE}"}}
service: {pipelines: {logs: {receivers: [otlp], exporters: [run_store]}}}
"""
    with pytest.raises(ConfigError) as refused:
        config.loads(text, source="FILE", environment={})
    mistake, variable = str(refused.value).splitlines()
    assert mistake == "FILE: exporters.run_store.url: is required. Add 'url:' here."
    assert variable.startswith("FILE: exporters.run_store.url: the variable STORE is not set, so its value is empty.")
