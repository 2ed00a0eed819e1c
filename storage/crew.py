"""Who is on the floor and what they do: every agent who is switched on, in three statements."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from conversations.model import Instant
from storage import clock
from storage.conversation_tables import ConversationRow
from storage.setup_tables import AgentRow, MembershipRow
from storage.standing import ACTIVE

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
MEMBERSHIPS = MembershipRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class CrewMember:
    """An agent of this moment; `since` is when the routing status began."""

    agent_id: str
    name: str
    routing_status: str
    reason: str | None
    since: Instant
    utilization_percent: int
    active: int
    workgroup_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Crew:
    """Everybody as they were at one moment."""

    at: Instant
    members: tuple[CrewMember, ...]


def read(connection: Connection) -> Crew:
    """Return who takes conversations, by name."""
    active = _active(connection)
    workgroups = _workgroups(connection)
    query = select(AGENTS).where(AGENTS.c.enabled).order_by(AGENTS.c.name, AGENTS.c.id)
    members = tuple(
        CrewMember(
            agent_id=row["id"],
            name=row["name"],
            routing_status=row["routing_status"],
            reason=row["reason"],
            since=row["since"],
            utilization_percent=row["utilization"],
            active=active.get(row["id"], 0),
            workgroup_ids=frozenset(workgroups[row["id"]]),
        )
        for row in connection.execute(query).mappings()
        if "agent" in row["roles"]
    )
    return Crew(clock.now(connection), members)


def _active(connection: Connection) -> dict[str, int]:
    query = (
        select(CONVERSATIONS.c.agent_id, func.count().label("active"))
        .where(
            CONVERSATIONS.c.ended_at.is_(None),
            CONVERSATIONS.c.state.in_([state.value for state in ACTIVE]),
        )
        .group_by(CONVERSATIONS.c.agent_id)
    )
    return {row.agent_id: row.active for row in connection.execute(query)}


def _workgroups(connection: Connection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(MEMBERSHIPS)):
        found[row.agent_id].add(row.workgroup_id)
    return found
