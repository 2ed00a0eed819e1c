"""Who may call: principals with roles, their keys and the desk's sessions; only hashes are kept."""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from conversations.model import Instant
from storage import clock
from storage.ids import new_id
from storage.setup_tables import AgentRow, ApiKeyRow, PrincipalRow, SessionRow
from storage.sign_in_tables import DisplayRow, PasswordRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
DISPLAYS = DisplayRow.__table__  # type: ignore[attr-defined]
KEYS = ApiKeyRow.__table__  # type: ignore[attr-defined]
PASSWORDS = PasswordRow.__table__  # type: ignore[attr-defined]
PRINCIPALS = PrincipalRow.__table__  # type: ignore[attr-defined]
SESSIONS = SessionRow.__table__  # type: ignore[attr-defined]

BOOTSTRAP_ADMIN = "pr_bootstrap_admin"
BOOTSTRAP_KEY = "ke_bootstrap_admin"
IDLE_MS = 30 * 60_000
"""A session that nobody used for so long has ended."""

LONGEST_SESSION_MS = 12 * 3_600_000
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a key or a session stands for."""

    principal_id: str
    name: str
    roles: frozenset[str]
    agent_id: str | None
    key_id: str | None
    session_hash: str | None = None
    expires_at: Instant | None = None
    ends_at: Instant | None = None
    """The session ends then, however much it is used."""


def new_secret(prefix: str) -> str:
    """Return a secret of 256 random bits; its prefix tells a leak's finder what it is."""
    return f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"


def hash_of(secret: str) -> str:
    """Return what is stored of a secret: nobody guesses 256 random bits back from a hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def add(
    connection: Connection, name: str, roles: Collection[str], agent_id: str | None = None
) -> str:
    """Create a principal and return its id."""
    principal_id = new_id("pr")
    connection.execute(
        insert(PRINCIPALS).values(
            id=principal_id,
            name=name,
            roles=sorted(roles),
            agent_id=agent_id,
            created_at=clock.now(connection),
        )
    )
    return principal_id


def of_agent(connection: Connection, agent_id: str) -> str | None:
    query = select(PRINCIPALS.c.id).where(PRINCIPALS.c.agent_id == agent_id)
    return connection.execute(query).scalar_one_or_none()


def rename(connection: Connection, agent_id: str, name: str, roles: Collection[str]) -> None:
    """Keep an agent's principal in step with the agent."""
    mine = update(PRINCIPALS).where(PRINCIPALS.c.agent_id == agent_id)
    connection.execute(mine.values(name=name, roles=sorted(roles)))


def add_key(connection: Connection, principal_id: str) -> tuple[str, str]:
    """Create a key; return its id and the key itself, which nobody can ever read again."""
    key_id, key = new_id("ke"), new_secret("pk")
    connection.execute(
        insert(KEYS).values(
            id=key_id,
            principal_id=principal_id,
            key_hash=hash_of(key),
            created_at=clock.now(connection),
        )
    )
    return key_id, key


def remove_key(connection: Connection, key_id: str) -> bool:
    """Revoke a key and the sessions that were opened with it; False when there is none."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.key_id == key_id))
    return connection.execute(delete(KEYS).where(KEYS.c.id == key_id)).rowcount == 1


def remove_of_agent(connection: Connection, agent_id: str) -> None:
    """Delete an agent's principal with its keys, password and sessions."""
    ids = select(PRINCIPALS.c.id).where(PRINCIPALS.c.agent_id == agent_id)
    connection.execute(delete(SESSIONS).where(SESSIONS.c.principal_id.in_(ids)))
    connection.execute(delete(KEYS).where(KEYS.c.principal_id.in_(ids)))
    connection.execute(delete(PASSWORDS).where(PASSWORDS.c.principal_id.in_(ids)))
    connection.execute(delete(PRINCIPALS).where(PRINCIPALS.c.agent_id == agent_id))


def accept_bootstrap_key(connection: Connection, key: str) -> None:
    """Make the key of the settings an administrator's; a former one of the settings ends."""
    now = clock.now(connection)
    known = connection.execute(select(PRINCIPALS.c.id).where(PRINCIPALS.c.id == BOOTSTRAP_ADMIN))
    if known.first() is None:
        values = {"id": BOOTSTRAP_ADMIN, "name": "administrator", "roles": ["admin"]}
        connection.execute(insert(PRINCIPALS).values(**values, agent_id=None, created_at=now))
    hashed = hash_of(key)
    present = select(KEYS.c.key_hash).where(KEYS.c.id == BOOTSTRAP_KEY)
    if connection.execute(present).scalar_one_or_none() == hashed:
        return
    remove_key(connection, BOOTSTRAP_KEY)
    values = {"id": BOOTSTRAP_KEY, "principal_id": BOOTSTRAP_ADMIN, "key_hash": hashed}
    connection.execute(insert(KEYS).values(**values, created_at=now))


def by_key(connection: Connection, key: str) -> Identity | None:
    """Return whose key it is; None when it is nobody's, its agent is off, or its time is over."""
    hashed = hash_of(key)
    is_over = DISPLAYS.c.expires_at <= clock.now(connection)
    query = (
        select(PRINCIPALS, KEYS.c.id.label("key_id"), KEYS.c.key_hash)
        .join(KEYS, KEYS.c.principal_id == PRINCIPALS.c.id)
        .outerjoin(AGENTS, AGENTS.c.id == PRINCIPALS.c.agent_id)
        .outerjoin(DISPLAYS, DISPLAYS.c.principal_id == PRINCIPALS.c.id)
        .where(KEYS.c.key_hash == hashed, AGENTS.c.enabled.is_not(False), is_over.is_not(True))
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None or not hmac.compare_digest(row["key_hash"], hashed):
        return None
    return _identity(row)


def by_session(connection: Connection, token: str) -> Identity | None:
    """Return whose session it is; None when it has ended or was idle for too long."""
    hashed = hash_of(token)
    now = clock.now(connection)
    query = (
        select(
            PRINCIPALS,
            SESSIONS.c.key_id,
            SESSIONS.c.token_hash,
            SESSIONS.c.expires_at,
            SESSIONS.c.last_used_at,
        )
        .join(SESSIONS, SESSIONS.c.principal_id == PRINCIPALS.c.id)
        .outerjoin(AGENTS, AGENTS.c.id == PRINCIPALS.c.agent_id)
        .where(
            SESSIONS.c.token_hash == hashed,
            SESSIONS.c.expires_at > now,
            SESSIONS.c.last_used_at > now - IDLE_MS,
            AGENTS.c.enabled.is_not(False),
        )
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None or not hmac.compare_digest(row["token_hash"], hashed):
        return None
    return replace(
        _identity(row),
        session_hash=row["token_hash"],
        expires_at=min(row["expires_at"], row["last_used_at"] + IDLE_MS),
        ends_at=row["expires_at"],
    )


def _identity(row: RowMapping) -> Identity:
    return Identity(
        principal_id=row["id"],
        name=row["name"],
        roles=frozenset(row["roles"]),
        agent_id=row["agent_id"],
        key_id=row["key_id"],
    )


def still_good(connection: Connection, identities: Sequence[Identity]) -> dict[Identity, Identity]:
    """Return, for each identity whose key or session still holds, who it is now."""
    keys = sorted({i.key_id for i in identities if i.session_hash is None and i.key_id})
    tokens = sorted({i.session_hash for i in identities if i.session_hash})
    now = clock.now(connection)
    people = select(PRINCIPALS).outerjoin(AGENTS, AGENTS.c.id == PRINCIPALS.c.agent_id)
    people = people.where(AGENTS.c.enabled.is_not(False))
    by_key_id = people.add_columns(KEYS.c.id.label("proof")).join(
        KEYS, KEYS.c.principal_id == PRINCIPALS.c.id
    )
    by_token = people.add_columns(SESSIONS.c.token_hash.label("proof")).join(
        SESSIONS, SESSIONS.c.principal_id == PRINCIPALS.c.id
    )
    alive = (SESSIONS.c.expires_at > now, SESSIONS.c.last_used_at > now - IDLE_MS)
    rows = [
        *connection.execute(by_key_id.where(KEYS.c.id.in_(keys))).mappings(),
        *connection.execute(by_token.where(SESSIONS.c.token_hash.in_(tokens), *alive)).mappings(),
    ]
    found = {row["proof"]: row for row in rows}
    return {
        identity: replace(
            identity, name=row["name"], roles=frozenset(row["roles"]), agent_id=row["agent_id"]
        )
        for identity in identities
        if (row := found.get(identity.session_hash or identity.key_id or "")) is not None
    }
