"""Who signs in by name: whose password is which, as hashes only."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, RowMapping, Select, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations.model import Instant
from storage import clock
from storage.principals import BOOTSTRAP_ADMIN, Identity
from storage.setup_tables import AgentRow, PrincipalRow
from storage.sign_in_tables import PasswordRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
PASSWORDS = PasswordRow.__table__  # type: ignore[attr-defined]
PRINCIPALS = PrincipalRow.__table__  # type: ignore[attr-defined]

ADMINISTRATOR = "administrator"
"""How the administrator of the settings signs in, unless an agent has that username."""


class PasswordState(StrEnum):
    """What there is; `initial`: somebody else has chosen it."""

    NONE = "none"
    INITIAL = "initial"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who may sign in by name; without a hash only in the demonstration."""

    identity: Identity
    username: str
    state: PasswordState
    hash: str | None
    changed_at: Instant | None

    @property
    def words_about(self) -> tuple[str, ...]:
        """What everybody guesses first."""
        return (self.username, self.identity.name)


def of_username(connection: Connection, username: str) -> Known | None:
    """Return who has the username; None when nobody has, or who has it is switched off."""
    agent = select(PRINCIPALS.c.id).join(AGENTS, AGENTS.c.id == PRINCIPALS.c.agent_id)
    named = connection.execute(agent.where(AGENTS.c.username == username)).scalar_one_or_none()
    if named is None and username == ADMINISTRATOR:
        named = BOOTSTRAP_ADMIN
    return None if named is None else of_principal(connection, named)


def of_principal(connection: Connection, principal_id: str) -> Known | None:
    """Return the principal; None when there is none, or its agent is switched off."""
    query = _everybody().where(PRINCIPALS.c.id == principal_id, AGENTS.c.enabled.is_not(False))
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _known(row)


def of_agent(connection: Connection, agent_id: str) -> Known | None:
    """Return the agent, also one that is switched off."""
    query = _everybody().where(PRINCIPALS.c.agent_id == agent_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _known(row)


def _everybody() -> Select[tuple[object, ...]]:
    said = (PASSWORDS.c.hash, PASSWORDS.c.is_initial, PASSWORDS.c.changed_at, AGENTS.c.username)
    return (
        select(PRINCIPALS, *said)
        .outerjoin(AGENTS, AGENTS.c.id == PRINCIPALS.c.agent_id)
        .outerjoin(PASSWORDS, PASSWORDS.c.principal_id == PRINCIPALS.c.id)
    )


def _known(row: RowMapping) -> Known:
    state = PasswordState.INITIAL if row["is_initial"] else PasswordState.OWN
    return Known(
        identity=Identity(row["id"], row["name"], frozenset(row["roles"]), row["agent_id"], None),
        username=row["username"] or ADMINISTRATOR,
        state=PasswordState.NONE if row["hash"] is None else state,
        hash=row["hash"],
        changed_at=row["changed_at"],
    )


def put(connection: Connection, principal_id: str, hashed: str, *, is_initial: bool) -> None:
    """Set a principal's password, in place of one that is there."""
    now = clock.now(connection)
    values = {"hash": hashed, "is_initial": is_initial, "changed_at": now}
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(PASSWORDS).values(principal_id=principal_id, **values)
    connection.execute(first.on_conflict_do_update(index_elements=["principal_id"], set_=values))


def hash_again(connection: Connection, known: Known, hashed: str) -> None:
    """Put the same password under newer parameters, unless it was changed meanwhile."""
    same = update(PASSWORDS).where(
        PASSWORDS.c.principal_id == known.identity.principal_id, PASSWORDS.c.hash == known.hash
    )
    connection.execute(same.values(hash=hashed))


def is_still(connection: Connection, known: Known) -> bool:
    """Whether the password that was looked at is the present one, and its owner may sign in."""
    now = of_principal(connection, known.identity.principal_id)
    return now is not None and now.hash == known.hash


def remove(connection: Connection, principal_id: str) -> bool:
    """Take a password away; False when there is none."""
    theirs = delete(PASSWORDS).where(PASSWORDS.c.principal_id == principal_id)
    return connection.execute(theirs).rowcount == 1
