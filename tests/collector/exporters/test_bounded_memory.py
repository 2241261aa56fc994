"""What a backend that hangs costs: the disk of its queue, then its senders' time, never the collector's memory."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest
from backends import HANG, Backend, serving
from collector_fakes import logs

CONFIG = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:0"}}}}}}}}
exporters: {{otlp_http: {{endpoint: "{url}", sending_queue: {{queue_size: 100, block_on_overflow: {blocks}}}}}}}
service: {{pipelines: {{logs: {{receivers: [otlp], exporters: [otlp_http]}}}}}}
"""
PAYLOAD = logs(*["x" * 1000] * 1000)
"""A megabyte."""
PROTOBUF = {"content-type": "application/x-protobuf"}


def most_resident_mib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells how much memory a process has used at most")
@pytest.mark.parametrize(("blocks", "answered"), [("true", 100), pytest.param("false", 200, marks=pytest.mark.long)])
async def test_a_backend_that_hangs_costs_no_memory(tmp_path, home, blocks, answered):
    """Twice as many megabytes as its queue takes: those beyond wait with their senders, or are dropped."""
    config, environment = tmp_path / "config.yaml", {**os.environ, "RUNMILL_HOME": str(home)}
    async with serving(Backend(always=HANG)) as backend:
        config.write_text(CONFIG.format(url=backend.url, blocks=blocks))
        command = [sys.executable, "-m", "runmill", "collect", "--config", str(config)]
        process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.PIPE)
        said = (await process.stderr.readline()).decode()
        url = f"http://{said.split()[2].rstrip(';')}/v1/logs"
        before = most_resident_mib(process.pid)
        async with httpx.AsyncClient(timeout=httpx.Timeout(60, read=5)) as client:
            results = list[bool]()
            for _ in range(20):
                results += await asyncio.gather(*(is_taken(client, url) for _ in range(10)))
                if results.count(False) >= 10:
                    break
        grown = most_resident_mib(process.pid) - before
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    assert (results.count(True), grown < 100) == (answered, True), grown


async def is_taken(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.post(url, content=PAYLOAD, headers=PROTOBUF)).status_code == 200
    except httpx.ReadTimeout:
        return False
