"""runmill gives every training run its logs back.

Native Python logs and run metrics leave the process as OTLP: to runmill's own collector and run store, to any
OpenTelemetry backend, or to both.

```python
logging.basicConfig(level=logging.DEBUG, handlers=[runmill.Handler()])

run = runmill.Experiment(runmill.Workspace.from_config(), "diabetes").start_logging()
run.log("mse", 0.25)
run.complete()
```
"""

from runmill._version import __version__
from runmill.app.bound import bind
from runmill.app.configure import configure
from runmill.app.handler import Handler
from runmill.app.outlet import flush
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.launch.configuration import RunConfiguration, ScriptRunConfig
from runmill.app.runs.launch.environment import Environment
from runmill.app.runs.launch.script_run import ScriptRun
from runmill.app.runs.models import Model
from runmill.app.runs.run import Run, get_run
from runmill.app.runs.run_details import RunDetails
from runmill.app.runs.workspace import Workspace
from runmill.errors import (
    ConfigError,
    Conflict,
    InvalidArgument,
    NotFound,
    Refused,
    Rejected,
    RunFailed,
    RunmillError,
    Unavailable,
    UserError,
    WireError,
)

__all__ = [
    "ConfigError",
    "Conflict",
    "Environment",
    "Experiment",
    "Handler",
    "InvalidArgument",
    "Model",
    "NotFound",
    "Refused",
    "Rejected",
    "Run",
    "RunConfiguration",
    "RunDetails",
    "RunFailed",
    "RunmillError",
    "ScriptRun",
    "ScriptRunConfig",
    "Unavailable",
    "UserError",
    "WireError",
    "Workspace",
    "__version__",
    "bind",
    "configure",
    "flush",
    "get_run",
]
