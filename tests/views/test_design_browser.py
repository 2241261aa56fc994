"""What a reader sees and touches, with the names and on the screens that people have."""

import pytest
from playwright.sync_api import Page, expect
from training import FAILED, RUN, commit, fill, record, run, scalar

from runmill.store.interface import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = "a-name-that-somebody-made-of-all-the-parameters-there-are-" * 3
MANY = "e4f2a771-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def named(shared_store: Store) -> Store:
    """Runs with names, tags and errors that are longer than a line, and one with many metrics."""
    long = {"display_name": LONG, "experiment": LONG, "tags": {"long": "x" * 300}, "properties": {"p": "y" * 300}}
    fill(shared_store, RUN, steps=60, **long)
    fill(shared_store, FAILED, steps=20, took=60, status="Failed", error={"code": "UserError", "message": LONG})
    points = [scalar(MANY, f"layer{n}/norm", n - step, index=step, step=step) for n in range(20) for step in range(30)]
    commit(shared_store, events=run(MANY), points=points)
    return shared_store


@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("path", ["/", f"/runs/{RUN}", f"/runs/{RUN}/events", f"/runs/{RUN}/logs"])
def test_long_names_stay_within_their_place(named: Store, page: Page, path: str, width: int) -> None:
    """They are cut or broken: no page is wider than its window, and no part lies over another."""
    page.set_viewport_size({"width": width, "height": 850})
    page.goto(path)
    expect(page.locator("html.script")).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tables = "[...document.querySelectorAll('section > table')]"
    assert page.evaluate(f"{tables}.every((table) => table.offsetWidth <= table.parentElement.offsetWidth)")


def test_on_a_telephone_the_log_stands_between_curves_and_files(named: Store, page: Page) -> None:
    """Below each other, nothing over anything else."""
    page.set_viewport_size({"width": 390, "height": 850})
    page.goto(f"/runs/{RUN}")
    boxes = [page.locator(part).bounding_box() for part in (".curves", ".tail", "#files")]
    ends = [end for box in boxes if box for end in (box["y"], box["y"] + box["height"])]
    assert (len(ends), ends) == (6, sorted(ends))


@pytest.mark.parametrize("run_id", [RUN, FAILED])
def test_the_newest_line_is_in_the_first_screen(named: Store, page: Page, run_id: str) -> None:
    """However tall the head of the page is; and it stays beside the curves while one goes through them."""
    page.set_viewport_size({"width": 1400, "height": 850})
    page.goto(f"/runs/{run_id}")
    newest = page.locator("#lines .line").last
    expect(newest).to_be_in_viewport(ratio=0.99)
    page.locator(".charts .chart").last.scroll_into_view_if_needed()
    expect(newest).to_be_in_viewport(ratio=0.99)


def test_fields_that_are_read_are_not_pushed_away(named: Store, page: Page) -> None:
    """Opened at the end of the list they come into view, and the list waits."""
    page.goto(f"/runs/{RUN}")
    expect(page.get_by_label("Follow")).to_be_checked()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    fields = page.locator("details[open] .fold")
    expect(fields).to_be_in_viewport(ratio=0.99)
    expect(page.get_by_label("Follow")).not_to_be_checked()
    commit(named, logs=[record(RUN, f"new {place}", at=1500 + place) for place in range(30)])
    expect(page.get_by_role("button", name="30 new lines")).to_be_visible()
    expect(fields).to_be_in_viewport(ratio=0.99)


def test_a_metric_is_found_by_its_name(named: Store, page: Page) -> None:
    """Of many metrics those with the text stay, and the address says which."""
    page.goto(f"/runs/{MANY}/metrics")
    expect(page.locator(".chart:visible")).to_have_count(20)
    page.get_by_label("Find metrics by name").fill("Layer1")
    expect(page.locator(".chart:visible")).to_have_count(11)
    page.goto(page.url)
    expect(page.locator(".chart:visible")).to_have_count(11)
    assert page.url.endswith("?find=Layer1")


def test_what_a_logarithm_does_not_have_is_said(named: Store, page: Page) -> None:
    """A curve without anything above 0 stays linear; one with something says that there is more."""
    page.goto(f"/runs/{MANY}/metrics")
    page.get_by_label("log y").check()
    expect(page.locator("#chart-layer0\\/norm .oddity")).to_have_text("not above 0, so not log")
    expect(page.locator("#chart-layer1\\/norm .oddity")).to_have_text("not all above 0")
    page.get_by_label("log y").uncheck()
    expect(page.locator("#chart-layer0\\/norm .oddity")).to_be_empty()
