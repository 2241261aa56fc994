"""What the machine and the process do while a run is active: sampled by one thread, by psutil and NVML where they are.

The metrics are named by OpenTelemetry's semantic conventions (System, Process, Hardware). ``run.column`` repeats what
tells the points of one metric apart, so that a chart has a line each.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from runmill.app.notices import notice
from runmill.otlp import runs
from runmill.otlp.measurements import Measurement

__all__ = ["Sampler", "machine_gauges"]

Measure = Callable[[], list[Measurement]]


class Sampler:
    """Calls *keep* with what *measure* gives, every so often, from one thread of this process.

    Args:
        measure: Makes the measuring function, in the thread that will call it.
        keep: Takes the measurements; never raises.
    """

    def __init__(self, measure: Callable[[], Measure], keep: Callable[[list[Measurement]], None]) -> None:
        self._make_measure = measure
        self._keep = keep
        self._pid: int | None = None
        self._closed = threading.Event()

    def start(self, interval_seconds: float) -> None:
        """Begin, unless this process has begun already. A forked child begins anew with a run of its own."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._closed = threading.Event()
            arguments = (self._closed, interval_seconds)
            threading.Thread(target=self._run, args=arguments, name="runmill-system-metrics", daemon=True).start()

    def close(self) -> None:
        """Stop. The process's own sampler is never closed."""
        self._closed.set()

    def _run(self, closed: threading.Event, interval_seconds: float) -> None:
        try:
            measure = self._make_measure()
            while not closed.wait(interval_seconds):
                self._keep(measure())
        except Exception as error:  # noqa: BLE001 - the thread's edge: what cannot be measured is no fault of a run's
            notice(f"system metrics end: {type(error).__name__}: {error}. RUNMILL_SYSTEM_METRICS=0 keeps them off.")


def machine_gauges() -> Measure:
    """Give what measures this machine and this process; nothing where psutil is not installed."""
    if find_spec("psutil") is None:
        return list
    # Here, not on top: psutil is no dependency of the app side.
    import psutil  # noqa: PLC0415

    process = psutil.Process()
    psutil.cpu_percent()  # the first call of both begins an interval
    process.cpu_percent()
    gpus = _gpus()

    def measure() -> list[Measurement]:
        return [*_system(psutil), *_process(process), *_traffic(psutil), *(each for gpu in gpus for each in gpu())]

    return measure


def _system(psutil: Any) -> Iterator[Measurement]:
    memory = psutil.virtual_memory()
    yield Measurement("system.cpu.utilization", "gauge", "1", psutil.cpu_percent() / 100)
    yield Measurement("system.memory.utilization", "gauge", "1", memory.percent / 100)
    yield Measurement("system.memory.usage", "updowncounter", "By", memory.used, _told("system.memory.state", "used"))
    with suppress(OSError):  # the current folder may be gone
        disk = psutil.disk_usage(".")
        yield Measurement("system.filesystem.utilization", "gauge", "1", disk.percent / 100)


def _process(process: Any) -> Iterator[Measurement]:
    with process.oneshot():
        # Of one core, as the conventions have it: a process of many threads may be over 1.
        yield Measurement("process.cpu.utilization", "gauge", "1", process.cpu_percent() / 100)
        yield Measurement("process.memory.usage", "updowncounter", "By", process.memory_info().rss)
        yield Measurement("process.thread.count", "updowncounter", "{thread}", process.num_threads())


def _traffic(psutil: Any) -> Iterator[Measurement]:
    """Bytes since the machine started; containers may have neither disk nor network of their own."""
    counters = {
        ("system.disk.io", "disk.io.direction"): (psutil.disk_io_counters(), ("read", "write"), "{}_bytes"),
        ("system.network.io", "network.io.direction"): (psutil.net_io_counters(), ("sent", "recv"), "bytes_{}"),
    }
    words = {"sent": "transmit", "recv": "receive"}
    for (metric, attribute), (counted, directions, name) in counters.items():
        for direction in directions if counted is not None else ():
            told = _told(attribute, words.get(direction, direction))
            yield Measurement(metric, "counter", "By", getattr(counted, name.format(direction)), told)


def _gpus() -> list[Callable[[], Iterator[Measurement]]]:
    """Give what measures each GPU that NVML knows; none without NVML's library, its driver or a GPU."""
    if find_spec("pynvml") is None:
        return []
    import pynvml  # noqa: PLC0415 - it may be there or not

    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    return [lambda index=index, handle=handle: _gpu(pynvml, index, handle) for index, handle in enumerate(handles)]  # type: ignore[misc]


def _gpu(pynvml: Any, index: int, handle: Any) -> Iterator[Measurement]:
    told = _told("hw.id", str(index))
    # Apart: a part of a divided GPU, as others, knows its memory and not how busy it is.
    with suppress(pynvml.NVMLError):
        busy = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu
        yield Measurement("hw.gpu.utilization", "gauge", "1", busy / 100, told)
    with suppress(pynvml.NVMLError):
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        yield Measurement("hw.gpu.memory.usage", "updowncounter", "By", memory.used, told)
        yield Measurement("hw.gpu.memory.utilization", "gauge", "1", memory.used / memory.total, told)


def _told(attribute: str, value: str) -> dict[str, str]:
    return {attribute: value, runs.COLUMN: value}
