"""What went wrong, in the form that MLflow's client raises as an exception of its own."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from runmill.errors import Conflict, Rejected
from runmill.views.answers import JsonResponse
from runmill.views.problems import problem_of

__all__ = ["answer_mlflow_problem"]

_CODES: Final = {
    "invalid_argument": "INVALID_PARAMETER_VALUE",
    "not_found": "RESOURCE_DOES_NOT_EXIST",
    "unavailable": "TEMPORARILY_UNAVAILABLE",
}


def answer_mlflow_problem(request: Request, error: Exception) -> JsonResponse:
    """Answer ``{"error_code", "message"}``.

    The status decides whether the client tries again, for minutes: 503 for what may be, 400 for what never will.
    """
    if isinstance(error, HTTPException):
        asked = f"{request.method} {request.url.path}"
        return _answer(404, "ENDPOINT_NOT_FOUND", f"runmill does not answer {asked}; docs/mlflow.md says what it does.")
    if isinstance(error, Conflict):
        return _answer(400, "RESOURCE_ALREADY_EXISTS", str(error))
    if isinstance(error, Rejected):
        return _answer(400, "INVALID_STATE", str(error))
    problem = problem_of(request, error)
    return _answer(problem.status, _CODES.get(problem.code, "INTERNAL_ERROR"), problem.message)


def _answer(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"error_code": code, "message": message}, status)
