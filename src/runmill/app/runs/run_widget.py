"""A run in a notebook's output as a widget: needs anywidget, the extra ``notebook``."""

from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets

__all__ = ["RunWidget"]

_SCRIPT: Final = Path(__file__).with_suffix(".js")


class RunWidget(anywidget.AnyWidget):
    """What the script beside this file is told. It reads the server by itself where it reaches it."""

    _esm = _SCRIPT.read_text(encoding="utf-8")

    server: Any = traitlets.Unicode().tag(sync=True)
    """Where the browser may try to read the run."""
    run_id: Any = traitlets.Unicode().tag(sync=True)
    glance: Any = traitlets.Dict().tag(sync=True)
    """The run as the kernel saw it last, of `glance_forms.as_values`."""
    is_fetching: Any = traitlets.Bool(default_value=False).tag(sync=True)
    """Said by the browser: it needs no more glances."""
