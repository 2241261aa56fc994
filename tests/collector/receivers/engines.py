"""Real container engines in a folder of their own, with one image that is a shell; nothing is downloaded."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx

DEADLINE_SECONDS = 30

_BUSYBOX = Path("/bin/busybox")
_COMMANDS = ("sh", "echo", "printf", "seq", "cat", "head", "yes", "tr", "sleep")
_PODMAN_CONF = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class Missing(Exception):  # noqa: N818 - what is wrong with the machine
    """What an engine needs is not on this machine."""


@dataclass
class Engine:
    """One engine that can be stopped and started again."""

    kind: Literal["docker", "podman"]
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None
    client: httpx.Client = field(init=False)

    def __post_init__(self):
        limits = httpx.Limits(max_keepalive_connections=0)  # the engine may be started again
        transport = httpx.HTTPTransport(uds=str(self.socket), limits=limits)
        self.client = httpx.Client(
            transport=transport, base_url="http://engine/v1.40", timeout=DEADLINE_SECONDS, trust_env=False
        )

    @property
    def socket(self) -> Path:
        return self.folder / f"{self.kind}.sock"

    @property
    def image(self) -> str:
        return {"docker": "tiny", "podman": "localhost/tiny"}[self.kind]

    @property
    def endpoint(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Return when it answers."""
        self.socket.unlink(missing_ok=True)  # of one that was killed
        with (self.folder / "engine.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, env=self._environment(), start_new_session=True
            )
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            if self.socket.exists() and self._answers():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)  # a socket appears: there is nothing to wait on
        raise Missing(f"{self.kind} does not start: {(self.folder / 'engine.log').read_text()[-500:]}")

    def _answers(self) -> bool:
        try:
            return self.client.get("/_ping").is_success
        except httpx.TransportError:
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Return when it has ended; its containers go on."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(DEADLINE_SECONDS)

    def import_image(self) -> None:
        """Make the image that containers are made of."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(_BUSYBOX, "bin/busybox")
            for name in _COMMANDS:
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
        content, is_docker = archive.getvalue(), self.kind == "docker"
        path = "/images/create" if is_docker else "/libpod/images/import"
        named = {"fromSrc": "-", "repo": "tiny", "tag": "1"} if is_docker else {"reference": "localhost/tiny:1"}
        self.client.post(path, params=named, content=content).raise_for_status()

    def create(self, script: str, *, name: str | None = None, auto_remove: bool = False, **settings: object) -> str:
        """Make a container that runs a shell script; give its id."""
        answer = self.client.post(
            "/containers/create",
            params={"name": name} if name else {},
            json={
                "Image": f"{self.image}:1",
                "Cmd": ["/bin/sh", "-c", script],
                "HostConfig": {"NetworkMode": "none", "AutoRemove": auto_remove},
                **settings,
            },
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["Id"]

    def begin(self, container_id: str) -> None:
        """Start a container, for the first time or again."""
        answer = self.client.post(f"/containers/{container_id}/start")
        assert answer.status_code == 204, answer.text

    def wait(self, container_id: str) -> None:
        """Return when a container has ended."""
        self.client.post(f"/containers/{container_id}/wait", timeout=None)  # the test has a deadline

    def run(self, script: str, **settings: object) -> str:
        """Run a container to its end."""
        container_id = self.create(script, **settings)
        self.begin(container_id)
        self.wait(container_id)
        return container_id

    def remove(self, container_id: str) -> None:
        """Remove a container, running or not."""
        self.client.delete(f"/containers/{container_id}", params={"force": "true"})

    def remove_all(self) -> None:
        for found in self.client.get("/containers/json", params={"all": "true"}).json():
            self.remove(found["Id"])

    def _command(self) -> list[str]:
        if self.kind == "podman":
            storage = ["--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run", "--storage-driver", "vfs"]
            state = ["--tmpdir", f"{self.folder}/tmp"]
            return ["podman", *storage, *state, "system", "service", "--time=0", self.endpoint]
        return [
            "/usr/sbin/dockerd", "--data-root", f"{self.folder}/root", "--exec-root", f"{self.folder}/run",
            "-H", self.endpoint, "--pidfile", f"{self.folder}/docker.pid", "--iptables=false", "--bridge=none",
            "--ip-forward=false", "--live-restore",
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        conf = self.folder / "containers.conf"
        conf.write_text(_PODMAN_CONF)
        return {**os.environ, "CONTAINERS_CONF": str(conf)}


@contextlib.contextmanager
def started(kind: Literal["docker", "podman"], folder: Path) -> Iterator[Engine]:
    """Start an engine with its image; all of it is gone at the end. Raises Missing."""
    program = {"docker": "/usr/sbin/dockerd", "podman": "podman"}[kind]
    for needed in (program, str(_BUSYBOX), "runc"):
        if not shutil.which(needed):
            raise Missing(f"{needed} is not installed")
    if os.geteuid() != 0:
        raise Missing("container engines are started as root")
    engine = Engine(kind, folder)
    try:
        engine.start()
        engine.import_image()
        yield engine
        engine.remove_all()
    finally:
        engine.client.close()
        if engine.process is not None and engine.process.poll() is None:
            engine.stop()
        # A dockerd whose containers may go on without it leaves its folder mounted upon itself.
        subprocess.run(["umount", "--recursive", "--quiet", folder / "root"], check=False, capture_output=True)
