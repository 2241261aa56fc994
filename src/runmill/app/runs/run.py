"""A run: what a training script logs to, and what is read back from it."""
# ruff: noqa: FBT001, FBT002, A002, PLR0917 - the signatures are those of Azure ML v1

import os
from collections.abc import Iterator, Mapping, Sequence
from contextvars import Token
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from runmill import model
from runmill.app import current
from runmill.app.identity import find_rank
from runmill.app.runs.active import ActiveRun, active_runs
from runmill.app.runs.kept_files import KeptFiles
from runmill.app.runs.listing import Labels, Wanted, descendants, wanted_runs
from runmill.app.runs.recorder import Recorder
from runmill.app.runs.reprs import html_table, text_form
from runmill.app.runs.run_end import EndCalls
from runmill.app.runs.run_files import outputs_folder
from runmill.app.runs.run_metrics import MetricCalls
from runmill.app.runs.run_models import ModelCalls
from runmill.app.runs.run_snapshot import SnapshotCalls
from runmill.app.runs.run_system import SystemCalls
from runmill.app.runs.run_tags import TagCalls
from runmill.app.runs.service_limits import look_at_call
from runmill.app.runs.starting import NewRun, start_run
from runmill.app.runs.system_metrics import Sampler, machine_gauges
from runmill.app.runs.user_log import USER_LOG, UserLog
from runmill.errors import InvalidArgument, NotFound
from runmill.journal.records import RunIdentity, run_key
from runmill.otlp.measurements import Measurement

if TYPE_CHECKING:
    # An experiment makes runs; a run only knows which one it is of.
    from runmill.app.runs.experiment import Experiment
    from runmill.app.runs.workspace import Workspace

__all__ = ["Run", "get_run"]


class Run(MetricCalls, ModelCalls, SnapshotCalls, SystemCalls, TagCalls, EndCalls):
    """One run of an experiment, in this process or anywhere.

    Started by ``Experiment.start_logging``, ``Run.get_context`` or ``run.child_run``; ``Run(experiment, run_id)``
    attaches to one that is there. Every call works the same in a job, in a notebook and without a network. As a
    context manager it is the current run inside, completes at the end, and fails with the exception that leaves it.

    Args:
        experiment: The experiment it is of.
        run_id: Its id, or a unique prefix of at least 6 characters.
        outputs: A folder to upload when the run ends; None: nothing.
        state: The run as it is known; None: it is read.
        parent: The run it is a child of, where it is at hand.
        sets_status: False: somebody else says how the run ends.

    Raises:
        NotFound: There is no such run.
        Unavailable: The store cannot be read.
    """

    def __init__(
        self,
        experiment: "Experiment",
        run_id: str,
        outputs: "str | None" = None,
        *,
        state: model.Run | None = None,
        parent: "Run | None" = None,
        sets_status: bool = True,
    ) -> None:
        self._experiment = experiment
        self._link = experiment.workspace.link
        self._state = state or self._find(run_id)
        self._recorder = self._pen()
        self._sets_status = sets_status
        self._outputs = outputs_folder(outputs)
        self._logs = None
        self._kept = {}
        self._parent = parent
        self._entered: list[tuple[Token[str | None], UserLog | None]] = []

    @classmethod
    def start_new(
        cls, experiment: "Experiment", new: NewRun, *, outputs: str | None = None, parent: "Run | None" = None
    ) -> "Run":
        """Start a run that is active in this process until it is ended."""
        state = start_run(experiment.workspace.link.outlet, new)
        run = cls(experiment, state.run_id, outputs, state=state, parent=parent)
        if outputs is not None:
            run._logs = KeptFiles(run, Path.cwd(), since_unix_nano=state.start_time_unix_nano)
        run.activate()
        return run

    def activate(self) -> None:
        """Keep the run alive by heartbeats and end it with this process, unless it is ended before."""
        active = ActiveRun(
            recorder=self._recorder,
            run=self,
            end=self._end_with_process,
            keep=self.keep_logs,
            owner_pid=os.getpid(),
            will=self._leave_will() if self._sets_status else None,
        )
        active_runs().add(active)
        if seconds := self._link.outlet.settings.system_metrics_seconds:
            _sampler.start(seconds)

    @classmethod
    def get_context(cls, allow_offline: bool = True, used_for_context_manager: bool = False, **kwargs: object) -> "Run":
        """Give the run this code belongs to; the same one each time.

        That is the run entered in this context, else the process's only active run, else the one this process was
        launched for (``RUNMILL_RUN_ID``), else a new one, in an experiment named after the script: code written for a
        job runs by hand as it is.

        Args:
            allow_offline: False: raise NotFound where a new run would be started.
            used_for_context_manager: Has no effect.
            **kwargs: Have no effect.
        """
        del used_for_context_manager, kwargs
        # Here, not on top: it knows workspaces, those their experiments, and those their runs.
        from runmill.app.runs.run_context import find_run_of_context, start_run_of_script  # noqa: PLC0415

        found = find_run_of_context()
        if found is None and not allow_offline:
            raise NotFound("Run.get_context(allow_offline=False): no run is active, and none launched this process.")
        return found or start_run_of_script()

    @classmethod
    def get_submitted_run(cls, **kwargs: object) -> "Run":
        """Give the run this process was launched for, or the active one. Raises NotFound when there is none.

        Args:
            **kwargs: Have no effect.
        """
        del kwargs
        return cls.get_context(allow_offline=False)

    @staticmethod
    def get(workspace: "Workspace", run_id: str) -> "Run":
        """Give a run by its id. Raises NotFound."""
        return workspace.get_run(run_id)

    @property
    def experiment(self) -> "Experiment":
        """The experiment the run is of."""
        return self._experiment

    @property
    def name(self) -> str:
        """The run's name as it was given at its start."""
        return self._state.name

    @property
    def number(self) -> int:
        """Which one it is in its experiment, from 1. Raises Unavailable: the store counts."""
        return self._state.number or self._refresh().number

    @property
    def type(self) -> str | None:
        """What kind of run; None for one that a script or notebook started by itself."""
        return self._state.type

    @property
    def parent(self) -> "Run | None":
        """The run this one is a child of. Read once; raises Unavailable."""
        if self._parent is None and self._state.parent_id is not None:
            self._parent = Run(self._experiment, self._state.parent_id)
        return self._parent

    def get_portal_url(self) -> str:
        """Give the address of the run's page."""
        return f"{self._link.portal}/runs/{self.id}"

    portal_url = property(get_portal_url)

    def child_run(self, name: str | None = None, run_id: str | None = None, outputs: str | None = None) -> "Run":
        """Start a run below this one; it is complete when ended itself, not with this one."""
        new = NewRun(
            experiment=self._experiment.name,
            run_id=run_id,
            name=f"{self.name}>{name}" if name else None,
            display_name=name,
            parent_id=self.id,
        )
        return self._start_child(new, outputs)

    def create_children(
        self, count: int | None = None, tag_key: str | None = None, tag_values: Sequence[object] | None = None
    ) -> Sequence["Run"]:
        """Start several runs below this one: *count* of them, or one for each of *tag_values* under *tag_key*.

        With *count* they are tagged ``azureml.batch_child_number`` from 0. Raises InvalidArgument for other mixes.
        """
        if (count is None) == (tag_key is None and tag_values is None) or (tag_key is None) != (tag_values is None):
            raise InvalidArgument("run.create_children: give either count=, or both tag_key= and tag_values=.")
        key, values = tag_key or "azureml.batch_child_number", range(count or 0) if tag_values is None else tag_values
        if not len(values):
            raise InvalidArgument("run.create_children: there must be at least one child.")
        look_at_call(self._link.outlet, self._recorder.key, "children", len(values))
        return [
            self._start_child(NewRun(experiment=self._experiment.name, parent_id=self.id, tags={key: str(value)}), None)
            for value in values
        ]

    def submit_child(self, config: object, tags: Mapping[str, object] | None = None, **kwargs: object) -> "Run":
        """Start a script as a run below this one, as ``Experiment.submit`` does. Raises InvalidArgument."""
        # Here, not on top: it makes runs.
        from runmill.app.runs.launch.submit import submit  # noqa: PLC0415

        del kwargs
        return submit(self._experiment, config, tags=tags, parent=self)

    def get_children(
        self,
        recursive: bool = False,
        tags: Labels | None = None,
        properties: Labels | None = None,
        type: str | None = None,
        status: str | None = None,
    ) -> Iterator["Run"]:
        """Yield the runs below this one, newest first; *recursive*: theirs too. Raises Unavailable."""
        wanted = Wanted(tags=tags, properties=properties, type=type, status=status)
        states = descendants(self._link.fresh_client(), self.id, recursive=recursive)
        return (Run(self._experiment, state.run_id, state=state) for state in states if wanted.fits(state))

    def __enter__(self) -> Self:
        # In a launched script the launcher keeps what is printed.
        log = UserLog(self._recorder) if self._sets_status else None
        self._entered.append((current.enter(self._recorder.key), log))
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        token, log = self._entered.pop()
        if log is not None and (printed := log.close()) is not None:
            with printed:
                self._keep(USER_LOG, printed, "text/plain")
        current.leave(token)
        if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
            self.complete()
        else:
            self.fail(error)

    def __repr__(self) -> str:
        return text_form("Run", self._facts())

    def _repr_html_(self) -> str:
        return html_table(self._facts(), {"Details Page": ("Link to the run's page", self.get_portal_url())})

    def _find(self, run_id: str) -> model.Run:
        state = self._link.fresh_client().run(run_id)
        if state.experiment != self._experiment.name:
            raise NotFound(f"run {run_id!r} is of experiment {state.experiment!r}, not of {self._experiment.name!r}.")
        return state

    def _pen(self) -> Recorder:
        """Give the pen of this very run where it is active here, so that positions go on; else a new one."""
        state = self._state
        key = run_key(RunIdentity(state.run_id, state.experiment, state.parent_id, find_rank()))
        active = active_runs().find(key)
        return active.recorder if active else Recorder(self._link.outlet, key)

    def _start_child(self, new: NewRun, outputs: "str | None") -> "Run":
        return Run.start_new(self._experiment, new, outputs=outputs, parent=self)

    def _facts(self) -> dict[str, object]:
        state = self._state
        return {"Experiment": state.experiment, "Id": state.run_id, "Type": state.type, "Status": state.status}

    @staticmethod
    def list(
        experiment: "Experiment",
        type: str | None = None,
        tags: Labels | None = None,
        properties: Labels | None = None,
        status: str | None = None,
        include_children: bool = False,
    ) -> Iterator["Run"]:
        """Yield the experiment's runs, newest first. Raises Unavailable."""
        wanted = Wanted(tags=tags, properties=properties, type=type, status=status)
        link = experiment.workspace.link
        states = wanted_runs(link.fresh_client(), experiment.name, wanted, include_children=include_children)
        return (Run(experiment, state.run_id, state=state) for state in states)


def _keep_measured(measurements: Sequence[Measurement]) -> None:
    # A child has its parent's machine: a sweep of hundreds is measured once.
    for active in active_runs().outermost():
        if isinstance(active.run, Run):
            active.run.keep_measured(measurements)


_sampler: Final = Sampler(machine_gauges, _keep_measured)


def get_run(experiment: "Experiment", run_id: str, rehydrate: bool = True, clean_up: bool = True) -> Run:
    """Give a run of an experiment by its id; the last two have no effect. Raises NotFound."""
    del rehydrate, clean_up
    return Run(experiment, run_id)
