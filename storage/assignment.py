"""The match as a transaction of its own: waiting conversations and agents with room, claimed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, select, text

from acd.eligibility import standing
from acd.matching import Explanation, Match, Shortlists, everyone, match, with_one_more
from acd.model import RoutingPolicy
from acd.rings import widest_reach
from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import decide
from conversations.model import Conversation, ConversationState, Instant, holders
from storage import clock, decisions, rule_asking
from storage.candidates import (
    agents_with_room,
    agents_without_room,
    load_counts,
    locked_agents,
)
from storage.conversation_tables import ConversationRow
from storage.conversations import lock, reach_of
from storage.ids import new_id
from storage.journal import Aftermath, Journal
from storage.rows import conversation_from, policy_from, routing_policy_from
from storage.setup_tables import WorkgroupRow

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

BATCH = 50
"""So many pairs at most are claimed in one transaction; more would hold agents' rows too long."""

EXPLAINED_FAILURES = 5
"""So many conversations that found nobody are explained per match; those behind them fare alike."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a match came to; `goes_on` when another one may find more."""

    claimed: int
    goes_on: bool
    aftermath: Aftermath


def ask(connection: Connection, workgroup_id: str) -> Asked:
    """Pair a workgroup's waiting conversations with its agents until a batch is full.

    Rows are read without locks, then the chosen ones are locked, skipping those that others
    hold: whoever holds one asks after its own commit. The advisory lock lets one match at a time
    run in a workgroup.
    """
    _take_turn(connection, workgroup_id)
    row = connection.execute(select(WORKGROUPS).where(WORKGROUPS.c.id == workgroup_id))
    workgroup = row.mappings().one_or_none()
    if workgroup is None or not (waiting := _requirements_waiting(connection, workgroup_id)):
        return Asked(0, goes_on=False, aftermath=Aftermath())
    policy = routing_policy_from(workgroup)
    now = clock.now(connection)
    queue = _queue(connection, workgroup_id, waiting)
    shortlist = _shortlist(connection, queue, policy, now)
    matches, failures = match(queue, shortlist, policy, now, BATCH)
    journal = Journal(connection, now)
    claimed = _claim(journal, matches, policy, workgroup)
    opened = _open_rings_at_once(journal, failures, policy, workgroup)
    decisions.record_failures(connection, failures[:EXPLAINED_FAILURES])
    journal.flush()
    goes_on = opened > 0 or (claimed > 0 and len(matches) + len(failures) >= BATCH)
    return Asked(claimed, goes_on, _aftermath(journal, workgroup_id, claimed))


def _shortlist(
    connection: Connection, queue: Sequence[Conversation], policy: RoutingPolicy, now: Instant
) -> Shortlists:
    workgroup_ids = widest_reach(queue, policy)
    preferred = {i for waits in queue if waits.preferred_until and (i := waits.preferred_agent_id)}
    agents = agents_with_room(connection, workgroup_ids, preferred, now)
    if any(level.max_count is not None for level in policy.utilization.values()):
        counts = load_counts(connection, agents)
        agents = [replace(agent, load_count=counts[agent.id]) for agent in agents]
    others = agents_without_room(connection, workgroup_ids, preferred)
    return everyone(agents, others)


def _open_rings_at_once(
    journal: Journal, failures: Sequence[Explanation], policy: RoutingPolicy, workgroup: RowMapping
) -> int:
    """Open the next ring of those in whose circle nobody is who could ever take them."""
    if not any(ring.at_once_if_nobody for ring in policy.rings):
        return 0
    waiting = lock(
        journal.connection,
        {why.conversation_id for why in failures if may_open_at_once(why, policy)},
        skip_locked=True,
    )
    opened = 0
    for conversation in waiting.values():
        facts = c.Facts(policy_from(workgroup), reach=reach_of(journal, conversation))
        decision = decide(conversation, c.OpenRing(), facts, journal.now)
        if isinstance(decision, ConversationError) or not decision.events:
            continue
        rule_asking.after_ring(journal, journal.record(conversation, decision, "nudged"))
        opened += 1
    return opened


def may_open_at_once(why: Explanation, policy: RoutingPolicy) -> bool:
    """Whether the failed match leaves a ring to open that does not wait for its time."""
    has_next = why.ring < len(policy.rings)
    return has_next and why.waits_for_agent_id is None and policy.rings[why.ring].at_once_if_nobody


def _aftermath(journal: Journal, workgroup_id: str, claimed: int) -> Aftermath:
    """Ask the agents' other workgroups, but not this one again when all its pairs were held."""
    aftermath = journal.aftermath()
    if claimed:
        return aftermath
    return replace(aftermath, asks=aftermath.asks - {workgroup_id})


def _take_turn(connection: Connection, workgroup_id: str) -> None:
    if connection.dialect.name == "postgresql":
        turn = text("SELECT pg_advisory_xact_lock(hashtextextended(:workgroup_id, 0))")
        connection.execute(turn, {"workgroup_id": workgroup_id})


def _requirements_waiting(connection: Connection, workgroup_id: str) -> list[str]:
    """Return the distinct requirements that wait, stepping through the index."""
    is_waiting = and_(
        CONVERSATIONS.c.workgroup_id == workgroup_id,
        CONVERSATIONS.c.state == ConversationState.QUEUED.value,
    )
    found: list[str] = []
    step = select(func.min(CONVERSATIONS.c.requirements)).where(is_waiting)
    requirement = connection.execute(step).scalar_one()
    while requirement is not None:
        found.append(requirement)
        further = step.where(CONVERSATIONS.c.requirements > requirement)
        requirement = connection.execute(further).scalar_one()
    return found


def _queue(
    connection: Connection, workgroup_id: str, requirements: Sequence[str]
) -> list[Conversation]:
    """Return the first of the queue for each requirement, so that none blocks the others."""
    rows: list[Any] = []
    for requirement in requirements:
        query = (
            select(CONVERSATIONS)
            .where(
                CONVERSATIONS.c.workgroup_id == workgroup_id,
                CONVERSATIONS.c.state == ConversationState.QUEUED.value,
                CONVERSATIONS.c.requirements == requirement,
            )
            .order_by(CONVERSATIONS.c.queue_rank, CONVERSATIONS.c.id)
            .limit(BATCH)
        )
        rows += connection.execute(query).mappings().all()
    rows.sort(key=lambda row: (row["queue_rank"], row["id"]))
    return [conversation_from(row) for row in rows]


def _claim(
    journal: Journal, matches: Sequence[Match], policy: RoutingPolicy, workgroup: RowMapping
) -> int:
    if not matches:
        return 0
    connection = journal.connection
    conversations = lock(connection, {m.conversation.id for m in matches}, skip_locked=True)
    wanted = {offered.agent.id for m in matches for offered in m.offered}
    agents = locked_agents(connection, wanted, journal.now, skip_locked=True)
    journal.agents_are_locked(agents)
    offers: list[tuple[str, str, Explanation]] = []
    for pair in matches:
        conversation = conversations.get(pair.conversation.id)
        if conversation is None or conversation.workgroup_id != policy.workgroup_id:
            continue
        standings = [
            stands
            for agent_id in (each.agent.id for each in pair.offered)
            if agent_id in agents
            for stands in [standing(conversation, agents[agent_id], policy, journal.now)]
            if stands.is_eligible
        ]
        if not standings or standings[0].agent_id != pair.offered[0].agent.id:
            continue
        offer_ids, decision_id = tuple(new_id("of") for _ in standings), new_id("de")
        facts = c.Facts(policy_from(workgroup), standings[0], tuple(standings[1:]))
        decision = decide(conversation, c.MakeOffer(offer_ids, decision_id), facts, journal.now)
        if isinstance(decision, ConversationError):
            continue
        for holder in holders(journal.record(conversation, decision, "offered")):
            agents[holder.agent_id] = with_one_more(
                agents[holder.agent_id], conversation, holder.weight_percent, journal.now
            )
        offers.append((decision_id, offer_ids[0], pair.explanation))
    decisions.record_offers(connection, offers)
    return len(offers)
