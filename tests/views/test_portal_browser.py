"""The run page in a real browser: drawn, filtered, alive. The `page` fixture fails on any complaint of the browser."""

import uuid

import pytest
from playwright.sync_api import Page, expect
from training import FAILED, RUN, commit, documents, fill, record, scalar

from runmill.store.interface import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow]


DRAWN_TO = """(plot, x) => new Promise((resolve) => {
    const look = () => (plot.data.at(-1).x.at(-1) === x ? resolve(true) : setTimeout(look, 20));
    look();
})"""


@pytest.fixture(scope="module")
def trained(shared_store: Store) -> Store:
    fill(shared_store, RUN)
    return shared_store


@pytest.fixture
def growing(shared_store: Store) -> str:
    """A run of the test's own, to which it may add."""
    run_id = str(uuid.uuid4())
    fill(shared_store, run_id, steps=60)
    return run_id


def open_run(page: Page, query: str = "", *, run_id: str = RUN) -> None:
    page.goto(f"/runs/{run_id}{query}")
    expect(page.locator("html.script")).to_be_attached()


def test_charts_are_drawn_when_they_come_into_view(trained: Store, page: Page) -> None:
    """The first chart is drawn at once, the last when the reader is there."""
    page.set_viewport_size({"width": 1400, "height": 500})
    open_run(page)
    expect(page.locator("#chart-loss .plot.drawn svg.main-svg").first).to_be_visible()
    last = page.locator(".chart").last
    expect(last.locator(".plot.drawn")).to_have_count(0)
    last.scroll_into_view_if_needed()
    expect(last.locator(".plot.drawn")).to_have_count(1)


def test_level_and_text_filter_without_a_reload(trained: Store, page: Page) -> None:
    """The lines change, the address says how, and the page stays."""
    open_run(page)
    page.evaluate("window.kept = true")
    page.get_by_label("Least level").select_option("WARNING")
    expect(page.locator("#lines .line")).to_have_count(8)
    page.get_by_label("Text in the line").fill("overflow")
    expect(page.locator("#lines .line")).to_have_count(7)
    assert page.url.endswith("?level=WARNING&q=overflow")
    assert page.evaluate("window.kept")
    page.get_by_label("Text in the line").fill("kraken")
    expect(page.get_by_text("Nothing matches query 'kraken'.")).to_be_visible()


def test_a_line_that_is_logged_now_appears_at_the_end(shared_store: Store, growing: str, page: Page) -> None:
    """The tail follows, and keeps to the filter."""
    open_run(page, "?level=WARNING", run_id=growing)
    expect(page.locator("#lines .line")).to_have_count(8)
    commit(
        shared_store,
        logs=[record(growing, "only information", at=1500), record(growing, "<b>disk</b> at 91%", level=13, at=1501)],
    )
    expect(page.locator("#lines .line").last).to_contain_text("<b>disk</b> at 91%")
    expect(page.locator("#lines .line")).to_have_count(9)


def test_who_reads_above_is_not_moved(shared_store: Store, growing: str, page: Page) -> None:
    """Scrolled up, new lines are counted on a button that leads to them."""
    open_run(page, run_id=growing)
    log = page.locator("#log")
    log.evaluate("element => element.scrollTop = 0")
    expect(page.get_by_label("Follow")).not_to_be_checked()
    commit(shared_store, logs=[record(growing, f"new {place}", at=1500 + place) for place in range(3)])
    chip = page.get_by_role("button", name="3 new lines")
    expect(chip).to_be_visible()
    assert log.evaluate("element => element.scrollTop") == 0
    chip.click()
    expect(page.locator("#lines .line").last).to_be_in_viewport()
    expect(page.get_by_label("Follow")).to_be_checked()


def test_a_point_that_is_logged_now_grows_its_curve(shared_store: Store, growing: str, page: Page) -> None:
    """The last value and the curve change; a metric that is new gets its chart; drawn ones stay."""
    open_run(page, run_id=growing)
    expect(page.locator("#chart-loss .plot.drawn")).to_be_visible()
    commit(shared_store, points=[scalar(growing, "loss", 0.125, index=60, step=60)])
    expect(page.locator("#chart-loss .last")).to_have_text("0.1250")
    # Not wait_for_function: it evaluates text in the page, which the policy refuses.
    page.locator("#chart-loss .plot").evaluate(DRAWN_TO, 60)
    commit(
        shared_store, points=[scalar(growing, "throughput", 100.0 + step, index=step, step=step) for step in range(50)]
    )
    expect(page.locator("#chart-throughput .last")).to_have_text("149.0")
    expect(page.locator("#chart-loss .plot.drawn")).to_be_visible()


def test_a_file_is_saved_with_its_name(trained: Store, page: Page) -> None:
    """The download link saves the bytes."""
    open_run(page)
    with page.expect_download() as download:
        page.get_by_label("Download outputs/model.pt").click()
    assert download.value.suggested_filename == "model.pt"
    assert download.value.path().stat().st_size == 48_213


def test_keys_walk_the_log(trained: Store, page: Page) -> None:
    """`k` goes to the last line and up, Enter opens its fields, `/` goes to the text filter, `?` lists the keys."""
    open_run(page)
    page.keyboard.press("k")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator("details[open] .traceback")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Text in the line")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_narrow_screen_has_no_sideways_scroll(trained: Store, page: Page) -> None:
    """At 400 px everything that is not a table of numbers fits the width."""
    page.set_viewport_size({"width": 400, "height": 800})
    fill(trained, FAILED, steps=20)
    commit(trained, points=documents(RUN))
    parts = ("", "/metrics", "/logs", "/files", "/events")
    together = ("/", "/logs", "/experiments/resnet-cifar", f"/compare?run={RUN}&run={FAILED}")
    for address in (*together, *(f"/runs/{RUN}{part}" for part in parts)):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def test_the_theme_is_kept(trained: Store, page: Page) -> None:
    """The choice colours this page, its charts, and the next."""
    open_run(page)
    expect(page.locator("#chart-loss .plot.drawn")).to_be_visible()
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Light or dark").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.goto("/")
    expect(page.locator("html[data-theme=dark]")).to_be_attached()


def test_a_link_that_mlflow_prints_leads_to_the_run(trained: Store, page: Page) -> None:
    """Its client says where a run would be in its own portal; an experiment has a page, too."""
    page.goto(f"/#/experiments/resnet-cifar/runs/{RUN}")
    page.wait_for_url(f"**/runs/{RUN}")
    page.goto("/#/experiments/resnet-cifar")
    page.wait_for_url("**/experiments/resnet-cifar")
