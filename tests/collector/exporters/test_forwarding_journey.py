"""A collector process that forwards, killed with kill -9 while its backend is down: what it answered for arrives."""

import asyncio
import os
import socket
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest
from backends import Answer, Backend, serving
from collector_fakes import logs, until

CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:PORT"}}}}
exporters:
  otlp_http:
    endpoint: URL
    retry_on_failure: {initial_interval: 10ms, max_interval: 50ms}
    sending_queue: {queue_size: 40}
service: {pipelines: {logs: {receivers: [otlp], exporters: [otlp_http]}}}
"""
NAMES = [f"record {number:03}" for number in range(40)]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@contextmanager
def collecting(tmp_path, port, url):
    """Run `runmill collect`; killed with SIGKILL at the end."""
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG.replace("PORT", str(port)).replace("URL", url))
    command = [sys.executable, "-m", "runmill", "collect", "--config", str(file), "--home", str(tmp_path)]
    with subprocess.Popen(command, env=dict(os.environ), stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


async def ready(client: httpx.AsyncClient, url: str) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await client.get(f"{url}/health")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)  # a process starts: there is nothing to wait on


@pytest.mark.slow
async def test_kill_with_a_full_queue_loses_nothing(tmp_path):
    """Every record that was answered with 200 reaches the backend once the collector runs again."""
    headers = {"content-type": "application/x-protobuf"}
    async with httpx.AsyncClient() as client, serving(Backend(always=Answer(503))) as backend:
        with collecting(tmp_path, free_port(), backend.url) as url:
            await ready(client, url)
            for name in NAMES:
                answer = await client.post(f"{url}/v1/logs", content=logs(name), headers=headers)
                assert answer.status_code == 200
        assert backend.accepted == []
        backend.always = Answer(200)
        with collecting(tmp_path, free_port(), backend.url):
            await until(lambda: len(set(backend.bodies())) == len(NAMES))
    assert sorted(set(backend.bodies())) == NAMES
