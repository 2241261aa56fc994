"""Tables of runs: filtered, sorted, with the columns that somebody chose; all of it in the address."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from portal_server import serving
from training import commit, run, scalar

from runmill import store as stores
from runmill.store.interface import Store

PARENT = "c0f2a771-0000-4000-8000-000000000000"
NUMBER = re.compile(r'title="fern_(\d)"')


def fill_sweep(store: Store) -> None:
    """Four runs of one experiment and a child of the first; the last measured nothing."""
    for number, loss in enumerate((0.5, 0.1, 0.9, None)):
        run_id = f"c{number}f2a771-0000-4000-8000-000000000000"
        facts = {"tags": {"team": "red" if number % 2 else "blue"}, "properties": {"lr": str(10.0**-number)}}
        points = [] if loss is None else [scalar(run_id, "val_loss", loss, index=0)]
        events = run(run_id, display_name=f"fern_{number}", started_ago=99 - number, took=9 - number, **facts)
        commit(store, events=events, points=points)
    child = "c9f2a771-0000-4000-8000-000000000000"
    commit(store, events=run(child, display_name="fern_9", parent_id=PARENT, started_ago=9, took=1))


@pytest.fixture
def sweep(store: Store) -> Store:
    fill_sweep(store)
    return store


def numbers(client: httpx.Client, path: str, **asked) -> list[int]:
    return [int(each) for each in NUMBER.findall(client.get(path, params=asked).text)]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", [3, 2, 1, 0]),
        ("metric.val_loss", [1, 0, 2, 3]),
        ("-metric.val_loss", [2, 0, 1, 3]),
        ("val_loss", [1, 0, 2, 3]),
        ("number", [0, 1, 2, 3]),
        ("-name", [3, 2, 1, 0]),
        ("took", [3, 2, 1, 0]),
        ("-started", [3, 2, 1, 0]),
        ("property.lr", [3, 2, 1, 0]),
        ("tag.team", [2, 0, 3, 1]),
    ],
)
def test_runs_are_sorted_by_any_column(sweep: Store, client: httpx.Client, sort: str, expected: list[int]) -> None:
    """Numbers by their size, also those that are texts; what a run has not is last either way."""
    assert numbers(client, "/experiments/resnet-cifar", sort=sort) == expected


def test_runs_are_found_by_a_query(sweep: Store, client: httpx.Client) -> None:
    """On the page of an experiment, of everything, and of a run's children; children come when they are asked for."""
    one = "/experiments/resnet-cifar"
    assert numbers(client, one, where="val_loss<0.6 team:blue") == [0]
    assert numbers(client, one, where="fern", children="true") == [9, 3, 2, 1, 0]
    assert numbers(client, "/runs", where="lr<0.05") == [3, 2]
    assert numbers(client, f"/runs/{PARENT}/children", where="fern_9") == [9]
    assert "No run fits <code>kraken</code>" in client.get(one, params={"where": "kraken"}).text


def test_a_query_with_a_mistake_is_shown_with_it(sweep: Store, client: httpx.Client) -> None:
    """The term is marked under the field, which keeps what was typed."""
    answer = client.get("/experiments/resnet-cifar", params={"where": "loss<1 status:done ok"})
    assert answer.status_code == 400
    assert "<code>loss&lt;1 <mark>status:done</mark> ok</code>" in answer.text
    assert "query, column 8: &#39;status:done&#39; is no status" in answer.text
    assert 'value="loss&lt;1 status:done ok"' in answer.text


def test_the_columns_of_an_address_are_shown(sweep: Store, client: httpx.Client) -> None:
    """In its order, and no others; links within the page keep them."""
    asked = {"column": ["tag.team", "metric.val_loss"], "where": "fern"}
    page = client.get("/experiments/resnet-cifar", params=asked).text
    heads = re.findall(r'<th scope="col".*?>(?:<a [^>]*>)?([^<]*)<', page)
    assert heads[-2:] == ["team", "val_loss"]
    [link] = re.findall(r'href="\?([^"]*)" title="Sort by team"', page)
    assert link.replace("&amp;", "&") == "where=fern&sort=tag.team&column=tag.team&column=metric.val_loss"


def test_children_are_counted_apart(sweep: Store, client: httpx.Client) -> None:
    """The first page says how many runs an experiment has, and how many are below others."""
    [row] = re.findall(
        r'<td class="grows"><a href="/experiments/resnet-cifar">.*?</tr>', client.get("/").text, re.DOTALL
    )
    assert re.findall(r'<td class="number[a-z -]*">(\d+)</td>', row) == ["4", "1", "0"]


@pytest.mark.browser
@pytest.mark.slow
def test_a_table_changes_without_a_reload(shared_store: Store, page: Page) -> None:
    """Typing filters, a head sorts, a tick chooses a column; opening the address again gives the same table."""
    fill_sweep(shared_store)
    page.goto("/experiments/resnet-cifar")
    expect(page.locator("html.script")).to_be_attached()
    page.evaluate("window.kept = true")
    field = page.get_by_label("Filter runs")
    field.press_sequentially("val_loss>0.2 te")
    expect(page.get_by_role("option")).to_have_text(["team:tag"])
    field.press("Tab")
    expect(page.get_by_role("option")).to_have_text(["team:bluetag", "team:redtag"])
    field.press("ArrowDown")
    field.press("Enter")
    expect(page.locator("#runs tbody tr")).to_have_count(2)
    page.get_by_role("link", name="val_loss").click()
    page.get_by_text("Columns").click()
    page.get_by_label("lr", exact=True).click()
    expect(page.get_by_role("columnheader")).not_to_contain_text(["lr"])
    expect(page.get_by_role("link", name=re.compile("fern_"))).to_have_text(["fern_0", "fern_2"])
    assert page.evaluate("window.kept")
    address = page.url
    assert "sort=metric.val_loss" in address
    page.goto(address)
    expect(page.get_by_role("link", name=re.compile("fern_"))).to_have_text(["fern_0", "fern_2"])
    expect(page.get_by_label("Filter runs")).to_have_value("val_loss>0.2 team:blue")


@pytest.mark.browser
@pytest.mark.slow
def test_a_server_that_is_gone_is_said(browser: Browser, tmp_path: Path) -> None:
    """The table stays, a line says why nothing changes; when the server is back, the next try does."""
    store = stores.open(tmp_path / "store")
    fill_sweep(store)
    with serving(store) as base:
        page = browser.new_page()
        page.goto(f"{base}/experiments/resnet-cifar")
        expect(page.locator("html.script")).to_be_attached()
    page.get_by_label("Filter runs").fill("fern_1")
    expect(page.locator(".mistake")).to_contain_text("The server does not answer.")
    expect(page.locator("#runs tbody tr")).to_have_count(4)
    with serving(store, port=int(base.rpartition(":")[2])):
        page.get_by_label("Filter runs").fill("fern_2")
        expect(page.locator("#runs tbody tr")).to_have_count(1)
        expect(page.locator(".mistake")).to_have_count(0)
        page.close()
    store.close()
