"""The sessions of browsers: opened by a key or a password, listed, and ended."""

from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from storage import clock
from storage.ids import new_id
from storage.pages import Page, Window, page
from storage.principals import IDLE_MS, LONGEST_SESSION_MS, Identity, hash_of, new_secret
from storage.setup_tables import PrincipalRow, SessionRow

PRINCIPALS = PrincipalRow.__table__  # type: ignore[attr-defined]
SESSIONS = SessionRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Opening:
    """How a session comes to be; a browser that had another one loses that."""

    by: str
    browser: str | None = None
    replaces: str | None = None


def open_session(connection: Connection, identity: Identity, opening: Opening) -> str:
    """Open a session and return its token, which nobody can ever read again."""
    if opening.replaces is not None:
        close_session(connection, hash_of(opening.replaces))
    token = new_secret("ps")
    now = clock.now(connection)
    connection.execute(
        insert(SESSIONS).values(
            token_hash=hash_of(token),
            id=new_id("se"),
            principal_id=identity.principal_id,
            key_id=identity.key_id,
            created_at=now,
            last_used_at=now,
            expires_at=now + LONGEST_SESSION_MS,
            opened_by=opening.by,
            browser=opening.browser,
        )
    )
    return token


def note_use(connection: Connection, session_hash: str) -> None:
    used = update(SESSIONS).where(SESSIONS.c.token_hash == session_hash)
    connection.execute(used.values(last_used_at=clock.now(connection)))


def close_session(connection: Connection, session_hash: str) -> None:
    connection.execute(delete(SESSIONS).where(SESSIONS.c.token_hash == session_hash))


def of_principal(connection: Connection, principal_id: str, window: Window) -> Page:
    """Return a principal's sessions that are alive, the oldest first."""
    now = clock.now(connection)
    query = select(SESSIONS).where(
        SESSIONS.c.principal_id == principal_id,
        SESSIONS.c.expires_at > now,
        SESSIONS.c.last_used_at > now - IDLE_MS,
    )
    return page(connection, query, (SESSIONS.c.created_at, SESSIONS.c.id), window)


def ends_at(row: RowMapping) -> int:
    """Return when a session ends if nobody uses it any more."""
    return min(int(row["expires_at"]), int(row["last_used_at"]) + IDLE_MS)


def end(connection: Connection, principal_id: str, session_id: str) -> bool:
    """End one of a principal's sessions; False when it has none of that id."""
    mine = (SESSIONS.c.principal_id == principal_id) & (SESSIONS.c.id == session_id)
    return connection.execute(delete(SESSIONS).where(mine)).rowcount == 1


def end_all(connection: Connection, principal_id: str) -> None:
    """End all of a principal's sessions."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.principal_id == principal_id))


def end_all_of_agent(connection: Connection, agent_id: str) -> None:
    """End all sessions of an agent."""
    theirs = select(PRINCIPALS.c.id).where(PRINCIPALS.c.agent_id == agent_id)
    connection.execute(delete(SESSIONS).where(SESSIONS.c.principal_id.in_(theirs)))
