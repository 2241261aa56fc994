"""`JsonFormatter`: python-json-logger's, with OpenTelemetry's field names.

```python
logging.config.dictConfig({
    "version": 1,
    "formatters": {"otel": {"()": "runmill.json.JsonFormatter"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "otel", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["stdout"], "level": "INFO"},
})
```
"""

from runmill.app.json_formatter import JsonFormatter

__all__ = ["JsonFormatter"]
