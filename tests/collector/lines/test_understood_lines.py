"""What Python's logging libraries print becomes the record that was logged; what they did not print stays text."""

import io
import json
import logging
import subprocess
import sys
import textwrap
import traceback
from datetime import UTC, datetime

import pytest
import structlog
import uvicorn.logging
from hypothesis import given
from hypothesis import strategies as st
from pythonjsonlogger.json import JsonFormatter

import runmill.json
from runmill.collector.lines.encoding import Origin, encode
from runmill.collector.lines.entry import Entry
from runmill.collector.lines.framing import Framing
from runmill.collector.lines.recipe import Recipe, plain
from runmill.collector.lines.understanding import understand
from runmill.otlp.count import count_records

RECIPE = Recipe(Framing("utf-8", 1 << 20), plain, (understand,))


def read(text, *, is_final=True):
    return RECIPE.read(text.encode(), is_final=is_final).entries


def text_of(entry):
    return entry[4].decode() if not isinstance(entry, Entry) else entry.body


@pytest.fixture
def printed():
    """Give a function that logs with a formatter and gives what was printed."""
    handlers = []

    def log(formatter, call, name="app.train"):
        handler = logging.StreamHandler(io.StringIO())
        handler.setFormatter(formatter)
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(1)
        handlers.append((logger, handler))
        call(logger)
        return handler.stream.getvalue()

    yield log
    for logger, handler in handlers:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def fail(logger):
    try:
        raise ValueError("two\nlines")  # noqa: TRY301 - it has to be raised somewhere
    except ValueError:
        logger.exception("failed %d", 1)


TRACE = 'Traceback (most recent call last):\n  File "'


def assert_failed(entry, message="failed 1"):
    """The record of `fail`, however it was printed."""
    assert (entry.body, entry.severity_number, entry.attributes["exception.type"]) == (message, 17, "ValueError")
    assert entry.attributes["exception.message"].startswith("two")
    assert entry.attributes["exception.stacktrace"].startswith(TRACE)


def test_python_json_logger(printed):
    """Time, level, logger and message where they belong; the rest are attributes with their types."""
    formatter = JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s %(lineno)d")
    extra = {"loss": 0.5, "tags": ["a"], "run": None}
    before = datetime.now(UTC).timestamp()
    [entry] = read(printed(formatter, lambda log: log.warning("epoch %d", 3, extra=extra)))
    lineno = entry.attributes["code.line.number"]
    assert entry._replace(time_unix_nano=0) == Entry(
        0, 0, 0, None, "epoch 3", severity_number=13, severity_text="WARNING", scope="app.train",
        attributes={"code.line.number": lineno, **extra},
    )  # fmt: skip
    assert abs(entry.time_unix_nano / 1e9 - before) < 60


def test_python_json_logger_as_it_comes(printed):
    """With nothing but a message, and with a traceback in it."""
    plain_entry, failed = read(printed(JsonFormatter(), lambda log: (log.info("x"), fail(log))))
    assert plain_entry == Entry(0, 0, 0, None, "x")
    assert failed.attributes["exception.type"] == "ValueError"


def structured(*processors):
    output = io.StringIO()
    chain = [structlog.processors.add_log_level, *processors, structlog.processors.JSONRenderer()]
    return structlog.wrap_logger(structlog.PrintLogger(output), processors=chain), output


def test_structlog():
    """Event, level and time; what was bound are attributes."""
    log, output = structured(structlog.processors.TimeStamper(fmt="iso"))
    log.bind(job="a").info("hello", name="bob", n=1)
    [entry] = read(output.getvalue())
    stamp = json.loads(output.getvalue())["timestamp"]
    nanos = int(datetime.fromisoformat(stamp).timestamp()) * 10**9 + int(stamp[20:26]) * 1000
    assert entry == Entry(
        0, 0, nanos, None, "hello", severity_number=9, severity_text="info",
        attributes={"job": "a", "name": "bob", "n": 1},
    )  # fmt: skip


def test_structlog_times_as_numbers():
    """Seconds since the epoch, as TimeStamper gives them by default."""
    log, output = structured(structlog.processors.TimeStamper())
    log.info("hello")
    [entry] = read(output.getvalue())
    assert entry.time_unix_nano == round(json.loads(output.getvalue())["timestamp"] * 1e6) * 1000


def test_structlog_exceptions():
    """As text they are a stack trace; as dictionaries their type and message are known."""
    for processor in (structlog.processors.format_exc_info, structlog.processors.dict_tracebacks):
        log, output = structured(processor)
        fail(log.bind())
        [entry] = read(output.getvalue().replace("failed %d", "failed 1"))
        assert (entry.attributes["exception.type"], entry.severity_number) == ("ValueError", 17)
        assert ("exception.stacktrace" in entry.attributes) == (processor is structlog.processors.format_exc_info)


def test_runmill_json_loses_nothing(printed):
    """The whole record, with the types of its attributes and its exception."""
    text = printed(
        runmill.json.JsonFormatter(), lambda log: fail(log) or log.info("x", extra={"raw": b"\xff", "n": 1.0})
    )
    failed, entry = read(text)
    assert_failed(failed)
    assert (entry.body, entry.scope, entry.severity_text) == ("x", "app.train", "INFO")
    assert (entry.attributes["raw"], entry.attributes["n"]) == (b"\xff", 1.0)
    assert entry.time_unix_nano > 10**18


BASIC = logging.Formatter(logging.BASIC_FORMAT)
DOCUMENTED = logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s")


def test_the_default_format_of_logging(printed):
    """Level and logger are no part of the message."""
    [entry] = read(printed(BASIC, lambda log: log.warning("disk at %d%%: full", 91)))
    assert entry == Entry(
        0, 0, 0, None, "disk at 91%: full", severity_number=13, severity_text="WARNING", scope="app.train"
    )


@pytest.mark.parametrize("formatter", [BASIC, DOCUMENTED], ids=["basic", "documented"])
def test_a_logged_exception_is_one_record(printed, formatter):
    """The logger's line and the traceback below it; a line before and one after are their own."""
    text = printed(formatter, lambda log: (log.info("before"), fail(log), log.info("after")))
    before, failed, *rest = read(text)
    assert (before.body, rest[-1].body) == ("before", "after")
    assert_failed(failed)
    assert (failed.first, failed.last) == (1, len(text.splitlines()) - 2 - (len(rest) - 1))


def test_the_documented_format_of_logging_has_a_time(printed):
    """Without a zone it is the collector's own."""
    before = datetime.now(UTC).timestamp()
    [entry] = read(printed(DOCUMENTED, lambda log: log.debug("x")))
    assert (entry.body, entry.severity_number, entry.scope) == ("x", 5, "app.train")
    assert abs(entry.time_unix_nano / 1e9 - before) < 60


@pytest.mark.parametrize("colours", [True, False])
def test_uvicorn(printed, colours):
    """Its two loggers, on a terminal or not."""
    default = uvicorn.logging.DefaultFormatter("%(levelprefix)s %(message)s", use_colors=colours)
    access = uvicorn.logging.AccessFormatter(
        '%(levelprefix)s %(client_addr)s - "%(request_line)s" %(status_code)s', use_colors=colours
    )
    arguments = ("127.0.0.1:5000", "GET", "/a b?c=1".replace(" ", "%20"), "1.1", 404)
    text = printed(default, lambda log: (log.info("Started"), fail(log)), name="uvicorn.error")
    text += printed(access, lambda log: log.info('%s - "%s %s HTTP/%s" %d', *arguments), name="uvicorn.access")
    started, failed, *_, asked = read(text)
    assert (started.body, started.scope, started.severity_text) == ("Started", "uvicorn.error", "INFO")
    assert_failed(failed)
    assert (asked.body, asked.scope) == ('127.0.0.1:5000 - "GET /a%20b?c=1 HTTP/1.1" 404', "uvicorn.access")


RAISING = {
    "plain": "raise ValueError('boom')",
    "no message": "raise ValueError",
    "caused": "try:\n    1/0\nexcept Exception as error:\n    raise ValueError('boom') from error",
    "while handling": "try:\n    1/0\nexcept Exception:\n    raise ValueError('boom')",
    "three": "try:\n    try: 1/0\n    finally: {}['k']\nexcept Exception as e: raise ValueError('boom') from e",
    "own": "class Mine(ValueError): pass\ndef f():\n    class Inner(Mine): pass\n    raise Inner('boom: x')\nf()",
    "recursion": "def f(): f()\nf()",
    "syntax": "exec('a b')",
    "group": "raise ExceptionGroup('boom', [ValueError(1), ExceptionGroup('in', [TypeError('t'), KeyError('k')])])",
    "caused group": "try: raise ExceptionGroup('g', [ValueError(1)])\n"
    "except Exception as e: raise ValueError('boom') from e",
    "indented message": "raise ValueError('boom\\n  more')",
    "interrupt": "raise KeyboardInterrupt",
}
EXPECTED = {
    "plain": ("ValueError", "boom"), "no message": ("ValueError", ""), "caused": ("ValueError", "boom"),
    "while handling": ("ValueError", "boom"), "three": ("ValueError", "boom"),
    "own": ("f.<locals>.Inner", "boom: x"),
    "recursion": ("RecursionError", "maximum recursion depth exceeded"),
    "syntax": ("SyntaxError", "invalid syntax"), "group": ("ExceptionGroup", "boom (2 sub-exceptions)"),
    "caused group": ("ValueError", "boom"), "indented message": ("ValueError", "boom\n  more"),
    "interrupt": ("KeyboardInterrupt", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def tracebacks(tmp_path_factory):
    """What the interpreter prints for each way to fail."""
    file = tmp_path_factory.mktemp("failing") / "train.py"
    found = {}
    for name, code in RAISING.items():
        file.write_text(code)
        found[name] = subprocess.run([sys.executable, file], stderr=subprocess.PIPE, text=True, check=False).stderr
    return found


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["", "[rank0]: "], ids=["bare", "with a prefix"])
@pytest.mark.parametrize("name", RAISING)
def test_a_traceback_is_one_record(tracebacks, name, prefix):
    """Chained, grouped, with or without what a launcher puts before each line; lines around it stay lines."""
    printed = "before\n" + textwrap.indent(tracebacks[name], prefix, lambda _: True) + "after\n"
    before, failed, after = read(printed)
    assert (text_of(before), text_of(after)) == ("before", "after")
    attributes = failed.attributes
    assert (attributes["exception.type"], attributes["exception.message"]) == EXPECTED[name]
    assert attributes["exception.stacktrace"] == tracebacks[name]
    assert failed.body == ": ".join(filter(None, EXPECTED[name]))
    assert failed.severity_number == 17


@pytest.mark.slow
@pytest.mark.parametrize("name", RAISING)
def test_a_traceback_cut_by_a_read_is_one_record_all_the_same(tracebacks, name):
    """What has begun is held until it has ended, wherever the bytes were cut."""
    whole = ("before\n" + tracebacks[name] + "after\n").encode()
    for cut in range(0, len(whole), 7):
        first = RECIPE.read(whole[:cut], is_final=False)
        second = RECIPE.read(whole[first.consumed :], is_final=True)
        assert [text_of(one) for one in [*first.entries, *second.entries]] == [
            "before", ": ".join(filter(None, EXPECTED[name])), "after",
        ]  # fmt: skip


def test_a_traceback_behind_a_prefix_of_its_first_line():
    """A logger of another kind writes its prefix once."""
    [failed] = read('2026-11-22 Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nKeyError: 1\n')
    assert (failed.body, failed.attributes["exception.message"]) == ("KeyError: 1", "1")


def test_tracebacks_of_two_threads_in_one_another_lose_no_line():
    """They cannot be told apart; every line is there all the same."""
    lines = ["Traceback (most recent call last):", "Traceback (most recent call last):", '  File "a"', '  File "b"',
             "ValueError: a", "ValueError: b"]  # fmt: skip
    found = read("\n".join(lines) + "\n")
    assert sorted("\n".join(each_line(found)).splitlines()) == sorted(lines)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [("  0%|  | 0/9\r 50%|# | 5/9\r100%|##| 9/9\n", "100%|##| 9/9"), ("done\r\r\n", "done"), ("\r\r\n", "")],
)  # fmt: skip
def test_a_progress_bar_is_what_it_showed_last(printed, shown):
    """As on a terminal, where it is drawn over itself."""
    assert [text_of(one) for one in read(printed)] == [shown]


@pytest.mark.parametrize(
    "line",
    [
        "{}", "{", '{"loss": 0.5}', '{"message": 1}', "[1]", '{"body": "x", "severity_number": "?"}', "INFO", "INFO:",
        "INFO:a b:c", "WARN:app:x", "12", "2026-11-22 01:04:26,734 - app", "ERROR: short", "Done", "\x1b[32m",
        "Traceback",
    ],
)  # fmt: skip
def test_what_is_not_understood_stays_text(line):
    """Letter for letter."""
    assert read(line + "\n") == [(0, 0, 0, None, line.encode())]


OWN = {"timestamp": "2026-11-22T09:30:00Z", "severity_number": 9, "body": "x"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"message": "x", "time": "4558-11-22T01:04:26Z"}', Entry(0, 0, 0, None, "x")),
        ('{"message": "x", "time": "1906-11-22T01:04:26"}', Entry(0, 0, 0, None, "x")),
        ('{"message": "x", "time": 99999999999}', Entry(0, 0, 0, None, "x")),
        ("0001-01-01 00:00:00,000 - app - INFO - x", Entry(0, 0, 0, None, "x", 9, "INFO", "app")),
        (json.dumps({**OWN, "logger": 5, "trace_id": "no", "trace_flags": -1, "dropped_attributes_count": "?"}),
         Entry(0, 0, 1795339800 * 10**9, None, "x", 9, "", "5", trace_flags=2**32 - 1)),
        (json.dumps({**OWN, "timestamp": "9999-11-22T09:30:00Z"}), Entry(0, 0, 0, None, "x", 9)),
    ],
    ids=["too-late", "too-early", "too-large", "no-zone-then", "types-of-others", "own-too-late"],
)  # fmt: skip
def test_values_that_no_record_can_have_cost_no_line(line, expected):
    """A time that no 64 bits hold is no time; what cannot be encoded would stop all that is printed after it."""
    [entry] = read(line + "\n")
    named = {key: value for key, value in entry.attributes.items() if key != "time"}
    assert entry._replace(attributes=named) == expected
    assert count_records("logs", encode([entry], Origin({}, {}), observed_unix_nano=1)) == 1


@pytest.mark.parametrize("levels", [99, 900, 2000])
def test_json_nested_without_end_stays_text(levels):
    """Nothing could walk it; a hundred levels are walked."""
    line = f'{{"message": "x", "a": {"[" * levels}{"]" * levels}}}'
    [entry] = read(line + "\n")
    assert isinstance(entry, Entry) == (levels == 99)
    assert count_records("logs", encode([entry], Origin({}, {}), observed_unix_nano=1)) == 1


def test_values_that_are_no_level_time_or_id_stay_attributes():
    """A key that means something else to its program is kept as it is."""
    line = {"event": "x", "level": "loud", "time": 3, "trace_id": "no", "exception": 4, "logger": 5}
    [entry] = read(json.dumps(line) + "\n")
    assert entry == Entry(0, 0, 0, None, "x", attributes={key: value for key, value in line.items() if key != "event"})


def test_ids_of_a_span_are_the_records():
    """As instrumentations write them."""
    [entry] = read(json.dumps({"message": "x", "trace_id": "0a" * 16, "span_id": "0b" * 8}) + "\n")
    assert entry == Entry(0, 0, 0, None, "x", trace_id="0a" * 16, span_id="0b" * 8)


def each_line(found):
    """Every line of text that is in what was understood."""
    for one in found:
        if not isinstance(one, Entry):
            yield one[4].decode()
            continue
        stacktrace = one.attributes.get("exception.stacktrace", "")
        if one.scope:
            yield f"{one.severity_text}:{one.scope}:{one.body}"
        if stacktrace:
            yield from stacktrace.rstrip("\n").split("\n")


LINE = st.sampled_from([
    "text", "", " ", "  File", "    code", "ValueError: x", "ERROR:app:failed", "INFO:app:fine",
    "Traceback (most recent call last):", "  + Exception Group Traceback (most recent call last):",
    "  | x", "  +---", "  | ValueError: x", "p Traceback (most recent call last):", "p   File",
    "During handling of the above exception, another exception occurred:",
])  # fmt: skip


@given(st.lists(LINE, max_size=12), st.data())
def test_no_line_is_lost_or_doubled_whatever_comes_in_which_order(lines, data):
    """In one go or in two, every line that was printed is in the records, in its order."""
    raw = "".join(f"{line}\n" for line in lines).encode()
    whole = RECIPE.read(raw, is_final=True).entries
    first = RECIPE.read(raw[: data.draw(st.integers(0, len(raw)))], is_final=False)
    second = RECIPE.read(raw[first.consumed :], is_final=True)
    expected = [line.removeprefix("p ") for line in lines]
    assert [line.removeprefix("p ") for line in each_line(whole)] == expected
    assert [line.removeprefix("p ") for line in each_line([*first.entries, *second.entries])] == expected


def test_real_tracebacks_of_this_process():
    """What `traceback.format_exc` gives, whatever Python this is."""
    try:
        json.loads("{")
    except ValueError:
        text = traceback.format_exc()
    [failed] = read(text)
    assert failed.attributes["exception.type"] == "json.decoder.JSONDecodeError"
    assert failed.attributes["exception.stacktrace"] == text
