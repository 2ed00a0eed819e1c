"""The match as a transaction of its own: waiting conversations and agents with room, claimed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, RowMapping, select, text

from acd.eligibility import standing
from acd.matching import Explanation, Match, in_turn, with_one_more
from acd.model import Agent, RoutingPolicy
from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import decide
from conversations.model import Conversation, ConversationState, Instant, holders
from storage import clock, decisions, rule_asking
from storage.candidates import locked_agents
from storage.conversation_tables import ConversationRow
from storage.conversations import lock, reach_of
from storage.ids import new_id
from storage.journal import Aftermath, Journal
from storage.rows import CHOOSY, conversation_from, policy_from, routing_policy_from
from storage.setup_tables import WorkgroupRow
from storage.shortlists import Looks

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

BATCH = 50
"""So many pairs at most are claimed in one transaction; more would hold agents' rows too long."""

FIRST_BATCH = 8
"""So many of a queue are read at first: one agent who became free needs no more."""

EXPLAINED_FAILURES = 5
"""So many conversations that found nobody are explained per match; those behind them fare alike."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a match came to; `goes_on` when another one may find more."""

    claimed: int
    goes_on: bool
    aftermath: Aftermath


def ask(connection: Connection, workgroup_id: str, batch: int = BATCH) -> Asked:
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
    queue, is_all = _queue(connection, workgroup_id, waiting, batch)
    looks = Looks(connection, policy, now, min(len(queue), batch))
    matches, failures = _in_places(in_turn(queue, looks.shortlist, policy, now, batch))
    journal = Journal(connection, now)
    journal.workgroup_is_read(workgroup)
    failed = decisions.changed(connection, _failed(queue, failures, looks))
    match_id = _note_match(connection, policy, matches, failed, now)
    claimed, missed = _claim(journal, matches, workgroup, looks, match_id)
    opened = _open_rings_at_once(journal, [why for _, why in failures], policy, workgroup)
    decisions.record(connection, [replace(each, match_id=match_id) for each in failed])
    journal.flush()
    goes_on = opened > 0 or missed > 0 or (claimed > 0 and not is_all)
    return Asked(claimed, goes_on, _aftermath(journal, workgroup_id))


Failure = tuple[int, Explanation]
"""After how many offers of the pass a conversation found nobody, and why."""


def _in_places(decided: Iterable[Match | Explanation]) -> tuple[list[Match], list[Failure]]:
    matches: list[Match] = []
    failures: list[Failure] = []
    place = 0
    for each in decided:
        if isinstance(each, Match):
            matches.append(each)
            place += len(each.offered)
        else:
            failures.append((place, each))
    return matches, failures


def _failed(
    queue: Sequence[Conversation], failures: Sequence[Failure], looks: Looks
) -> list[decisions.Decided]:
    """Return the first of those that found nobody."""
    waiting = {conversation.id: conversation for conversation in queue}
    told = [
        (place, why, waiting[why.conversation_id]) for place, why in failures[:EXPLAINED_FAILURES]
    ]
    return [
        decisions.Decided(
            new_id("de"), None, why, conversation, looks.of(conversation), place=place
        )
        for place, why, conversation in told
    ]


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


def _aftermath(journal: Journal, workgroup_id: str) -> Aftermath:
    """Ask the agents' other workgroups; this one was just asked, and others waited for its turn."""
    aftermath = journal.aftermath()
    return replace(aftermath, asks=aftermath.asks - {workgroup_id})


def _take_turn(connection: Connection, workgroup_id: str) -> None:
    if connection.dialect.name == "postgresql":
        turn = text("SELECT pg_advisory_xact_lock(hashtextextended(:workgroup_id, 0))")
        connection.execute(turn, {"workgroup_id": workgroup_id})


def _requirements_waiting(connection: Connection, workgroup_id: str) -> list[str]:
    """Return the distinct requirements that wait, stepping through the index.

    The first in order and not `min()`: before PostgreSQL has counted a table that grew fast, it
    reads the whole queue for a minimum.
    """
    step = (
        select(CONVERSATIONS.c.requirements)
        .where(
            CONVERSATIONS.c.workgroup_id == workgroup_id,
            CONVERSATIONS.c.state == ConversationState.QUEUED.value,
        )
        .order_by(CONVERSATIONS.c.requirements)
        .limit(1)
    )
    found: list[str] = []
    requirement = connection.execute(step).scalar_one_or_none()
    while requirement is not None:
        found.append(requirement)
        further = step.where(CONVERSATIONS.c.requirements > requirement)
        requirement = connection.execute(further).scalar_one_or_none()
    return found


def _queue(
    connection: Connection, workgroup_id: str, requirements: Sequence[str], batch: int
) -> tuple[list[Conversation], bool]:
    """Return the first of the queue for each requirement, so that none blocks the others.

    Says too whether that was all. Where the first of a requirement waits for somebody or passes
    somebody over, those behind it may fare better: there a whole batch is read.
    """
    rows: list[RowMapping] = []
    is_all = True
    for requirement in requirements:
        limit = BATCH if CHOOSY in requirement.split() else batch
        query = (
            select(CONVERSATIONS)
            .where(
                CONVERSATIONS.c.workgroup_id == workgroup_id,
                CONVERSATIONS.c.state == ConversationState.QUEUED.value,
                CONVERSATIONS.c.requirements == requirement,
            )
            .order_by(CONVERSATIONS.c.queue_rank, CONVERSATIONS.c.id)
            .limit(limit)
        )
        found = connection.execute(query).mappings().all()
        is_all = is_all and len(found) < limit
        rows += found
    rows.sort(key=lambda row: (row["queue_rank"], row["id"]))
    return [conversation_from(row) for row in rows], is_all


def _note_match(
    connection: Connection,
    policy: RoutingPolicy,
    matches: Sequence[Match],
    failed: Sequence[decisions.Decided],
    now: Instant,
) -> str | None:
    """Write down what the pass gives away, if any choice was made after something was taken."""
    if len(matches) < 2 and not any(each.place for each in failed):  # noqa: PLR2004 - the first
        return None
    match_id = new_id("ma")
    taken = [
        (offered.agent.id, pair.conversation.media_type.value, offered.weight_percent)
        for pair in matches
        for offered in pair.offered
    ]
    decisions.record_match(connection, match_id, policy.workgroup_id, taken, now)
    return match_id


@dataclass(slots=True)
class _Claims:
    """Turns matches into offers, as far as their rows could be locked and have not changed."""

    journal: Journal
    workgroup: RowMapping
    looks: Looks
    match_id: str | None
    conversations: dict[str, Conversation]
    agents: dict[str, Agent]
    decided: list[decisions.Decided] = field(default_factory=list)
    missed: int = 0
    """Pairs whose rows had changed since they were read: nobody else asks for those."""

    def claim(self, pair: Match, place: int) -> None:
        conversation = self.conversations.get(pair.conversation.id)
        chosen_id = pair.offered[0].agent.id
        if conversation is None or chosen_id not in self.agents:
            return
        standings = self._standings(pair, conversation)
        is_as_read = conversation.workgroup_id == self.workgroup["id"]
        if not is_as_read or not standings or standings[0].agent_id != chosen_id:
            self.missed += 1
            return
        offer_ids, decision_id = tuple(new_id("of") for _ in standings), new_id("de")
        facts = c.Facts(policy_from(self.workgroup), standings[0], tuple(standings[1:]))
        offer = c.MakeOffer(offer_ids, decision_id)
        decision = decide(conversation, offer, facts, self.journal.now)
        if isinstance(decision, ConversationError):
            self.missed += 1
            return
        for holder in holders(self.journal.record(conversation, decision, "offered")):
            self.agents[holder.agent_id] = with_one_more(
                self.agents[holder.agent_id],
                conversation.media_type,
                holder.weight_percent,
                self.journal.now,
            )
        look = self.looks.of(pair.conversation)
        self.decided.append(
            decisions.Decided(
                decision_id,
                offer_ids[0],
                pair.explanation,
                pair.conversation,
                look,
                self.match_id,
                place,
            )
        )

    def _standings(self, pair: Match, conversation: Conversation) -> list[c.Standing]:
        """Return how those who are to be offered it stand by now; only whom it still fits."""
        candidates = (self.agents.get(offered.agent.id) for offered in pair.offered)
        standings = (
            standing(conversation, agent, self.looks.policy, self.journal.now)
            for agent in candidates
            if agent is not None
        )
        return [stands for stands in standings if stands.is_eligible]


def _claim(
    journal: Journal,
    matches: Sequence[Match],
    workgroup: RowMapping,
    looks: Looks,
    match_id: str | None,
) -> tuple[int, int]:
    """Return how many pairs were claimed, and how many were not because they had changed."""
    if not matches:
        return 0, 0
    connection = journal.connection
    conversations = lock(connection, {m.conversation.id for m in matches}, skip_locked=True)
    wanted = {offered.agent.id for m in matches for offered in m.offered}
    agents = locked_agents(connection, wanted, journal.now, skip_locked=True)
    journal.agents_are_locked(agents)
    claims = _Claims(journal, workgroup, looks, match_id, conversations, dict(agents))
    place = 0
    for pair in matches:
        claims.claim(pair, place)
        place += len(pair.offered)
    decisions.record(connection, claims.decided)
    return len(claims.decided), claims.missed
