"""One line sets up a program's logging; it can be repeated, and taken back."""

import logging
import logging.config
import os
import pty
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import runmill
from runmill.testing import ReceivedLog, RecordingCollector

ROOT = logging.getLogger()


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    """What a test leaves attached would log into the next one."""
    level, hooks = ROOT.level, (sys.excepthook, threading.excepthook)
    yield
    for handler in attached():
        ROOT.removeHandler(handler)
    ROOT.setLevel(level)
    assert hooks == (sys.excepthook, threading.excepthook), "a hook was left behind"


def attached() -> list[logging.Handler]:
    """Give the root logger's handlers; pytest's own, which come and go with each test, aside."""
    return [handler for handler in ROOT.handlers if not type(handler).__module__.startswith("_pytest")]


def bodies(collector: RecordingCollector, logger: str = "app") -> list[object]:
    assert runmill.flush(5) == 0
    return [record.body for record in collector.logs if record.scope == logger]


def run(program: str, endpoint: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run *program* to its end in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "import logging, os, sys, runmill\n" + textwrap.dedent(program)],
        env={**os.environ, "RUNMILL_ENDPOINT": endpoint, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_sends_and_sets_the_level(recording_collector: RecordingCollector) -> None:
    """Records from the level on are sent, wherever they are logged; INFO is the default."""
    with runmill.configure(endpoint=recording_collector.endpoint, console="none"):
        logging.getLogger("app").info("heard")
        logging.getLogger("app").debug("unheard")
    assert bodies(recording_collector) == ["heard"]


def test_levels_by_logger(recording_collector: RecordingCollector) -> None:
    """A mapping gives single loggers levels of their own."""
    loud, quiet = logging.getLogger("app.loud"), logging.getLogger("app.quiet")
    levels = {"": "WARNING", "app.loud": logging.DEBUG, "app.quiet": "error"}
    with runmill.configure(endpoint=recording_collector.endpoint, console="none", level=levels):
        assert (ROOT.level, loud.level, quiet.level) == (30, 10, 40)
    assert (loud.level, quiet.level) == (0, 0)


@pytest.mark.parametrize("variable", ["RUNMILL_LEVEL", "OTEL_PYTHON_LOG_LEVEL"])
def test_the_environment_gives_the_level(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts the program can make it talk; the program's own argument wins."""
    monkeypatch.setenv(variable, "debug")
    with runmill.configure(console="none"):
        assert ROOT.level == logging.DEBUG
    with runmill.configure(console="none", level=35):
        assert ROOT.level == 35


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"level": "LOUD"}, "level of 'root': 'LOUD' is no level."),
        ({"console": "pretty"}, "console: 'pretty' is not known. Use one of 'auto', 'rich'"),
    ],
)
def test_a_wrong_argument_is_refused_and_changes_nothing(arguments: dict[str, str], text: str) -> None:
    """The text says where, what and what to write instead."""
    with pytest.raises(runmill.ConfigError) as caught:
        runmill.configure(**arguments)  # type: ignore[arg-type]
    assert str(caught.value).startswith(text)
    assert attached() == []


def test_loggers_that_do_not_propagate_get_the_handler(recording_collector: RecordingCollector) -> None:
    """What uvicorn or gunicorn keep to themselves arrives, once."""
    server = logging.getLogger("server.access")
    server.propagate = False
    try:
        with runmill.configure(
            endpoint=recording_collector.endpoint, console="none", loggers=["server.access", "server.access"]
        ):
            server.warning("GET /")
        assert bodies(recording_collector, "server.access") == ["GET /"]
        assert server.handlers == []
    finally:
        server.propagate = True


def test_calling_it_again_attaches_nothing_twice(recording_collector: RecordingCollector) -> None:
    """The newest call holds; leaving it goes back to the one before, and leaving that to nothing."""
    first = runmill.configure(endpoint=recording_collector.endpoint, console="none", level="WARNING")
    [handler] = attached()
    second = runmill.configure(endpoint=recording_collector.endpoint, console="none", level="DEBUG")
    assert (len(attached()), ROOT.level) == (1, logging.DEBUG)
    logging.getLogger("app").debug("once")
    second.close()
    assert (attached(), ROOT.level) == ([handler], logging.WARNING)
    logging.getLogger("app").warning("still")
    first.close()
    assert attached() == []
    assert bodies(recording_collector) == ["once", "still"]


def test_it_puts_back_what_dict_config_took_off(recording_collector: RecordingCollector) -> None:
    """Called again after a library configured logging, the handler is there again."""
    with runmill.configure(endpoint=recording_collector.endpoint, console="none"):
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR"}})
        assert attached() == []
        with runmill.configure(endpoint=recording_collector.endpoint, console="none"):
            logging.getLogger("app").info("back")
    assert bodies(recording_collector) == ["back"]


def test_it_reattaches_by_itself_when_asked(recording_collector: RecordingCollector) -> None:
    """With reattach=True whoever takes the handler off finds it on again, each time; levels stay theirs."""
    with runmill.configure(endpoint=recording_collector.endpoint, console="none", reattach=True):
        for _ in range(3):
            logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR"}})
            for thread in threading.enumerate():
                if thread.name == "runmill-reattach":
                    thread.join()
            assert [type(handler).__mro__[1] for handler in attached()] == [runmill.Handler]
        logging.getLogger("app").error("after")
        assert ROOT.level == logging.ERROR
    assert attached() == []
    assert bodies(recording_collector) == ["after"]


def test_a_handler_of_the_programs_own_is_kept(recording_collector: RecordingCollector) -> None:
    """Where the program attached a handler itself, it is the only one: nothing is sent twice."""
    own = runmill.Handler(endpoint=recording_collector.endpoint)
    ROOT.addHandler(own)
    with runmill.configure(endpoint=recording_collector.endpoint, console="none"):
        logging.getLogger("app").info("once")
    assert attached() == [own]
    own.close()
    assert bodies(recording_collector) == ["once"]


def test_a_console_of_the_programs_own_is_kept() -> None:
    """A console handler that is there already is not joined by another."""
    console = logging.StreamHandler()
    ROOT.addHandler(console)
    with runmill.configure(console="text"):
        assert [handler for handler in ROOT.handlers if type(handler) is logging.StreamHandler] == [console]


@pytest.mark.slow
def test_warnings_are_records(recording_collector: RecordingCollector) -> None:
    """What the warnings module would print arrives; when the block is left, it prints again."""
    ended = run(
        """
        import warnings
        with runmill.configure(console="none"):
            warnings.warn("sent")
        warnings.warn("printed")
        """,
        recording_collector.endpoint,
    )
    [record] = recording_collector.logs
    assert (record.scope, record.severity_number) == ("py.warnings", 13)
    assert "UserWarning: sent" in str(record.body)
    assert "UserWarning: printed" in ended.stderr
    assert "sent" not in ended.stderr


def test_secrets_are_blanked_unless_told_otherwise(
    recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On by default with configure, off by argument or variable; a bare Handler leaves records as they are."""
    endpoint = recording_collector.endpoint
    with runmill.configure(endpoint=endpoint, console="none"):
        logging.getLogger("app").info("password=%s", "hunter2", extra={"api_key": "k"})
    with runmill.configure(endpoint=endpoint, console="none", scrub=False):
        logging.getLogger("app").info("password=%s", "kept 1")
    monkeypatch.setenv("RUNMILL_SCRUB", "0")
    with runmill.configure(endpoint=endpoint, console="none"):
        logging.getLogger("app").info("password=%s", "kept 2")
    logger = logging.Logger("app")  # noqa: LOG001 - not in the tree
    logger.addHandler(runmill.Handler(endpoint=endpoint, scrub=True))
    logger.info("password=%s", "hunter2")
    found = sorted(map(str, bodies(recording_collector)))
    assert found == ["password=[scrubbed]", "password=[scrubbed]", "password=kept 1", "password=kept 2"]
    assert "hunter2" not in str(recording_collector.logs)
    [blanked] = [record for record in recording_collector.logs if "api_key" in record.attributes]
    assert (blanked.attributes["api_key"], blanked.resource["runmill.scrubbed"]) == ("[scrubbed]", True)


@pytest.mark.slow
def test_the_next_process_scrubs_what_a_killed_one_left(recording_collector: RecordingCollector) -> None:
    """Whoever delivers a journal keeps to what its process asked for."""
    run(
        "runmill.configure(); logging.getLogger('app').info('password=hunter2'); os.kill(os.getpid(), 9)",
        "http://127.0.0.1:9",
    )
    run("runmill.Handler(); runmill.flush(10)", recording_collector.endpoint)
    assert [record.body for record in recording_collector.logs] == ["password=[scrubbed]"]


UNCAUGHT = {
    "in the main thread": ("{}['lost']", "sys.excepthook", "uncaught exception", 1),
    "in a thread": (
        "import threading; t = threading.Thread(target=lambda: {}['lost'], name='worker'); t.start(); t.join()",
        "threading.excepthook",
        "uncaught exception in thread 'worker'",
        0,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("program", "scope", "body", "code"), UNCAUGHT.values(), ids=UNCAUGHT)
def test_uncaught_exceptions_arrive_and_are_still_printed(
    program: str, scope: str, body: str, code: int, recording_collector: RecordingCollector
) -> None:
    """As FATAL records with the exception's attributes; the traceback is on stderr as ever, once."""
    ended = run("runmill.configure(console='none')\n" + program, recording_collector.endpoint)
    [record] = recording_collector.logs
    assert (record.scope, record.body, record.severity_number) == (scope, body, 21)
    assert (record.attributes["exception.type"], record.attributes["exception.message"]) == ("KeyError", "'lost'")
    assert (ended.returncode, ended.stderr.count("KeyError: 'lost'")) == (code, 1)


@pytest.mark.slow
def test_what_an_asyncio_task_left_arrives(recording_collector: RecordingCollector) -> None:
    """The loop logs it by its own logger, and so it arrives without a hook of ours."""
    ended = run(
        """
        import asyncio, gc
        async def fails(): {}["lost"]
        async def main():
            asyncio.get_running_loop().create_task(fails())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        runmill.configure(console="none")
        asyncio.run(main())
        gc.collect()
        """,
        recording_collector.endpoint,
    )
    assert ended.returncode == 0, ended.stderr
    [record] = [each for each in recording_collector.logs if each.scope == "asyncio"]
    assert str(record.body).startswith("Task exception was never retrieved")
    assert (record.attributes["exception.type"], record.severity_number) == ("KeyError", 17)


CRASH = """
    def crashes():
        import ctypes
        ctypes.string_at(0)
    runmill.configure(console="none")
    logging.getLogger("app").info("before")
"""


def crashed(collector: RecordingCollector) -> ReceivedLog:
    """Give the crash's record: the next process of the home delivers it."""
    run("runmill.Handler(); runmill.flush(10)", collector.endpoint)
    [record] = [each for each in collector.logs if each.scope == "faulthandler"]
    return record


@pytest.mark.slow
def test_a_segfault_is_a_record_of_the_process_that_crashed(recording_collector: RecordingCollector) -> None:
    """What faulthandler wrote is delivered with the dead process's journal, as FATAL, once."""
    ended = run(CRASH + "    crashes()", recording_collector.endpoint)
    record = crashed(recording_collector)
    assert ended.returncode == -signal.SIGSEGV
    assert (record.body, record.severity_number) == ("Fatal Python error: Segmentation fault", 21)
    assert record.attributes["exception.message"] == "Segmentation fault"
    assert "in crashes" in str(record.attributes["exception.stacktrace"])
    [before] = [each for each in recording_collector.logs if each.scope == "app"]
    assert record.resource == before.resource
    assert crashed(recording_collector) == record


@pytest.mark.slow
@pytest.mark.parametrize("logs_first", ["", "logging.getLogger('app').info('child'); "])
def test_a_forked_childs_segfault_is_a_record_too(logs_first: str, recording_collector: RecordingCollector) -> None:
    """Whether the child had a journal of its own by then or not."""
    program = f"""
    if os.fork() == 0:
        {logs_first}crashes()
    os.wait()
    """
    run(CRASH + program, recording_collector.endpoint)
    assert "in crashes" in str(crashed(recording_collector).attributes["exception.stacktrace"])


@pytest.mark.slow
def test_a_faulthandler_that_is_on_already_is_left_alone(recording_collector: RecordingCollector) -> None:
    """Somebody wants to see it on stderr: it stays there."""
    ended = run(CRASH + "    crashes()", recording_collector.endpoint, PYTHONFAULTHANDLER="1")
    assert "Fatal Python error: Segmentation fault" in ended.stderr


@pytest.mark.slow
def test_structlog_goes_the_same_way(recording_collector: RecordingCollector, tmp_path: Path) -> None:
    """`send` uses what configure was told: one journal, one resource."""
    run(
        f"""
        import structlog
        from runmill.structlog import send
        runmill.configure(console="none", service_name="trainer", endpoint={recording_collector.endpoint!r})
        structlog.configure(processors=[send])
        structlog.get_logger().info("from structlog", password="x")
        logging.getLogger("app").info("from logging")
        """,
        "http://127.0.0.1:9",
    )
    records = {str(record.body): record for record in recording_collector.logs}
    assert set(records) == {"from structlog", "from logging"}
    assert records["from structlog"].resource == records["from logging"].resource
    assert records["from structlog"].attributes["password"] == "[scrubbed]"


PRINTS = """
    runmill.configure()
    logging.getLogger("app").warning("seen")
"""


@pytest.mark.slow
def test_a_stream_that_is_no_terminal_gets_json(recording_collector: RecordingCollector) -> None:
    """A container's log driver reads one JSON object a line."""
    ended = run("runmill.configure()" + textwrap.dedent(PRINTS), recording_collector.endpoint)
    [line] = ended.stderr.splitlines()
    assert line.startswith('{"timestamp": "')
    assert '"body": "seen"' in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hidden", "expected"), [("", "WARNING  seen"), ("sys.modules['rich'] = None;", "WARNING  app: seen")]
)
def test_a_terminal_gets_text(hidden: str, expected: str, recording_collector: RecordingCollector) -> None:
    """By rich where it is installed, else plain."""
    patch = "import importlib.util; runmill.app.console.find_spec = lambda name: None;" if hidden else ""
    program = f"import logging, sys, runmill, runmill.app.console; {patch}" + textwrap.dedent(PRINTS)
    here, there = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "RUNMILL_ENDPOINT": recording_collector.endpoint, "TERM": "dumb", "NO_COLOR": "1"},
        stderr=there,
    )
    os.close(there)
    assert process.wait(60) == 0
    assert expected in os.read(here, 4096).decode()
    os.close(here)


@pytest.mark.slow
def test_a_message_that_does_not_fit_breaks_no_program(recording_collector: RecordingCollector) -> None:
    """Nor where rich prints it, whose own handler would raise: the record is sent, marked, and the program goes on."""
    ended = run(
        """
        runmill.configure(console="rich")
        logging.getLogger("app").warning("%d of %d", 1)
        logging.getLogger("app").warning("on it goes")
        """,
        recording_collector.endpoint,
    )
    assert "not enough arguments" in ended.stderr
    assert [record.body for record in recording_collector.logs] == ["%d of %d", "on it goes"]
