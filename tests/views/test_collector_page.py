"""`/collector`: is anything lost, and where."""

import re
from collections.abc import Iterator

import httpx
import pytest
from portal_server import serving

from runmill.store.interface import Store
from runmill.views.portal.collector_page import Count, Look, PipelineLook, Rates, collector_view


class Counting:
    """A collector whose numbers the test sets."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, ...], int] = {}

    def count(self, name: str, value: int, **labels: str) -> None:
        self.counts[name, *(text for pair in labels.items() for text in pair)] = value

    def look(self) -> Look:
        logs = PipelineLook("logs", ["otlp"], ["filter"], ["run_store", "otlp_http"])
        metrics = PipelineLook("metrics", ["otlp"], [], ["run_store"])
        counts = [
            Count(name, dict(zip(labels[::2], labels[1::2], strict=True)), value)
            for (name, *labels), value in self.counts.items()
        ]
        return Look("FILE", {"otlp": "127.0.0.1:4318"}, [logs, metrics], counts)


@pytest.fixture
def collector() -> Counting:
    return Counting()


@pytest.fixture
def page(store: Store, collector: Counting) -> Iterator[httpx.Client]:
    with serving(store, look_at_collector=collector.look) as address, httpx.Client(base_url=address) as client:
        yield client


def text_of(answer: httpx.Response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2].partition("</main>")[0]))


def test_page_says_first_whether_anything_is_lost(page: httpx.Client, collector: Counting) -> None:
    """Nothing was, until something is: then how much, by whom and why."""
    assert "Nothing was dropped since the collector started" in text_of(page.get("/collector"))
    labels = {"component": "otlp_http", "reason": "queue_full", "signal": "logs"}
    collector.count("runmill_dropped_records_total", 1234, **labels)
    text = text_of(page.get("/collector"))
    assert "1,234 records were dropped since the collector started" in text
    assert "otlp_http queue_full logs 1,234" in text


def test_what_was_set_aside_can_be_found(page: httpx.Client, collector: Counting) -> None:
    """Its sender was told never to send it again, so it counts as dropped; where it is, is said."""
    collector.count("runmill_dropped_records_total", 3, component="otlp", reason="rejected", signal="logs")
    collector.count("runmill_run_store_set_aside_records_total", 3, exporter="run_store", signal="logs")
    text = text_of(page.get("/collector"))
    assert "3 records were dropped since the collector started" in text
    assert "3 records of logs were set aside by run_store" in text


def test_each_pipeline_has_the_numbers_of_its_signal(page: httpx.Client, collector: Counting) -> None:
    """What came in as logs is not told of metrics; a queue shows how full it is."""
    collector.count("otelcol_receiver_accepted_log_records", 520, receiver="otlp")
    collector.count("otelcol_receiver_accepted_metric_points", 7, receiver="otlp")
    collector.count("otelcol_receiver_refused_log_records", 3, receiver="otlp")
    collector.count("otelcol_exporter_queue_size", 26, exporter="otlp_http")
    collector.count("otelcol_exporter_queue_capacity", 40, exporter="otlp_http")
    text = text_of(page.get("/collector"))
    assert "logs otlp 520 in 3 held up filter run_store 0 out otlp_http 0 out 26 of 40 waiting" in text
    assert "metrics otlp 7 in run_store 0 out" in text


def test_rate_is_what_came_since_the_looks_before(collector: Counting) -> None:
    """Over the last twenty seconds; none at the first look, and none from a look long ago."""
    now = [0.0]
    rates, found = Rates(lambda: now[0]), []
    for at, count in ((0, 0), (2, 10), (20, 100), (50, 1000)):
        now[0] = at
        collector.count("otelcol_receiver_accepted_log_records", count, receiver="otlp")
        found.append(collector_view(collector.look(), rates).pipelines[0].receivers[0].per_second)
    assert found == [None, 5, 5, None]


def test_portal_without_a_collector_says_so(store: Store) -> None:
    """`runmill serve` has the page too: the link is on every page."""
    with serving(store) as address:
        assert "No collector runs in this process." in text_of(httpx.get(f"{address}/collector"))
