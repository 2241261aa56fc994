"""Engines that are started once for all tests of a worker."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from engines import Engine, Missing, started


@pytest.fixture(scope="session", params=["docker", "podman"])
def engine(request) -> Engine:
    """Give a running engine without containers of other tests' names; each test uses containers of its own."""
    folder = Path(tempfile.mkdtemp(prefix="rm-"))  # a socket's path may have 108 bytes
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            yield stack.enter_context(started(request.param, folder))
        except Missing as error:
            pytest.skip(f"NO {request.param.upper()} HERE, so nothing is known of it: {error}")
