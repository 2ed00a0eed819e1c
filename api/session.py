"""A browser's own session: opened by a key or a password, a cookie stands for it afterwards."""

from typing import Annotated, Any, Self

from fastapi import Request, Response
from pydantic import ConfigDict, Field, SecretStr, model_validator
from sqlalchemy import Connection

from api.auth import Caller, cookie_name, is_use, refuse_other_sites, unauthenticated
from api.context import Context, ContextOf
from api.doorkeeper import Principal
from api.fields import Body, Shape, Stamp, maybe_rfc3339
from api.routes import READS, new_router, problems
from api.sign_in import admitted, opening, prove, wrong
from storage import clock, passwords, principals, sessions
from storage.passwords import PasswordState
from storage.principals import Identity

router = new_router("session")

LEFT_BEHIND = '"storage"'
"""What the browser is to throw away. Not `cookies`: that would be those of all neighbours, too."""


class SessionBody(Body):
    """A key, or a username and a password."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["key"]}, {"required": ["username", "password"]}]}
    )

    key: Annotated[SecretStr, Field(min_length=1, max_length=500)] | None = None
    username: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    password: Annotated[SecretStr, Field(min_length=1, max_length=500)] | None = None

    @model_validator(mode="after")
    def _be_one_of_both(self) -> Self:
        by_name = (self.username is not None, self.password is not None)
        if by_name not in {(True, True), (False, False)} or any(by_name) == (self.key is not None):
            raise ValueError("send key, or username and password")
        return self


class PrincipalShape(Shape):
    id: str
    name: str
    roles: list[str]


class SessionShape(Shape):
    principal: PrincipalShape
    agent_id: str | None
    username: Annotated[str | None, Field(description="How the caller signs in with a password")]
    password: Annotated[PasswordState, Field(description="initial: somebody else has chosen it")]
    expires_at: Annotated[Stamp | None, Field(description="It ends then if nobody uses it")]
    ends_at: Annotated[Stamp | None, Field(description="It ends then in any case")]


@router.post("/session", status_code=204, responses=problems(401, 403, 413, 415, 422, 429, 503))
async def open_session(body: SessionBody, request: Request, context: ContextOf) -> Response:
    """Sign in with a key, or with username and password; the answer is a cookie."""
    refuse_other_sites(request)
    if body.key is not None:
        return await _by_key(request, context, body.key.get_secret_value())
    password = body.password.get_secret_value() if body.password else ""
    proven = await prove(request, (body.username or "").strip(), password)
    if proven is None:
        raise wrong()

    def open_by_password(connection: Connection) -> str:
        proven.settle(connection)
        return sessions.open_session(
            connection, proven.known.identity, opening(request, "password")
        )

    token = await context.database.write(open_by_password)
    return admitted(context, proven.known.identity, token, "password")


async def _by_key(request: Request, context: Context, key: str) -> Response:
    if await context.doorkeeper.by_key(key) is None:
        raise unauthenticated("the key is not known")

    def open_by_key(connection: Connection) -> tuple[Identity, str]:
        # Once more, in this transaction: a key that is being revoked leaves no session behind.
        identity = principals.by_key(connection, key)
        if identity is None:
            raise unauthenticated("the key is not known")
        return identity, sessions.open_session(connection, identity, opening(request, "key"))

    identity, token = await context.database.write(open_by_key)
    return admitted(context, identity, token, "key")


@router.get("/session", response_model=SessionShape, responses=READS)
async def get_session(request: Request, caller: Caller, context: ContextOf) -> dict[str, Any]:
    """Tell who calls, and until when. The desk asks this while somebody is at it."""
    was_used = is_use(request)
    return await context.database.read(lambda k: _shape(k, caller, was_used=was_used))


def _shape(connection: Connection, caller: Principal, *, was_used: bool) -> dict[str, Any]:
    known = passwords.of_principal(connection, caller.id)
    identity, now = caller.identity, clock.now(connection)
    expires_at = identity.expires_at
    if was_used and identity.ends_at is not None:
        expires_at = min(identity.ends_at, now + principals.IDLE_MS)
    return {
        "principal": {
            "id": caller.id,
            "name": identity.name,
            "roles": sorted(identity.roles),
        },
        "agent_id": caller.agent_id,
        "username": known.username if known else None,
        "password": known.state if known else PasswordState.NONE,
        "expires_at": maybe_rfc3339(expires_at),
        "ends_at": maybe_rfc3339(identity.ends_at),
    }


@router.delete("/session", status_code=204, responses=problems(403, 503))
async def close_session(request: Request, context: ContextOf) -> Response:
    """Log out; what the session opened closes."""
    token = request.cookies.get(cookie_name(context))
    if token:
        refuse_other_sites(request, is_proof_needed=True)
        hashed = principals.hash_of(token)
        await context.database.write(lambda k: sessions.close_session(k, hashed))
        context.rights_changed()
    return farewell(context)


def farewell(context: Context) -> Response:
    """Answer that the browser is to forget the session and what pages have kept."""
    response = Response(status_code=204, headers={"Clear-Site-Data": LEFT_BEHIND})
    response.delete_cookie(
        cookie_name(context),
        path="/",
        secure=context.has_secure_cookies,
        httponly=True,
        samesite="lax",
    )
    return response
