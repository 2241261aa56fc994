"""The parts of a run that not every run has: ranks, children, system metrics, images."""

import re

import httpx
import pytest
from training import RUN, add_file, commit, png, record, run, scalar

from runmill.model import RunId
from runmill.store.interface import Store
from runmill.views.portal.ranks import rank_count


def tabs(page: str) -> list[str]:
    [bar] = re.findall(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
    return re.findall(r">([A-Z]\w+)(?: <small>\d+</small>)?</a>", bar)


@pytest.mark.parametrize("ranks", [0, 1, 2, 3, 7, 8, 9])
def test_ranks_are_counted_by_looking(store: Store, ranks: int) -> None:
    """Whether a rank logged lines or only metrics, it counts."""
    of_lines = [{**record(RUN, "ready"), "rank": rank} for rank in range(0, ranks, 2)]
    of_points = [{**scalar(RUN, "loss", 0.5, index=0), "rank": rank} for rank in range(1, ranks, 2)]
    commit(store, events=run(RUN), logs=of_lines, points=[*of_points, scalar(RUN, "loss", 0.5, index=0)])
    assert rank_count(store, RunId(RUN), store.metrics([RunId(RUN)])[RunId(RUN)]) == ranks


def test_curves_are_of_rank_0_until_another_is_chosen(store: Store, client: httpx.Client) -> None:
    """The default hides no lines; a chosen rank filters both, and every link of the run keeps it."""
    points = [{**scalar(RUN, "loss", float(n), index=n), "rank": rank} for n in range(9) for rank in (0, 1)]
    commit(store, events=run(RUN), points=points, logs=[{**record(RUN, f"of {r}"), "rank": r} for r in (0, 1)])
    page = client.get(f"/runs/{RUN}").text
    assert ('data-rank="0"' in page, "of 0" in page, "of 1" in page) == (True, True, True)
    chosen = client.get(f"/runs/{RUN}?rank=1").text
    assert ('data-rank="1"' in chosen, "of 0" in chosen, "of 1" in chosen) == (True, False, True)
    assert f"/runs/{RUN}/logs?rank=1" in chosen
    assert 'href="/runs/3f9a1c04-7d52-4b8e-9a61-0c5e2b7d9f10?"' in chosen  # the chip takes it away


def test_the_value_beside_a_curve_is_of_its_rank(store: Store, client: httpx.Client) -> None:
    """Not of the rank that logged last."""
    points = [{**scalar(RUN, "loss", rank + 1 / (n + 1), index=n), "rank": rank} for n in range(4) for rank in (0, 1)]
    commit(store, events=run(RUN), points=points)
    shown = [re.findall(r'class="last"[^>]*>([\d.]+)', client.get(f"/runs/{RUN}{q}").text) for q in ("", "?rank=1")]
    assert shown == [["0.2500"], ["1.250"]]


def test_a_run_without_ranks_has_no_choice_of_them(trained: Store, client: httpx.Client) -> None:
    """Most runs are one process."""
    page = client.get(f"/runs/{RUN}").text
    assert ('name="rank"' in page.split('id="filters"')[0], "data-rank" in page) == (False, False)
    assert tabs(page) == ["Overview", "Metrics", "Logs", "Files", "Events"]


def test_children_are_listed_with_how_they_went(store: Store, client: httpx.Client) -> None:
    """A row a child, its main metric and the metric's course."""
    commit(store, events=run(RUN))
    for number in range(2):
        child = f"c{number}f2a771-0000-4000-8000-000000000000"
        points = [scalar(child, "mse", 1.0 / (n + number + 1), index=n) for n in range(8)]
        commit(store, events=run(child, parent_id=RUN, display_name=f"fern_{number}", took=5), points=points)
    page = client.get(f"/runs/{RUN}/children").text
    assert "Children" in tabs(page)
    assert (page.count("fern_0</a>"), page.count('class="sparkline"'), page.count(">0.1250<")) == (1, 2, 1)
    assert f'href="/runs/{RUN}"><code>3f9a1c04' in client.get("/runs/c0f2a771").text
    assert "run.child_run(" in client.get("/runs/c0f2a771/children").text


def test_what_the_machine_measured_has_a_page_of_its_own(store: Store, client: httpx.Client) -> None:
    """It does not stand between the curves of what was trained."""
    names = ("loss", "system.cpu.utilization", "process.memory.usage")
    commit(store, events=run(RUN), points=[scalar(RUN, name, 0.5 + n, index=n) for n in range(5) for name in names])

    def charts(part: str) -> list[str]:
        return re.findall(r'data-metric="([^"]+)"', client.get(f"/runs/{RUN}{part}").text)

    assert charts("/metrics") == ["loss"]
    assert charts("/system") == ["system.cpu.utilization", "process.memory.usage"]
    assert "System" in tabs(client.get(f"/runs/{RUN}").text)


def test_images_stand_with_their_history(store: Store, client: httpx.Client) -> None:
    """Newest first for who has no script; without a step an image has its number."""
    logged = [("samples", "a.png", 100), ("samples", "b.png", 200), ("map", "c.png", None)]
    commit(
        store,
        events=run(RUN),
        points=[scalar(RUN, name, {"path": path}, index=0, step=step, kind="image") for name, path, step in logged],
    )
    for _, path, _ in logged:
        add_file(store, RUN, path, png(), "image/png")
    page = client.get(f"/runs/{RUN}/images").text
    assert re.findall(r'alt="([^"]+)"', page) == ["map, number 0", "samples, step 200", "samples, step 100"]
    assert page.count('type="range"') == 1
    assert "Images" in tabs(page)
