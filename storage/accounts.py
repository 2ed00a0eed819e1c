"""A brand's accounts on networks; their secrets are sealed, and opened only to be used."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select

from storage import clock, setup
from storage.conversation_tables import PostChangeRow, PostRow, ReplyRow
from storage.ids import new_id
from storage.pages import Page, Window, page
from storage.setup_tables import AccountBudgetRow, AccountLeaseRow, AccountRow, ChannelRow

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
BUDGETS = AccountBudgetRow.__table__  # type: ignore[attr-defined]
CHANGES = PostChangeRow.__table__  # type: ignore[attr-defined]
CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]
LEASES = AccountLeaseRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]
REPLIES = ReplyRow.__table__  # type: ignore[attr-defined]

KIND = "account"


def new_account_id() -> str:
    """Return an id; it is needed before the row, because the secrets are sealed for it."""
    return new_id("ac")


def create(connection: Connection, account_id: str, values: Mapping[str, Any]) -> None:
    given = {**values, "id": account_id, "created_at": clock.now(connection)}
    setup.add(connection, ACCOUNTS, given)


def get(connection: Connection, account_id: str) -> RowMapping | None:
    return setup.find(connection, ACCOUNTS, account_id)


def lock(connection: Connection, account_id: str) -> RowMapping | None:
    return setup.lock(connection, ACCOUNTS, account_id)


def listed(connection: Connection, window: Window) -> Page:
    return page(connection, select(ACCOUNTS), (ACCOUNTS.c.created_at, ACCOUNTS.c.id), window)


def with_setting(
    connection: Connection, network: str, name: str, value: str
) -> Sequence[RowMapping]:
    """Return a network's accounts whose setting has the value, oldest first."""
    query = select(ACCOUNTS).where(ACCOUNTS.c.network == network)
    rows = connection.execute(query.order_by(ACCOUNTS.c.created_at, ACCOUNTS.c.id)).mappings()
    return [row for row in rows if row["settings"].get(name) == value]


def change(connection: Connection, row: RowMapping, values: Mapping[str, Any]) -> None:
    """Write a locked account's new values.

    Raises:
        NeverChanges: the network would be another one.
    """
    if values["network"] != row["network"]:
        raise setup.NeverChanges("network")
    setup.change(connection, ACCOUNTS, row, values)


def remove(connection: Connection, account_id: str) -> None:
    """Delete an account that nothing refers to.

    Raises:
        InUse: channels, posts or replies do.
    """
    users = (
        ("channels", CHANNELS.c.account_id),
        ("posts", POSTS.c.account_id),
        ("replies", REPLIES.c.account_id),
    )
    for by, column in users:
        if setup.is_referred_to(connection, column, account_id):
            raise setup.InUse(KIND, account_id, by)
    for kept in (LEASES, BUDGETS, CHANGES):
        connection.execute(delete(kept).where(kept.c.account_id == account_id))
    setup.remove(connection, ACCOUNTS, KIND, account_id)
