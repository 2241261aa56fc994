"""Every example of `examples/attach` runs as it is printed, and what it logs arrives: whole, once, with whose it is."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from jupyter_client.manager import KernelManager

from runmill.testing import ReceivedLog, RecordingCollector

EXAMPLES = Path(__file__).parents[2] / "examples" / "attach"
DEADLINE_SECONDS = 30

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def example_environment(recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples are told nothing: where their logs go is in the environment."""
    monkeypatch.setenv("RUNMILL_ENDPOINT", recording_collector.endpoint)
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.chdir(EXAMPLES)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with *arguments* to its end, which must be a good one."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@contextmanager
def started(*arguments: str, stop: signal.Signals = signal.SIGTERM) -> Iterator["subprocess.Popen[bytes]"]:
    """Run Python with *arguments* for as long as the block takes, then end it by a signal."""
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield process
            process.send_signal(stop)
            process.wait(DEADLINE_SECONDS)
        finally:
            with suppress(ProcessLookupError):  # workers that outlived it, if there are any
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(
    collector: RecordingCollector, is_it: Callable[[ReceivedLog], bool], *, count: int = 1
) -> list[ReceivedLog]:
    """Give the records that are meant, once there are *count* of them."""
    collector.wait_for(lambda c: sum(map(is_it, c.logs)) >= count, timeout_seconds=DEADLINE_SECONDS)
    return [record for record in collector.logs if is_it(record)]


def of(logger: str) -> Callable[[ReceivedLog], bool]:
    return lambda record: record.scope == logger


def has(body: str) -> Callable[[ReceivedLog], bool]:
    return lambda record: str(record.body).startswith(body)


def pid(record: ReceivedLog) -> object:
    return record.resource["process.pid"]


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False, timeout=DEADLINE_SECONDS)


def test_a_script(recording_collector: RecordingCollector) -> None:
    """Its three records arrive in order, and the console still has them."""
    done = run("script.py")
    first, second, third = recording_collector.logs
    assert [first.body, second.body, third.body] == ["reading 3 files", "read", "one row was skipped"]
    extra = ("row_count", "share", "columns")
    assert [second.attributes[key] for key in extra] == [1200, 0.25, ["a", "b"]]
    assert third.attributes["exception.type"] == "ValueError"
    assert first.resource["service.name"] == "script"
    assert done.stderr.splitlines()[:2] == ["INFO:report:reading 3 files", "INFO:report:read"]


def test_uvicorn_and_fastapi(recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own lines, the access log and the program's: each once, though uvicorn's do not propagate."""
    monkeypatch.setenv("PORT", "0")
    with started("fastapi_app.py") as process:
        [running] = wait_for(recording_collector, has("Uvicorn running on"))
        address = str(running.body).split()[3]
        assert get(f"{address}/orders/17").json() == {"order": 17}
    # uvicorn ends by the signal it was sent, so without exit hooks: the next process of the home delivers the rest.
    run("-c", "import runmill; runmill.Handler(); runmill.flush()")
    [order] = wait_for(recording_collector, of("shop"))
    [access] = wait_for(recording_collector, of("uvicorn.access"))
    assert (order.body, order.attributes["order"]) == ("order 17 was read", 17)
    assert str(access.body).endswith('"GET /orders/17 HTTP/1.1" 200')
    wait_for(recording_collector, has("Finished server process"))
    assert {pid(record) for record in recording_collector.logs} == {process.pid}
    assert set(Counter(record.body for record in recording_collector.logs).values()) == {1}


@pytest.mark.parametrize("preload", ["0", "1"], ids=["forked", "preloaded"])
def test_gunicorn(preload: str, recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arbiter and workers each send their own records under their own pid, once."""
    address = free_address()
    monkeypatch.setenv("PRELOAD", preload)
    monkeypatch.setenv("BIND", address)
    with started("-m", "gunicorn", "--config", "gunicorn_conf.py", "gunicorn_conf:application") as process:
        booted = wait_for(recording_collector, has("Booting worker with pid"), count=2)
        worker = int(get(f"http://{address}/orders/17").text)
        [asked] = wait_for(recording_collector, of("shop"))
        [access] = wait_for(recording_collector, of("gunicorn.access"))
    assert {pid(record) for record in booted} == {int(str(record.body).split()[-1]) for record in booted}
    assert (asked.body, pid(asked), pid(access)) == ("asked for /orders/17", worker, worker)
    [listening] = wait_for(recording_collector, has("Listening at"))
    assert pid(listening) == process.pid
    wait_for(recording_collector, has("Shutting down"))
    assert len({record.resource["service.instance.id"] for record in recording_collector.logs}) == 3


def test_django(recording_collector: RecordingCollector) -> None:
    """A view's record, Django's own about a failed request with its traceback, and the server's: each once."""
    address = free_address()
    with started("django_site.py", "runserver", "--noreload", address):
        wait_until_open(address)
        assert get(f"http://{address}/orders/17/").text == "order 17\n"
        assert get(f"http://{address}/fail/").status_code == 500
        [order] = wait_for(recording_collector, of("shop"))
        [failed] = wait_for(recording_collector, of("django.request"))
        served = wait_for(recording_collector, of("django.server"), count=2)
    assert (order.body, order.attributes["order"]) == ("order 17 was read", 17)
    assert (failed.body, failed.attributes["exception.message"]) == ("Internal Server Error: /fail/", "no such thing")
    assert [str(record.body).split('"')[1] for record in served] == ["GET /orders/17/ HTTP/1.1", "GET /fail/ HTTP/1.1"]


def wait_until_open(address: str) -> None:
    """Return once somebody listens; a refused connection is answered at once, so it is asked again."""
    host, port = address.split(":")
    asked_again = threading.Event()
    for _ in range(DEADLINE_SECONDS * 20):
        try:
            socket.create_connection((host, int(port))).close()
        except ConnectionRefusedError:
            asked_again.wait(0.05)
        else:
            return
    raise AssertionError(f"nobody listens at {address}")


def test_a_celery_worker(
    recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A task's record comes from the pool's child, with the task's name and id; the worker's from the worker."""
    monkeypatch.setenv("QUEUE", str(tmp_path / "queue"))
    run("celery_worker.py")
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")  # no waiting for other workers
    arguments = ("--app", "celery_worker", "worker", "--concurrency", "2", "--loglevel", "INFO")
    # Killed: Celery takes seconds to end in order, and what counts here has arrived by then.
    with started("-m", "celery", *arguments, *alone, stop=signal.SIGKILL) as worker:
        added = wait_for(recording_collector, has("adding"), count=2)
        succeeded = wait_for(recording_collector, lambda record: "succeeded in" in str(record.body), count=2)
        ready = wait_for(recording_collector, lambda record: str(record.body).endswith(" ready."))
    assert sorted(str(record.body) for record in added) == ["adding 0 and 10", "adding 1 and 10"]
    assert {record.attributes["task_name"] for record in added} == {"celery_worker.add"}
    assert len({record.attributes["task_id"] for record in added}) == 2
    assert worker.pid not in {pid(record) for record in added + succeeded}
    assert [pid(record) for record in ready] == [worker.pid]


def test_a_notebook(recording_collector: RecordingCollector) -> None:
    """In a real kernel the cell attaches, as often as it is run; later cells' records arrive once, while it lives."""
    cell = Path("notebook_cell.py").read_text(encoding="utf-8")
    manager = KernelManager()
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=DEADLINE_SECONDS)
        for code in (cell, cell, "logging.getLogger('analysis').info('fitted', extra={'score': 0.5})"):
            answer = client.execute_interactive(code, timeout=DEADLINE_SECONDS, output_hook=lambda _: None)
            assert answer["content"]["status"] == "ok", answer["content"]
        [fitted] = wait_for(recording_collector, has("fitted"))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    said = [record.body for record in recording_collector.logs if record.scope == "analysis"]
    assert said == ["the notebook is attached", "the notebook is attached", "fitted"]
    assert (fitted.attributes["score"], fitted.resource["service.name"]) == (0.5, "notebook")


def test_pytest(recording_collector: RecordingCollector) -> None:
    """Each record arrives once, with the test it was logged in; pytest's own capturing works on."""
    run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "pytest_logs.py")
    said = [(record.attributes["amount"], str(record.attributes["test"])) for record in recording_collector.logs]
    assert [(amount, test.split("::")[1]) for amount, test in said] == [
        (17, "test_a_refused_card_is_logged"),
        (18, "test_what_is_logged_arrives_as_otlp"),
    ]


@pytest.mark.parametrize("start_method", ["fork", "spawn", "forkserver"])
def test_a_pool(start_method: str, recording_collector: RecordingCollector) -> None:
    """However workers start and end, all of their records arrive once, under their own pids, by the parent's end."""
    run("pool.py", start_method)
    *_, total = [record for record in recording_collector.logs if has("the sum is")(record)]
    squared = [record for record in recording_collector.logs if has("squaring")(record)]
    assert sorted(str(record.body) for record in squared) == sorted(f"squaring {n}" for n in range(20))
    assert total.body == f"the sum is {sum(n * n for n in range(20))}"
    assert pid(total) not in {pid(record) for record in squared}
    assert 1 <= len({pid(record) for record in squared}) <= 2


def test_a_program_that_runs_the_otel_sdk(recording_collector: RecordingCollector) -> None:
    """Native records have the active span's ids, and the SDK's own logs and metrics arrive by the journal."""
    trace_id = run("otel_sdk.py").stdout.strip()
    [native] = filter(of("shop.native"), recording_collector.logs)
    [sdk] = filter(of("shop.sdk"), recording_collector.logs)
    assert (native.body, native.trace_id, len(native.span_id)) == ("paid", trace_id, 16)
    assert (sdk.body, sdk.trace_id, sdk.resource["service.name"]) == ("packed", trace_id, "shop")
    assert [(point.metric, point.value) for point in recording_collector.points] == [("orders", 3)]
