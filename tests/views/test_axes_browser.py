"""What curves are drawn over, in a real browser."""

import pytest
from playwright.sync_api import Page, expect
from training import RUN, SECOND, START, commit, run, scalar

from runmill.store.interface import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOWN = """(plot, wanted) => new Promise((resolve) => {
    const look = () => {
        const found = plot.data?.map(({ name, x }) => [name, x[0], x.at(-1)]) ?? [];
        return JSON.stringify(found) === wanted ? resolve(true) : setTimeout(look, 20);
    };
    look();
})"""


@pytest.fixture(scope="module")
def measured(shared_store: Store) -> Store:
    """Ten steps a second apart: a loss, the examples seen, and rows of an epoch and two numbers."""
    points = []
    for n in range(10):
        points += [scalar(RUN, "loss", 1.0 / (n + 1), index=n, step=n), scalar(RUN, "seen", n * 64, index=n, step=n)]
        cells = {"epoch": float(n // 2), "f1": n / 10, "auc": n / 20}
        points += [scalar(RUN, "scores", value, index=n, kind="row", column=name) for name, value in cells.items()]
    start = {"run_id": RUN, "time_unix_nano": START - 60 * SECOND, "name": "run.started", "body": "{}"}
    commit(shared_store, events=[*run(RUN, experiment="axes"), {**start, "resource_id": "r1"}], points=points)
    return shared_store


def shows(page: Page, metric: str, wanted: str) -> bool:
    """Wait until the chart's lines are those: name, first and last x of each."""
    return page.locator(f"#chart-{metric} .plot").evaluate(SHOWN, wanted)


def test_x_is_what_the_reader_chooses(measured: Store, page: Page) -> None:
    """Step, time since the start, another metric; a column that counts is x unless something else is chosen."""
    page.goto(f"/runs/{RUN}/metrics")
    assert shows(page, "loss", '[["loss",0,9]]')
    assert shows(page, "scores", '[["f1",0,4],["auc",0,4]]')
    chosen = page.get_by_label("Draw over")
    chosen.select_option("metric:seen")
    assert shows(page, "loss", '[["loss",0,576]]')
    assert shows(page, "seen", '[["seen",0,9]]')
    chosen.select_option("column:f1")
    assert shows(page, "scores", '[["auc",0,0.9]]')
    chosen.select_option("elapsed")
    assert shows(page, "loss", '[["loss",60,69]]')
    expect(page.locator("#chart-loss .xtitle")).to_have_text("s since the start")


def test_the_choice_is_in_the_address(measured: Store, page: Page) -> None:
    """With the scale and what was looked for; who opens it sees the same, and filtering lines leaves it."""
    page.goto(f"/runs/{RUN}")
    page.get_by_label("Draw over").select_option("metric:seen")
    page.get_by_label("log y").check()
    page.get_by_label("Least level").select_option("ERROR")
    page.wait_for_url("**level=ERROR**")
    page.evaluate("localStorage.clear()")
    page.goto(page.url)
    assert shows(page, "loss", '[["loss",0,576]]')
    expect(page.get_by_label("log y")).to_be_checked()


def test_a_part_of_the_time_is_read_anew(measured: Store, page: Page) -> None:
    """Zoomed in on times, the chart asks for the points between them."""
    page.goto(f"/runs/{RUN}/metrics?x=time")
    plot = page.locator("#chart-loss .plot.drawn")
    between = plot.evaluate("(plot) => [plot.data.at(-1).x[2], plot.data.at(-1).x[5]]")
    with page.expect_response("**/series?metric=loss**x_min=**") as answer:
        plot.evaluate(
            "(plot, range) => Plotly.relayout(plot, {'xaxis.range[0]': range[0], 'xaxis.range[1]': range[1]})", between
        )
    assert [bucket["last"] for bucket in answer.value.json()["buckets"]] == [1 / 3, 1 / 4, 1 / 5]
