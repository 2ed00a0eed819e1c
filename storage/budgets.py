"""What accounts have used up of their networks' allowances, shared by all workers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations.budgets import spend
from conversations.capabilities import Allowance
from conversations.model import Instant
from storage.setup_tables import AccountBudgetRow, AccountLeaseRow

BUDGETS = AccountBudgetRow.__table__  # type: ignore[attr-defined]
LEASES = AccountLeaseRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Used:
    """Until when allowances are paid for, by account and name, and accounts are left alone."""

    until: Mapping[tuple[str, str], Instant]
    paused_until: Mapping[str, Instant]


def used(connection: Connection, account_ids: Collection[str]) -> Used:
    """Return what the accounts have used; whatever never made a call is not named."""
    ids = sorted(account_ids)
    spent = select(BUDGETS).where(BUDGETS.c.account_id.in_(ids))
    paused = select(LEASES.c.account_id, LEASES.c.paused_until).where(
        LEASES.c.account_id.in_(ids), LEASES.c.paused_until.is_not(None)
    )
    return Used(
        {(row.account_id, row.name): row.used_until for row in connection.execute(spent)},
        {row.account_id: row.paused_until for row in connection.execute(paused)},
    )


def take(
    connection: Connection,
    account_id: str,
    allowance: Allowance,
    now: Instant,
    *,
    kept_percent: int,
) -> int:
    """Take one call out of an account's allowance; return how long to wait for one, 0 if taken.

    A poll leaves `kept_percent` untouched for replies, which keep nothing.
    """
    this = (BUDGETS.c.account_id == account_id) & (BUDGETS.c.name == allowance.name)
    query = select(BUDGETS.c.used_until).where(this).with_for_update()
    used_until = connection.execute(query).scalar_one_or_none()
    if used_until is None:
        _begin(connection, account_id, allowance.name)
        used_until = connection.execute(query).scalar_one()
    spending = spend(used_until, allowance, now, kept_percent=kept_percent)
    if spending.wait_ms == 0:
        spent = update(BUDGETS).where(this).values(used_until=spending.used_until)
        connection.execute(spent)
    return spending.wait_ms


def _begin(connection: Connection, account_id: str, name: str) -> None:
    """Write the allowance's row, nothing of it used; another worker may do so too."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(BUDGETS).values(account_id=account_id, name=name, used_until=0)
    connection.execute(first.on_conflict_do_nothing())
