"""A run to look at while it goes on: in a notebook it is kept up to date, in a terminal it is printed."""

import sys
import threading
from typing import Any, Final

from runmill.app.runs.glance_forms import as_html, as_text
from runmill.app.runs.run import Run
from runmill.app.runs.run_glance import Glance, look
from runmill.app.runs.screens import Screen, Update, notebook_screen
from runmill.errors import RunmillError

__all__ = ["RunDetails"]

_REFRESH_SECONDS: Final = 2.0
_MOST_FAILURES: Final = 30
"""Looks that fail in a row until nobody looks any more: a minute without a store."""


class RunDetails:
    """Shows a run: ``RunDetails(run).show()``, or ``RunDetails(run)`` at the end of a cell.

    Args:
        run_instance: The run.
        screen: Where to show it; by default the notebook, and in a program stdout.
        refresh_seconds: Between two looks, in a notebook.
    """

    def __init__(
        self, run_instance: Run, *, screen: Screen | None = None, refresh_seconds: float = _REFRESH_SECONDS
    ) -> None:
        self._run = run_instance
        self._screen = screen
        self._refresh_seconds = refresh_seconds

    def show(self, render_lib: object = None, widget_settings: object = None) -> None:
        """Show the run as it is now, and return. In a notebook it is kept up to date until the run has ended.

        Both arguments have no effect. Raises Unavailable when the store cannot be read.
        """
        del render_lib, widget_settings
        glance = self._look(is_fresh=True)
        screen = self._screen or notebook_screen()
        if screen is None:
            sys.stdout.write(f"{as_text(glance)}\n")
            return
        update = screen.show(glance)
        if not glance.has_ended:
            threading.Thread(target=self._keep_up_to_date, args=(update,), name="runmill-widget", daemon=True).start()

    def get_widget_data(self, widget_settings: object = None) -> dict[str, Any]:
        """Give what is shown as plain values, under Azure ML's keys. Raises Unavailable."""
        glance = self._look(is_fresh=True)
        return {
            "status": glance.run.status,
            "workbench_run_details_uri": glance.address,
            "run_id": glance.run.run_id,
            "run_properties": {"run_id": glance.run.run_id, **glance.facts},
            "child_runs": [{"run_id": each.run_id, "status": each.status} for each in glance.children],
            "children_metrics": {},
            "run_metrics": [self._metric(series.metric, series.values) for series in self._run.get_series()],
            "run_logs": "\n".join(glance.lines),
            "graph": {},
            "widget_settings": widget_settings or {},
        }

    def _metric(self, name: str, values: list[Any]) -> dict[str, Any]:
        categories = list(range(len(values)))
        return {"name": name, "run_id": self._run.id, "categories": categories, "series": [{"data": values}]}

    def _look(self, *, is_fresh: bool) -> Glance:
        link = self._run.experiment.workspace.link
        client = link.fresh_client() if is_fresh else link.client()
        return look(client, self._run.id, address=self._run.get_portal_url())

    def _keep_up_to_date(self, update: Update) -> None:
        """Look again and again until the run has ended, or nobody has answered for long."""
        wait, failure_count, has_ended = threading.Event(), 0, False
        while not has_ended and failure_count < _MOST_FAILURES:
            wait.wait(self._refresh_seconds)
            try:
                glance = self._look(is_fresh=False)
            except RunmillError:  # the store restarts, or the network is away: what is shown stays
                failure_count += 1
            else:
                update(glance)
                failure_count, has_ended = 0, glance.has_ended

    def _repr_html_(self) -> str:
        return as_html(self._look(is_fresh=True))

    def __repr__(self) -> str:
        return f"RunDetails({self._run!r})"
