"""An experiment: runs that belong together, under one name."""
# ruff: noqa: FBT001, FBT002, A002, PLR0917 - the signatures are those of Azure ML v1

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from runmill import model
from runmill.app.identity import check_experiment_name
from runmill.app.runs.absent import SaysWhatIsAbsent
from runmill.app.runs.git_facts import git_properties
from runmill.app.runs.listing import Labels, has_labels
from runmill.app.runs.reprs import html_table, text_form
from runmill.app.runs.run import Run
from runmill.app.runs.run_tags import tag_texts
from runmill.app.runs.starting import NewRun
from runmill.errors import InvalidArgument
from runmill.journal.records import EVENT, RunIdentity, run_key
from runmill.otlp import runs

if TYPE_CHECKING:
    # A workspace makes experiments; an experiment only knows which one it is in.
    from runmill.app.runs.workspace import Workspace

__all__ = ["Experiment"]

_OUTPUTS = "outputs"


class Experiment(SaysWhatIsAbsent):
    """A name in a workspace. It exists with its first run; making the object stores nothing and reads nothing.

    Raises InvalidArgument for a name that is not allowed: letters, digits, ``_`` and ``-``, 1 to 255 of them, the
    first one an ASCII letter or digit. One that is there is not held to it (``_skip_name_validation``): other programs
    name theirs as they like.
    """

    def __init__(self, workspace: "Workspace", name: str, _skip_name_validation: bool = False) -> None:
        self._workspace = workspace
        self._name = name if _skip_name_validation else check_experiment_name(name)

    @property
    def workspace(self) -> "Workspace":
        """Where it is."""
        return self._workspace

    @property
    def name(self) -> str:
        """Its name, which is also its id."""
        return self._name

    @property
    def id(self) -> str:
        """Its name: a workspace has one experiment of a name."""
        return self._name

    def start_logging(
        self,
        name: str | None = None,
        run_id: str | None = None,
        outputs: "str | bool | None" = None,
        snapshot_directory: str | None = ".",
        tags: Mapping[str, object] | None = None,
        display_name: str | None = None,
        description: str | None = None,
    ) -> Run:
        """Start a run in this process; where no collector is configured, a local one starts by itself.

        Args:
            name: ``run_<id>`` by default.
            run_id: A random one by default.
            outputs: A folder that is made now and uploaded when the run ends: ``./outputs`` by default, False for none.
                Files written to ``./logs`` are kept with it, meanwhile too; not with False.
            snapshot_directory: The folder whose git facts (repository, branch, commit) become properties; None: no
                facts.
            tags: Set at the start.
            display_name: What the run is called on its page.
            description: What it is about.

        Raises:
            InvalidArgument: *run_id* cannot be one.
        """
        self._workspace.link.ensure_server()
        new = NewRun(
            experiment=self._name,
            run_id=run_id,
            name=name,
            display_name=display_name,
            description=description or "",
            tags={str(key): None if value is None else str(value) for key, value in (tags or {}).items()},
            properties={} if snapshot_directory is None else git_properties(snapshot_directory),
        )
        return Run.start_new(self, new, outputs=_chosen(outputs))

    def submit(
        self, config: object, tags: Mapping[str, object] | None = None, show_output: bool = False, **kwargs: object
    ) -> Run:
        """Start a script as a process of its own and give its run at once; where no collector is configured, a local
        one starts by itself.

        The script outlives this process, has a copy of the source folder of its own, and finds its run by
        ``Run.get_context()``. What it prints becomes the run's log; how it ends decides the run's status.

        Args:
            config: A ScriptRunConfig.
            tags: Set at the start.
            show_output: Print its log lines as they come, and return when it has ended.
            **kwargs: Have no effect.

        Raises:
            InvalidArgument: What is to be run is not there, or is not supported; nothing was started.
        """
        # Here, not on top: it makes runs of an experiment.
        from runmill.app.runs.launch.submit import submit  # noqa: PLC0415

        del kwargs
        run = submit(self, config, tags=tags)
        if show_output:
            run.wait_for_completion(show_output=True, raise_on_error=False)
        return run

    def get_runs(
        self,
        type: str | None = None,
        tags: Labels | None = None,
        properties: Labels | None = None,
        include_children: bool = False,
    ) -> Iterator[Run]:
        """Yield the runs that fit, newest first, top-level ones by default. Raises Unavailable."""
        return Run.list(self, type, tags, properties, include_children=include_children)

    @property
    def tags(self) -> Mapping[str, str | None]:
        """Its tags, read now. Raises Unavailable."""
        found = self._find()
        return dict(found.tags) if found else {}

    def tag(self, key: str, value: object = None) -> None:
        """Set one tag; anything but text becomes ``str(value)``, None is a tag without a value."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Set several tags at once; others stay. Raises InvalidArgument for a key that is not text."""
        self._update({"tags": tag_texts(tags, "experiment.set_tags")})

    def remove_tags(self, tags: Iterable[str]) -> None:
        """Take tags away by key; keys that are not there are left aside."""
        self._update({"removed_tags": [tags] if isinstance(tags, str) else list(tags)})

    @property
    def archived_time(self) -> datetime | None:
        """When it was put away, None when it is in use. Raises Unavailable."""
        found = self._find()
        if found is None or found.archived_time_unix_nano is None:
            return None
        return datetime.fromtimestamp(found.archived_time_unix_nano // 1000 / 1e6, UTC)

    def archive(self) -> None:
        """Put it away: it is listed no more, unless asked for. Its runs stay as they are, and it takes new ones."""
        self._update({"archived": True})

    def reactivate(self, new_name: str | None = None) -> None:
        """List it again. Raises InvalidArgument for a new name: an experiment keeps its own."""
        if new_name is not None:
            raise InvalidArgument(f"experiment.reactivate: new_name={new_name!r}: an experiment keeps its name.")
        self._update({"archived": False})

    def get_portal_url(self) -> str:
        """Give the address of the experiment's page."""
        return f"{self._workspace.link.portal}/experiments/{quote(self._name)}"

    portal_url = property(get_portal_url)

    def refresh(self) -> None:
        """Change nothing: an experiment holds no state that could be old."""

    def __repr__(self) -> str:
        return text_form("Experiment", {"Name": self._name, "Workspace": self._workspace.name})

    def _repr_html_(self) -> str:
        facts = {"Name": self._name, "Workspace": self._workspace.name}
        return html_table(facts, {"Report Page": ("Link to the experiment's page", self.get_portal_url())})

    def _update(self, changes: dict[str, Any]) -> None:
        """Tell the store what changed. The event is the experiment's, not a run's."""
        key = run_key(RunIdentity("", self._name, None, None))
        body = {"experiment": self._name, **changes}
        self._workspace.link.outlet.write((EVENT, time.time_ns(), key, runs.EXPERIMENT_UPDATED, body, None))

    def _find(self) -> model.Experiment | None:
        found = self._workspace.link.fresh_client().experiments()
        return next((each for each in found if each.name == self._name), None)

    @staticmethod
    def list(
        workspace: "Workspace",
        experiment_name: str | None = None,
        view_type: str = "ActiveOnly",
        tags: Labels | None = None,
    ) -> "list[Experiment]":
        """Give the workspace's experiments, the one with the newest run first. Raises Unavailable.

        Args:
            workspace: Where to look.
            experiment_name: Only this one.
            view_type: ``ActiveOnly``, ``ArchivedOnly`` or ``All``.
            tags: Only those that have these.
        """
        if view_type not in ("ActiveOnly", "ArchivedOnly", "All"):
            raise InvalidArgument(
                f"Experiment.list: view_type must be ActiveOnly, ArchivedOnly or All, got {view_type!r}."
            )
        return [
            Experiment(workspace, each.name, _skip_name_validation=True)
            for each in workspace.link.fresh_client().experiments()
            if experiment_name in (None, each.name)
            and view_type in ("All", "ActiveOnly" if each.archived_time_unix_nano is None else "ArchivedOnly")
            and has_labels(each.tags, tags)
        ]


def _chosen(outputs: "str | bool | None") -> str | None:
    """Give the folder; None is the default one too, as it always was."""
    if outputs is False:
        return None
    if outputs is None or outputs is True:
        return _OUTPUTS
    return outputs
