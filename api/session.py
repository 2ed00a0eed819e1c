"""The desk's session: a key is shown once, a cookie stands for it afterwards."""

from typing import Annotated

from fastapi import Request, Response
from pydantic import Field

from api.auth import Caller, cookie_name, require_same_origin, unauthenticated
from api.context import Context, ContextOf
from api.fields import Body, Shape, Stamp, maybe_rfc3339
from api.routes import READS, new_router, problems
from storage import principals, sessions

router = new_router("session")

CLEARED = '"cookies", "storage"'
LONGEST_S = principals.LONGEST_SESSION_MS // 1000


class SessionBody(Body):
    key: Annotated[str, Field(min_length=1, max_length=500)]


class PrincipalShape(Shape):
    id: str
    name: str
    roles: list[str]


class SessionShape(Shape):
    principal: PrincipalShape
    agent_id: str | None
    expires_at: Stamp | None


@router.post("/session", status_code=204, responses=problems(401, 403, 413, 415, 422, 503))
async def open_session(body: SessionBody, request: Request, context: ContextOf) -> Response:
    """Log in with a key; the answer is a cookie that no script can read."""
    if "origin" in request.headers:
        require_same_origin(request)
    principal = await context.doorkeeper.by_key(body.key)
    if principal is None:
        raise unauthenticated("the key is not known")
    identity = principal.identity
    opening = sessions.Opening("key")
    token = await context.database.write(lambda k: sessions.open_session(k, identity, opening))
    response = Response(status_code=204)
    response.set_cookie(
        cookie_name(context),
        token,
        max_age=LONGEST_S,
        path="/",
        secure=context.has_secure_cookies,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/session", response_model=SessionShape, responses=READS)
async def get_session(caller: Caller) -> dict[str, object]:
    """Tell who calls."""
    return {
        "principal": {
            "id": caller.id,
            "name": caller.identity.name,
            "roles": sorted(caller.identity.roles),
        },
        "agent_id": caller.agent_id,
        "expires_at": maybe_rfc3339(caller.identity.expires_at),
    }


@router.delete("/session", status_code=204, responses=problems(403, 503))
async def close_session(request: Request, context: ContextOf) -> Response:
    """Log out; what the session opened closes."""
    token = request.cookies.get(cookie_name(context))
    if token:
        require_same_origin(request)
        await _close(context, token)
    response = Response(status_code=204, headers={"Clear-Site-Data": CLEARED})
    response.delete_cookie(cookie_name(context), path="/", secure=context.has_secure_cookies)
    return response


async def _close(context: Context, token: str) -> None:
    hashed = principals.hash_of(token)
    await context.database.write(lambda k: sessions.close_session(k, hashed))
    context.doorkeeper.forget()
    context.feed.rights_changed()
