"""The pages as the server sends them: complete without script, and harmless whatever was logged."""

import re

import httpx
import pytest
from training import FAILED, RUN, commit, fill, record, run, scalar

from runmill.store.interface import Store

ADDRESSES = ["", "/metrics", "/logs", "/files", "/events"]


@pytest.mark.parametrize("part", ADDRESSES)
def test_each_part_of_a_run_says_which_run_it_is(trained: Store, client: httpx.Client, part: str) -> None:
    """Name, status and experiment stand on every page of a run."""
    page = client.get(f"/runs/{RUN[:8]}{part}")
    assert page.status_code == 200
    for text in ("calm_otter_3</h1>", "Running", "resnet-cifar"):
        assert text in page.text


def test_the_run_page_is_complete_without_script(trained: Store, client: httpx.Client) -> None:
    """Curves are pictures, values, tables, lines and files are in the page."""
    page = client.get(f"/runs/{RUN}").text
    assert page.count('<svg class="picture"') == 7
    assert "11,173,962" in page
    assert "<td" in page.split("per class")[1]
    assert "validation done in 8.42 s" in page
    assert f"/api/v1/runs/{RUN}/files/outputs/model.pt" in page


def test_no_page_has_inline_script_or_style(trained: Store, client: httpx.Client) -> None:
    """The policy forbids them, so nothing may need them."""
    for address in ("/", "/logs", "/experiments/resnet-cifar", *(f"/runs/{RUN}{part}" for part in ADDRESSES)):
        answer = client.get(address)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert re.findall(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|<style", answer.text) == [], address


def test_what_was_logged_is_only_text(store: Store, client: httpx.Client) -> None:
    """Markup is escaped wherever it comes from, terminal codes are gone, other control characters are visible."""
    evil = "<img src=x onerror=alert(1)>"
    start = run(RUN, display_name=evil, experiment=evil, tags={evil: evil}, description=evil, host=evil)
    lines = [record(RUN, f"{evil} \x1b[31mred\x1b[0m \x07", logger=evil, field=evil)]
    commit(store, events=start, logs=lines, points=[scalar(RUN, evil, evil, index=0)])
    for address in (
        "/",
        f"/runs/{RUN}",
        f"/runs/{RUN}/logs?text=%3Cimg",
        "/logs",
        f"/runs?where={evil}",
        f"/nothing/{evil}",
    ):
        assert "<img" not in client.get(address).text, address
    page = client.get(f"/runs/{RUN}").text
    assert "&lt;img src=x onerror=alert(1)&gt; red ␇" in page


def test_a_traceback_is_folded_to_its_last_line(trained: Store, client: httpx.Client) -> None:
    """The line says what went wrong, the fold has the rest."""
    page = client.get(f"/runs/{RUN}/logs?level=ERROR").text
    assert '<em class="outcome">ShardError: shard 17 is truncated at byte 1048576</em>' in page
    assert '<pre class="traceback">Traceback (most recent call last):' in page
    assert page.count('<li class="line') == 1


def test_empty_states_teach(store: Store, client: httpx.Client) -> None:
    """Without runs the first page shows how to make one; a run without anything shows each call."""
    assert ".start_logging()" in client.get("/").text
    commit(store, events=run(RUN))
    page = client.get(f"/runs/{RUN}").text
    for text in ("run.log(", "run.upload_file(", "No log lines yet"):
        assert text in page


def test_nothing_is_awaited_of_a_run_that_has_ended(store: Store, client: httpx.Client) -> None:
    """What it did not log is said as it is."""
    commit(store, events=run(RUN, took=5))
    page = client.get(f"/runs/{RUN}").text
    assert re.findall(r"This run (?:logged|kept) no \w+", page) == [
        "This run logged no metrics", "This run logged no lines", "This run kept no files",
    ]  # fmt: skip
    assert "yet" not in page


@pytest.mark.parametrize("path", ["/", "/runs", "/models", "/logs", "/collector", f"/runs/{RUN}", "/nothing"])
def test_every_page_leads_to_the_others(trained: Store, client: httpx.Client, path: str) -> None:
    """Runs, models, logs and the collector are a click away, and the one that is open is marked."""
    [bar] = re.findall(r'<nav class="places".*?</nav>', client.get(path).text, re.DOTALL)
    others = ["/runs", "/models", "/logs", "/collector"]
    assert re.findall(r'href="([^"]+)"', bar) == others
    assert re.findall(r'href="([^"]+)" aria-current="page"', bar) == [each for each in others if each == path]


def test_more_runs_than_a_page_holds_are_a_page_away(store: Store, client: httpx.Client) -> None:
    """The newest are first; nobody takes a part of them for all."""
    events = [
        each
        for number in range(501)
        for each in run(f"{number:08x}-0000-4000-8000-000000000000", display_name=f"fern_{number}", took=1)
    ]
    commit(store, events=events)
    first = client.get("/experiments/resnet-cifar").text
    assert "the newest 500 runs" in " ".join(first.split())
    [older] = re.findall(r'href="([^"]+)">Older runs', first)
    second = client.get(f"/experiments/resnet-cifar{older}").text
    named = [re.findall(r">(fern_\d+)</a>", page) for page in (first, second)]
    assert [len(names) for names in named] == [500, 1]
    assert len({*named[0], *named[1]}) == 501
    assert 'href="?">Newer runs' in second


def test_a_filter_that_matches_nothing_is_named(trained: Store, client: httpx.Client) -> None:
    """The reader learns which part of the filter is to blame."""
    assert "Nothing matches text &#39;kraken&#39;." in client.get(f"/runs/{RUN}/logs?level=INFO&text=kraken").text
    both = client.get(f"/runs/{RUN}/logs?level=ERROR&logger=torch.amp").text
    assert "no line matches all of them" in both


def test_the_first_page_says_what_failed(trained: Store, client: httpx.Client) -> None:
    """A failed run stands there with its last error line, a running one with its curve."""
    fill(trained, FAILED, status="Failed", took=60, display_name="brisk_heron_2")
    page = client.get("/").text
    assert 'class="sparkline"' in page.split("Last failed")[0]
    assert "batch skipped · ShardError: shard 17" in page.split("Last failed")[1]


def test_an_experiment_is_sorted_by_a_metric(trained: Store, client: httpx.Client) -> None:
    """The link of a column sorts by it; what has no value is last either way."""
    commit(trained, events=run(FAILED, display_name="unmeasured", started_ago=10))
    for number, value in enumerate((0.5, 0.1, 0.9)):
        other = f"c{number}f2a771-0000-4000-8000-000000000000"
        point = scalar(other, "val_loss", value, index=0)
        commit(trained, events=run(other, display_name=f"fern_{number}", started_ago=5), points=[point])

    def names(query: str) -> list[str]:
        table = client.get(f"/experiments/resnet-cifar?{query}").text.split("<tbody>")[1]
        return re.findall(r"(fern_\d|unmeasured)</a>", table)

    assert names("sort=val_loss") == ["fern_1", "fern_0", "fern_2", "unmeasured"]
    assert names("sort=-val_loss") == ["fern_2", "fern_0", "fern_1", "unmeasured"]


def test_what_is_not_there_is_said_in_words(client: httpx.Client) -> None:
    """An unknown run, an unknown address and a wrong filter come as pages with their status."""
    unknown = client.get("/runs/nobody")
    assert (unknown.status_code, "&#39;nobody&#39;" in unknown.text) == (404, True)
    assert "There is nothing here" in client.get("/no/such/page").text
    assert client.get("/logs?level=LOUD").status_code == 400


def test_assets_may_be_kept_for_ever(client: httpx.Client) -> None:
    """The address names the content; another version's address is not answered."""
    page = client.get("/").text
    [address] = re.findall(r'src="(/static/[^"]+/page\.js)"', page)
    assert "immutable" in client.get(address).headers["cache-control"]
    assert client.get("/static/000000000000/page.js").status_code == 404
    [plotly] = re.findall(r'data-plotly="([^"]+)"', page)
    assert client.get(plotly).text.lstrip().startswith("/**")


def test_the_theme_the_reader_chose_is_in_the_first_paint(client: httpx.Client) -> None:
    """A cookie of ours sets it; any other value is not put into the page."""
    assert 'data-theme="dark"' in client.get("/", headers={"Cookie": "theme=dark"}).text
    assert "data-theme=" not in client.get("/", headers={"Cookie": "theme=pink"}).text
