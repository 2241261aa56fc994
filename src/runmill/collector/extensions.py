"""Extensions of the OpenTelemetry Collector: none exist here, and this is what to write in the place of each."""

from collections.abc import Iterator, Mapping
from typing import Final

__all__ = ["refusals"]

_GUARDED: Final = (
    "a receiver that listens beyond this machine asks for one token by itself (RUNMILL_TOKEN), or take 'tls'"
)
_HEADERS: Final = "an exporter shows who it is by its 'headers' or 'tls'"
_IN_PLACE_OF: Final[Mapping[str, str]] = {
    "basicauth": _HEADERS,
    "bearertokenauth": f"{_GUARDED}; {_HEADERS}",
    "file_storage": "queues and positions are always kept in files, below the home directory (--home)",
    "headers_setter": _HEADERS,
    "health_check": "GET /health is answered on the port of OTLP over HTTP, with 503 until all has started",
    "healthcheckv2": "GET /health is answered on the port of OTLP over HTTP, with 503 until all has started",
    "pprof": "a profiler for Python, such as py-spy, attaches from outside",
    "zpages": "the page /collector of 'runmill up' shows the pipelines",
}


def refusals(section: object) -> Iterator[str]:
    """Yield a mistake for each extension that *section* configures."""
    for extension_id in section if isinstance(section, Mapping) else ():
        instead = _IN_PLACE_OF.get(str(extension_id).partition("/")[0], "there are no extensions here")
        yield f"extensions.{extension_id}: is not taken here: {instead}. Remove it, also from 'service.extensions'."
