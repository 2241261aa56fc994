"""A workspace: where runs go. A home directory on this machine, or a server named by its address."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from runmill.app import settings
from runmill.app.outlet import shared_outlet
from runmill.app.runs.absent import SaysWhatIsAbsent
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.launch.environment import Environment
from runmill.app.runs.link import Link, WayOut
from runmill.app.runs.models import Model, newest
from runmill.app.runs.reprs import text_form
from runmill.app.runs.run import Run
from runmill.app.runs.service_limits import LimitedOutlet
from runmill.app.runs.workspace_file import (
    WorkspaceFile,
    find_workspace_file,
    read_workspace_file,
    write_workspace_file,
)
from runmill.errors import ConfigError

__all__ = ["Workspace"]


class Workspace(SaysWhatIsAbsent):
    """Where experiments are kept. Making the object starts nothing, reads nothing and cannot fail for the network.

    Args:
        subscription_id: Kept, for code that reads it back.
        resource_group: Kept, for code that reads it back.
        workspace_name: What the workspace calls itself.
        auth: Must be None: there are no accounts.
        home: The home directory; by default ``RUNMILL_HOME``, else the platform's state directory.
        endpoint: Address of a server; by default ``RUNMILL_ENDPOINT``, ``OTEL_EXPORTER_OTLP_ENDPOINT``, else the
            home's own server, which starts by itself with the first run.
        outlet: The way out, in place of the one that `home` and `endpoint` give.
        limits: ``azureml``: warn where Azure ML's service would not take what is logged; it is stored all the same.
            By default ``RUNMILL_LIMITS``, else None: nothing is limited.
    """

    def __init__(
        self,
        subscription_id: str = "",
        resource_group: str = "",
        workspace_name: str = "local",
        auth: None = None,
        *,
        home: "str | os.PathLike[str] | None" = None,
        endpoint: str | None = None,
        outlet: WayOut | None = None,
        limits: Literal["azureml"] | None = None,
    ) -> None:
        if auth is not None:
            raise ConfigError(f"Workspace: auth={auth!r}: a workspace has no accounts; leave it out.")
        self._file = WorkspaceFile(
            subscription_id=subscription_id,
            resource_group=resource_group,
            workspace_name=workspace_name,
            home=None if home is None else Path(home),
            endpoint=endpoint,
        )
        way_out = outlet or shared_outlet(settings.resolve(home=home, endpoint=endpoint))
        self.link = Link(LimitedOutlet(way_out) if _has_limits(limits) else way_out)

    @staticmethod
    def from_config(
        path: "str | os.PathLike[str] | None" = None, auth: None = None, _file_name: str | None = None
    ) -> "Workspace":
        """Give the workspace that a file names, or the local one where there is no file.

        Looked for at *path* (by default the current folder) and in every folder above, first
        ``.azureml/config.json``, then ``.azureml/project.json``, the same two in ``aml_config``, then ``config.json``
        and ``project.json``. The file holds ``endpoint``, or ``home``, or Azure ML's three keys, which name a local
        workspace.

        Raises:
            ConfigError: *path* does not exist, or the file found is not such a file.
        """
        found = find_workspace_file(Path(path or "."), only=_file_name)
        if found is None:
            return Workspace(auth=auth)
        said = read_workspace_file(found)
        return Workspace(
            said.subscription_id,
            said.resource_group,
            said.workspace_name,
            auth,
            home=said.home,
            endpoint=said.endpoint,
        )

    @staticmethod
    def get(  # noqa: PLR0917 - as it always was
        name: str,
        auth: None = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        cloud: str = "AzureCloud",
        id: str | None = None,  # noqa: A002 - as it always was
    ) -> "Workspace":
        """Give the local workspace under that name; the last three have no effect."""
        del location, cloud, id
        return Workspace(subscription_id or "", resource_group or "", name, auth)

    @property
    def name(self) -> str:
        """What it calls itself."""
        return self._file.workspace_name

    @property
    def subscription_id(self) -> str:
        """As it was given."""
        return self._file.subscription_id

    @property
    def resource_group(self) -> str:
        """As it was given."""
        return self._file.resource_group

    @property
    def location(self) -> str:
        """Where its data is: the address of its server."""
        return self.link.portal

    @property
    def experiments(self) -> Mapping[str, Experiment]:
        """All experiments by name. Raises Unavailable."""
        return {experiment.name: experiment for experiment in Experiment.list(self)}

    @property
    def models(self) -> Mapping[str, Model]:
        """The newest version of each model by name. Raises Unavailable."""
        return newest(self)

    @property
    def environments(self) -> Mapping[str, Environment]:
        """The newest version of each registered environment by name."""
        return Environment.list(self)

    def get_mlflow_tracking_uri(self, _with_auth: bool = False) -> str:  # noqa: FBT001, FBT002 - as it always was
        """Give the address for MLflow's client, once the server there knows what this process logged before.

        A server beyond this machine wants its token as ``MLFLOW_TRACKING_TOKEN``.

        Raises:
            Unavailable: No server answers.
        """
        del _with_auth
        self.link.ensure_server()
        self.link.flush()
        return self.link.portal

    def get_run(self, run_id: str) -> Run:
        """Give a run by its id, or by a unique prefix of at least 6 characters. Raises NotFound, Unavailable."""
        state = self.link.fresh_client().run(run_id)
        return Run(Experiment(self, state.experiment, _skip_name_validation=True), state.run_id, state=state)

    def write_config(self, path: "str | os.PathLike[str] | None" = None, file_name: str | None = None) -> None:
        """Write ``.azureml/config.json`` below *path* (the current folder), for ``from_config`` to find."""
        write_workspace_file(Path(path or ".") / ".azureml" / (file_name or "config.json"), self._file)

    def get_details(self) -> dict[str, Any]:
        """Give its facts: names, where its home is and where its server is."""
        return {
            "name": self.name,
            "subscriptionId": self.subscription_id,
            "resourceGroup": self.resource_group,
            "location": self.location,
            "home": str(self.link.outlet.home.path),
        }

    def __repr__(self) -> str:
        return text_form("Workspace", {"Name": self.name, "Home": self.link.outlet.home.path})


def _has_limits(limits: object) -> bool:
    wanted = limits or os.environ.get("RUNMILL_LIMITS") or None
    if wanted not in (None, "azureml"):
        raise ConfigError(f"Workspace: limits={wanted!r} are not known. Give 'azureml', or leave them out.")
    return wanted is not None
