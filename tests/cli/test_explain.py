"""`runmill collect --explain` and `--dry-run`: which rule did what to which record, through the real command."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from processes import runmill
from runmill.otlp.protojson import to_protobuf
from runmill.otlp.to_json import to_json

CONFIG = """
receivers: {stdin: }
processors:
  filter/quiet: {log_conditions: ['severity_number < 9 and severity_number > 0', 'IsMatch(body, "heartbeat")']}
  redaction: {allow_all_keys: true, blocked_values: ["4[0-9]{15}"]}
exporters: {debug: }
service: {pipelines: {logs: {receivers: [stdin], processors: [filter/quiet, redaction], exporters: [debug]}}}
"""
LINES = "DEBUG:app:hello\nheartbeat 1\nINFO:app:epoch 3 done\ncard 4111111111111111 paid\n"
TOLD = [
    "filter/quiet: dropped log 'hello' (DEBUG, app), by: severity_number < 9 and severity_number > 0",
    "filter/quiet: dropped log 'heartbeat 1', by: IsMatch(body, \"heartbeat\")",
    "redaction: changed log 'card **** paid', by: blocked_values, in the body",
]
TOTALS = [
    'in all: filter/quiet: dropped 1 by: IsMatch(body, "heartbeat")',
    "in all: filter/quiet: dropped 1 by: severity_number < 9 and severity_number > 0",
    "in all: redaction: changed 1 by: blocked_values, in the body",
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


def test_dry_run_says_what_would_become_of_printed_lines(config: Path, home: Path) -> None:
    """Each drop and change with its rule, what would come out, and nothing is exported."""
    ended = runmill("collect", "--config", str(config), "--dry-run", home=home, stdin=LINES)
    assert ended.stdout.splitlines() == [*TOLD, "pipeline logs: 4 records in, 2 to debug", *TOTALS]
    assert (ended.returncode, ended.stderr) == (0, "")


def test_dry_run_reads_what_the_file_exporter_wrote(config: Path, home: Path) -> None:
    """A line of OTLP/JSON is the records in it."""
    record = {"severityNumber": 5, "severityText": "DEBUG", "body": {"stringValue": "hello"}}
    scope = {"scope": {"name": "app"}, "logRecords": [record]}
    request = json.dumps({"resourceLogs": [{"scopeLogs": [scope]}]})
    line = to_json("logs", to_protobuf("logs", request.encode())).decode()
    ended = runmill("collect", "--config", str(config), "--dry-run", home=home, stdin=f"{line}\n{LINES}")
    assert ended.stdout.splitlines()[:2] == [TOLD[0], TOLD[0]]
    assert "pipeline logs: 5 records in, 2 to debug" in ended.stdout


def test_dry_run_reads_lines_as_the_files_of_the_configuration_and_says_what_operators_drop(
    config: Path, home: Path
) -> None:
    """With the operators of its file_log, each drop with the condition as it is written."""
    operators = "[{type: regex_parser, regex: '(?P<n>[0-9]+)'}, {type: filter, expr: 'attributes.n == \"3\"'}]"
    config.write_text(
        CONFIG.replace("{stdin: }", f"{{file_log: {{include: [/logs/*.log], operators: {operators}}}}}").replace(
            "[stdin]", "[file_log]"
        )
    )
    ended = runmill("collect", "--config", str(config), "--dry-run", home=home, stdin="epoch 3\nepoch 4\n")
    assert (ended.stdout.splitlines(), ended.stderr) == (
        [
            "file_log: dropped log 'epoch 3', by: attributes.n == \"3\"",
            "pipeline logs: 1 records in, 1 to debug",
            'in all: file_log: dropped 1 by: attributes.n == "3"',
        ],
        "",
    )


def test_dry_run_of_records_without_a_pipeline_is_refused(config: Path, home: Path) -> None:
    """Nobody should take silence for success."""
    ended = runmill("collect", "--config", str(config), "--dry-run", home=home, stdin='{"resourceMetrics": [{}]}\n')
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "no pipeline takes metrics. Add one, or leave them out." in ended.stderr


def test_a_collector_at_work_explains_on_stderr(config: Path, home: Path) -> None:
    """While it goes on, and with the totals at its end."""
    command = [sys.executable, "-m", "runmill", "collect", "--config", str(config), "--explain"]
    with subprocess.Popen(
        command,
        env={**os.environ, "RUNMILL_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(LINES)
        process.stdin.close()
        told = list[str]()
        while TOLD[-1] not in told:
            told.append(process.stderr.readline().rstrip("\n"))
            assert told[-1], f"ended: {told}"
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read().splitlines()
    assert [line for line in told if line.startswith(("filter", "redaction"))] == TOLD
    assert rest == TOTALS
    assert process.returncode == 0
