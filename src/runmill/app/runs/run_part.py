"""What the parts of a Run share. A Run's many calls are split by idea, and `runmill.Run` is all of them."""

from dataclasses import replace
from typing import Any

from runmill import model
from runmill.app.runs.absent import SaysWhatIsAbsent
from runmill.app.runs.link import Link
from runmill.app.runs.recorder import Recorder
from runmill.otlp import runs

__all__ = ["RunPart"]


class RunPart(SaysWhatIsAbsent):
    """A run's way out, its pen, and its state as last known here."""

    _link: Link
    _recorder: Recorder
    _state: model.Run

    @property
    def id(self) -> str:
        """The run's id: unique, never changes."""
        return self._state.run_id

    def _update(self, changes: dict[str, Any], **known: Any) -> None:
        """Tell the store what changed; *known* are the same changes for the state as known here."""
        self._recorder.event(runs.UPDATED, changes)
        self._state = replace(self._state, **known)

    def _refresh(self) -> model.Run:
        """Read the state anew, with everything in it that was written here. Raises Unavailable."""
        self._state = self._link.fresh_client().run(self.id)
        return self._state
