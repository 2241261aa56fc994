"""The JSON kinds on a page: complete without script, drawn with it."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect
from training import RUN, commit, documents, run, scalar

from runmill.store.interface import Store


@pytest.fixture
def judged(store: Store) -> Store:
    commit(store, events=run(RUN), points=documents(RUN))
    return store


def test_documents_are_complete_without_script(judged: Store, client: httpx.Client) -> None:
    """Cells are in a table, curves in a picture and in numbers; what breaks its schema is shown with the reason."""
    page = client.get(f"/runs/{RUN}/metrics").text
    assert 'title="true cat, taken for deer: 2 (20 %)"' in page
    assert page.count('<svg class="picture"') == 3
    assert page.count('<details class="numbers">') == 3
    assert "Shown as it was logged: data.bin_counts[0] is &#39;a&#39;, no number." in page


def test_a_metric_without_a_figure_has_no_figure(judged: Store, client: httpx.Client) -> None:
    """What its script asks for is not found, or refused, in words."""
    assert client.get(f"/runs/{RUN}/figure?metric=nothing").status_code == 404
    assert client.get(f"/runs/{RUN}/figure?metric=broken").status_code == 400
    assert len(client.get(f"/runs/{RUN}/figure?metric=by class").json()["plots"]) == 5


def history(run_id: str) -> list[dict]:
    """Two documents of each of two kinds."""
    return [
        scalar(
            run_id,
            name,
            {"schema_type": kind, "schema_version": "1.0.0", "data": data},
            index=index,
            step=step,
            kind=kind,
        )
        for index, (step, count) in enumerate(((10, 3), (20, 7)))
        for kind, name, data in (
            ("confusion_matrix", "confusion", {"class_labels": ["cat", "dog"], "matrix": [[count, 0], [0, 1]]}),
            ("residuals", "errors", {"bin_edges": [-1.0, 0.0, 1.0], "bin_counts": [count, 9]}),
        )
    ]


def test_documents_that_were_logged_before_have_a_page(store: Store, client: httpx.Client) -> None:
    """The newest stands among the metrics; arrows lead to each of the others."""
    commit(store, events=run(RUN), points=history(RUN))
    page = client.get(f"/runs/{RUN}/metrics").text
    assert 'title="true cat, taken for cat: 7 (100 %)"' in page
    before = [address.replace("&amp;", "&") for address in re.findall(r'href="([^"]+)" rel="prev"', page)]
    assert before == [f"/runs/{RUN}/document?metric={name}&place=0" for name in ("confusion", "errors")]
    older = client.get(before[0]).text
    assert 'title="true cat, taken for cat: 3 (100 %)"' in older
    assert ("step 10" in older, 'rel="prev"' in older, older.count('rel="next"')) == (True, False, 1)
    assert client.get(f"/runs/{RUN}/figure?metric=errors&place=0").json()["plots"][0]["bars"] == [3, 9]
    beyond = client.get(f"/runs/{RUN}/document?metric=errors&place=2")
    assert (beyond.status_code, "was logged 2 times; there is no number 2" in beyond.text) == (404, True)


@pytest.mark.browser
@pytest.mark.slow
def test_a_slider_steps_through_documents(shared_store: Store, page: Page) -> None:
    """By keyboard, too; what is looked at stays when a newer one is logged."""
    run_id = "d4f2a771-0000-4000-8000-000000000000"
    commit(shared_store, events=run(run_id), points=history(run_id))
    page.goto(f"/runs/{run_id}")
    matrix, bars = page.locator("#chart-confusion"), page.locator("#chart-errors")
    page.get_by_label("confusion: which one").locator("input").press("ArrowLeft")
    expect(matrix.get_by_title("taken for cat: 3")).to_be_visible()
    expect(matrix.locator("output")).to_have_text("step 10")
    expect(bars.locator(".plot.drawn")).to_be_visible()
    bars.locator("input[type=range]").press("Home")
    bars.get_by_text("Numbers").click()
    expect(bars.locator(".numbers tbody tr").first.locator("td").last).to_have_text("3")
    newer = {"schema_type": "confusion_matrix", "data": {"class_labels": ["cat", "dog"], "matrix": [[8, 0], [0, 1]]}}
    commit(shared_store, points=[scalar(run_id, "confusion", newer, index=2, step=30, kind="confusion_matrix")])
    expect(matrix.locator("input[type=range]")).to_have_attribute("max", "2")
    expect(matrix.locator("output")).to_have_text("step 10")


@pytest.mark.browser
@pytest.mark.slow
def test_the_view_of_a_document_can_be_chosen(shared_store: Store, page: Page) -> None:
    """Counts give way to shares, ROC to lift; a curve can be put out by its name."""
    commit(shared_store, events=run(RUN), points=documents(RUN))
    page.goto(f"/runs/{RUN}/metrics")
    cell = page.get_by_title("true cat, taken for deer")
    expect(cell).to_have_text("2", use_inner_text=True)
    page.locator("#chart-confusion").get_by_text("Shares").click()
    expect(cell).to_have_text("20 %", use_inner_text=True)
    table = page.locator("figure", has_text="by class")
    expect(table.locator(".plot.drawn .ytitle")).to_have_text("true positive rate")
    table.get_by_text("Lift").click()
    expect(table.locator(".plot.drawn .ytitle")).to_have_text("times better than chance")
    lines = table.locator(".plot .scatterlayer .trace")
    expect(lines).to_have_count(5)
    table.get_by_role("button", name="truck").click()
    expect(lines).to_have_count(4)
    expect(page.locator("#chart-errors .plot.drawn .bars .point")).to_have_count(2)
