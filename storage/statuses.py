"""An agent's routing status: log-in, log-off, and what changes with them."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, select, union, update

from acd.model import Agent
from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import decide
from conversations.model import Conversation, ConversationState, Instant, RoutingStatus
from storage import clock, licences, stations
from storage.agent_changes import note_agents
from storage.candidates import locked_agents
from storage.conversation_tables import ConversationRow, FurtherOfferRow
from storage.conversations import lock
from storage.database import ConcurrentChange
from storage.events import Happening
from storage.journal import Aftermath, Journal
from storage.presence import ABSENT_BATCH, note_presence
from storage.rows import policy_from
from storage.setup_tables import AgentRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
FURTHER_OFFERS = FurtherOfferRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]

PRESENCE_LOST = "presence lost"
SIGNED_OFF = "signed off as scheduled"


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
    station_id: str | None = None,
    is_sign_of_life: bool = True,
) -> StatusOutcome:
    """Set an agent's routing status; off the queue he loses his open offers in the same commit.

    Coming on queue is the log-in: it takes the station and, where licences are concurrent, one of
    them. Setting the status counts as a heartbeat, unless somebody else does it. Setting the
    status that he has changes nothing but is asked about again, so that a repeated log-in can
    never leave anybody waiting.

    Raises:
        UnknownReference: there is no such station.
        StationInUse: another agent is logged in there.
        NoLicenceFree: he needs a licence and none is free.
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
    if not leaves:
        _log_in(journal, agent_id, station_id)
    journal.flush()
    if not leaves and agents[agent_id].routing_status is status:
        note_agents(connection, [agent_id], journal.now)
    aftermath = journal.aftermath()
    return StatusOutcome(is_known=True, aftermath=Aftermath(aftermath.bells, aftermath.asks))


def _log_in(journal: Journal, agent_id: str, station_id: str | None) -> None:
    """Take what a log-in needs; an earlier sign-off schedule that has passed is over."""
    mine = update(AGENTS).where(AGENTS.c.id == agent_id)
    if station_id is not None:
        stations.require_free(journal.connection, station_id, agent_id)
        journal.connection.execute(mine.values(station_id=station_id))
    licences.settle(journal.connection, agent_id, refuses=True)
    passed = mine.where(AGENTS.c.sign_off_at <= journal.now)
    journal.connection.execute(passed.values(sign_off_at=None))


def schedule_sign_off(
    connection: Connection, agent_id: str, sign_off_at: Instant | None
) -> StatusOutcome:
    """Set when the agent takes nothing new any more, or take that back."""
    journal, _, agents = _locked_with_offers(connection, agent_id, leaves=False)
    if agent_id not in agents:
        return StatusOutcome(is_known=False)
    mine = update(AGENTS).where(AGENTS.c.id == agent_id)
    connection.execute(mine.values(sign_off_at=sign_off_at))
    agent = agents[agent_id]
    detail = {"routing_status": agent.routing_status.value, "sign_off_at": sign_off_at}
    journal.tell(Happening("agent.status_changed", None, agent_id, None, detail))
    journal.flush()
    note_agents(connection, [agent_id], journal.now)
    return StatusOutcome(is_known=True, aftermath=journal.aftermath())


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
