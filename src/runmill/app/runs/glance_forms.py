"""A glance at a run as HTML that needs no script and no extension, as text for a terminal, as values for a script."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from typing import Any, Final

from runmill.app.runs.run_glance import Curve, Glance

__all__ = ["as_html", "as_text", "as_values"]

_WIDTH: Final = 160
_HEIGHT: Final = 28
_TEXT_WIDTH: Final = 32
_BARS: Final = "▁▂▃▄▅▆▇█"

_COLOURS: Final = {"Completed": "#2e7d32", "Failed": "#c62828", "Canceled": "#757575", "NotResponding": "#ef6c00"}
_RUNNING_COLOUR: Final = "#1565c0"


def as_html(glance: Glance) -> str:
    """Give one element; whatever a user named or logged is escaped."""
    parts = [
        _table([], [(f"<b>{escape(name)}</b>", _fact(name, fact)) for name, fact in glance.facts.items()]),
        f'<p><a href="{escape(glance.address)}" target="_blank" rel="noopener">Open the run\'s page</a></p>',
        _table(["Metric", "Last", "", "Values"], map(_curve_row, glance.curves)),
        _table(["Child run", "Status"], ((escape(run.display_name), _status(run.status)) for run in glance.children)),
        f"<pre>{escape(chr(10).join(glance.lines))}</pre>" if glance.lines else "",
    ]
    return f'<div class="runmill-run">{"".join(parts)}</div>'


def as_values(glance: Glance) -> dict[str, Any]:
    """Give what ``run_widget.js`` shows, as plain values."""
    return {
        "facts": glance.facts,
        "status": glance.run.status,
        "has_ended": glance.has_ended,
        "address": glance.address,
        "curves": [asdict(curve) for curve in glance.curves],
        "lines": glance.lines,
        "children": [{"name": run.display_name, "status": run.status} for run in glance.children],
    }


def as_text(glance: Glance) -> str:
    """Give lines for a terminal."""
    lines = [f"{name + ':':<12} {fact}" for name, fact in glance.facts.items()]
    lines.append(f"{'Page:':<12} {glance.address}")
    width = max((len(curve.name) for curve in glance.curves), default=0)
    lines += ["", *(f"{each.name:<{width}}  {_bars(each.shape)}  {each.last}" for each in glance.curves)]
    lines += ["", *(f"{run.display_name}  {run.status}" for run in glance.children)] if glance.children else []
    lines += ["", *glance.lines] if glance.lines else []
    return "\n".join(lines)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(_row("td", row) for row in rows)
    head = _row("th", heads) if heads else ""
    return f"<table>{head}{body}</table>" if body else ""


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f'<{tag} style="text-align:left">{cell}</{tag}>' for cell in cells) + "</tr>"


def _fact(name: str, fact: str) -> str:
    return _status(fact) if name == "Status" else escape(fact)


def _status(status: str) -> str:
    return f'<b style="color:{_COLOURS.get(status, _RUNNING_COLOUR)}">{escape(status)}</b>'


def _curve_row(curve: Curve) -> tuple[str, str, str, str]:
    return escape(curve.name), escape(curve.last), _sparkline(curve), str(curve.count)


def _sparkline(curve: Curve) -> str:
    """Draw the shape; lowest and highest value are said when the pointer rests on it."""
    if len(curve.shape) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    low, high = min(curve.shape), max(curve.shape)
    across, up = _WIDTH / (len(curve.shape) - 1), (_HEIGHT - 4) / ((high - low) or 1)
    points = " ".join(
        f"{index * across:.1f},{_HEIGHT - 2 - (value - low) * up:.1f}" for index, value in enumerate(curve.shape)
    )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{escape(curve.name)}">'
        f"<title>{low:.6g} to {high:.6g}</title>"
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>'
    )


def _bars(shape: Sequence[float]) -> str:
    """Draw the shape with block characters, one for each of equal parts."""
    if not shape:
        return " " * _TEXT_WIDTH
    low, high = min(shape), max(shape)
    part = max(1.0, len(shape) / _TEXT_WIDTH)
    chosen = [shape[math.floor(at * part)] for at in range(min(len(shape), _TEXT_WIDTH))]
    return "".join(_BARS[round((value - low) / ((high - low) or 1) * (len(_BARS) - 1))] for value in chosen).ljust(
        _TEXT_WIDTH
    )
