"""An agent's routing status and presence, and what changes with them."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, select, union
from sqlalchemy.dialects import postgresql, sqlite

from acd.model import Agent
from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import decide
from conversations.model import Conversation, ConversationState, Instant, RoutingStatus
from storage import clock
from storage.candidates import locked_agents
from storage.conversation_tables import ConversationRow, FurtherOfferRow
from storage.conversations import lock
from storage.database import ConcurrentChange
from storage.journal import Aftermath, Journal
from storage.rows import PRESENCE_LEASE_MS, policy_from
from storage.setup_tables import AgentRow, PresenceRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
FURTHER_OFFERS = FurtherOfferRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
PRESENCES = PresenceRow.__table__  # type: ignore[attr-defined]

PRESENCE_LOST = "presence lost"
ABSENT_BATCH = 50


@dataclass(frozen=True, slots=True)
class StatusOutcome:
    """Whether there is such an agent, and what follows the change."""

    is_known: bool
    aftermath: Aftermath = field(default_factory=Aftermath)


def set_status(
    connection: Connection,
    agent_id: str,
    status: RoutingStatus,
    reason: str | None,
    *,
    is_sign_of_life: bool = True,
) -> StatusOutcome:
    """Set an agent's routing status; off the queue he loses his open offers in the same commit.

    Setting it counts as a heartbeat, unless the sweep signs an absent agent off. Setting the
    status that he has changes nothing but is asked about again, so that a repeated log-in can
    never leave anybody waiting.
    """
    leaves = status is not RoutingStatus.ON_QUEUE
    journal, offered, agents = _locked_with_offers(connection, agent_id, leaves=leaves)
    if agent_id not in agents:
        return StatusOutcome(is_known=False)
    if is_sign_of_life:
        note_presence(connection, agent_id, journal.now)
    if agents[agent_id].routing_status is not status:
        journal.set_status(agent_id, status, reason)
    _rescind(journal, offered, agent_id)
    journal.flush()
    aftermath = journal.aftermath()
    return StatusOutcome(is_known=True, aftermath=Aftermath(aftermath.bells, aftermath.asks))


def take_offers_back(connection: Connection, agent_id: str) -> Aftermath:
    """Rescind the offers of an agent who is off the queue; their age is kept."""
    journal, offered, agents = _locked_with_offers(connection, agent_id, leaves=True)
    agent = agents.get(agent_id)
    if agent is None or agent.routing_status is RoutingStatus.ON_QUEUE:
        return journal.aftermath()
    _rescind(journal, offered, agent_id)
    journal.flush()
    return journal.aftermath()


def _locked_with_offers(
    connection: Connection, agent_id: str, *, leaves: bool
) -> tuple[Journal, dict[str, Conversation], dict[str, Agent]]:
    """Lock the conversations that alert the agent, then the agent, in the common lock order.

    Only one who leaves the queue has offers to lose.

    Raises:
        ConcurrentChange: an offer was made in between; the transaction is run again.
    """
    ids = _offered_to(connection, agent_id) if leaves else []
    offered = lock(connection, ids)
    now = clock.now(connection)
    journal = Journal(connection, now)
    agents = locked_agents(connection, [agent_id], now)
    journal.agents_are_locked(agents)
    if leaves and _offered_to(connection, agent_id) != ids:
        raise ConcurrentChange(agent_id)
    return journal, offered, agents


def _offered_to(connection: Connection, agent_id: str) -> list[str]:
    firsts = select(CONVERSATIONS.c.id).where(
        CONVERSATIONS.c.holder_agent_id == agent_id, CONVERSATIONS.c.state == "alerting"
    )
    further = select(FURTHER_OFFERS.c.conversation_id).where(FURTHER_OFFERS.c.agent_id == agent_id)
    return sorted(connection.execute(union(firsts, further)).scalars())


def _rescind(journal: Journal, offered: dict[str, Conversation], agent_id: str) -> None:
    for conversation in offered.values():
        facts = c.Facts(policy_from(journal.workgroup(conversation.workgroup_id)))
        decision = decide(conversation, c.RescindOffer(agent_id), facts, journal.now)
        if not isinstance(decision, ConversationError):
            journal.record(conversation, decision, "nudged")


def note_presence(connection: Connection, agent_id: str, now: Instant) -> None:
    """Remember that the agent was heard of."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(PRESENCES).values(agent_id=agent_id, seen_at=now)
    seen = first.on_conflict_do_update(index_elements=["agent_id"], set_={"seen_at": now})
    connection.execute(seen)


def heartbeat(connection: Connection, agent_id: str) -> None:
    """Renew the agent's presence lease; touches nothing that a match looks at."""
    note_presence(connection, agent_id, clock.now(connection))


def agents_with_lost_offers(connection: Connection) -> list[str]:
    """Return agents off the queue who are still offered something: a process died in between."""
    alerted = select(CONVERSATIONS.c.holder_agent_id).where(
        CONVERSATIONS.c.state == ConversationState.ALERTING.value
    )
    alerted_too = select(FURTHER_OFFERS.c.agent_id)
    query = select(AGENTS.c.id).where(
        AGENTS.c.id.in_(alerted) | AGENTS.c.id.in_(alerted_too),
        AGENTS.c.routing_status != RoutingStatus.ON_QUEUE.value,
    )
    return list(connection.execute(query.limit(ABSENT_BATCH)).scalars())


def absent_agents(connection: Connection) -> list[str]:
    """Return agents on queue whose presence lease has run out, for the sweep to sign off."""
    now = clock.now(connection)
    query = (
        select(AGENTS.c.id)
        .outerjoin(PRESENCES, PRESENCES.c.agent_id == AGENTS.c.id)
        .where(
            AGENTS.c.presence_lease,
            AGENTS.c.routing_status == RoutingStatus.ON_QUEUE.value,
            PRESENCES.c.seen_at.is_(None) | (PRESENCES.c.seen_at < now - PRESENCE_LEASE_MS),
        )
        .limit(ABSENT_BATCH)
    )
    return list(connection.execute(query).scalars())
