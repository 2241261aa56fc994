"""Records reach the collector whatever happens to the process, the network or the collector."""

import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

import runmill
from runmill.testing import RecordingCollector


def start(program: str, **variables: str) -> subprocess.Popen[str]:
    """Run *program* in a process of its own, with the test's home."""
    return subprocess.Popen(
        [sys.executable, "-c", "import logging, os, sys, runmill\n" + textwrap.dedent(program)],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(program: str, **variables: str) -> tuple[int, str]:
    """Run *program* to its end; give exit code and stderr."""
    with start(program, **variables) as process:
        _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr


def bodies(collector: RecordingCollector, logger: str = "app") -> list[object]:
    return [record.body for record in collector.logs if record.scope == logger]


LOG_100 = """
    logging.basicConfig(level=logging.DEBUG, handlers=[runmill.Handler()])
    for n in range(100):
        logging.getLogger("app").info("record %d", n)
"""
DELIVER_THE_REST = "runmill.Handler(); runmill.flush(10)"
ENDS = {
    "returns": "",
    "raises": "raise SystemExit(3)",
    "os._exit": "os._exit(1)",
    "SIGKILL": "os.kill(os.getpid(), 9)",
    "SIGTERM": "os.kill(os.getpid(), 15)",
    "segfault": "import ctypes; ctypes.string_at(0)",
}


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_was_logged_survives_the_process(end: str, recording_collector: RecordingCollector) -> None:
    """However a process ends, the next one of its home delivers what it left, once."""
    run(LOG_100 + "    " + end, RUNMILL_ENDPOINT=recording_collector.endpoint)
    run(DELIVER_THE_REST, RUNMILL_ENDPOINT=recording_collector.endpoint)
    assert bodies(recording_collector) == [f"record {n}" for n in range(100)]


@pytest.mark.slow
def test_records_wait_for_a_collector(recording_collector: RecordingCollector) -> None:
    """What was logged while nobody listened arrives when somebody does."""
    run(LOG_100, RUNMILL_ENDPOINT="http://127.0.0.1:9")
    assert recording_collector.logs == []
    run(DELIVER_THE_REST, RUNMILL_ENDPOINT=recording_collector.endpoint)
    assert len(bodies(recording_collector)) == 100


@pytest.mark.slow
@pytest.mark.parametrize("how", ["refuses", "hangs"])
def test_the_end_of_a_program_waits_for_nobody_for_long(how: str) -> None:
    """A collector that refuses or never answers holds the program's end for two seconds at most; nothing is lost."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if how == "refuses":
            listener.close()
        started = time.monotonic()
        code, stderr = run(LOG_100, RUNMILL_ENDPOINT=address)
        assert (code, stderr) == (0, "")
        assert time.monotonic() - started < 8  # two of them wait, the rest starts an interpreter on a busy machine


@pytest.mark.slow
def test_forked_workers_lose_nothing(recording_collector: RecordingCollector) -> None:
    """Children that leave through os._exit: their records arrive, with their own pid and instance."""
    code, stderr = run(
        """
        import multiprocessing
        def work(worker):
            for n in range(10):
                logging.getLogger("app").info("%d %d", worker, n)
        logging.basicConfig(level=logging.INFO, handlers=[runmill.Handler()])
        logging.getLogger("app").info("parent")
        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=work, args=(n,)) for n in range(4)]
        for worker in workers: worker.start()
        for worker in workers: worker.join()
        """,
        RUNMILL_ENDPOINT=recording_collector.endpoint,
    )
    assert (code, stderr) == (0, "")
    assert sorted(map(str, bodies(recording_collector))) == sorted(
        ["parent", *(f"{worker} {n}" for worker in range(4) for n in range(10))]
    )
    processes = {record.resource["process.pid"] for record in recording_collector.logs}
    instances = {record.resource["service.instance.id"] for record in recording_collector.logs}
    assert (len(processes), len(instances)) == (5, 5)


@pytest.mark.slow
def test_a_fork_while_threads_log_does_not_hang(recording_collector: RecordingCollector) -> None:
    """The child of a busy process logs and ends."""
    code, stderr = run(
        """
        import threading
        logging.basicConfig(level=logging.INFO, handlers=[runmill.Handler()])
        log, stop = logging.getLogger("app"), threading.Event()
        def busy():
            while not stop.is_set(): log.info("busy")
        threads = [threading.Thread(target=busy) for _ in range(4)]
        for thread in threads: thread.start()
        for n in range(20):
            if (pid := os.fork()) == 0:
                log.info("child"); os._exit(0)
            os.waitpid(pid, 0)
        stop.set()
        for thread in threads: thread.join()
        runmill.flush(30)
        """,
        RUNMILL_ENDPOINT=recording_collector.endpoint,
    )
    assert (code, stderr) == (0, "")
    assert bodies(recording_collector).count("child") == 20


@pytest.mark.slow
def test_what_exit_hooks_log_is_kept(recording_collector: RecordingCollector) -> None:
    """A record logged after our own exit hook waits in a journal for the next process."""
    run(
        """
        import atexit
        """
        + LOG_100.replace("\n    ", "\n        "),
        RUNMILL_ENDPOINT=recording_collector.endpoint,
    )
    code, _ = run(
        """
        import atexit, importlib
        log = logging.getLogger("late")
        atexit.unregister(sys.modules["runmill.app.outlet"]._at_exit)
        atexit.register(lambda: log.warning("after"))
        atexit.register(sys.modules["runmill.app.outlet"]._at_exit)
        log.addHandler(runmill.Handler())
        log.warning("before")
        """,
        RUNMILL_ENDPOINT=recording_collector.endpoint,
    )
    assert code == 0
    run(DELIVER_THE_REST, RUNMILL_ENDPOINT=recording_collector.endpoint)
    assert bodies(recording_collector, "late") == ["before", "after"]


def attached(name: str, endpoint: str) -> logging.Logger:
    logger = logging.Logger(name)  # noqa: LOG001 - not in the tree: nothing is left behind
    logger.addHandler(runmill.Handler(endpoint=endpoint))
    return logger


def test_a_collector_that_asks_to_wait_gets_the_records_later(recording_collector: RecordingCollector) -> None:
    """503 with Retry-After: the same batch comes again, under the same number."""
    logger = attached("app", recording_collector.endpoint)
    recording_collector.status, recording_collector.retry_after_seconds = 503, 1
    logger.info("patient")
    recording_collector.wait_for(lambda collector: bool(collector.requests))
    recording_collector.status = 200
    assert runmill.flush(10) == 0
    assert bodies(recording_collector) == ["patient"]
    first, *_, last = recording_collector.requests
    named = ("runmill-producer", "runmill-sequence")
    assert [first.headers[name] for name in named] == [last.headers[name] for name in named]
    assert first.body == last.body


def test_flush_tells_what_is_left() -> None:
    """With nobody listening, flush returns at once with the number of records that wait."""
    logger = attached("app", "http://127.0.0.1:9")
    for n in range(7):
        logger.info("waiting %d", n)
    assert runmill.flush(5) == 7


def test_headers_and_gzip_are_sent(recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard variables reach the wire."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b,tenant=x")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    attached("app", recording_collector.endpoint).info("packed")
    assert runmill.flush(5) == 0
    [request] = recording_collector.requests
    assert (request.headers["api-key"], request.headers["tenant"], request.headers["content-encoding"]) == (
        "a b",
        "x",
        "gzip",
    )
    assert bodies(recording_collector) == ["packed"]


def test_a_home_that_cannot_be_written_costs_nothing(recording_collector: RecordingCollector, tmp_path: Path) -> None:
    """The journal is on the local disk then, which is said once: a killed program's records are delivered."""
    (tmp_path / "file").write_text("in the way")
    elsewhere = {"RUNMILL_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path)}
    code, stderr = run(LOG_100 + "    os.kill(os.getpid(), 9)", RUNMILL_ENDPOINT="http://127.0.0.1:9", **elsewhere)
    assert code == -signal.SIGKILL
    assert f"Not a directory; it is in '{tmp_path}/runmill-{os.getuid()}/" in stderr
    assert stderr.count("\n") == 1
    run(DELIVER_THE_REST, RUNMILL_ENDPOINT=recording_collector.endpoint, **elsewhere)
    assert bodies(recording_collector) == [f"record {n}" for n in range(100)]


def test_with_no_place_for_a_journal_records_are_kept_in_memory(
    recording_collector: RecordingCollector, tmp_path: Path
) -> None:
    """They are delivered all the same; that they would not survive a kill is said once."""
    (tmp_path / "file").write_text("in the way")
    (tmp_path / f"runmill-{os.getuid()}").write_text("in the way, too")
    nowhere = {"RUNMILL_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path)}
    code, stderr = run(LOG_100, RUNMILL_ENDPOINT=recording_collector.endpoint, **nowhere)
    assert (code, stderr.count("\n")) == (0, 1)
    assert "kept in memory" in stderr
    assert bodies(recording_collector) == [f"record {n}" for n in range(100)]


def test_sigterm_is_left_to_the_program() -> None:
    """No signal handler is installed: the disposition is the program's own."""
    runmill.Handler()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_the_programs_random_numbers_are_its_own() -> None:
    """Retrying draws nothing from the global generator: a seeded program computes the same with and without us."""
    import random

    logger = attached("app", "http://127.0.0.1:9")
    random.seed(1)
    state = random.getstate()
    logger.info("retried")
    assert runmill.flush(5) == 1
    assert random.getstate() == state


@pytest.mark.parametrize("status", [401, 404, 307])
def test_a_wrong_address_costs_no_record(
    status: int, recording_collector: RecordingCollector, capfd: pytest.CaptureFixture[str]
) -> None:
    """What says nothing of the data keeps it in the journal; it is said once, and delivered when that is mended."""
    logger = attached("app", recording_collector.endpoint)
    recording_collector.status = status
    logger.info("kept")
    assert runmill.flush(2) == 1
    assert "stays in the journal" in capfd.readouterr().err
    recording_collector.status = 200
    assert runmill.flush(10) == 0
    assert bodies(recording_collector) == ["kept"]


@pytest.mark.slow
def test_an_answer_that_drips_in_does_not_hold_the_end_of_a_program() -> None:
    """The time for the end counts for the whole exchange, not for each byte of it."""

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while connection.send(b"x"):
                time.sleep(0.1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=drip, args=(listener,), daemon=True).start()
        started = time.monotonic()
        code, _ = run(LOG_100, RUNMILL_ENDPOINT=f"http://127.0.0.1:{listener.getsockname()[1]}")
        assert code == 0
        assert time.monotonic() - started < 8


@pytest.mark.slow
def test_records_that_were_in_memory_alone_are_missed_aloud(tmp_path: Path) -> None:
    """Without a journal nothing survives the program: what could not be delivered is said, not passed over."""
    (tmp_path / "file").write_text("in the way")
    (tmp_path / f"runmill-{os.getuid()}").write_text("in the way, too")
    nowhere = {"RUNMILL_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path)}
    code, stderr = run(LOG_100, RUNMILL_ENDPOINT="http://127.0.0.1:9", **nowhere)
    assert code == 0
    assert "100 records were in memory alone and are lost" in stderr
