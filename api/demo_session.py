"""The demonstration's door: one click per role, on this machine only, and nowhere else at all."""

import ipaddress
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Request, Response
from pydantic import Field
from sqlalchemy import Connection

from api.auth import refuse_other_sites
from api.context import Context, ContextOf
from api.errors import nothing_here
from api.fields import Body, Shape
from api.listing import Listing, listing
from api.policy import Role
from api.routes import new_router, problems
from api.sign_in import admitted, opening
from storage import passwords, sessions
from storage.passwords import Known
from storage.principals import Identity

router = new_router("session")

RANKS = (Role.ADMIN, Role.SUPERVISOR, Role.AGENT, Role.INTEGRATOR)
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class DemoPersonShape(Shape):
    username: str
    name: str
    role: str


class DemoSessionBody(Body):
    username: Annotated[str, Field(min_length=1, max_length=100)]


def _require_demo_at_home(request: Request, context: Context) -> None:
    """Say that there is nothing, unless this is a demonstration and the browser sits beside it.

    A proxy on this machine lets others come from the loopback, so what a proxy adds is refused, and
    so is every other name of the host: a page elsewhere may have its name lead here.
    """
    client = request.client.host if request.client else ""
    if not context.demo_usernames or not _is_loopback(client) or not _is_named_locally(request):
        raise nothing_here()
    if any(name in request.headers for name in FORWARDED):
        raise nothing_here()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_named_locally(request: Request) -> bool:
    try:
        name = urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return False
    return name in LOCAL_NAMES


def _role(known: Known) -> str:
    return next((rank for rank in RANKS if rank in known.identity.roles), Role.AGENT)


@router.get(
    "/session/demo", response_model=Listing[DemoPersonShape], responses=problems(404, 422, 503)
)
async def list_demo_people(request: Request, context: ContextOf) -> dict[str, Any]:
    """List whom the demonstration lets in with one click; 404 where there is none."""
    _require_demo_at_home(request, context)

    def read(connection: Connection) -> list[Known]:
        found = (passwords.of_username(connection, name) for name in context.demo_usernames)
        return [known for known in found if known is not None]

    people = await context.database.read(read)
    shown = [{"username": p.username, "name": p.identity.name, "role": _role(p)} for p in people]
    return listing(shown, None)


@router.post("/session/demo", status_code=204, responses=problems(403, 404, 413, 415, 422, 503))
async def open_demo_session(
    body: DemoSessionBody, request: Request, context: ContextOf
) -> Response:
    """Sign in as somebody of the demonstration; 404 where there is none."""
    _require_demo_at_home(request, context)
    refuse_other_sites(request)
    if body.username not in context.demo_usernames:
        raise nothing_here()

    def admit(connection: Connection) -> tuple[Identity, str]:
        known = passwords.of_username(connection, body.username)
        if known is None:
            raise nothing_here()
        token = sessions.open_session(connection, known.identity, opening(request, "demo"))
        return known.identity, token

    identity, token = await context.database.write(admit)
    return admitted(context, identity, token, "demo")
