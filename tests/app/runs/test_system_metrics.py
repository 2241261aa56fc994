"""What the machine does while a run is active is measured, and kept apart from what the run logs."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runmill.app.runs.system_metrics import Sampler, machine_gauges
from runmill.otlp.measurements import Measurement

TRAIN = """
import json, time
from runmill import Experiment, Workspace
run = Experiment(Workspace.from_config(), "measured").start_logging(outputs=False, snapshot_directory=None)
child = run.child_run()
run.log("loss", 0.5)
deadline = time.monotonic() + 20
while not (series := run.get_system_metrics()) and time.monotonic() < deadline:
    time.sleep(0.05)
print(json.dumps([[(each.metric, each.kind, each.column) for each in series], run.get_metrics(), child.get_metrics()]))
print(len(child.get_system_metrics()), {type(value) in (int, float) for each in series for value in each.values})
"""


def test_a_run_is_measured_while_it_is_active(script):
    """Under the names of the conventions; none of it in get_metrics, and a child is not measured again."""
    ended = script(TRAIN, RUNMILL_SYSTEM_METRICS="0.05")
    assert ended.stderr == ""
    told, rest = ended.stdout.splitlines()
    series, metrics, of_child = json.loads(told)
    assert [metrics, of_child, rest] == [{"loss": 0.5}, {}, "0 {True}"]
    assert {
        ("system.cpu.utilization", "gauge", None),
        ("system.memory.utilization", "gauge", None),
        ("system.memory.usage", "sum", "used"),
        ("process.cpu.utilization", "gauge", None),
        ("process.memory.usage", "sum", None),
    } <= {tuple(each) for each in series}


@pytest.mark.parametrize(("setting", "is_measured"), [("0", False), ("0.01", True)])
def test_a_setting_keeps_it_off(script, setting, is_measured):
    """No thread is started then."""
    ended = script(
        "import threading\nfrom runmill import Experiment, Workspace\n"
        "Experiment(Workspace.from_config(), 'measured').start_logging(outputs=False, snapshot_directory=None)\n"
        "print('runmill-system-metrics' in {thread.name for thread in threading.enumerate()})",
        RUNMILL_SYSTEM_METRICS=setting,
    )
    assert (ended.stdout, ended.stderr) == (f"{is_measured}\n", "")


def test_this_machine_has_gauges():
    """Shares are within 0 and 1, sizes are whole bytes."""
    measured = {(each.metric, each.attributes.get("run.column")): each for each in machine_gauges()()}
    assert 0 <= measured["system.memory.utilization", None].value <= 1
    used = measured["process.memory.usage", None]
    assert (used.unit, used.instrument, type(used.value), used.value > 2**20) == ("By", "updowncounter", int, True)


MEASURE_GPUS = """
import json
from runmill.app.runs.system_metrics import machine_gauges
gpus = [each for each in machine_gauges()() if each.metric.startswith("hw.")]
print(json.dumps([[each.metric, each.unit, each.value, each.attributes["hw.id"]] for each in gpus]))
"""


def test_gpus_are_measured_where_nvml_is(tmp_path):
    """Each by what it can tell, under the names of the conventions. The binding is NVIDIA's, the driver a stand-in."""
    pytest.importorskip("pynvml")
    compiler = shutil.which("cc") or pytest.skip("no C compiler")
    source = Path(__file__).with_name("nvml_stand_in.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", tmp_path / "libnvidia-ml.so.1", source], check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    command = [sys.executable, "-c", MEASURE_GPUS]
    measured = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert json.loads(measured) == [
        ["hw.gpu.utilization", "1", 0.75, "0"],
        ["hw.gpu.memory.usage", "By", 4 << 30, "0"],
        ["hw.gpu.memory.utilization", "1", 0.25, "0"],
        ["hw.gpu.memory.usage", "By", 8 << 30, "1"],
        ["hw.gpu.memory.utilization", "1", 0.5, "1"],
    ]


def test_what_cannot_be_measured_ends_the_sampling_only(capsys):
    """The program goes on, and is told once."""
    taken: list[list[Measurement]] = []
    ended = threading.Event()

    def measure() -> list[Measurement]:
        ended.set()
        raise OSError("the sensor is gone")

    sampler = Sampler(lambda: measure, taken.append)
    sampler.start(0.001)
    assert ended.wait(10)
    [thread] = [each for each in threading.enumerate() if each.name == "runmill-system-metrics"] or [None]
    if thread:
        thread.join(10)
    assert taken == []
    assert "system metrics end: OSError: the sensor is gone" in capsys.readouterr().err


def test_without_psutil_nothing_is_measured(script):
    """It is no dependency of a program that logs."""
    without = "import sys\nsys.modules['psutil'] = None\n"
    ended = script(without + TRAIN.replace("+ 20", "+ 0.2"), RUNMILL_SYSTEM_METRICS="0.01")
    assert ended.stderr == ""
    assert json.loads(ended.stdout.splitlines()[0]) == [[], {"loss": 0.5}, {}]
