"""Logs aligned with the curves: a point shows its lines, a line its place on the curves, and the address says which."""

import pytest
from playwright.sync_api import Locator, Page, expect
from training import RUN, SECOND, START, commit, record, run, scalar

from runmill.store.interface import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STEPS = 400
GROWING = "a4f2a771-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def aligned(shared_store: Store) -> Store:
    """A step a second, a line a step, and a page holds half of them."""
    for run_id in (RUN, GROWING):
        points = [scalar(run_id, "loss", 1.0 / (step + 1), index=step, step=step) for step in range(STEPS)]
        logged = [
            record(run_id, f"step {step:03d}", level=13 if step == 40 else 9, at=step + 0.5) for step in range(STEPS)
        ]
        commit(shared_store, events=run(run_id), points=points, logs=logged)
    return shared_store


def open_run(page: Page, query: str = "", *, run_id: str = RUN) -> Locator:
    page.goto(f"/runs/{run_id}{query}")
    plot = page.locator("#chart-loss .plot.drawn")
    expect(plot).to_be_visible()
    return plot


def point_at(plot: Locator, step: int) -> dict[str, float]:
    """Where in the chart the pointer is on that step."""
    x = plot.evaluate("(plot, x) => plot._fullLayout.xaxis._offset + plot._fullLayout.xaxis.d2p(x)", step)
    return {"x": x, "y": 90}


def test_a_point_under_the_pointer_lights_its_lines(aligned: Store, page: Page) -> None:
    """The list moves to them while the pointer is there, and back to the end when it leaves."""
    plot = open_run(page)
    plot.hover(position=point_at(plot, 300))
    lit = page.locator(".line.lit")
    expect(lit).to_have_count(1)
    shown = int(lit.locator(".message").inner_text().split()[1])
    assert abs(shown - 300) <= 2
    expect(lit).to_be_in_viewport()
    page.mouse.move(5, 5)
    expect(lit).to_have_count(0)
    expect(page.locator("#lines .line").last).to_be_in_viewport()
    expect(page.get_by_label("Follow")).to_be_checked()


def test_a_point_whose_lines_are_not_loaded_says_how_to_get_them(aligned: Store, page: Page) -> None:
    """Nothing is fetched while the pointer only passes."""
    plot = open_run(page)
    plot.hover(position=point_at(plot, 40))
    expect(page.get_by_text("Click for the lines at")).to_be_visible()


def test_a_chosen_point_brings_the_lines_around_it(aligned: Store, page: Page) -> None:
    """The address keeps the moment, the charts mark it, and Escape leads back to the newest lines."""
    plot = open_run(page)
    plot.click(position=point_at(plot, 40))
    moment = page.locator("#moment")
    expect(moment).to_be_in_viewport()
    assert f"at={START + 40 * SECOND}"[:-9] in page.url
    expect(page.locator("#moment + .line .message")).to_have_text("step 040")
    expect(plot.locator(".mark.pinned")).to_be_visible()
    page.keyboard.press("Escape")
    expect(moment).to_have_count(0)
    expect(plot.locator(".mark.pinned")).to_have_count(0)
    expect(page.locator("#lines .line").last).to_be_in_viewport()
    page.go_back()
    expect(moment).to_be_in_viewport()


def test_a_link_to_a_moment_shows_it_at_once(aligned: Store, page: Page) -> None:
    """Lines before and after it, the mark on the curve, and no following."""
    plot = open_run(page, f"?at={START + 40 * SECOND}")
    expect(page.locator("#moment")).to_be_in_viewport()
    expect(plot.locator(".mark.pinned")).to_be_visible()
    expect(page.get_by_label("Follow")).not_to_be_checked()


def test_a_line_under_the_pointer_is_marked_on_the_curves(aligned: Store, page: Page) -> None:
    """With the value the curve had then; by keyboard, too."""
    plot = open_run(page)
    page.locator(".line", has_text="step 390").hover()
    mark = plot.locator(".mark.passing")
    expect(mark).to_be_visible()
    expect(mark).to_have_attribute("data-x", "390")
    expect(plot.locator(".hovertext")).to_have_text("0.002558")
    page.mouse.move(5, 5)
    expect(mark).to_have_count(0)
    page.keyboard.press("k")
    expect(mark).to_be_visible()


def test_older_and_newer_lines_join_in_place(aligned: Store, page: Page) -> None:
    """What the reader looks at does not move; when the newest are there, the list is live again."""
    open_run(page, f"?at={START + 40 * SECOND}&limit=40", run_id=GROWING)
    page.evaluate("history.replaceState(null, '', location.pathname)")
    line = page.locator(".line", has_text="step 040")
    place = line.bounding_box()
    page.locator("#older").evaluate("link => link.click()")
    expect(page.locator("#lines .line").first).to_contain_text("step 000")
    assert line.bounding_box() == place
    while page.locator("#newer").count():
        count = page.locator("#lines .line").count()
        page.locator("#newer").evaluate("link => link.click()")
        expect(page.locator("#lines .line").nth(count)).to_be_attached()
    expect(page.locator("#lines .line")).to_have_count(STEPS)
    commit(aligned, logs=[record(GROWING, "said now", at=STEPS + 1)])
    expect(page.locator("#lines .line").last).to_contain_text("said now")
    expect(page.get_by_role("button", name="1 new line")).to_be_visible()
    assert line.bounding_box() == place


def test_a_part_of_the_time_is_chosen_by_a_drag(aligned: Store, page: Page) -> None:
    """The bars and lines become those of that part; its chip takes it away; the way back does, too."""
    page.goto(f"/runs/{RUN}/logs")
    slices = page.locator(".slices")
    box = slices.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=4)
    expect(page.locator(".brush")).to_be_visible()
    page.mouse.up()
    chip = page.locator(".filter-chip")
    expect(chip).to_have_count(1)
    expect(page.locator("#lines .line")).to_have_count(100)
    expect(page.locator(".counts .info")).to_have_text("100 info")
    chip.click()
    expect(chip).to_have_count(0)
    expect(page.locator("#lines .line")).to_have_count(200)


def test_a_bar_is_chosen_by_keyboard(aligned: Store, page: Page) -> None:
    """The bars are one stop of the Tab key; arrows walk them, Enter chooses."""
    page.goto(f"/runs/{RUN}/logs")
    page.locator(".slices a").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".filter-chip")).to_have_count(1)
    expect(page.locator("#lines .line").first).to_contain_text("step 004")
