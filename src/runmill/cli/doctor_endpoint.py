"""Who would get the records now, whether they take them, and what to do where they do not."""

import os
import ssl
import time
from http import HTTPStatus
from typing import Any, Final

from runmill.app.grpc_sender import GrpcSender
from runmill.app.sender import Sender, WrongReceiver
from runmill.app.settings import Settings
from runmill.errors import Refused, RunmillError, Unavailable

__all__ = ["ask_endpoint"]

_TIMEOUT_SECONDS: Final = 3.0
_VARIABLES: Final = ("RUNMILL_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_NOT_ALLOWED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)


def ask_endpoint(settings: Settings) -> dict[str, Any]:
    """Send whoever would get the records the smallest thing there is, an empty OTLP request, and say what came of it.

    What is found has ``address``, ``set_by`` (why that one), ``protocol``, ``is_reachable``, ``answer``; and where it
    takes nothing, ``problem`` and ``remedy``.
    """
    sender = GrpcSender(settings) if settings.protocol == "grpc" else Sender(settings)
    found = {"address": sender.server().endpoint, "set_by": _set_by(settings), "protocol": settings.protocol}
    began = time.monotonic()
    try:
        sender.send("logs", b"", producer_id="doctor", sequence=0, timeout_seconds=_TIMEOUT_SECONDS)
    except RunmillError as error:
        problem, remedy = _meaning(error)
        return {**found, "is_reachable": False, "answer": str(error), "problem": problem, "remedy": remedy}
    finally:
        sender.close()
    return {**found, "is_reachable": True, "answer": f"takes OTLP, in {(time.monotonic() - began) * 1000:.0f} ms"}


def _set_by(settings: Settings) -> str:
    if settings.logs_endpoint is not None:
        return "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
    if settings.endpoint is not None:
        return next(name for name in _VARIABLES if os.environ.get(name, "").strip())
    return "the server of this home" if settings.home.find_server() else "the default: no server runs in this home"


def _meaning(error: RunmillError) -> tuple[str, str]:
    """Give what is wrong, and what a person can do about it."""
    if isinstance(error, WrongReceiver):
        return _meaning_of_status(error.status)
    if isinstance(error.__cause__, ssl.SSLError):
        return (
            "the other side's certificate is not trusted, or ours is not",
            "set OTEL_EXPORTER_OTLP_CERTIFICATE to its authority's file, OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE to ours",
        )
    if isinstance(error, Unavailable):
        return "nobody answers there", "start a server with `runmill up`, or set RUNMILL_ENDPOINT to where one listens"
    if isinstance(error, Refused):
        return "it answers, and takes nothing just now", "wait: what is logged stays in the journal and is sent again"
    return "it answers, and rejects OTLP", "look into its log; what it rejects is lost"


def _meaning_of_status(status: int) -> tuple[str, str]:
    if status in _NOT_ALLOWED:
        return (
            "it answers, and does not let us in",
            "set its token: OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer%20TOKEN'",
        )
    return (
        "something answers, and it is no OTLP receiver",
        "set RUNMILL_ENDPOINT to the receiver's base address: /v1/logs is put behind it",
    )
