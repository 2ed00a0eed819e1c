"""Agents as routing sees them: read for a match, or locked for a change."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, Select, case, func, select

from acd.eligibility import Reason
from acd.model import Agent
from acd.utilization import FULL_PERCENT
from conversations.model import Instant, MediaType, RoutingStatus
from storage.conversation_tables import ConversationRow
from storage.rows import agent_from
from storage.setup_tables import AgentRow, MembershipRow, PresenceRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
MEMBERSHIPS = MembershipRow.__table__  # type: ignore[attr-defined]
PRESENCES = PresenceRow.__table__  # type: ignore[attr-defined]


def _agents() -> Select[tuple[object, ...]]:
    return select(AGENTS, PRESENCES.c.seen_at).outerjoin(
        PRESENCES, PRESENCES.c.agent_id == AGENTS.c.id
    )


def locked_agents(
    connection: Connection,
    agent_ids: Collection[str],
    now: Instant,
    *,
    skip_locked: bool = False,
) -> dict[str, Agent]:
    """Lock agents in the order of their ids and return those who exist (and could be locked)."""
    if not agent_ids:
        return {}
    query = (
        _agents()
        .where(AGENTS.c.id.in_(sorted(agent_ids)))
        .order_by(AGENTS.c.id)
        .with_for_update(of=AGENTS, skip_locked=skip_locked)
    )
    rows = connection.execute(query).mappings().all()
    found = [row["id"] for row in rows]
    workgroups = _workgroups_of(connection, found)
    counts = _load_counts(connection, found)
    return {
        row["id"]: agent_from(row, now, workgroups[row["id"]], counts[row["id"]]) for row in rows
    }


def agents_with_room(
    connection: Connection, workgroup_id: str, also: Collection[str], now: Instant
) -> list[Agent]:
    """Return a workgroup's agents on queue who have any room left, unlocked, sorted by id.

    `also` names agents who are waited for: they are read even when they are full.
    """
    query = (
        _agents()
        .join(MEMBERSHIPS, MEMBERSHIPS.c.agent_id == AGENTS.c.id)
        .where(
            MEMBERSHIPS.c.workgroup_id == workgroup_id,
            AGENTS.c.routing_status == RoutingStatus.ON_QUEUE.value,
            (AGENTS.c.utilization < FULL_PERCENT) | AGENTS.c.id.in_(also),
        )
        .order_by(AGENTS.c.id)
    )
    rows = connection.execute(query).mappings().all()
    limited = [row["id"] for row in rows if _has_maximum(row["own_utilization"])]
    counts = _load_counts(connection, limited or [])
    workgroups = frozenset({workgroup_id})
    return [agent_from(row, now, workgroups, counts[row["id"]]) for row in rows]


def has_room(connection: Connection, workgroup_id: str) -> bool:
    """Whether any agent of the workgroup is on queue and not full; a look before a match."""
    query = (
        select(AGENTS.c.id)
        .join(MEMBERSHIPS, MEMBERSHIPS.c.agent_id == AGENTS.c.id)
        .where(
            MEMBERSHIPS.c.workgroup_id == workgroup_id,
            AGENTS.c.routing_status == RoutingStatus.ON_QUEUE.value,
            AGENTS.c.utilization < FULL_PERCENT,
        )
    )
    return connection.execute(query.limit(1)).first() is not None


def load_counts(
    connection: Connection, agents: Collection[Agent]
) -> dict[str, dict[MediaType, int]]:
    """Count what each agent carries, per media type; only maximum counts need it."""
    return _load_counts(connection, [agent.id for agent in agents])


def agents_without_room(
    connection: Connection, workgroup_id: str, also: Collection[str]
) -> dict[str, int]:
    """Count the members whom `agents_with_room` leaves out, by what stops them first."""
    stopped_by = case(
        (AGENTS.c.enabled.is_(False), Reason.DISABLED.value),
        (
            AGENTS.c.routing_status != RoutingStatus.ON_QUEUE.value,
            Reason.NOT_ON_QUEUE.value,
        ),
        else_=Reason.CAPACITY.value,
    )
    query = (
        select(stopped_by.label("reason"), func.count().label("agents"))
        .join(MEMBERSHIPS, MEMBERSHIPS.c.agent_id == AGENTS.c.id)
        .where(
            MEMBERSHIPS.c.workgroup_id == workgroup_id,
            (AGENTS.c.routing_status != RoutingStatus.ON_QUEUE.value)
            | ((AGENTS.c.utilization >= FULL_PERCENT) & AGENTS.c.id.not_in(also)),
        )
        .group_by(stopped_by)
    )
    return {row.reason: row.agents for row in connection.execute(query)}


def _has_maximum(levels: dict[str, dict[str, int | None]]) -> bool:
    return any(level.get("max") is not None for level in levels.values())


def _workgroups_of(connection: Connection, agent_ids: list[str]) -> dict[str, frozenset[str]]:
    query = select(MEMBERSHIPS).where(MEMBERSHIPS.c.agent_id.in_(agent_ids))
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in connection.execute(query):
        found[row.agent_id].add(row.workgroup_id)
    return {agent_id: frozenset(found[agent_id]) for agent_id in agent_ids}


def _load_counts(connection: Connection, agent_ids: list[str]) -> dict[str, dict[MediaType, int]]:
    counts: defaultdict[str, dict[MediaType, int]] = defaultdict(dict)
    if not agent_ids:
        return counts
    query = (
        select(CONVERSATIONS.c.holder_agent_id, CONVERSATIONS.c.media_type, func.count())
        .where(CONVERSATIONS.c.holder_agent_id.in_(agent_ids))
        .group_by(CONVERSATIONS.c.holder_agent_id, CONVERSATIONS.c.media_type)
    )
    for agent_id, media_type, count in connection.execute(query):
        counts[agent_id][MediaType(media_type)] = count
    return counts
