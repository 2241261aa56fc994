"""The run of a submitted script."""

from runmill import model
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.run import Run
from runmill.app.runs.run_end import SCRIPT_RUN_TYPE

__all__ = ["ScriptRun"]


class ScriptRun(Run):
    """A Run like any other, except that a process of its own runs and ends it.

    Args:
        experiment: The experiment it is of.
        run_id: Its id.
        directory: Has no effect.
        state: The run as it is known; None: it is read.
        parent: The run it is a child of, where it is at hand.

    Raises:
        NotFound: There is no such run.
        Unavailable: The store cannot be read.
    """

    RUN_TYPE = SCRIPT_RUN_TYPE

    def __init__(
        self,
        experiment: Experiment,
        run_id: str,
        directory: str | None = None,
        *,
        state: model.Run | None = None,
        parent: Run | None = None,
    ) -> None:
        del directory
        super().__init__(experiment, run_id, state=state, parent=parent)

    def _before_look(self) -> None:
        """Notice when the runner on this machine was killed: nobody else would say how the run ended."""
        # Here, not on top: it supervises runs.
        from runmill.app.runs.launch.recovery import end_dead_jobs  # noqa: PLC0415

        end_dead_jobs(self._experiment.workspace)
