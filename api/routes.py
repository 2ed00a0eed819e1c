"""The kind of route that the API is made of: first the door, then the body, then the work."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from api import json_body
from api.auth import authorise
from api.errors import MEDIA_TYPE, Problem, nothing_here, unprocessable
from api.policy import allowed, happens_by_itself

JSON_TYPES = ("application/json", "application/merge-patch+json")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    """A request whose JSON can be stored and answered."""

    async def json(self) -> Any:  # noqa: ANN401 - any JSON
        value = json_body.loads(await self.body())
        json_body.require_keepable(value)
        return value


class LenientRequest(Request):
    """A request whose parts are judged one by one, so that a bad one spares its neighbours."""

    async def json(self) -> Any:  # noqa: ANN401 - any JSON
        return json_body.loads(await self.body())


class GuardedRoute(APIRoute):
    """Asks the policy before anything of the request is read."""

    request_class: type[Request] = StrictRequest
    takes_json_only = True

    def get_route_handler(self) -> Handler:
        """Return the handler with the door before it; a route without a policy is not built."""
        inner = super().get_route_handler()
        method = next(iter(self.methods or ()))
        roles, is_automatic = allowed(method, self.path), happens_by_itself(method, self.path)
        request_class, takes_json_only = self.request_class, self.takes_json_only

        async def handle(request: Request) -> Response:
            await authorise(request, roles, is_automatic=is_automatic)
            _refuse_nul(request)
            if takes_json_only:
                _require_json(request)
            return await inner(request_class(request.scope, request.receive))

        return handle


class LenientRoute(GuardedRoute):
    request_class = LenientRequest


class RawRoute(GuardedRoute):
    """A route whose bodies are a network's own: JSON, a form, anything that is signed."""

    takes_json_only = False


def _refuse_nul(request: Request) -> None:
    """Refuse a NUL in the address: it names nothing, and PostgreSQL takes none."""
    if any("\0" in str(part) for part in request.path_params.values()):
        raise nothing_here()
    for name, value in request.query_params.multi_items():
        if "\0" in value:
            raise unprocessable("nul_character", ["query", name], "has a NUL character")


def _require_json(request: Request) -> None:
    kind = request.headers.get("content-type")
    if kind is None or request.method in {"GET", "DELETE"}:
        return
    if kind.partition(";")[0].strip().lower() not in JSON_TYPES:
        raise Problem(415, "unsupported_media_type", "the body has to be application/json")


_WORDS = {
    401: "Nobody known calls",
    403: "The right is missing",
    404: "Not there, or not visible to the caller",
    409: "Understood and refused; `code` says why",
    412: "Changed since it was read",
    413: "The body is larger than is taken: 1 MiB, of a file 8 MiB",
    415: "The body is not JSON",
    422: "The request is not valid",
    429: "Too many at once",
    502: "Where it has to be fetched from, nothing usable is answered",
    503: "The database does not answer; repeat it after `Retry-After`",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare the problems of an endpoint for `openapi.json`."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemBody"}}
    return {
        status: {"description": _WORDS[status], "content": {MEDIA_TYPE: schema}}
        for status in sorted(statuses)
    }


READS = problems(401, 403, 422, 503)
READS_ONE = problems(401, 403, 404, 422, 503)
CREATES = problems(401, 403, 409, 413, 415, 422, 503)
CHANGES = problems(401, 403, 404, 409, 412, 413, 415, 422, 503)
DELETES = problems(401, 403, 404, 409, 422, 503)
COMMANDS = problems(401, 403, 404, 409, 413, 415, 422, 503)


def new_router(tag: str, route_class: type[GuardedRoute] = GuardedRoute) -> APIRouter:
    """Return a router for one noun."""
    return APIRouter(route_class=route_class, tags=[tag], redirect_slashes=False)


def table(routers: Sequence[APIRouter]) -> list[APIRoute]:
    """Return all guarded routes: what the policy's test walks through."""
    return [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
