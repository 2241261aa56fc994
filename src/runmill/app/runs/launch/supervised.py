"""A run as its supervisor has it: it writes the script's output to it, and says how it ended."""

from typing import Final

from runmill import model
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.launch.verdict import Verdict
from runmill.app.runs.lines import Line, Stream
from runmill.app.runs.run import Run

__all__ = ["SupervisedRun", "attach"]

_DELIVER_SECONDS: Final = 30.0


class SupervisedRun(Run):
    """A Run with what only the process that watches over its script may do."""

    @property
    def parent_id(self) -> str | None:
        """The run it is a child of."""
        return self._state.parent_id

    def say_status(self, status: model.RunStatus) -> None:
        """Say how it stands, as long as it has not ended."""
        self._update({"status": status}, status=status)

    def log_line(self, stream: Stream, line: Line) -> None:
        """Keep one line of output as a log record of the run, in the order of the calls."""
        self._recorder.line(stream, line)

    def end_as(self, verdict: Verdict) -> None:
        """End the run; what the network cannot take in time is delivered later."""
        # A script that was killed leaves a journal: who waits for the end shall find in the run what it logged.
        self._link.outlet.flush(_DELIVER_SECONDS)
        self._end(verdict.status, verdict.error, says_status=True)
        self._deliver()


def attach(experiment: Experiment, run_id: str, *, parent_id: str | None) -> SupervisedRun:
    """Give the run without reading it: who submitted it has said that it is there."""
    state = model.Run(
        run_id=model.RunId(run_id),
        experiment=experiment.name,
        name=run_id,
        display_name=run_id,
        number=0,
        status="Preparing",
        start_time_unix_nano=0,
        end_time_unix_nano=None,
        parent_id=model.RunId(parent_id) if parent_id else None,
    )
    return SupervisedRun(experiment, run_id, state=state)
