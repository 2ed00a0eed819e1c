"""What every workgroup's floor looks like now, read for all of them in a few statements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, func, select

from acd.service_level import WayOut
from conversations.model import ConversationState, Instant, MediaType, RoutingStatus
from storage.conversation_tables import ConversationRow, QueueEntryRow
from storage.setup_tables import AgentRow, MembershipRow, WorkgroupRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
ENTRIES = QueueEntryRow.__table__  # type: ignore[attr-defined]
MEMBERSHIPS = MembershipRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

ACTIVE = (ConversationState.CONNECTED, ConversationState.HELD)
_COUNTED = (ConversationState.QUEUED, ConversationState.ALERTING, *ACTIVE)
SOCIAL = tuple(media_type.value for media_type in MediaType)


@dataclass(slots=True)
class Standing:
    """One workgroup's present; `connected_since` is the oldest of its active conversations."""

    by_state: dict[ConversationState, int] = field(default_factory=lambda: defaultdict(int))
    oldest_wait: Instant | None = None
    connected_since: Instant | None = None
    agents: dict[RoutingStatus, int] = field(default_factory=lambda: defaultdict(int))
    utilization: int = 0
    """Percent, summed over the agents who are logged in."""

    @property
    def logged_in(self) -> int:
        return sum(n for status, n in self.agents.items() if status is not RoutingStatus.OFF_QUEUE)


@dataclass(frozen=True, slots=True)
class EndedWait:
    """One wait in a queue that is over."""

    workgroup_id: str
    media_type: MediaType
    outcome: WayOut
    waited_ms: int
    left_at: Instant


def all_workgroups(connection: Connection) -> Sequence[RowMapping]:
    query = select(WORKGROUPS).order_by(WORKGROUPS.c.created_at, WORKGROUPS.c.id)
    return connection.execute(query).mappings().all()


def standings(connection: Connection) -> dict[str, Standing]:
    """Return every workgroup's present; one that is not in it has nobody and nothing."""
    found: dict[str, Standing] = defaultdict(Standing)
    _count_conversations(connection, found)
    _find_oldest_waits(connection, found)
    _count_agents(connection, found)
    return found


def _count_conversations(connection: Connection, found: dict[str, Standing]) -> None:
    query = (
        select(
            CONVERSATIONS.c.workgroup_id,
            CONVERSATIONS.c.state,
            func.count().label("conversations"),
            func.min(CONVERSATIONS.c.connected_at).label("connected_since"),
        )
        .where(
            # Says nothing new, but keeps SQLite from reading the past along its workgroup's index.
            CONVERSATIONS.c.ended_at.is_(None),
            CONVERSATIONS.c.state.in_([state.value for state in _COUNTED]),
            CONVERSATIONS.c.media_type.in_(SOCIAL),
        )
        .group_by(CONVERSATIONS.c.workgroup_id, CONVERSATIONS.c.state)
    )
    for row in connection.execute(query):
        standing, state = found[row.workgroup_id], ConversationState(row.state)
        standing.by_state[state] = row.conversations
        if state in ACTIVE and row.connected_since is not None:
            known = standing.connected_since
            standing.connected_since = min(row.connected_since, known or row.connected_since)


def _find_oldest_waits(connection: Connection, found: dict[str, Standing]) -> None:
    query = (
        select(ENTRIES.c.workgroup_id, func.min(ENTRIES.c.entered_at).label("entered_at"))
        .where(ENTRIES.c.left_at.is_(None))
        .group_by(ENTRIES.c.workgroup_id)
    )
    for row in connection.execute(query):
        found[row.workgroup_id].oldest_wait = row.entered_at


def _count_agents(connection: Connection, found: dict[str, Standing]) -> None:
    query = (
        select(
            MEMBERSHIPS.c.workgroup_id,
            AGENTS.c.routing_status,
            func.count().label("agents"),
            func.sum(AGENTS.c.utilization).label("utilization"),
        )
        .join(AGENTS, AGENTS.c.id == MEMBERSHIPS.c.agent_id)
        .where(AGENTS.c.enabled)
        .group_by(MEMBERSHIPS.c.workgroup_id, AGENTS.c.routing_status)
    )
    for row in connection.execute(query):
        standing, status = found[row.workgroup_id], RoutingStatus(row.routing_status)
        standing.agents[status] = row.agents
        if status is not RoutingStatus.OFF_QUEUE:
            standing.utilization += int(row.utilization)


def ended_waits(connection: Connection, since: Instant, until: Instant) -> list[EndedWait]:
    """Return the waits of all workgroups that ended in the period."""
    query = select(
        ENTRIES.c.workgroup_id,
        ENTRIES.c.media_type,
        ENTRIES.c.outcome,
        ENTRIES.c.waited_ms,
        ENTRIES.c.left_at,
    ).where(ENTRIES.c.left_at >= since, ENTRIES.c.left_at < until)
    return [
        EndedWait(
            row.workgroup_id,
            MediaType(row.media_type),
            WayOut(row.outcome),
            row.waited_ms,
            row.left_at,
        )
        for row in connection.execute(query)
    ]
