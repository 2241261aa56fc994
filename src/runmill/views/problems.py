"""What went wrong, as a status, a code word and a sentence: one table for the API and the pages."""

from dataclasses import dataclass
from typing import Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from runmill.errors import Conflict, InvalidArgument, NotFound, Refused, RunmillError, Unavailable
from runmill.views.answers import JsonResponse

__all__ = ["Problem", "answer_problem", "problem_of"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A failed request, in words for the person who made it."""

    status: int
    code: str
    message: str


_KINDS: Final[tuple[tuple[type[RunmillError], int, str], ...]] = (
    (NotFound, 404, "not_found"),
    (InvalidArgument, 400, "invalid_argument"),
    (Conflict, 409, "conflict"),
    (Refused, 503, "unavailable"),
    (Unavailable, 503, "unavailable"),
)
_CODES: Final = {
    400: "invalid_argument",
    401: "unauthenticated",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    503: "unavailable",
}


def problem_of(request: Request, error: Exception) -> Problem:
    """Say what *error* means to the caller; of an error nobody foresaw only that it happened, never its text."""
    if isinstance(error, RequestValidationError):
        return Problem(400, "invalid_argument", _first_mistake(error))
    if isinstance(error, HTTPException):
        return _http_problem(request, error)
    for kind, status, code in _KINDS:
        if isinstance(error, kind):
            return Problem(status, code, str(error))
    return Problem(500, "internal", f"{request.url.path} failed in the server; its log has the traceback.")


def answer_problem(request: Request, error: Exception) -> JsonResponse:
    """Answer as the API does: ``{"error": {"code", "message"}}``."""
    problem = problem_of(request, error)
    content = {"error": {"code": problem.code, "message": problem.message}}
    return JsonResponse(content, problem.status, getattr(error, "headers", None))


def _http_problem(request: Request, error: HTTPException) -> Problem:
    code = _CODES.get(error.status_code, "internal")
    if error.status_code == 404:  # noqa: PLR2004 - raised by the router, whose own text is "Not Found"
        return Problem(404, code, f"Nothing is at {request.url.path!r}; the addresses are in docs/http-api.md.")
    if error.status_code == 405:  # noqa: PLR2004 - likewise
        return Problem(405, code, f"{request.method} is not possible at {request.url.path!r}.")
    return Problem(error.status_code, code, str(error.detail))


def _first_mistake(error: RequestValidationError) -> str:
    mistake = error.errors()[0]
    where, *path = mistake["loc"]
    name = ".".join(str(part) for part in path)
    text = str(mistake["msg"])
    return f"{where} parameter {name}={mistake.get('input')!r}: {text[:1].lower()}{text[1:]}."
