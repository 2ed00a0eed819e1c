"""Which process sends for an account: a lease with an epoch, free again as soon as nobody calls."""

from sqlalchemy import Connection, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations.model import Instant
from storage.setup_tables import AccountLeaseRow

LEASES = AccountLeaseRow.__table__  # type: ignore[attr-defined]

LEASE_MS = 20_000
"""Longer than an attempt may take, so that a lease never ends under its holder's hands."""

LEASE_WAIT_MS = 1_000


def take(connection: Connection, account_id: str, process: str, now: Instant) -> tuple[int, int]:
    """Take or renew the account's lease; return its epoch and how long to wait, 0 if it is ours."""
    query = select(LEASES).where(LEASES.c.account_id == account_id).with_for_update()
    lease = connection.execute(query).mappings().one_or_none()
    if lease is None:
        _write_first(connection, account_id, process)
        lease = connection.execute(query).mappings().one()
    is_over = lease["expires_at"] <= now
    if lease["holder"] != process and not is_over:
        return lease["epoch"], LEASE_WAIT_MS
    epoch = lease["epoch"] + (lease["holder"] != process)
    held = update(LEASES).where(LEASES.c.account_id == account_id)
    calls = 0 if is_over else lease["calls"]
    connection.execute(
        held.values(holder=process, epoch=epoch, expires_at=now + LEASE_MS, calls=calls)
    )
    paused_until = lease["paused_until"] or 0
    return epoch, max(0, paused_until - now)


def _write_first(connection: Connection, account_id: str, process: str) -> None:
    """Write the account's first lease, already run out; another process may do so too."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(LEASES).values(
        account_id=account_id, holder=process, epoch=1, expires_at=0
    )
    connection.execute(first.on_conflict_do_nothing())


def call_begins(connection: Connection, account_id: str, epoch: int) -> None:
    ours = update(LEASES).where(LEASES.c.account_id == account_id, LEASES.c.epoch == epoch)
    connection.execute(ours.values(calls=LEASES.c.calls + 1))


def call_ended(connection: Connection, account_id: str, epoch: int, now: Instant) -> None:
    """Count a call off; with the last one the lease ends, so that no other process waits for it.

    A call whose end is never told keeps the lease as long as it lasts.
    """
    left = LEASES.c.calls - 1
    ours = update(LEASES).where(
        LEASES.c.account_id == account_id, LEASES.c.epoch == epoch, LEASES.c.calls > 0
    )
    is_last = case((left == 0, now), else_=LEASES.c.expires_at)
    connection.execute(ours.values(calls=left, expires_at=is_last))


def pause(connection: Connection, account_id: str, until: Instant) -> None:
    """Leave a rate-limited account alone until the network takes calls again."""
    paused = update(LEASES).where(LEASES.c.account_id == account_id)
    connection.execute(paused.values(paused_until=until))


def paused_until(connection: Connection, account_id: str) -> Instant:
    """Return until when the account is rate-limited, 0 if it is not: polls wait for replies."""
    query = select(LEASES.c.paused_until).where(LEASES.c.account_id == account_id)
    return connection.execute(query).scalar_one_or_none() or 0
