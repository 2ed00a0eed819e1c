"""The log of idempotency keys: what a key meant and was answered, in the command's commit."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from storage import clock
from storage.log_tables import CommandRow

COMMANDS = CommandRow.__table__  # type: ignore[attr-defined]

LONGEST_WAIT = "5s"
LOCK_NOT_AVAILABLE = "55P03"


class StillRunning(Exception):
    """A command with the same key has not come to its end within 5 s."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an earlier command with the key was answered; no status: it is not finished."""

    fingerprint: str
    status: int | None
    body: dict[str, Any] | None


def remembered(connection: Connection, principal_id: str, key: str) -> Remembered | None:
    query = select(COMMANDS.c.fingerprint, COMMANDS.c.status, COMMANDS.c.body).where(
        COMMANDS.c.principal_id == principal_id, COMMANDS.c.key == key
    )
    row = connection.execute(query).one_or_none()
    return Remembered(row.fingerprint, row.status, row.body) if row else None


def claim(
    connection: Connection, principal_id: str, key: str, fingerprint: str
) -> Remembered | None:
    """Take the key for this transaction, or return what it was used for before.

    On PostgreSQL the insert waits for a transaction that holds the same key; on SQLite there is
    one writer anyway.

    Raises:
        StillRunning: the other transaction took longer than 5 s.
    """
    is_postgresql = connection.dialect.name == "postgresql"
    if is_postgresql:
        connection.execute(select(func.set_config("lock_timeout", LONGEST_WAIT, True)))  # noqa: FBT003 - SQL
    dialect = postgresql if is_postgresql else sqlite
    taken = (
        dialect.insert(COMMANDS)
        .values(
            principal_id=principal_id,
            key=key,
            fingerprint=fingerprint,
            created_at=clock.now(connection),
        )
        .on_conflict_do_nothing()
    )
    try:
        is_new = connection.execute(taken).rowcount == 1
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise StillRunning(key) from error
        raise
    if is_postgresql:
        connection.execute(select(func.set_config("lock_timeout", "0", True)))  # noqa: FBT003 - SQL
    return None if is_new else remembered(connection, principal_id, key)


def remember(
    connection: Connection, principal_id: str, key: str, status: int, body: dict[str, Any] | None
) -> None:
    """Note the answer beside the key that this transaction has claimed."""
    mine = (COMMANDS.c.principal_id == principal_id, COMMANDS.c.key == key)
    connection.execute(update(COMMANDS).where(*mine).values(status=status, body=body))
