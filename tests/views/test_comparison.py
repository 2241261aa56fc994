"""What is different between runs: as values, over the API, and on the page."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from training import FAILED, RUN, add_file, commit, fill, png, run, scalar

from runmill.model import MetricSummary, Run, RunId
from runmill.store.interface import Store
from runmill.views.comparison import Curve, Figures, Row, compare

THIRD = "c2f2a771-0000-4000-8000-000000000000"


def a_run(run_id: str, **facts: Any) -> Run:
    return Run(RunId(run_id), "exp", run_id, run_id, 1, "Completed", 0, 60, **facts)


def summary(metric: str, value: Any, *, count: int = 1, column: str | None = None, kind: Any = "scalar"):
    number = value if isinstance(value, (int, float)) else None
    numeric = 0 if number is None else count
    ends = {"first": number, "last": number, "minimum": 0.0, "maximum": number}
    return MetricSummary(
        metric=metric,
        kind=kind,
        column=column,
        description="",
        unit="",
        count=count,
        numeric_count=numeric,
        last_step=None,
        last_time_unix_nano=0,
        last_value=value,
        **ends,
    )


def test_what_differs_is_first_in_each_group() -> None:
    """A run without a tag differs from one that has it; a tag without a value is one; equal NaNs are equal."""
    runs = [a_run("a", tags={"base": None, "lr": "1"}, user="ada"), a_run("b", tags={"lr": "2"}, user="ada")]
    metrics = {RunId("a"): [summary("seed", 7), summary("loss", 0.5, count=9)], RunId("b"): [summary("seed", 7)]}
    found = compare(runs, metrics)
    assert found.rows == (
        Row("values", "seed", (7, 7), differs=False),
        Row("metrics", "loss", (Figures(0.5, 0.0, 0.5, 9), None), differs=True),
        Row("tags", "base", ("", None), differs=True),
        Row("tags", "lr", ("1", "2"), differs=True),
        Row("facts", "experiment", ("exp", "exp"), differs=False),
        Row("facts", "status", ("Completed", "Completed"), differs=False),
        Row("facts", "user", ("ada", "ada"), differs=False),
    )
    assert found.curves == (Curve("loss", None, (RunId("a"),)),)


def test_a_text_that_repeats_is_told_as_it_is() -> None:
    """It has no least and greatest; the newest counts."""
    runs = [a_run("a"), a_run("b")]
    metrics = {RunId("a"): [summary("phase", "warm", count=3)], RunId("b"): [summary("phase", "cool", count=9)]}
    assert compare(runs, metrics).rows[0] == Row("metrics", "phase", ("warm", "cool"), differs=True)


def test_documents_and_tables_of_words_are_no_values() -> None:
    """They are looked at on a run's own page."""
    shown = [
        summary("cm", {"data": 1}, kind="confusion_matrix"),
        summary("per class", "cat", count=3, column="class", kind="table"),
        summary("per class", 0.5, count=3, column="recall", kind="table"),
        summary("samples", {"path": "a.png"}, kind="image"),
    ]
    found = compare([a_run("a"), a_run("b")], {RunId("a"): shown, RunId("b"): shown})
    assert [row.name for row in found.rows if row.group in ("values", "metrics")] == [
        "per class.class",
        "per class.recall",
    ]
    assert (found.curves, found.images) == ((), ("samples",))


@pytest.fixture
def two_runs(store: Store) -> Store:
    fill_two(store)
    return store


def fill_two(store: Store) -> None:
    fill(store, RUN, steps=40)
    changes = {"status": "Failed", "took": 60, "display_name": "brisk_heron_2", "tags": {"optimizer": "sgd"}}
    fill(store, FAILED, steps=40, seed=3, **changes)
    for run_id in (RUN, FAILED):
        for step in (0, 100, 200) if run_id == RUN else (0, 150):
            add_file(store, run_id, f"s{step}.png", png(), "image/png")
            point = scalar(run_id, "samples", {"path": f"s{step}.png"}, index=0, step=step, kind="image")
            commit(store, points=[point])


def test_the_api_answers_what_differs(two_runs: Store, client: httpx.Client) -> None:
    """Runs may be named by prefixes, and come in the order they were named."""
    found = client.get("/api/v1/compare", params={"run": [FAILED[:8], RUN]}).json()
    assert [each["run_id"] for each in found["runs"]] == [FAILED, RUN]
    [row] = [row for row in found["rows"] if (row["group"], row["name"]) == ("tags", "optimizer")]
    assert row == {"group": "tags", "name": "optimizer", "values": ["sgd", "adamw"], "differs": True}


@pytest.mark.parametrize("named", [[], [RUN], [RUN, RUN[:8]]])
def test_fewer_than_two_runs_are_refused(two_runs: Store, client: httpx.Client, named: list[str]) -> None:
    """One run, under whatever names, is like itself."""
    answer = client.get("/api/v1/compare", params={"run": named})
    assert (answer.status_code, "name 2 to 16 different runs" in answer.text) == (400, True)
    assert client.get("/compare", params={"run": named}).status_code == 400


def test_the_page_is_complete_without_script(two_runs: Store, client: httpx.Client) -> None:
    """What differs stands above, what is equal is folded, curves are pictures with a colour a run."""
    page = client.get(f"/compare?run={RUN}&run={FAILED}").text
    above, folded = page.split('<details class="equal">')
    assert ("optimizer" in above, "gpu-04" in above, "gpu-04" in folded) == (True, False, True)
    assert re.search(r'id="chart-loss".*?series-0" d="M.*?series-1" d="M', page, re.DOTALL)
    assert page.count('data-frames="samples"') == 2


def test_a_third_run_can_be_left_out(two_runs: Store, client: httpx.Client) -> None:
    """Its link compares the others."""
    commit(two_runs, events=run(THIRD, display_name="third"))
    page = client.get(f"/compare?run={RUN}&run={FAILED}&run={THIRD}").text
    assert f'href="/compare?run={RUN}&run={FAILED}"' in page.replace("&amp;", "&")


@pytest.mark.browser
@pytest.mark.slow
def test_runs_are_ticked_and_laid_over_each_other(shared_store: Store, page: Page) -> None:
    """From the experiment to one chart with both runs, whose images move together by step."""
    fill_two(shared_store)
    page.goto("/experiments/resnet-cifar")
    button = page.locator("form[data-compare] button")
    expect(button).to_be_disabled()
    for name in ("calm_otter_3", "brisk_heron_2"):
        page.get_by_label(f"Compare {name}").check()
    expect(button).to_have_text("Compare 2 runs")
    button.click()
    lines = page.locator("#chart-loss .plot.drawn .scatterlayer .trace")
    expect(lines).to_have_count(2)
    sliders = page.get_by_label("samples: which image")
    expect(page.locator(".frames output")).to_have_text(["step 150", "step 200"])
    sliders.last.fill("1")
    expect(page.locator(".frames output")).to_have_text(["step 0", "step 100"])
