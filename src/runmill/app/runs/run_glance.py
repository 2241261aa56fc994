"""What is to be seen of a run at a glance: its state, its curves, its newest log lines, the runs below it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from runmill.app.runs.client import Client
from runmill.model import MetricSummary, Run

__all__ = ["ENDED", "Curve", "Glance", "look"]

ENDED: Final = frozenset({"Completed", "Failed", "Canceled"})

_CURVES: Final = 24
_CURVE_BUCKETS: Final = 60
_LINES: Final = 15
_CHILDREN: Final = 50
_SYSTEM: Final = ("system.", "process.", "hw.")


@dataclass(frozen=True, slots=True)
class Curve:
    """One series: its name, its newest value, and its shape where it has one."""

    name: str
    last: str
    count: int
    shape: list[float]


@dataclass(frozen=True, slots=True)
class Glance:
    """A run as it was when somebody looked."""

    run: Run
    address: str
    curves: list[Curve]
    lines: list[str]
    children: list[Run]

    @property
    def has_ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.run.status in ENDED

    @property
    def facts(self) -> dict[str, str]:
        """Its state in words."""
        run = self.run
        started = datetime.fromtimestamp(run.start_time_unix_nano / 1e9, UTC).astimezone()
        until = run.end_time_unix_nano or max(run.last_seen_unix_nano, run.start_time_unix_nano)
        facts = {
            "Run": run.display_name,
            "Experiment": f"{run.experiment} #{run.number}",
            "Status": run.status,
            "Started": f"{started:%Y-%m-%d %H:%M:%S}",
            "Duration": _duration((until - run.start_time_unix_nano) / 1e9),
            "Tags": ", ".join(key if value is None else f"{key}: {value}" for key, value in run.tags.items()),
            "Error": str((run.error or {}).get("message", "")),
        }
        return {name: fact for name, fact in facts.items() if fact}


def look(client: Client, run_id: str, *, address: str) -> Glance:
    """Look at a run now. Raises NotFound, Unavailable."""
    run = client.run(run_id)
    logged = [each for each in client.summaries(run_id) if not each.metric.startswith(_SYSTEM)]
    page = client.log_page(run_id, limit=_LINES)
    return Glance(
        run=run,
        address=address,
        curves=[_curve(client, run_id, each) for each in logged[:_CURVES]],
        lines=[_line(record) for record in page["records"]],
        children=list(islice(client.runs(parent_id=run_id), _CHILDREN)),
    )


def _curve(client: Client, run_id: str, summary: MetricSummary) -> Curve:
    is_drawn = summary.numeric_count > 1
    shape = client.curve(run_id, summary.metric, summary.column, buckets=_CURVE_BUCKETS) if is_drawn else []
    name = summary.metric if summary.column is None else f"{summary.metric}: {summary.column}"
    return Curve(name, _value(summary.kind, summary.last_value), summary.count, shape)


def _value(kind: str, value: object) -> str:
    if isinstance(value, dict):  # an image says where its file is; a document is too much to be read here
        return str(value.get("path") or kind.replace("_", " "))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _line(record: dict[str, Any]) -> str:
    time = datetime.fromtimestamp(record["time_unix_nano"] / 1e9, UTC).astimezone()
    level = record["severity_text"]
    return f"{time:%H:%M:%S} {level + ' ' if level else ''}{record['body']}"


def _duration(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
