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
from runmill.app.handler import Handler
from runmill.app.outlet import flush

__all__ = [
    "Handler",
    "__version__",
    "flush",
]
