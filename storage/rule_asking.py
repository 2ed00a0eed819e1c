"""Asks the routing rules in force, within the transaction that they are about."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, RowMapping, select

from acd.rule_actions import Routing
from acd.rule_facts import (
    ConversationFacts,
    CustomerFacts,
    RoutingFacts,
    Trigger,
)
from acd.rules import References, RuleSet, Verdict, evaluate, references
from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import decide
from conversations.model import (
    Conversation,
    ConversationState,
    Location,
    MediaType,
    Post,
)
from storage import customers, decisions
from storage.calendars import is_closed
from storage.conversation_tables import ConversationRow, PostRow
from storage.journal import Journal
from storage.log_tables import DecisionRow
from storage.rows import location_from, policy_from
from storage.rule_records import Subject, facts_of_post, facts_of_row, record_of
from storage.rules_in_force import in_force

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
DECISIONS = DecisionRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]

ROUTING_RULES = "routing_rules"
"""By whom a conversation was ended that a rule discarded."""

LEAST_STAY_MS = 1_000
"""So long a conversation stays in a workgroup to which a ring step moved it."""

TRANSFERS = {
    MediaType.SOCIAL_CONVERSATION: Trigger.TRANSFER_CONVERSATION,
    MediaType.SOCIAL_DIRECT_MESSAGE: Trigger.TRANSFER_DIRECT_MESSAGE,
}


@dataclass(frozen=True, slots=True)
class Said:
    """What the rules of a trigger said together, and the records that tell it."""

    routing: Routing
    fired: tuple[str, ...] = ()
    records: tuple[tuple[str, dict[str, object]], ...] = ()


@dataclass(slots=True)
class Arrivals:
    """Asks the rules for the conversations that one page opens; `write` keeps what they said."""

    journal: Journal
    _rule_sets: tuple[RuleSet, ...] = field(init=False)
    _records: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rule_sets = in_force(self.journal.connection, Trigger.ARRIVAL)

    def route(self, opening: c.Opening, post: Post) -> tuple[c.Opening, str | None]:
        """Return how the conversation is to be opened, and why it is discarded, if it is."""
        if not self._rule_sets:
            return opening, None
        facts = facts_of_opening(self.journal, self._rule_sets, opening, post)
        before = Routing(
            opening.workgroup_id,
            opening.priority,
            opening.required_skills,
            opening.preferred_skills,
            opening.preferred_agent_id,
            opening.tags,
        )
        subject = Subject(opening.conversation_id, opening.post_ids[0])
        said = ask(self._rule_sets, facts, before, subject)
        self._records += said.records
        return _opening_as(opening, said.routing), said.routing.discard_reason

    def write(self) -> None:
        """Write the records; the conversations' rows have to be there."""
        decisions.record_rules(self.journal.connection, self._records, self.journal.now)


def _opening_as(opening: c.Opening, routing: Routing) -> c.Opening:
    return replace(
        opening,
        workgroup_id=routing.workgroup_id,
        priority=routing.priority,
        required_skills=routing.required_skills,
        preferred_skills=routing.preferred_skills,
        preferred_agent_id=routing.preferred_agent_id,
        tags=routing.tags,
    )


def ask(
    rule_sets: Sequence[RuleSet], facts: RoutingFacts, routing: Routing, subject: Subject
) -> Said:
    """Ask several sets in their order, each about the same facts."""
    fired: list[str] = []
    records: list[tuple[str, dict[str, object]]] = []
    for rule_set in rule_sets:
        verdict: Verdict = evaluate(rule_set, facts, routing)
        record = record_of(verdict, facts, routing, subject)
        records.append((subject.conversation_id, record))
        fired += verdict.fired
        routing = verdict.routing
        if routing.discard_reason is not None:
            break
    return Said(routing, tuple(fired), tuple(records))


def after_transfer(journal: Journal, conversation: Conversation) -> Conversation:
    """Ask the rules for transfers; a conversation and a direct message have their own."""
    return route_anew(journal, conversation, TRANSFERS[conversation.media_type], "commanded")


def after_ring(journal: Journal, conversation: Conversation) -> Conversation:
    """Ask the rules for ring steps."""
    return route_anew(journal, conversation, Trigger.RING_STEP, "nudged")


def _was_just_moved(journal: Journal, conversation: Conversation) -> bool:
    """Whether a ring step moved it a moment ago: two workgroups could pass it on for ever."""
    recent = select(DECISIONS.c.record).where(
        DECISIONS.c.conversation_id == conversation.id,
        DECISIONS.c.at > journal.now - LEAST_STAY_MS,
    )
    return any(
        record.get("trigger") == Trigger.RING_STEP
        and "limited" not in record
        and record["before"]["workgroup_id"] != record["after"]["workgroup_id"]
        for record in journal.connection.execute(recent).scalars()
    )


def route_anew(
    journal: Journal, conversation: Conversation, trigger: Trigger, bell_event: str
) -> Conversation:
    """Ask the trigger's rules about a locked conversation and carry out what they say."""
    rule_sets = in_force(journal.connection, trigger)
    if not rule_sets:
        return conversation
    before = routing_of(conversation)
    facts, subject = facts_of(journal, rule_sets, conversation)
    said = ask(rule_sets, facts, before, subject)
    if conversation.state is ConversationState.ALERTING:
        kept = replace(before, priority=said.routing.priority, tags=said.routing.tags)
        said = _limited(said, kept, "an agent was named: only priority and tags change")
    is_moved = said.routing.workgroup_id != before.workgroup_id
    if trigger is Trigger.RING_STEP and is_moved and _was_just_moved(journal, conversation):
        kept = replace(said.routing, workgroup_id=before.workgroup_id)
        said = _limited(said, kept, "a ring step moved it just now: it is not moved on")
    decisions.record_rules(journal.connection, said.records, journal.now)
    command = _command(said, before)
    if command is None:
        return conversation
    policy = policy_from(journal.workgroup(said.routing.workgroup_id))
    decision = decide(conversation, command, c.Facts(policy, entered_policy=policy), journal.now)
    if isinstance(decision, ConversationError):
        raise decision
    return journal.record(conversation, decision, bell_event)


def _limited(said: Said, kept: Routing, why: str) -> Said:
    """Carry out less than the rules said, and let the records tell why."""
    records = tuple((row_id, {**record, "limited": why}) for row_id, record in said.records)
    return Said(kept, said.fired, records)


def _command(said: Said, before: Routing) -> c.Command | None:
    after = said.routing
    if after.discard_reason is not None:
        return c.Discard(c.SYSTEM, after.discard_reason, cause=ROUTING_RULES)
    if after == before:
        return None
    return c.Reroute(
        workgroup_id=after.workgroup_id,
        priority=after.priority,
        required_skills=after.required_skills,
        preferred_skills=after.preferred_skills,
        preferred_agent_id=after.preferred_agent_id,
        tags=after.tags,
        rules=said.fired,
    )


def routing_of(conversation: Conversation) -> Routing:
    """Return how the conversation is routed now."""
    return Routing(
        conversation.workgroup_id,
        conversation.priority,
        conversation.required_skills,
        conversation.preferred_skills,
        conversation.preferred_agent_id,
        conversation.tags,
    )


def location_of(post: Post) -> Location | None:
    """Return where a post is from: its own location, else the place that its author names."""
    if post.location is not None:
        return post.location
    return Location(place=post.author.location) if post.author.location else None


def facts_of_opening(
    journal: Journal, rule_sets: Sequence[RuleSet], opening: c.Opening, post: Post
) -> RoutingFacts:
    named = _named(rule_sets)
    return RoutingFacts(
        now=journal.now,
        media_type=opening.visibility.media_type,
        network=opening.network,
        account_id=opening.account_id,
        channel_id=opening.channel_id,
        conversation=ConversationFacts(
            priority=opening.priority,
            workgroup_id=opening.workgroup_id,
            is_continued=opening.continues is not None,
            tags=frozenset(opening.tags),
            post_count=len(opening.post_ids),
        ),
        post=facts_of_post(post),
        customer=_customer(journal.connection, named, opening.customer_id, opening.conversation_id),
        location=opening.location or location_of(post),
        is_open=_hours(journal, named),
        places=_places(journal, named),
    )


def facts_of(
    journal: Journal, rule_sets: Sequence[RuleSet], conversation: Conversation
) -> tuple[RoutingFacts, Subject]:
    """Return what the rules may look at in a conversation that is there already."""
    named = _named(rule_sets)
    post = _newest_post(journal.connection, conversation.id)
    facts = RoutingFacts(
        now=journal.now,
        media_type=conversation.media_type,
        network=conversation.network,
        account_id=conversation.account_id,
        channel_id=conversation.channel_id,
        conversation=ConversationFacts(
            priority=conversation.priority,
            workgroup_id=conversation.workgroup_id,
            is_continued=conversation.continues is not None,
            tags=frozenset(conversation.tags),
            waited_s=max(journal.now - conversation.queued_at, 0) / 1000,
            ring=conversation.ring,
            post_count=conversation.post_count,
        ),
        post=None if post is None else facts_of_row(post),
        customer=_customer(journal.connection, named, conversation.customer_id, conversation.id),
        location=conversation.location,
        is_open=_hours(journal, named),
        places=_places(journal, named),
    )
    return facts, Subject(conversation.id, None if post is None else post["id"])


def _named(rule_sets: Sequence[RuleSet]) -> References:
    return references(tuple(rule for rule_set in rule_sets for rule in rule_set.rules))


def _hours(journal: Journal, named: References) -> dict[str, bool]:
    return {
        workgroup_id: not is_closed(journal.workgroup(workgroup_id), journal.now)
        for workgroup_id in sorted(named.hours_of)
    }


def _places(journal: Journal, named: References) -> dict[str, Location]:
    places = {
        workgroup_id: location_from(journal.workgroup(workgroup_id)["location"])
        for workgroup_id in sorted(named.places_of)
    }
    return {workgroup_id: place for workgroup_id, place in places.items() if place is not None}


def _customer(
    connection: Connection, named: References, customer_id: str, conversation_id: str
) -> CustomerFacts:
    if not named.needs_customer:
        return CustomerFacts()
    earlier = select(CONVERSATIONS.c.id).where(
        CONVERSATIONS.c.customer_id == customer_id, CONVERSATIONS.c.id != conversation_id
    )
    row = customers.get(connection, customer_id)
    return CustomerFacts(
        is_known=connection.execute(earlier.limit(1)).first() is not None,
        own_agent_id=row["own_agent_id"] if row else None,
        tags=frozenset(row["tags"] if row else ()),
    )


def _newest_post(connection: Connection, conversation_id: str) -> RowMapping | None:
    query = (
        select(POSTS)
        .where(POSTS.c.conversation_id == conversation_id)
        .order_by(POSTS.c.created_at.desc(), POSTS.c.external_id.desc())
        .limit(1)
    )
    return connection.execute(query).mappings().one_or_none()
