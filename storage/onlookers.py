"""Who looks at a conversation now, or types in it: short leases that hold up nothing."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from conversations.model import Instant
from conversations.onlooking import Activity, Lease, renewed
from storage import clock
from storage.desk_tables import OnlookerRow
from storage.pages import Page, Window, page
from storage.setup_tables import PrincipalRow

ONLOOKERS = OnlookerRow.__table__  # type: ignore[attr-defined]
PRINCIPALS = PrincipalRow.__table__  # type: ignore[attr-defined]

GONE_LIFE_MS = 60_000
"""So long the row of a lease that is over stays, so that every reader of changes has met it."""


@dataclass(frozen=True, slots=True)
class Onlooker:
    """One principal at one conversation."""

    conversation_id: str
    principal_id: str


def is_worth_writing(connection: Connection, who: Onlooker, activity: Activity) -> bool:
    """Whether it changes anything that others see, or the lease has to be prolonged by now."""
    return renewed(_lease_of(connection, who), activity, clock.now(connection)) is not None


def note(connection: Connection, who: Onlooker, activity: Activity) -> None:
    """Write down what somebody does at a conversation, for as long as the lease."""
    lease = renewed(_lease_of(connection, who), activity, clock.now(connection))
    if lease is None:
        return
    values = {"activity": lease.activity.value, "since": lease.since, "until": lease.until}
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(ONLOOKERS).values(
        conversation_id=who.conversation_id, principal_id=who.principal_id, **values
    )
    keys = ["conversation_id", "principal_id"]
    connection.execute(first.on_conflict_do_update(index_elements=keys, set_=values))


def _lease_of(connection: Connection, who: Onlooker) -> Lease | None:
    query = select(ONLOOKERS).where(
        ONLOOKERS.c.conversation_id == who.conversation_id,
        ONLOOKERS.c.principal_id == who.principal_id,
    )
    row = connection.execute(query).mappings().one_or_none()
    return Lease(Activity(row["activity"]), row["since"], row["until"]) if row else None


def others(connection: Connection, who: Onlooker, window: Window) -> Page:
    """Return who else is at the conversation, the first who came first."""
    query = (
        select(ONLOOKERS, PRINCIPALS.c.agent_id, PRINCIPALS.c.name)
        .join(PRINCIPALS, PRINCIPALS.c.id == ONLOOKERS.c.principal_id)
        .where(
            ONLOOKERS.c.conversation_id == who.conversation_id,
            ONLOOKERS.c.principal_id != who.principal_id,
            ONLOOKERS.c.until > clock.now(connection),
        )
    )
    return page(connection, query, (ONLOOKERS.c.since, ONLOOKERS.c.principal_id), window)


def present(connection: Connection) -> dict[str, list[RowMapping]]:
    """Return who is where, by conversation; in each the first who came first."""
    query = (
        select(ONLOOKERS, PRINCIPALS.c.agent_id, PRINCIPALS.c.name)
        .join(PRINCIPALS, PRINCIPALS.c.id == ONLOOKERS.c.principal_id)
        .where(ONLOOKERS.c.until > clock.now(connection))
        .order_by(ONLOOKERS.c.since, ONLOOKERS.c.principal_id)
    )
    found: defaultdict[str, list[RowMapping]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["conversation_id"]].append(row)
    return dict(found)


def forget_before(connection: Connection, now: Instant) -> int:
    """Delete the rows of leases that are over."""
    over = delete(ONLOOKERS).where(ONLOOKERS.c.until < now - GONE_LIFE_MS)
    return connection.execute(over).rowcount
