"""Where a run is shown to a person who works in a notebook: as a widget where that can be, else as HTML."""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final, Protocol

from runmill.app.runs.glance_forms import as_html, as_values
from runmill.app.runs.run_glance import Glance

__all__ = ["Screen", "Update", "notebook_screen"]

Update = Callable[[Glance], None]

_VIEW: Final = "application/vnd.jupyter.widget-view+json"


class Screen(Protocol):
    """What shows a run to a person."""

    def show(self, glance: Glance) -> Update:
        """Show it as it is, and give what shows it as it is later."""


def notebook_screen() -> Screen | None:
    """Give the output of the notebook cell that runs now, None for a program or a terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return _Widget() if find_spec("anywidget") is not None else _Html()


class _Html:
    """Replaces the output's HTML: every notebook takes that."""

    def show(self, glance: Glance) -> Update:
        shown = _display({"text/html": as_html(glance)})
        return lambda newer: shown.update({"text/html": as_html(newer)}, raw=True)


class _Widget:
    """Shows a widget, and beside it the HTML for whoever opens the notebook without a kernel."""

    def show(self, glance: Glance) -> Update:
        # Here, not on top: it needs anywidget.
        from runmill.app.runs.run_widget import RunWidget  # noqa: PLC0415

        server = glance.address.rpartition("/runs/")[0]
        widget = RunWidget(server=server, run_id=glance.run.run_id, glance=as_values(glance))
        view = {_VIEW: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}}
        shown = _display({**view, "text/html": as_html(glance)})

        def update(newer: Glance) -> None:
            if not widget.is_fetching or newer.has_ended:
                widget.glance = as_values(newer)
            if newer.has_ended:  # what is saved with the notebook is the run as it ended
                shown.update({**view, "text/html": as_html(newer)}, raw=True)

        return update


def _display(forms: dict[str, Any]) -> Any:
    # Here, not on top: a notebook has it, and nothing else needs it.
    from IPython.display import display  # noqa: PLC0415

    return display(forms, raw=True, display_id=True)  # type: ignore[no-untyped-call,unused-ignore]
