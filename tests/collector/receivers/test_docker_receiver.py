"""``docker`` on real engines: every line of every container, once, whoever is restarted or killed."""

import asyncio
import json
import signal
import time
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from collector_fakes import RecordingConsumer
from engines import DEADLINE_SECONDS, Engine

from processes import RunningServer, running
from runmill.collector.receivers.docker.config import DockerConfig
from runmill.collector.receivers.docker.receiver import DockerReceiver
from runmill.collector.telemetry import Telemetry
from runmill.otlp import columns

pytestmark = pytest.mark.slow

FAILS = r"""Traceback (most recent call last):\n  File "t.py", line 1, in <module>\nValueError: bad batch\n"""


@asynccontextmanager
async def following(engine, folder, consumer, **settings):
    config = DockerConfig(
        endpoint=engine.endpoint, **{"start_at": "beginning", "force_flush_period": "100ms", **settings}
    )
    receiver = DockerReceiver(
        config, {"logs": consumer}, receiver_id="docker", telemetry=Telemetry(), state_folder=folder
    )
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.shutdown()


def rows(consumer, *names):
    """The records of the containers of these names, as a run store has them: a batch it has is known by its number."""
    found = []
    for batch in {batch.producer: batch for batch in consumer.batches}.values():
        decoded = columns.decode_logs(batch.payload)
        resources = {one["resource_id"]: json.loads(one["attributes"]) for one in decoded.resources.to_pylist()}
        for row in decoded.logs.to_pylist():
            resource = resources[row["resource_id"]]
            if resource["container.name"] in names:
                found.append({**row, "resource": resource})
    return found


def printed(consumer, *names):
    return [(row["stream"], row["body"]) for row in rows(consumer, *names)]


async def until(consumer, condition):
    """Look again whenever a batch arrives, until *condition* holds."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            consumer.arrived.clear()
            await consumer.arrived.wait()


async def test_lines_are_gathered_with_their_container_and_run(engine: Engine, tmp_path: Path):
    """Streams apart, a traceback as one record, what the engine knows as the resource; a label names the run."""
    consumer, name = RecordingConsumer(), "plain"
    script = f'echo \'{{"message": "epoch", "level": "warning", "n": 1}}\'; printf \'{FAILS}\' >&2; printf last'
    labels = {"runmill.run.id": "run-1", "team": "vision", "runmill.experiment": "mnist"}
    container_id = engine.run(script, name=name, Labels=labels, Env=["RUNMILL_RUN_ID=another", "SECRET=x"])
    async with following(engine, tmp_path, consumer, include={"names": [name]}, attributes={"site": "a"}):
        await until(consumer, lambda: len(rows(consumer, name)) == 3)
    found = rows(consumer, name)
    assert sorted((row["stream"], row["severity_text"], row["body"], row["run_id"]) for row in found) == [
        ("stderr", "ERROR", "ValueError: bad batch", "run-1"),
        ("stdout", "", "last", "run-1"),
        ("stdout", "warning", "epoch", "run-1"),
    ]
    resource = dict(found[0]["resource"])
    assert resource.pop("container.image.id").startswith("sha256:")
    assert resource == {
        "container.id": container_id,
        "container.name": name,
        "container.image.name": engine.image,
        "container.image.tags": ["1"],
        "container.runtime": engine.kind,
        "container.label.team": "vision",
        "container.label.runmill.run.id": "run-1",
        "container.label.runmill.experiment": "mnist",
        "service.name": name,
        "run.id": "run-1",
        "run.experiment": "mnist",
    }


async def test_lines_that_an_engine_cuts_are_whole(engine: Engine, tmp_path: Path):
    """Long ones, those of terminals, and characters of several bytes, wherever the cut is."""
    script = "echo start; yes äöü | tr -d '\\n' | head -c 60000; echo; echo; printf pa; sleep 0.1; echo rt; printf last"
    consumer = RecordingConsumer()
    engine.run(script, name="long")
    engine.run(script, name="terminal", Tty=True)
    async with following(engine, tmp_path, consumer, include={"names": ["long", "terminal"]}):
        await until(consumer, lambda: len(rows(consumer, "long", "terminal")) == 10)
    expected = [("stdout", body) for body in ("start", "äöü" * 10_000, "", "part", "last")]
    assert printed(consumer, "long") == expected
    assert printed(consumer, "terminal") == expected


async def test_containers_are_followed_as_they_start(engine: Engine, tmp_path: Path):
    """Also those that end and are removed at once; what is left out is not read."""
    consumer = RecordingConsumer()
    async with following(engine, tmp_path, consumer, include={"labels": ["follow=yes"]}, exclude={"names": ["quiet*"]}):
        labels = {"follow": "yes"}
        await asyncio.to_thread(engine.run, "echo left out", name="unlabelled")
        await asyncio.to_thread(engine.run, "echo left out", name="quiet-1", Labels=labels)
        for n in range(3):
            await asyncio.to_thread(
                engine.run, f"seq {n}000 {n}999; sleep 0.5", name=f"brief-{n}", Labels=labels, auto_remove=True
            )
        await until(consumer, lambda: len(rows(consumer, "brief-0", "brief-1", "brief-2")) >= 2001)
        await until(consumer, lambda: "2999" in [body for _, body in printed(consumer, "brief-2")])
    assert [body for _, body in printed(consumer, "brief-0")] == [str(n) for n in range(1000)]
    assert not rows(consumer, "unlabelled", "quiet-1")


async def test_a_receiver_that_starts_again_goes_on_where_it_ended(engine: Engine, tmp_path: Path):
    """A container that was started again meanwhile, many lines of the same second: each line once, in order."""
    name, consumer = "again", RecordingConsumer()
    include = {"names": [name]}
    container_id = await asyncio.to_thread(engine.run, "seq 1 1000; seq 1 1000", name=name)
    for rounds in (1, 2):
        async with following(engine, tmp_path, consumer, include=include):
            await until(consumer, lambda rounds=rounds: len(rows(consumer, name)) >= 2000 * rounds)
        engine.begin(container_id)
        await asyncio.to_thread(engine.wait, container_id)
    assert [body for _, body in printed(consumer, name)] == [str(n) for n in range(1, 1001)] * 4


async def test_what_was_not_taken_comes_again_under_its_number(engine: Engine, tmp_path: Path):
    """The very same batch, although its container is gone; also where the pipeline breaks."""
    name, consumer = "untaken", RecordingConsumer(RuntimeError("a bug"))
    container_id = await asyncio.to_thread(engine.run, "seq 1 100", name=name)
    consumer.open.clear()
    async with following(engine, tmp_path, consumer, include={"names": [name]}):
        await consumer.arrived.wait()
    engine.remove(container_id)
    consumer.open.set()
    consumer.arrived.clear()
    async with following(engine, tmp_path, consumer, include={"names": [name]}):
        await until(consumer, lambda: len(consumer.batches) == 3)
    assert consumer.batches == consumer.batches[:1] * 3


async def test_a_container_that_is_removed_while_the_pipeline_waits_is_read_to_its_end(engine: Engine, tmp_path: Path):
    """What the engine had given by then is held, and handed on when it can be."""
    name, consumer = "removed", RecordingConsumer()
    consumer.open.clear()
    async with following(engine, tmp_path, consumer, include={"names": [name]}):
        # podman ends the answer when the container does, and removes what was not in it.
        script = f"echo first; seq 1 20000; sleep {2 if engine.kind == 'podman' else 0.5}"
        await asyncio.to_thread(engine.run, script, name=name, auto_remove=True)
        consumer.open.set()
        await until(consumer, lambda: "20000" in [body for _, body in printed(consumer, name)])
    assert [body for _, body in printed(consumer, name)] == ["first", *map(str, range(1, 20_001))]


async def test_an_engine_that_goes_away_and_comes_back_is_followed_on(engine: Engine, tmp_path: Path, caplog):
    """Its containers go on meanwhile; each line comes once, and who runs the collector is told."""
    name, consumer = "survivor", RecordingConsumer()
    container_id = engine.create("n=0; while [ $n -lt 60 ]; do echo $n; n=$((n+1)); sleep 0.05; done", name=name)
    async with following(engine, tmp_path, consumer, include={"names": [name]}):
        await asyncio.to_thread(engine.begin, container_id)
        await until(consumer, lambda: len(rows(consumer, name)) > 3)
        # dockerd takes its containerd with it when it is killed, and that one does not start again at once.
        await asyncio.to_thread(engine.stop, signal.SIGKILL if engine.kind == "podman" else signal.SIGTERM)
        await asyncio.to_thread(engine.start)
        await until(consumer, lambda: len(rows(consumer, name)) >= 60)
    assert [body for _, body in printed(consumer, name)] == [str(n) for n in range(60)]
    assert any("hung up" in text or "does not answer" in text for text in caplog.messages)


async def test_only_what_is_printed_from_now_on_by_default(engine: Engine, tmp_path: Path):
    """Unless asked for, a first start does not fetch what containers printed in the past."""
    name, consumer = "old", RecordingConsumer()
    container_id = await asyncio.to_thread(engine.run, "echo old", name=name)
    now = time.time()
    await asyncio.sleep(int(now) + 1 - now)  # podman tells whole seconds only
    async with following(engine, tmp_path, consumer, include={"names": [name]}, start_at="end"):
        engine.begin(container_id)
        await until(consumer, lambda: rows(consumer, name))
    assert len(rows(consumer, name)) == 1


async def test_a_receiver_starts_without_its_engine(tmp_path: Path, caplog):
    """It says so once, names the socket, and goes on trying."""
    consumer, config = RecordingConsumer(), DockerConfig(endpoint=f"unix://{tmp_path}/no.sock")
    tried = asyncio.Event()
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            tried.set()
        await asyncio.sleep(0 if len(pauses) < 3 else seconds)

    receiver = DockerReceiver(
        config, {"logs": consumer}, receiver_id="docker", telemetry=Telemetry(), state_folder=tmp_path, sleep=sleep
    )
    await receiver.start()
    await asyncio.wait_for(tried.wait(), DEADLINE_SECONDS)
    await receiver.shutdown()
    await receiver.shutdown()
    assert pauses == [0.1, 0.2, 0.4]
    [said] = caplog.messages
    assert f"unix://{tmp_path}/no.sock does not answer" in said


CONFIG = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:0"}}}}}}
  docker: {{endpoint: "{endpoint}", start_at: beginning, include: {{names: [{name}]}}}}
exporters:
  run_store: {{url: "{home}/store"}}
service:
  pipelines:
    logs: {{receivers: [otlp, docker], exporters: [run_store]}}
"""


def stored(server: RunningServer) -> list[str]:
    """Read all lines through the HTTP API."""
    page = server.get("/api/v1/logs", limit="10000").json()
    return [record["body"] for record in page["records"]]


@pytest.mark.parametrize("kill_count", [1, pytest.param(10, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_a_killed_server_neither_loses_nor_doubles_lines(kill_count: int, engine: Engine, home: Path, tmp_path: Path):
    """SIGKILL while a container prints: the next server knows what the store has."""
    count = 800 * kill_count
    name, config = "printing", tmp_path / "config.yaml"
    config.write_text(CONFIG.format(endpoint=engine.endpoint, home=home, name=name))
    pause = f"[ $((n % 100)) -ne 0 ] || sleep {0.1 * kill_count:.1f}"
    script = f"n=0; while [ $n -lt {count} ]; do echo $n; n=$((n+1)); {pause}; done"
    container_id = engine.create(script, name=name)
    engine.begin(container_id)
    for _ in range(kill_count):
        with running(home, "up", "--config", str(config)) as server:
            before = len(stored(server))
            deadline = time.monotonic() + DEADLINE_SECONDS
            while len(stored(server)) <= before and time.monotonic() < deadline:
                time.sleep(0.02)
            server.stop(signal.SIGKILL)
    engine.wait(container_id)
    with running(home, "up", "--config", str(config)) as server:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(stored(server)) < count and time.monotonic() < deadline:
            time.sleep(0.1)
        assert Counter(stored(server)) == Counter(str(n) for n in range(count))
