"""A variable that cannot be used is refused where the handler is made, by its name and value."""

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
