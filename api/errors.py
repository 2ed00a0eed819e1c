"""Whatever goes wrong becomes `application/problem+json` here, with a code that stays the same."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.types import Scope

from api.json_body import BadJson
from conversations.errors import ConversationError
from storage import setup
from storage.database import DatabaseUnavailable
from storage.secrets import SecretsUnreadable

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
LARGEST_DETAIL = 2_000


class Problem(HTTPException):
    """An answer other than success, thrown from wherever it is found."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code = code
        self.errors = list(errors)


class FieldError(BaseModel):
    """One thing that is wrong with the request."""

    loc: list[str | int] = Field(examples=[["body", "name"]])
    msg: str
    type: str


class ProblemBody(BaseModel):
    """RFC 9457; `code` is stable, the words are not."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldError] = []


def not_found(kind: str, row_id: str) -> Problem:
    """Say that there is nothing, or nothing that the caller may know of."""
    return Problem(404, "not_found", f"there is no {kind} {row_id}")


def nothing_here() -> Problem:
    """Say what is said of a path that no route has."""
    return Problem(404, "not_found", HTTPStatus.NOT_FOUND.description)


def unprocessable(code: str, loc: Sequence[str | int], msg: str) -> Problem:
    error = {"loc": list(loc), "msg": msg, "type": code}
    return Problem(422, code, f"{'.'.join(map(str, loc))}: {msg}", errors=[error])


def refused(refusal: ConversationError | setup.SetUpRefusal) -> Problem:
    """Return a domain's refusal as the answer that the contract names."""
    if isinstance(refusal, setup.VersionMismatch):
        return Problem(412, refusal.code, str(refusal))
    if isinstance(refusal, setup.UnknownReference | setup.NeverChanges):
        return unprocessable(refusal.code, ["body", refusal.field], str(refusal))
    return Problem(409, refusal.code, str(refusal))


def body_of(scope: Scope, status: int, code: str, detail: str) -> dict[str, Any]:
    """Return a problem's members; `instance` names the request, as `X-Request-Id` does."""
    request_id = scope.get("state", {}).get("request_id", "unknown")
    return {
        "type": f"urn:parley:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": printable(detail)[:LARGEST_DETAIL],
        "instance": f"urn:parley:request:{request_id}",
        "code": code,
    }


def printable(text: str) -> str:
    """Return text that any encoder takes: halves of surrogate pairs become question marks."""
    return text.encode("utf-8", "replace").decode()


def answer(scope: Scope, problem: Problem) -> JSONResponse:
    """Return the problem as a response."""
    body = body_of(scope, problem.status_code, problem.code, problem.detail)
    if problem.errors:
        body["errors"] = problem.errors
    return JSONResponse(
        body, problem.status_code, headers=dict(problem.headers or {}), media_type=MEDIA_TYPE
    )


def describe(document: dict[str, Any]) -> None:
    """Put the form of problems into the description: the answers refer to it."""
    _, definitions = models_json_schema(
        [(ProblemBody, "serialization")], ref_template="#/components/schemas/{model}"
    )
    document["components"]["schemas"] |= definitions["$defs"]


def install(app: FastAPI) -> None:
    """Make every error of the application a problem."""
    _install_absences(app)

    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> JSONResponse:
        return answer(request.scope, problem)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        code = status.name.lower()
        detail = f"{request.method} is not possible here" if status == 405 else status.description  # noqa: PLR2004
        headers = dict(error.headers or {})
        return answer(request.scope, Problem(status, code, detail, headers=headers))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(request.scope, invalid(error.errors()))

    @app.exception_handler(BadJson)
    async def _bad_json(request: Request, error: BadJson) -> JSONResponse:
        return answer(request.scope, unprocessable("unreadable_body", ["body"], error.msg))

    @app.exception_handler(ConversationError)
    async def _refused(request: Request, error: ConversationError) -> JSONResponse:
        return answer(request.scope, refused(error))

    @app.exception_handler(setup.SetUpRefusal)
    async def _set_up_refused(request: Request, error: setup.SetUpRefusal) -> JSONResponse:
        return answer(request.scope, refused(error))


def _install_absences(app: FastAPI) -> None:
    """Answer 503 where something is only away: nothing was changed, and it may be repeated."""

    @app.exception_handler(DatabaseUnavailable)
    async def _away(request: Request, error: DatabaseUnavailable) -> JSONResponse:
        log.warning("database_unavailable", error=type(error.__cause__ or error).__name__)
        return answer(request.scope, database_away())

    @app.exception_handler(SecretsUnreadable)
    async def _sealed(request: Request, error: SecretsUnreadable) -> JSONResponse:
        log.error("secrets_unreadable", error=str(error))
        return answer(request.scope, secrets_unreadable())


def database_away() -> Problem:
    return Problem(
        503,
        "database_unavailable",
        "the database does not answer; nothing was changed",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def secrets_unreadable() -> Problem:
    """Say no more than that: whoever calls may be anybody. The log names the account."""
    return Problem(
        503,
        "secrets_unreadable",
        "what this needs was sealed with a key that is not here; the log names it",
        headers={"Retry-After": "60"},
    )


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Say what is wrong with a request, without repeating its content."""
    shown = [
        {
            "loc": [part if isinstance(part, int) else printable(str(part)) for part in e["loc"]],
            "msg": printable(_said(e))[:LARGEST_DETAIL],
            "type": str(e["type"]),
        }
        for e in errors
    ]
    said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in shown[:5])
    code = "unreadable_body" if shown and shown[0]["type"] == "json_invalid" else "invalid_request"
    return Problem(422, code, said or "the request is not valid", errors=shown)


def _said(error: Mapping[str, Any]) -> str:
    """Return why: what FastAPI calls a decode error has its reason beside it."""
    if error["type"] == "json_invalid":
        return str(error.get("ctx", {}).get("error", error["msg"]))
    return str(error["msg"]).removeprefix("Value error, ")
