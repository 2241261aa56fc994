"""A command as a run, from the shell: what it prints is passed on unchanged, and its exit code is ours."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path, PurePath

from runmill.app.outlet import outlet
from runmill.app.runs.details import RUN_DEFINITION
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.git_facts import git_properties
from runmill.app.runs.launch.carry_out import Script, carry_out
from runmill.app.runs.launch.child import Terminal, started_mark
from runmill.app.runs.launch.job import Job, create
from runmill.app.runs.launch.recovery import end_dead_jobs
from runmill.app.runs.launch.supervised import SupervisedRun
from runmill.app.runs.launch.variables import script_variables
from runmill.app.runs.launch.verdict import Verdict
from runmill.app.runs.lines import Stream
from runmill.app.runs.run_end import SCRIPT_RUN_TYPE
from runmill.app.runs.starting import NewRun, start_run
from runmill.app.runs.workspace import Workspace

__all__ = ["Foreground", "program_name"]

_SIGNAL_EXIT = 128


@dataclass(frozen=True, slots=True)
class Foreground:
    """A command and the run it becomes."""

    command: Sequence[str]
    experiment: str
    display_name: str | None = None
    tags: Mapping[str, str | None] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    """Set for the command, over those of this process."""

    def start(self, workspace: Workspace) -> SupervisedRun:
        """Start the run; the command is started by `carry_out`. Raises InvalidArgument for a name that cannot be."""
        named = _named(workspace, program_name(self.command))
        experiment = Experiment(named, self.experiment)
        named.link.ensure_server()
        end_dead_jobs(named)
        new = NewRun(
            experiment=self.experiment,
            display_name=self.display_name,
            type=SCRIPT_RUN_TYPE,
            tags=self.tags,
            properties={RUN_DEFINITION: json.dumps({"command": list(self.command)}), **git_properties(".")},
        )
        state = start_run(named.link.outlet, new)
        run = SupervisedRun(experiment, state.run_id, state=state)
        run.activate()
        return run

    def carry_out(self, run: SupervisedRun) -> Verdict:
        """Run the command to its end, which is the run's; give it with the exit code that a shell would have given."""
        folder = create(run.experiment.workspace.link.outlet.home, run.id)
        folder.write(self._job(run))
        script = Script(
            argv=self.command,
            folder=Path.cwd(),
            variables=script_variables(run, self.variables),
            std_log=folder.std_log,
            terminal=_terminal(),
        )
        verdict = carry_out(
            run, script, started=lambda pid: folder.write_child(pid, started_mark(pid)), passes_on=_pass_on
        )
        run.end_as(verdict)
        folder.remove()
        code = verdict.exit_code
        return replace(verdict, exit_code=_SIGNAL_EXIT - code if code < 0 else code)

    def _job(self, run: SupervisedRun) -> Job:
        """Give what others need to end the run, should this process be killed."""
        return Job(
            run_id=run.id,
            experiment=self.experiment,
            arguments=list(self.command),
            is_python=False,
            working_folder=str(Path.cwd()),
            service_name=program_name(self.command),
        )


def program_name(command: Sequence[str]) -> str:
    """Name a command by its script, else by its module, else by its program."""
    module = next((after for word, after in pairwise(command) if word == "-m"), None)
    script = next((word for word in command if word.endswith(".py")), None)
    return PurePath(script).stem if script else module or PurePath(command[0]).name


def _named(workspace: Workspace, service_name: str) -> Workspace:
    """Give the workspace with a way out that names the command, whose lines go out there, and not us."""
    settings = workspace.link.outlet.settings
    return Workspace(
        workspace.subscription_id,
        workspace.resource_group,
        workspace.name,
        outlet=outlet(replace(settings, service_name=settings.service_name or service_name)),
    )


def _terminal() -> Terminal:
    streams: dict[Stream, int] = {"stdout": 1, "stderr": 2}
    return Terminal(
        inherits_stdin=True,
        shares_signals=sys.stdin is not None and sys.stdin.isatty(),
        shown_on=frozenset(stream for stream, descriptor in streams.items() if os.isatty(descriptor)),
    )


def _pass_on(stream: Stream, content: bytes) -> bool:
    """Write to our own stream; False when nobody reads it any more, as behind ``| head``."""
    descriptor = 1 if stream == "stdout" else 2
    view = memoryview(content)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BrokenPipeError:
            return False
        except OSError:
            return True  # a terminal that went away: the run goes on
    return True
