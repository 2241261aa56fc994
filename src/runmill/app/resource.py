"""What this process is, as OTLP resource attributes: OpenTelemetry's own detection, and what its SDK leaves out."""

import os
import socket
import sys
import uuid
from pathlib import Path
from typing import Any

from runmill._version import __version__
from runmill.app.settings import Settings
from runmill.otlp.journalled import SCRUBBED_RESOURCE

__all__ = ["describe_process"]


def describe_process(settings: Settings) -> dict[str, Any]:
    """Give the attributes of this very process: a forked child has its own pid and instance id.

    ``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_SERVICE_NAME`` and the detectors named in
    ``OTEL_EXPERIMENTAL_RESOURCE_DETECTORS`` are honoured by the SDK.
    """
    # Here, not on top: 50 ms of import that a program which only names the handler does not pay.
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    ours: dict[str, Any] = {
        "telemetry.sdk.name": "runmill",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": __version__,
        "service.instance.id": str(uuid.uuid4()),
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": ".".join(map(str, sys.version_info[:3])),
    }
    detected = dict(Resource.create().attributes)
    if settings.service_name is not None:
        detected["service.name"] = settings.service_name
    elif str(detected.get("service.name", "")).startswith("unknown_service"):
        detected["service.name"] = _program_name()
    if settings.is_scrubbing:
        ours[SCRUBBED_RESOURCE] = True
    return detected | ours


def _program_name() -> str:
    """Name the program by its script or module, which says more than ``unknown_service:python``."""
    program = Path(sys.argv[0]) if sys.argv and sys.argv[0] not in ("", "-c", "-m") else None
    if program is None:
        return "python"
    return program.parent.name if program.stem == "__main__" else program.stem
