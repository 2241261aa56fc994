"""A variable that cannot be used is refused where the handler is made, by its name and value."""

import subprocess
import sys
import textwrap

import pytest

import runmill


@pytest.mark.parametrize(
    "name",
    ["RUNMILL_JOURNAL_BYTES", "RUNMILL_EXIT_SECONDS", "RUNMILL_SYSTEM_METRICS", "OTEL_ATTRIBUTE_COUNT_LIMIT"],
)
@pytest.mark.parametrize("value", ["inf", "nan", "1e999", "-1", "many"])
def test_a_number_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Every limit is a finite number from 0: what is endless or no number can be waited for by nobody."""
    monkeypatch.setenv(name, value)
    with pytest.raises(runmill.ConfigError, match=rf"^{name}: '{value}' is (not a|negative)"):
        runmill.Handler()


@pytest.mark.slow
def test_a_handler_that_could_not_be_made_is_not_known_to_logging() -> None:
    """ConfigError is all there is to see: the end of the program, where logging closes its handlers, is quiet."""
    program = """
    import runmill
    for arguments in ({"endpoint": "nowhere"}, {"attributes": 1}, {"level": "LOUD"}):
        try:
            runmill.Handler(**arguments)
        except ValueError as error:
            print("level", error)
        except runmill.ConfigError as error:
            print(error)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line.partition(":")[0] for line in ended.stdout.splitlines()] == [
        "endpoint",
        "attributes",
        "level Unknown level",
    ]
