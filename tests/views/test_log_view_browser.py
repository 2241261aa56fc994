"""The log list in a real browser: which day, which line, what is copied, what comes next."""

import time
import uuid

import pytest
from playwright.sync_api import Browser, Page, expect
from portal_server import serving
from training import RUN, START, commit, fill, record

from runmill.store.interface import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DAY_SECONDS = 86_400


@pytest.fixture(scope="module")
def trained(shared_store: Store) -> Store:
    fill(shared_store, RUN)
    return shared_store


@pytest.fixture
def days(shared_store: Store) -> str:
    """A run of 450 lines, three every two hours."""
    run_id = str(uuid.uuid4())
    lines = [record(run_id, f"line {n:03d}", at=(n // 3 - 150) * 7_200.0, place=n) for n in range(450)]
    commit(shared_store, logs=lines)
    return run_id


def shown_days(page: Page) -> list[str]:
    return page.locator("#lines > .day").evaluate_all("days => days.map((day) => day.dataset.day)")


def test_each_day_is_said_once(days: str, shared_store: Store, page: Page) -> None:
    """Also after older lines came, and new ones."""
    page.goto(f"/runs/{days}/logs")
    expect(page.locator("#lines > .line")).to_have_count(200)
    page.locator("#older").click()
    expect(page.locator("#lines > .line")).to_have_count(400)
    commit(shared_store, logs=[record(days, "now", at=place) for place in (7_200, 7_201)])
    expect(page.locator("#lines > .line")).to_have_count(402)
    found = shown_days(page)
    assert found == sorted(set(found))
    assert len(found) > 10


def test_a_link_to_a_line_opens_it(trained: Store, page: Page) -> None:
    """Whoever opens the copied address sees the line with its fields among those around it."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/runs/{RUN}/logs?level=ERROR")
    page.locator("#lines summary").click()
    page.get_by_text("copy link").click()
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    expect(page.locator(".line:target .traceback")).to_be_in_viewport()
    assert page.locator("#lines > .line").count() > 50


def test_lines_are_copied_in_full(trained: Store, page: Page) -> None:
    """Date, zone, level, logger, message, fields and traceback; a part of a message is copied as it is."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/runs/{RUN}/logs?q=shard:17")
    line = page.locator("#lines .line")
    line.locator("summary").focus()
    page.keyboard.press("c")
    copied = page.evaluate("navigator.clipboard.readText()")
    first, *traceback = copied.split("\n")
    assert first.split(" ", 3)[3] == "ERROR train.data batch skipped exception.type=ShardError shard=17"
    assert (traceback[0], traceback[-1]) == (
        "Traceback (most recent call last):", "ShardError: shard 17 is truncated at byte 1048576",
    )  # fmt: skip
    page.goto(f"/runs/{RUN}/logs?q=opening")
    page.locator("#lines .message").first.select_text()
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()").startswith("opening 64 shards")


def test_only_this_narrows_the_query(trained: Store, page: Page) -> None:
    """A field's value joins what is asked for already."""
    page.goto(f"/runs/{RUN}/logs?q=logger:train.checkpoint")
    page.locator("#lines summary").first.click()
    page.locator("dd", has_text="outputs/model.pt").first.get_by_text("only this").click()
    expect(page.get_by_label("Text in the line")).to_have_value("logger:train.checkpoint path:outputs/model.pt")
    expect(page.locator("#lines > .line")).to_have_count(3)


def test_attributes_are_proposed(trained: Store, page: Page) -> None:
    """First the name, then the values it has."""
    page.goto(f"/runs/{RUN}/logs")
    field = page.get_by_label("Text in the line")
    field.press_sequentially("siz")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_text(["size_bytes:3 lines"])
    field.press("Tab")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_text(["size_bytes:48213example"])
    page.get_by_role("listbox").get_by_role("option").click()
    expect(page.locator("#lines > .line")).to_have_count(3)


def test_times_are_of_the_readers_zone(browser: Browser, trained: Store) -> None:
    """The first page is made again for it; the next ones come in it, lines that are logged now too."""
    with serving(trained) as base:
        context = browser.new_context(base_url=base, timezone_id="Asia/Kathmandu")
        page = context.new_page()
        page.goto(f"/runs/{RUN}/logs")
        expect(page.locator(".day").last).to_contain_text("(+0545)")
        commit(trained, logs=[record(RUN, "here", at=1_600)])
        expect(page.locator(".line").last).to_contain_text("here")
        moment = time.strftime("%H:%M:%S", time.gmtime(START // 10**9 + 1_600 + 5 * 3600 + 45 * 60))
        expect(page.locator(".line time").last).to_contain_text(moment)
        context.close()
