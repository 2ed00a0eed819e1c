"""Passwords: an administrator gives one, everybody changes their own."""

from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import Field, SecretStr
from sqlalchemy import Connection

from api.auth import Caller
from api.context import ContextOf
from api.doorkeeper import Principal
from api.errors import Problem, not_found, unprocessable
from api.fields import Body, Shape, Stamp, maybe_rfc3339
from api.password_rules import LONGEST, SHORTEST, is_guessed_first
from api.routes import CHANGES, DELETES, READS_ONE, new_router, problems
from api.sign_in import Proven, admitted, opening, prove
from storage import passwords, sessions
from storage.passwords import Known, PasswordState

router = new_router("passwords")

NewPassword = Annotated[SecretStr, Field(min_length=SHORTEST, max_length=LONGEST)]


class PasswordBody(Body):
    password: NewPassword


class PasswordChangeBody(Body):
    current: Annotated[
        Annotated[SecretStr, Field(max_length=500)] | None,
        Field(description="Not needed while there is none"),
    ] = None
    new: NewPassword


class PasswordShape(Shape):
    """That there is a password; nothing tells which."""

    state: PasswordState
    changed_at: Stamp | None


def require_unguessable(password: SecretStr, known: Known, field: str) -> None:
    """Refuse what is guessed first.

    Raises:
        Problem: 422, it is common or the name of its owner.
    """
    if is_guessed_first(password.get_secret_value(), known.words_about):
        why = "is one of the passwords that are tried first; choose another"
        raise unprocessable("password_too_common", ["body", field], why)


def _known_agent(connection: Connection, agent_id: str) -> Known:
    known = passwords.of_agent(connection, agent_id)
    if known is None:
        raise not_found("agent", agent_id)
    return known


@router.get("/agents/{agent_id}/password", response_model=PasswordShape, responses=READS_ONE)
async def get_password(agent_id: str, context: ContextOf) -> dict[str, Any]:
    """Tell whether an agent has a password, and since when."""
    known = await context.database.read(lambda k: _known_agent(k, agent_id))
    return {"state": known.state, "changed_at": maybe_rfc3339(known.changed_at)}


@router.put("/agents/{agent_id}/password", status_code=204, responses=CHANGES)
async def put_password(
    agent_id: str, body: PasswordBody, context: ContextOf, caller: Caller
) -> None:
    """Give an agent a password to begin with; all of the agent's sessions end."""
    known = await context.database.read(lambda k: _known_agent(k, agent_id))
    if known.identity.principal_id == caller.id:
        raise Problem(
            409,
            "own_password",
            "PUT /session/password changes one's own password; it asks for the present one",
        )
    require_unguessable(body.password, known, "password")
    hashed = await context.passwords.hash(body.password.get_secret_value())

    def put(connection: Connection) -> None:
        principal_id = _known_agent(connection, agent_id).identity.principal_id
        passwords.put(connection, principal_id, hashed, is_initial=True)
        sessions.end_all(connection, principal_id)

    await context.database.write(put)
    context.rights_changed()


@router.delete("/agents/{agent_id}/password", status_code=204, responses=DELETES)
async def delete_password(agent_id: str, context: ContextOf) -> None:
    """Take an agent's password away; all of the agent's sessions end, keys stay."""

    def remove(connection: Connection) -> None:
        principal_id = _known_agent(connection, agent_id).identity.principal_id
        if not passwords.remove(connection, principal_id):
            raise not_found("password of agent", agent_id)
        sessions.end_all(connection, principal_id)

    await context.database.write(remove)
    context.rights_changed()


@router.put(
    "/session/password",
    status_code=204,
    responses=problems(401, 403, 409, 413, 415, 422, 429, 503),
)
async def change_password(
    body: PasswordChangeBody, request: Request, context: ContextOf, caller: Caller
) -> Response:
    """Change one's own password; this session gets another cookie, all others end."""
    known = await context.database.read(lambda k: passwords.of_principal(k, caller.id))
    if known is None:
        raise not_found("password of", caller.id)
    require_unguessable(body.new, known, "new")
    proven = await _proven(request, known, body.current)
    hashed = await context.passwords.hash(body.new.get_secret_value())

    def change(connection: Connection) -> str | None:
        _require_unchanged(connection, known, proven)
        passwords.put(connection, caller.id, hashed, is_initial=False)
        sessions.end_all(connection, caller.id)
        return _opened_again(connection, request, caller)

    token = await context.database.write(change)
    context.rights_changed()
    if token is None:
        return Response(status_code=204)
    return admitted(context, caller.identity, token, "password")


async def _proven(request: Request, known: Known, current: SecretStr | None) -> Proven | None:
    """Compare the present password, where there is one.

    Raises:
        Problem: 409, it is another one; 429, this was tried too often.
    """
    if known.hash is None:
        return None
    said = current.get_secret_value() if current else ""
    proven = await prove(request, known.username, said, known.identity.principal_id)
    if proven is None:
        raise wrong_password()
    return proven


def wrong_password() -> Problem:
    return Problem(409, "wrong_password", "the present password is another one")


def _require_unchanged(connection: Connection, known: Known, proven: Proven | None) -> None:
    if not passwords.is_still(connection, known):
        raise wrong_password()
    if proven is not None:
        proven.settle(connection)


def _opened_again(connection: Connection, request: Request, caller: Principal) -> str | None:
    """Open another session in place of the one that asks; a key needs none."""
    if caller.identity.session_hash is None:
        return None
    return sessions.open_session(connection, caller.identity, opening(request, "password"))
