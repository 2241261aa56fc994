"""Styles, modules and Plotly under addresses that name their content, so that a browser may keep them for ever."""

import gzip
import hashlib
import importlib.metadata
import importlib.util
from functools import cached_property
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

__all__ = ["Assets"]

_FOLDER: Final = Path(__file__).parent / "static"
_MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Assets:
    """Our own files as they are packaged, and Plotly's bundle as its wheel has it."""

    def __init__(self) -> None:
        self._files = {
            path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _MEDIA_TYPES
        }
        digest = hashlib.sha256(b"".join(self._files.values())).hexdigest()[:12]
        self.address = f"/static/{digest}"
        """Where our files are: another content, another address."""
        self.modules = tuple(name for name in self._files if name.endswith(".js"))
        """For a page to name them all at once: found one by one through their imports, they come late."""
        self.plotly_address = f"/static/plotly-{importlib.metadata.version('plotly')}/plotly.min.js"

    def serve(self, request: Request) -> Response:
        """Answer ``/static/{version}/{name}``; a version that is not ours any more is not found."""
        path = f"/static/{request.path_params['version']}/{request.path_params['name']}"
        if path == self.plotly_address:
            return self._answer(self._plotly, ".js", {"Content-Encoding": "gzip"})
        name = request.path_params["name"]
        if path != f"{self.address}/{name}" or name not in self._files:
            raise HTTPException(404)
        return self._answer(self._files[name], Path(name).suffix, {})

    @cached_property
    def _plotly(self) -> bytes:
        # Looked up, not imported: the package costs tens of MB that a server of one file does not need. Every
        # browser takes gzip; kept compressed, the 5 MB are 1.5.
        spec = importlib.util.find_spec("plotly")
        if spec is None or not spec.submodule_search_locations:
            raise HTTPException(404)
        bundle = Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
        return gzip.compress(bundle.read_bytes(), 6, mtime=0)

    @staticmethod
    def _answer(content: bytes, suffix: str, headers: dict[str, str]) -> Response:
        kept = {"Cache-Control": "public, max-age=31536000, immutable", **headers}
        return Response(content, 200, kept, media_type=_MEDIA_TYPES[suffix])
