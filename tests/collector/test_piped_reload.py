"""What is piped into a collector through SIGHUP and SIGTERM: a pipe cannot be read twice, and no line of it is lost."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

CONFIG = """
receivers: {{stdin: {{attributes: {{generation: "{generation}"}}}}}}
processors: {{attributes: {{actions: [{{key: processed, value: "{processed}", action: insert}}]}}}}
exporters: {{file: {{path: "{path}", append: true}}}}
service: {{pipelines: {{logs: {{receivers: [stdin], processors: [attributes], exporters: [file]}}}}}}
"""


class Piped:
    """A collector at work, and what writes a line after the other into its pipe."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self.process, self.folder = process, folder
        self.count = 0
        self._is_enough = threading.Event()
        self._writing = threading.Thread(target=self._write)
        self._writing.start()

    def _write(self) -> None:
        assert self.process.stdin is not None
        while not self._is_enough.wait(0.001):  # a thousand lines a second: no machine is behind with that
            self.process.stdin.write(f"{self.count}\n")
            self.process.stdin.flush()
            self.count += 1

    def stop_writing(self) -> None:
        self._is_enough.set()
        self._writing.join()

    def reload(self, **changed: int) -> None:
        """Return when the new configuration is at work."""
        configure(self.folder, **changed)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for("read anew")

    def wait_for(self, text: str) -> None:
        assert self.process.stderr is not None
        while text not in (line := self.process.stderr.readline()):
            assert line, f"ended without saying {text!r}"


def configure(folder: Path, *, generation: int = 0, processed: int = 0) -> None:
    text = CONFIG.format(path=folder / "out.jsonl", generation=generation, processed=processed)
    (folder / "config.yaml").write_text(text)


@pytest.fixture
def piped(tmp_path: Path) -> Iterator[Piped]:
    configure(tmp_path)
    command = [sys.executable, "-m", "runmill", "collect", "--config", str(tmp_path / "config.yaml")]
    with subprocess.Popen(
        command,
        env={**os.environ, "RUNMILL_HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        one = Piped(process, tmp_path)
        try:
            one.wait_for("Collecting")
            yield one
        finally:
            one.stop_writing()
            process.kill()


def records(folder: Path) -> list[tuple[str, str, str]]:
    """(body, generation, processed) of each record in the file, in its order."""
    found = list[tuple[str, str, str]]()
    for line in (folder / "out.jsonl").read_text().splitlines():
        for resource in json.loads(line)["resourceLogs"]:
            for record in (one for scope in resource["scopeLogs"] for one in scope["logRecords"]):
                values = {pair["key"]: pair["value"]["stringValue"] for pair in record["attributes"]}
                found.append((record["body"]["stringValue"], values["generation"], values["processed"]))
    return found


@pytest.mark.slow
def test_each_line_comes_once_and_in_its_order_through_reloads(piped: Piped) -> None:
    """While its own section is the same and also when it is another; at the end, too, what was read is handed on."""
    piped.reload(processed=1)
    piped.reload(generation=1, processed=1)
    piped.reload(generation=2, processed=2)
    piped.stop_writing()
    assert piped.process.stdin is not None
    piped.process.stdin.close()
    piped.process.send_signal(signal.SIGTERM)
    assert piped.process.wait(30) == 0
    found = records(piped.folder)
    assert [body for body, _, _ in found] == list(map(str, range(piped.count)))
    seen = {(generation, processed) for _, generation, processed in found}
    assert seen <= {("0", "0"), ("0", "1"), ("1", "1"), ("2", "2")}
    assert {generation for generation, _ in seen} == {"0", "1", "2"}
