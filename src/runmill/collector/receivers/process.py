"""``process``: runs a command, gathers its standard output and standard error apart, and tells how it ended."""

import asyncio
import contextlib
import logging
import os
import shlex
import signal
from collections.abc import Mapping
from typing import Any, Final

from runmill.collector.component import Consumer, Signal
from runmill.collector.lines.encoding import Origin
from runmill.collector.lines.entry import Entry
from runmill.collector.receivers.insist import Sleep
from runmill.collector.receivers.pipe import MOST_BYTES, PipeGatherer, hand_on
from runmill.collector.receivers.recipes import stream_recipe
from runmill.collector.receivers.stream_config import ProcessConfig
from runmill.collector.telemetry import Telemetry
from runmill.model import Severity
from runmill.otlp import runs

__all__ = ["ProcessReceiver"]

_log: Final = logging.getLogger(__name__)

# Source: OTel semantic conventions, Process.
_EXIT_CODE: Final = "process.exit.code"
_COMMAND: Final = "process.command_args"
_PID: Final = "process.pid"
_RUN_VARIABLES: Final = {
    "RUNMILL_RUN_ID": runs.RUN_ID,
    "RUNMILL_EXPERIMENT": runs.EXPERIMENT,
    "RUNMILL_PARENT_RUN_ID": runs.PARENT_ID,
}


class ProcessReceiver:
    """Runs one command, once."""

    def __init__(
        self,
        config: ProcessConfig,
        consumers: Mapping[Signal, Consumer],
        *,
        receiver_id: str,
        telemetry: Telemetry,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._config = config
        self._consumer = consumers["logs"]
        self._receiver_id = receiver_id
        self._telemetry = telemetry
        self._sleep = sleep
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the command. Raises OSError when it cannot be: no such program, no such folder."""
        self._process = await asyncio.create_subprocess_exec(
            *self._config.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._config.cwd,
            env={**os.environ, **self._config.env},
            limit=MOST_BYTES,
            start_new_session=True,  # Ctrl-C is for the collector, which tells the command; it and its children
        )
        self._task = asyncio.create_task(self._guarded(self._process), name=f"{self._receiver_id} gathers")

    async def shutdown(self) -> None:
        """End the command, hand on what it printed last, and return; killed when it does not end in time."""
        process, task, self._process, self._task = self._process, self._task, None, None
        if process is None or task is None:
            return
        _tell(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(self._config.shutdown_timeout):
                await asyncio.shield(task)
        except TimeoutError:
            _tell(process, signal.SIGKILL)
            task.cancel()
            await asyncio.wait([task])
            await process.wait()

    async def _guarded(self, process: asyncio.subprocess.Process) -> None:
        try:
            await self._gather(process)
        except Exception:  # noqa: BLE001 - the component's edge: the other receivers go on
            self._telemetry.add("runmill_receiver_crashes_total", receiver=self._receiver_id)
            _log.exception("receiver %s: gathering ended before its command did", self._receiver_id)

    async def _gather(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # both are pipes
        assert process.stderr is not None
        origin = Origin(self._resource(process.pid), self._config.attributes)
        streams = {"stdout": process.stdout, "stderr": process.stderr}
        async with asyncio.TaskGroup() as group:
            for stream, pipe in streams.items():
                gatherer = PipeGatherer(
                    recipe=stream_recipe(self._config, stream),
                    origin=origin,
                    consumer=self._consumer,
                    flush_seconds=self._config.force_flush_period,
                    sleep=self._sleep,
                )
                group.create_task(gatherer.gather(lambda pipe=pipe: pipe.read(MOST_BYTES)))  # type: ignore[misc]  # a default binds it
        await hand_on([_ended(self._config, await process.wait())], origin, self._consumer, sleep=self._sleep)

    def _resource(self, pid: int) -> dict[str, Any]:
        of_run = {name: self._config.env[key] for key, name in _RUN_VARIABLES.items() if self._config.env.get(key)}
        return {_PID: pid, _COMMAND: list(self._config.command), **of_run, **self._config.resource}


def _ended(config: ProcessConfig, status: int) -> Entry:
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit code {status}"
    number, text = (Severity.ERROR, "ERROR") if status else (Severity.INFO, "INFO")
    return Entry(
        first=0,
        last=0,
        time_unix_nano=0,
        stream=None,
        body=f"{shlex.join(config.command)} {how}",
        severity_number=number,
        severity_text=text,
        scope="runmill",
        attributes={_EXIT_CODE: status},
    )


def _tell(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Send a signal to the command and all that it started."""
    with contextlib.suppress(ProcessLookupError):  # it ended by itself just now
        if process.returncode is None:
            os.killpg(process.pid, number)
