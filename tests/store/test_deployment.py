"""What `examples/deploy` describes, as processes of this machine: their commands, environment and configurations.

Only addresses, paths and the catalog's user are other ones here.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from lake_servers import free_port, wait_for

from processes import running

FOLDER = Path(__file__).parents[2] / "examples" / "deploy"
SERVICES = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
SECRETS = {"RUNMILL_TOKEN": "a-token", "CATALOG_PASSWORD": "unused", "STORAGE_SECRET": "a-secret"}
TOKEN = {"Authorization": "Bearer a-token"}

POD = """
import logging, sys
import runmill
from runmill.json import JsonFormatter
run = runmill.Experiment(runmill.Workspace.from_config(), "cluster").start_logging(display_name="in a pod")
logging.basicConfig(level="INFO", handlers=[runmill.Handler()])
logging.getLogger("train").warning("learning rate is %s", 0.5, extra={"lr": 0.5})
run.log("loss", 0.25)
with open("weights.bin", "wb") as file:
    file.write(b"weights")
run.upload_file("weights.bin", "weights.bin")
run.complete()
printed = logging.getLogger("printed")
printed.propagate = False
printed.addHandler(logging.StreamHandler(sys.stdout))
printed.handlers[0].setFormatter(JsonFormatter())
printed.error("seen by the machine's agent", extra={"attempt": 3})
print("a plain line")
print(run.id, file=sys.stderr)
"""


def environment(service: str, places: dict[str, str]) -> dict[str, str]:
    """What the compose file gives a service, its secrets filled in, at other places."""
    said = SERVICES[service]["environment"]
    text = json.dumps({name: str(value) for name, value in said.items()})
    for name, value in SECRETS.items():
        text = text.replace(f"${{{name}:?set it in .env}}", value)
    for described, here in places.items():
        text = text.replace(described, here)
    filled: dict[str, str] = json.loads(text)
    return filled


@pytest.fixture(scope="module")
def storage():
    """The object storage as the compose file starts it, healthy by its own check; gives its address."""
    folder = tempfile.mkdtemp(prefix="runmill-s3-")
    ports = {name: free_port() for name in ("master", "volume", "filer", "admin", "s3")}
    arguments = [each.replace("/data", folder) for each in SERVICES["storage"]["command"] if "s3.port" not in each]
    process = subprocess.Popen(
        [
            Path(sys.executable).parent / "weed",
            *arguments,
            "-ip=127.0.0.1",
            *(f"-{n}.port={p}" for n, p in ports.items()),
        ],
        env={**os.environ, **environment("storage", {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    asked = SERVICES["storage"]["healthcheck"]["test"][-1].replace("8333", str(ports["s3"]))
    wait_for(lambda: is_healthy(asked), "the storage")
    yield f"127.0.0.1:{ports['s3']}"
    process.kill()
    process.wait()


def is_healthy(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def places(postgres, storage):
    postgres.sql("create database deployed")
    connection = postgres.connection("deployed")
    return {"host=catalog dbname=runmill user=runmill": connection, "storage:8333": storage}


@pytest.mark.engines
@pytest.mark.timeout(300)
def test_a_run_of_a_pod_is_whole_in_the_portal(places, tmp_path):
    """Its record, metric and file came by the gateway, what it printed by the agent of its machine."""
    with ExitStack() as stack:
        access = environment("gateway", places)
        gateway_command = [each.replace("/etc/runmill", str(FOLDER)) for each in SERVICES["gateway"]["command"]]
        gateway, portal = (
            stack.enter_context(running(tmp_path / name, *command, "--endpoint", "127.0.0.1:0", environment=access))
            for name, command in (("gateway", gateway_command), ("portal", SERVICES["portal"]["command"][:1]))
        )
        stack.enter_context(agent(tmp_path, gateway.endpoint))
        run_id = logged_in_a_pod(tmp_path, gateway.endpoint)

        def ask(path: str, **parameters: str) -> httpx.Response:
            url = f"{portal.endpoint}/api/v1{path}"
            return httpx.get(url, params=parameters, headers=TOKEN, trust_env=False, timeout=30)

        until(lambda: ask(f"/runs/{run_id}").json().get("status") == "Completed")
        until(lambda: len(ask("/logs", service="train-0").json()["records"]) == 2)
        [record] = ask(f"/runs/{run_id}/logs", logger="train").json()["records"]
        assert (record["body"], record["severity_text"], record["attributes"]["lr"]) == (
            "learning rate is 0.5", "WARNING", 0.5,
        )  # fmt: skip
        [metric] = ask(f"/runs/{run_id}/metrics").json()["metrics"]
        assert (metric["metric"], metric["last_value"]) == ("loss", 0.25)
        assert ask(f"/runs/{run_id}/files/weights.bin").content == b"weights"
        plain, printed = ask("/logs", service="train-0").json()["records"]
        assert (printed["body"], printed["severity_text"], printed["attributes"]["attempt"]) == (
            "seen by the machine's agent", "ERROR", 3,
        )  # fmt: skip
        assert (plain["body"], plain["stream"]) == ("a plain line", "stdout")
        attributes = ask(f"/resources/{plain['resource_id']}").json()["attributes"]
        assert (attributes["k8s.namespace.name"], attributes["k8s.pod.name"]) == ("research", "train-0")
        stopped = [server.stop(signal.SIGTERM)[0] for server in (gateway, portal)]
        assert stopped == [0, 0]


@contextmanager
def agent(folder: Path, gateway: str):
    """The agent, on a folder where a machine has its pods' files; it must end well."""
    text = (FOLDER / "agent.yaml").read_text().replace("/var/log/pods", str(folder / "pods"))
    (folder / "agent.yaml").write_text(text)
    process = subprocess.Popen(
        [sys.executable, "-m", "runmill", "collect", "--config", folder / "agent.yaml", "--home", folder / "agent"],
        env={**os.environ, "RUNMILL_GATEWAY": gateway, "RUNMILL_TOKEN": "a-token"},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def logged_in_a_pod(folder: Path, gateway: str) -> str:
    """Run the pod's program; keep what it prints as a container's runtime does. Gives the run's id."""
    (folder / "pod").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", POD],
        cwd=folder / "pod",
        env={
            **os.environ, "RUNMILL_HOME": str(folder / "pod"), "RUNMILL_ENDPOINT": gateway, "RUNMILL_TOKEN": "a-token",
        },
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    file = folder / "pods" / "research_train-0_0a1b2c3d-0000-4000-8000-000000000000" / "main" / "0.log"
    file.parent.mkdir(parents=True)
    file.write_text("".join(f"2026-01-02T03:04:05.678901234Z stdout F {line}\n" for line in done.stdout.splitlines()))
    return done.stderr.split()[-1]


def until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
