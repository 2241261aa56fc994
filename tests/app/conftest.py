"""Each test of the app side begins as a new process would."""

from collections.abc import Iterator

import pytest

from runmill.app import notices
from runmill.app import outlet as outlets


@pytest.fixture(autouse=True)
def no_outlets_left() -> Iterator[None]:
    """What one test's outlets could not deliver is not waited for by the next one's flush."""
    notices._said.clear()
    notices._times.clear()
    yield
    while outlets._outlets:
        _, each = outlets._outlets.popitem()
        each.close()
    outlets.choose_default(None)
