"""The query language for runs: what it means, what it refuses, and which runs it finds, on every engine."""

import pytest
from store_columns import NOW, delivery, event, point

from runmill.errors import QueryMistake
from runmill.store.query import RunQuery
from runmill.store.run_condition import Compared, Fact, NotRun, RunText, Valued
from runmill.store.run_search import parse_runs


@pytest.mark.parametrize(
    ("query", "conditions"),
    [
        ("", []),
        ('resnet "two words" -old', [RunText("resnet"), RunText("two words"), NotRun(RunText("old"))]),
        ("loss<0.3 eval/f1>=1e-1", [Compared("loss", "<", 0.3), Compared("eval/f1", ">=", 0.1)]),
        ("status:completed host!=gpu-0*", [Fact("status", "completed"), NotRun(Fact("host", "gpu-0*"))]),
        ("team:vision lr=0.1", [Valued("team", "vision"), Valued("lr", "0.1")]),
        ("tag.team:* property.lr<0.1", [Valued("team", "*", ("tag",)), Compared("lr", "<", 0.1, ("property",))]),
        ("metric.status>2 tag.:x", [Compared("status", ">", 2.0, ("metric",)), Valued("tag.", "x")]),
    ],
)
def test_a_query_is_read_term_by_term(query, conditions):
    """Every kind of term, alone and beside others."""
    assert list(parse_runs(query)) == conditions


@pytest.mark.parametrize(
    ("query", "column", "words"),
    [
        ("a status:done", 3, "'status:done' is no status; one of NotStarted"),
        ("a>1 loss<low", 5, "'loss<low' compares with a number"),
        ("-name>1", 2, "'name>1' compares a text; use 'name:VALUE', or 'metric.name>NUMBER'"),
        ("loss:", 1, "wants a value"),
        ('ok "open', 4, "a quote that is not closed"),
    ],
)
def test_a_mistake_is_pointed_at(query, column, words):
    """The column it begins at, what stands there, and what can."""
    with pytest.raises(QueryMistake, match=rf"^query, column {column}: ") as caught:
        parse_runs(query)
    assert (caught.value.column, words in str(caught.value)) == (column, True)


@pytest.fixture
def measured(store):
    """Five runs: of the first three a loss, of all an epoch and a text; facts, tags and properties of some."""
    bodies = [
        {"status": "Running", "experiment": "vision", "tags": {"team": "red", "fold": "2"}},
        {"status": "Running", "experiment": "vision", "properties": {"lr": "0.01"}, "display_name": "resnet 50"},
        {"status": "Running", "experiment": "speech", "properties": {"lr": "0.1"}, "host": "gpu-04"},
        {"status": "Queued", "tags": {"baseline": None}},
        {"status": "Running", "parent_id": "run-0"},
    ]
    for number, (body, losses) in enumerate(
        zip(bodies, [[9.0, 0.1], [0.1, 9.0], [0.2], [], [float("nan")]], strict=True)
    ):
        of_run = {"run_id": f"run-{number}", "time_unix_nano": NOW - number}
        points = [point(value, **of_run, metric="loss", index=place) for place, value in enumerate(losses)]
        points += [point(number, **of_run, metric="epoch"), point("A100", **of_run, metric="device")]
        store.append([delivery(points=points, events=[event("run.started", body, **of_run)])])
    return store


FOUND = {
    "loss<0.3": [0, 2],
    "-loss<0.3": [1, 3, 4],
    "loss<=1e3 epoch>=1": [1, 2],
    "epoch:3": [3],
    "loss:nan": [4],
    "device:a1* epoch<2": [0, 1],
    "device>0": [],
    "unknown>1": [],
    "lr<0.05": [1],
    "lr:0.1": [2],
    "team:RED fold>1": [0],
    "metric.team:red": [],
    "tag.baseline:*": [3],
    "status:queued": [3],
    "experiment:vis* -name:resnet*": [0],
    "host:gpu-* id:run-2": [2],
    "parent:run-0": [4],
    "resnet": [1],
    '"resnet 50" loss>1': [1],
}  # fmt: skip


def test_runs_are_found(measured):
    """By their metrics' last values, their tags, properties and facts; what has none of it does not fit."""

    def numbers(query):
        found = measured.runs(RunQuery(where=parse_runs(query), include_children=True))
        return [int(run.run_id.removeprefix("run-")) for run in found]

    assert {query: numbers(query) for query in FOUND} == FOUND
    page = RunQuery(where=parse_runs("loss<0.3"), limit=1, offset=1)
    assert [run.run_id for run in measured.runs(page)] == ["run-2"]
