"""How full an agent is, and which level says what one more conversation would take."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, select, union_all

from acd.model import Agent, RoutingPolicy, Utilization
from acd.utilization import Level, levelled_utilization_of
from conversations.model import MediaType
from storage import clock
from storage.candidates import agents_named
from storage.conversation_tables import ConversationRow, FurtherOfferRow
from storage.rows import routing_policy_from
from storage.setup_tables import AgentRow, WorkgroupRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
FURTHER_OFFERS = FurtherOfferRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class LevelledUtilization:
    """What one conversation takes; without a workgroup it holds in all of them."""

    level: Level
    workgroup_id: str | None
    utilization: Utilization


@dataclass(frozen=True, slots=True)
class AgentUtilization:
    """An agent's load, and per media type what one more would take, by workgroup."""

    agent: Agent
    override_percent: int
    carried: dict[MediaType, int]
    levels: dict[MediaType, tuple[LevelledUtilization, ...]]


def read(connection: Connection, agent_id: str) -> AgentUtilization | None:
    """Return an agent's utilization; None when there is no such agent."""
    agents = agents_named(connection, [agent_id], clock.now(connection))
    if not agents:
        return None
    (agent,) = agents
    query = select(WORKGROUPS).where(WORKGROUPS.c.id.in_(sorted(agent.workgroup_ids)))
    rows = connection.execute(query.order_by(WORKGROUPS.c.id)).mappings()
    policies = [routing_policy_from(row) for row in rows]
    override = select(AGENTS.c.override_percent).where(AGENTS.c.id == agent_id)
    return AgentUtilization(
        agent,
        connection.execute(override).scalar_one(),
        _carried(connection, agent_id),
        {media_type: _levels(agent, policies, media_type) for media_type in MediaType},
    )


def _carried(connection: Connection, agent_id: str) -> dict[MediaType, int]:
    """Count what the agent carries: offers, conversations and wrap-ups, parked ones not."""
    firsts = select(CONVERSATIONS.c.media_type).where(CONVERSATIONS.c.holder_agent_id == agent_id)
    further = select(FURTHER_OFFERS.c.media_type).where(FURTHER_OFFERS.c.agent_id == agent_id)
    counts = Counter(connection.execute(union_all(firsts, further)).scalars())
    return {media_type: counts[media_type.value] for media_type in MediaType}


def _levels(
    agent: Agent, policies: list[RoutingPolicy], media_type: MediaType
) -> tuple[LevelledUtilization, ...]:
    found: dict[LevelledUtilization, None] = {}
    for policy in policies or [RoutingPolicy("", 0)]:
        level, utilization = levelled_utilization_of(agent, policy, media_type)
        workgroup_id = policy.workgroup_id if level is Level.WORKGROUP else None
        found[LevelledUtilization(level, workgroup_id, utilization)] = None
    return tuple(found)
