"""Templates to pages: Jinja with escaping always on, and the words of `wording` as filters."""

import time
from typing import Any, Final

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from runmill.model import RunStatus
from runmill.store.search import attribute_term
from runmill.views.portal import wording
from runmill.views.portal.assets import Assets
from runmill.views.portal.lines import Line, pretty_json
from runmill.views.portal.zones import local, zone_name

__all__ = ["Renderer"]

_THEMES: Final = frozenset({"light", "dark"})
_STATUS_CLASSES: Final[dict[RunStatus, str]] = {
    "Running": "running",
    "Completed": "completed",
    "Failed": "failed",
    "Canceled": "canceled",
    "NotResponding": "silent",
}


class Renderer:
    """Renders the templates of this package for one application."""

    def __init__(self, assets: Assets, *, version: str) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("runmill.views.portal"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        names = ("number", "exact_number", "count", "percent", "heat", "size", "duration", "flat")
        times = ("exact_time", "clock", "day", "weekday")
        self._environment.filters |= {name: getattr(wording, name) for name in (*names, *times)}
        self._environment.filters |= {
            "status_class": _status_class,
            "pretty_json": pretty_json,
            "short": wording.short_id,
            "run_name": wording.run_name,
        }
        self._environment.globals |= {"assets": assets, "version": version, "attribute_term": attribute_term}
        self._lines = self._environment.get_template("lines.html")

    def page(self, request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Give a page; every template also knows the request's base address, theme and the time it is made."""
        now = time.time_ns()
        theme = request.cookies.get("theme", "")
        html = self._environment.get_template(template).render(
            base=_base(request),
            path=request.url.path.removeprefix(_base(request)),
            theme=theme if theme in _THEMES else "",
            zone=zone_name(),
            zone_minutes=_minutes_off(now),
            now=now,
            ago=lambda moment: wording.ago(moment, now_unix_nano=now),
            **context,
        )
        return HTMLResponse(html, status, {"Cache-Control": "no-store"})

    def lines(self, request: Request, lines: list[Line]) -> Markup:
        """Give log lines alone, for a page that has the rest already."""
        return Markup(self._lines.render(lines=lines, base=_base(request)))  # noqa: S704 - it comes escaped


def _base(request: Request) -> str:
    """Give what stands before every address of ours: empty, or the path a proxy serves us under."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def _minutes_off(now: int) -> int:
    """Give how far the pages' clock is before UTC."""
    offset = local(now).utcoffset()
    return round(offset.total_seconds() / 60) if offset else 0


def _status_class(status: RunStatus) -> str:
    return _STATUS_CLASSES.get(status, "waiting")
