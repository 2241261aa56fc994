"""The JSON kinds on a page: complete without script, drawn with it."""

import httpx
import pytest
from playwright.sync_api import Page, expect
from training import RUN, commit, documents, run

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
