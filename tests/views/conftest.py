"""A server over a real store, and one browser for a module."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from portal_server import serving
from training import RUN, fill

from runmill import store as stores
from runmill.store.interface import Store

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = stores.open(tmp_path / "store")
    yield store
    store.close()


@pytest.fixture
def trained(store: Store) -> Store:
    fill(store, RUN)
    return store


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    with serving(store) as base:
        yield base


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client


# Of a module, not of the session: while Playwright's synchronous form is open, its event loop counts as running in
# this thread, and no asynchronous test of another module could run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=15_000)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


# One server for a module's browser tests, so that a page's scripts are read and compiled once.
@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = stores.open(tmp_path_factory.mktemp("shared") / "store")
    yield store
    store.close()


@pytest.fixture(scope="module")
def context(browser: Browser, shared_store: Store) -> Iterator[BrowserContext]:
    with serving(shared_store) as base:
        context = browser.new_context(base_url=base, viewport={"width": 1400, "height": 900})
        context.set_default_timeout(15_000)
        yield context
        context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on the shared server; a test fails with it when the browser complains of a script, a style, an answer."""
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    context.clear_cookies()
    assert complaints == []
