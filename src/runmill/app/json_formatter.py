"""Log records as lines of JSON, for a program whose output is collected: by python-json-logger, in OTel's words."""

import logging
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter as _JsonFormatter

from runmill.app.limits import RecordLimits
from runmill.app.stdlib_record import flatten
from runmill.journal.brief import whole
from runmill.otlp.json_line import line_fields

__all__ = ["JsonFormatter"]

_NO_LIMITS: Final = RecordLimits(attribute_count=1 << 30)


class JsonFormatter(_JsonFormatter):
    """Writes each record as one line of JSON that the collector reads back to the same record.

    The line has what `runmill.Handler` sends: the message as ``body``, ``extra``, exception, source location and thread
    as ``attributes``, the ids of the active span (the keys: ``docs/logging.md``). Because it is the whole record, a
    format string says nothing here. Of python-json-logger's arguments these hold: ``defaults`` and ``static_fields``
    (more attributes), ``rename_fields`` and ``prefix`` (a line that other readers want: the collector does not read it
    back), ``json_serializer``, ``json_indent``, ``json_ensure_ascii``. `process_log_record` may be overridden.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Give *record* as a line."""
        fields = line_fields(whole(*flatten(record, None, _NO_LIMITS)))
        if self.defaults or self.static_fields:
            fields["attributes"] = {**self.defaults, **self.static_fields, **fields["attributes"]}
        if self.rename_fields:
            fields = self._renamed(fields)
        return self.serialize_log_record(self.process_log_record(fields))

    def _renamed(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {self.rename_fields.get(name, name): value for name, value in fields.items()}
