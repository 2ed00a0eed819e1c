"""Who is there: heartbeats, and what becomes of agents who went without a word."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import decide
from conversations.model import ConversationState, Instant, RoutingStatus
from storage import clock, workgroups
from storage.candidates import locked_agents
from storage.conversation_tables import ConversationRow
from storage.conversations import lock
from storage.database import ConcurrentChange
from storage.journal import Aftermath, Journal
from storage.rows import PRESENCE_LEASE_MS, policy_from
from storage.setup_tables import AgentRow, PresenceRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
PRESENCES = PresenceRow.__table__  # type: ignore[attr-defined]

ABSENT_BATCH = 50
KEPT_STATES = (
    ConversationState.CONNECTED.value,
    ConversationState.HELD.value,
    ConversationState.WRAPUP.value,
)
"""What an agent keeps while he is away for less than the grace."""


def note_presence(connection: Connection, agent_id: str, now: Instant) -> None:
    """Remember that the agent was heard of."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(PRESENCES).values(agent_id=agent_id, seen_at=now)
    seen = first.on_conflict_do_update(index_elements=["agent_id"], set_={"seen_at": now})
    connection.execute(seen)


def heartbeat(connection: Connection, agent_id: str) -> Aftermath:
    """Renew the agent's presence lease; touches nothing that a match looks at.

    Whoever was passed over as absent, and was not signed off yet, is asked for again.
    """
    now = clock.now(connection)
    is_back = select(AGENTS.c.id).outerjoin(PRESENCES, PRESENCES.c.agent_id == AGENTS.c.id)
    is_back = is_back.where(
        AGENTS.c.id == agent_id,
        AGENTS.c.presence_lease,
        AGENTS.c.routing_status == RoutingStatus.ON_QUEUE.value,
        _unseen_since(now - PRESENCE_LEASE_MS),
    )
    was_absent = connection.execute(is_back).first() is not None
    note_presence(connection, agent_id, now)
    if not was_absent:
        return Aftermath()
    theirs = workgroups.of_agents(connection, [agent_id])[agent_id]
    return Aftermath(asks=workgroups.served_by(connection, theirs))


def _unseen_since(moment: Instant) -> ColumnElement[bool]:
    """Whether nothing was heard; whoever was never heard of counts from his status on."""
    unseen: ColumnElement[bool] = func.coalesce(PRESENCES.c.seen_at, AGENTS.c.since) < moment
    return unseen


def absent_agents(connection: Connection) -> list[str]:
    """Return logged-in agents whose lease has run out or who were disabled, to be signed off."""
    now = clock.now(connection)
    is_absent = AGENTS.c.presence_lease & (
        PRESENCES.c.seen_at.is_(None) | (PRESENCES.c.seen_at < now - PRESENCE_LEASE_MS)
    )
    query = (
        select(AGENTS.c.id)
        .outerjoin(PRESENCES, PRESENCES.c.agent_id == AGENTS.c.id)
        .where(
            AGENTS.c.routing_status != RoutingStatus.OFF_QUEUE.value,
            is_absent | AGENTS.c.enabled.is_(False),
        )
        .limit(ABSENT_BATCH)
    )
    return list(connection.execute(query).scalars())


def lost_agents(
    connection: Connection, grace_ms: int, among: Collection[str] | None = None
) -> list[str]:
    """Return agents who are away for longer than lease and grace and still have conversations.

    One who can no longer log in is away, too, also without a lease.
    """
    gone_since = clock.now(connection) - PRESENCE_LEASE_MS - grace_ms
    has_some = select(CONVERSATIONS.c.holder_agent_id).where(
        CONVERSATIONS.c.state.in_(KEPT_STATES), CONVERSATIONS.c.holder_agent_id.is_not(None)
    )
    query = (
        select(AGENTS.c.id)
        .outerjoin(PRESENCES, PRESENCES.c.agent_id == AGENTS.c.id)
        .where(
            AGENTS.c.presence_lease | AGENTS.c.enabled.is_(False),
            AGENTS.c.utilization + AGENTS.c.override_percent > 0,
            _unseen_since(gone_since),
            AGENTS.c.id.in_(has_some),
        )
    )
    if among is not None:
        query = query.where(AGENTS.c.id.in_(sorted(among)))
    return list(connection.execute(query.limit(ABSENT_BATCH)).scalars())


def lose_agent(connection: Connection, agent_id: str, grace_ms: int) -> Aftermath:
    """Give what a lost agent has to others; one who was heard of in between keeps everything.

    Raises:
        ConcurrentChange: he got or lost a conversation in between; the transaction is run again.
    """
    ids = _kept_by(connection, agent_id)
    kept = lock(connection, ids)
    journal = Journal(connection, clock.now(connection))
    journal.agents_are_locked(locked_agents(connection, [agent_id], journal.now))
    if _kept_by(connection, agent_id) != ids:
        raise ConcurrentChange(agent_id)
    if not lost_agents(connection, grace_ms, [agent_id]):
        return journal.aftermath()
    for conversation in kept.values():
        facts = c.Facts(policy_from(journal.workgroup(conversation.workgroup_id)))
        decision = decide(conversation, c.LoseAgent(agent_id), facts, journal.now)
        if not isinstance(decision, ConversationError):
            journal.record(conversation, decision, "nudged")
    journal.flush()
    return journal.aftermath()


def _kept_by(connection: Connection, agent_id: str) -> list[str]:
    query = select(CONVERSATIONS.c.id).where(
        CONVERSATIONS.c.holder_agent_id == agent_id, CONVERSATIONS.c.state.in_(KEPT_STATES)
    )
    return sorted(connection.execute(query).scalars())


def agents_to_sign_off(connection: Connection) -> list[str]:
    """Return agents whose scheduled sign-off has come."""
    takes_part = (RoutingStatus.ON_QUEUE.value, RoutingStatus.NOT_RESPONDING.value)
    query = select(AGENTS.c.id).where(
        AGENTS.c.routing_status.in_(takes_part), AGENTS.c.sign_off_at <= clock.now(connection)
    )
    return list(connection.execute(query.limit(ABSENT_BATCH)).scalars())
