"""Wrap what is sealed with the newest key, one account a transaction, while everything runs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select, update

from storage import accounts
from storage.database import Database
from storage.secrets import Seal, SecretsUnreadable
from storage.setup_tables import AccountRow

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]


class Left(StrEnum):
    """How a rotation leaves an account."""

    ROTATED = "wrapped anew"
    CURRENT = "had the newest key"
    EMPTY = "without secrets"
    UNREADABLE = "unreadable"
    FORGOTTEN = "forgotten"
    GONE = "deleted meanwhile"


@dataclass(frozen=True, slots=True)
class Rotated:
    """One account, the `number`th of `total`."""

    account_id: str
    name: str
    number: int
    total: int
    left: Left
    detail: str = ""


async def rotate_accounts(
    database: Database, seal: Seal, *, forgets_lost: bool
) -> AsyncIterator[Rotated]:
    """Rotate account by account; broken off, it is simply begun again.

    An account that is created meanwhile has the newest key, if its process has.
    """
    query = select(ACCOUNTS.c.id, ACCOUNTS.c.name).order_by(ACCOUNTS.c.created_at, ACCOUNTS.c.id)
    found = await database.read(lambda k: [(row.id, row.name) for row in k.execute(query)])
    for number, (account_id, name) in enumerate(found, start=1):
        left, detail = await database.write(
            lambda k, one=account_id: _rotate(k, seal, one, forgets_lost=forgets_lost)  # type: ignore[misc]
        )
        yield Rotated(account_id, name, number, len(found), left, detail)


def _rotate(
    connection: Connection, seal: Seal, account_id: str, *, forgets_lost: bool
) -> tuple[Left, str]:
    row = accounts.lock(connection, account_id)
    if row is None:
        return Left.GONE, ""
    sealed: str = row["secrets"]
    if not sealed:
        return Left.EMPTY, ""
    try:
        rewrapped = seal.rewrapped(account_id, sealed)
    except SecretsUnreadable as reason:
        if not forgets_lost:
            return Left.UNREADABLE, str(reason)
        rewrapped = ""
    if rewrapped == sealed:
        return Left.CURRENT, ""
    # Not a change of the account: its version stays, so that nobody's If-Match fails.
    changed = update(ACCOUNTS).where(ACCOUNTS.c.id == account_id)
    connection.execute(changed.values(secrets=rewrapped))
    return (Left.ROTATED, "") if rewrapped else (Left.FORGOTTEN, "enter its credentials again")
