"""A small contact centre made of the pure rules only: what storage does with them, without SQL.

The ledger of loads is kept from the events, so that it can contradict `holders`.
"""

from dataclasses import dataclass, field, replace

from acd.eligibility import Reason, reach, reasons_against, standing
from acd.matching import Explanation, everyone, match
from acd.model import Agent, RoutingPolicy, Utilization
from acd.priority import queue_rank
from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import Decision, alarm_at, decide, due, open_conversation
from conversations.model import (
    Conversation,
    ConversationState,
    Event,
    Holder,
    Instant,
    MediaType,
    OfferTimeoutAction,
    RoutingStatus,
    Visibility,
    WrapUpMode,
    holders,
)

WORKGROUP = "workgroup-1"
START: Instant = 1_750_000_000_000
DUE_BOUND = 8
_S = ConversationState
CHANGES = {
    _S.QUEUED: {_S.QUEUED, _S.ALERTING, _S.CONNECTED, _S.COMPLETED, _S.DISCARDED},
    _S.ALERTING: {_S.ALERTING, _S.QUEUED, _S.CONNECTED, _S.COMPLETED, _S.DISCARDED},
    _S.CONNECTED: {*_S} - {_S.ABANDONED, _S.MERGED},
    _S.HELD: {*_S} - {_S.ABANDONED, _S.MERGED},
    _S.PARKED: {*_S} - {_S.ABANDONED, _S.MERGED, _S.WRAPUP, _S.HELD},
    _S.WRAPUP: {_S.WRAPUP, _S.COMPLETED},
    _S.COMPLETED: {_S.COMPLETED},
    _S.DISCARDED: {_S.DISCARDED},
}
"""Which state may follow which; a decision may also leave it as it is."""

RELEASING = frozenset(
    f"conversation.{name}"
    for name in (
        "parked",
        "transferred",
        "released",
        "discarded",
        "completed",
    )
)


@dataclass
class Floor:
    """Agents and conversations, changed by decisions only, each of which is checked."""

    now: Instant = START
    policy: c.Policy = field(
        default_factory=lambda: c.Policy(
            wrap_up_mode=WrapUpMode.TIMEBOXED, wrap_up_timeout_s=15, preferred_agent_wait_s=5
        )
    )
    routing: RoutingPolicy = field(
        default_factory=lambda: RoutingPolicy(
            WORKGROUP, 1, {MediaType.SOCIAL_DIRECT_MESSAGE: Utilization(60)}
        )
    )
    agents: dict[str, Agent] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    ledger: dict[str, dict[str, Holder]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    events: list[tuple[str, Event]] = field(default_factory=list)
    ids: int = 0

    def new_id(self, kind: str) -> str:
        self.ids += 1
        return f"{kind}-{self.ids}"

    def add_agent(self, utilization: dict[MediaType, Utilization]) -> str:
        agent_id = self.new_id("agent")
        self.agents[agent_id] = Agent(
            agent_id,
            RoutingStatus.ON_QUEUE,
            is_present=True,
            is_licensed=True,
            is_enabled=True,
            workgroup_ids=frozenset({WORKGROUP}),
            skills={},
            load_percent=0,
            idle_since=self.now,
            utilization=utilization,
        )
        return agent_id

    def seen(self, agent_id: str) -> Agent:
        """Return the agent with the load that the ledger says."""
        carried = [held[agent_id] for held in self.ledger.values() if agent_id in held]
        counts: dict[MediaType, int] = {}
        for holder in carried:
            counts[holder.media_type] = counts.get(holder.media_type, 0) + 1
        load = sum(holder.weight_percent for holder in carried if not holder.is_override)
        return replace(self.agents[agent_id], load_percent=load, load_count=counts)

    def open(self, key: str, visibility: Visibility, window_s: int, preferred: str | None) -> str:
        conversation_id = self.new_id("cv")
        opening = c.Opening(
            conversation_id=conversation_id,
            network="simulated",
            account_id="account-1",
            channel_id="channel-1",
            workgroup_id=WORKGROUP,
            customer_id=f"customer-{key}",
            affinity_key=key,
            affinity_window_s=window_s,
            priority=50,
            visibility=visibility,
            required_skills=(),
            post_ids=(self.new_id("post"),),
            last_post_at=self.now,
            preferred_agent_id=preferred,
        )
        decision = open_conversation(opening, self.policy, self.now)
        self.conversations[conversation_id] = decision.conversation
        return conversation_id

    def facts(self, conversation: Conversation, candidates: tuple[str, ...]) -> c.Facts:
        ignoring = frozenset({Reason.PASSED_OVER})
        standings = tuple(
            standing(conversation, self.seen(agent_id), self.routing, self.now, ignoring=ignoring)
            for agent_id in candidates
        )
        agents = [self.seen(agent_id) for agent_id in sorted(self.agents)]
        reached = reach(conversation, agents, self.routing, self.now)
        first = standings[0] if standings else None
        return c.Facts(self.policy, first, standings[1:], reached)

    def command(
        self, conversation_id: str, command: c.Command, candidate: str | None = None
    ) -> Decision | ConversationError:
        """Let happen what is due, then decide and apply, as a command's transaction does."""
        self.let_happen(conversation_id, until=self.now)
        return self.apply(conversation_id, command, candidate)

    def let_happen(self, conversation_id: str, *, until: Instant) -> None:
        happened = set()
        for _ in range(DUE_BOUND):
            falls_due = due(self.conversations[conversation_id])
            if falls_due is None or falls_due.at > until:
                return
            assert falls_due not in happened, "what has happened is due no more"
            happened.add(falls_due)
            owner = self.conversations[conversation_id].agent_id
            decision = self.apply(conversation_id, falls_due.command, owner)
            assert isinstance(decision, Decision), f"what is due is never refused: {decision}"
        raise AssertionError("things fall due without end")

    def ring(self, conversation_id: str) -> None:
        """Do what the workflow's alarm does: what is due happens, offers have their grace."""
        for _ in range(DUE_BOUND):
            conversation = self.conversations[conversation_id]
            at, falls_due = alarm_at(conversation), due(conversation)
            if at is None or at > self.now or falls_due is None:
                return
            self.apply(conversation_id, falls_due.command, conversation.agent_id)

    def apply(
        self, conversation_id: str, command: c.Command, *candidates: str | None
    ) -> Decision | ConversationError:
        before = self.conversations[conversation_id]
        known = tuple(agent_id for agent_id in candidates if agent_id is not None)
        decision = decide(before, command, self.facts(before, known), self.now)
        if isinstance(decision, ConversationError):
            return decision
        self._check_change(before, command, decision)
        self.conversations[conversation_id] = decision.conversation
        for event in decision.events:
            self._note(decision.conversation, event)
        self.check(conversation_id)
        for agent_id in decision.not_responding_agent_ids:
            self.set_status(agent_id, RoutingStatus.NOT_RESPONDING)
        return decision

    def _check_change(self, before: Conversation, command: c.Command, decision: Decision) -> None:
        after = decision.conversation
        assert after.version == before.version + 1
        assert after.state in CHANGES[before.state], f"{before.state} → {after.state}"
        kept = ("id", "queued_at", "created_at", "affinity_key", "media_type", "priority")
        for name in kept:
            assert getattr(after, name) == getattr(before, name), f"{name} changed"
        order = self.routing.queue_order
        assert queue_rank(after, order) == queue_rank(before, order), "the age is kept"
        assert after.affinity_until >= before.affinity_until
        assert after.post_count >= before.post_count
        if before.ended_at is not None:
            assert after.ended_at == before.ended_at
            assert after.ended_by == before.ended_by
        if isinstance(command, c.Lapse):
            self._check_lapse(before)
        if isinstance(command, c.ExpireOffer):
            self._check_expiry(before, decision)

    def _check_lapse(self, before: Conversation) -> None:
        assert before.state is _S.CONNECTED
        assert before.answered_count >= before.post_count
        assert before.unsettled_replies == 0
        assert self.now > before.affinity_until

    def _check_expiry(self, before: Conversation, decision: Decision) -> None:
        assert before.offer is not None
        assert self.now >= before.offer.expires_at
        alerted = tuple(offer.agent_id for offer in before.offers)
        is_outage = self.now - before.offer.expires_at > 5_000
        is_blamed = self.policy.offer_timeout_action is OfferTimeoutAction.NOT_RESPONDING
        assert decision.not_responding_agent_ids == (alerted if is_blamed and not is_outage else ())
        if not is_blamed and not is_outage:
            passed = {each.agent_id for each in decision.conversation.passed_over}
            assert passed.issuperset(alerted), "whoever did not take it is passed over"

    def _note(self, after: Conversation, event: Event) -> None:
        """Keep the ledger of loads and the owners from what the events tell."""
        self.events.append((after.id, event))
        if event.type in RELEASING:
            self.ledger.pop(after.id, None)
        if event.agent_id is not None:
            self._note_load(after, event, event.agent_id)
        self._note_owner(after, event)

    def _note_load(self, after: Conversation, event: Event, agent_id: str) -> None:
        match event.type:
            case "conversation.declined" | "conversation.offer_expired":
                self.ledger.get(after.id, {}).pop(agent_id, None)
            case "conversation.offered":
                offer = after.offer_to(agent_id)
                weight_percent = offer.weight_percent if offer else after.weight_percent
                self._carry(after, agent_id, weight_percent)
            case "conversation.connected":
                self.ledger[after.id] = {}
                self._carry(after, agent_id, after.weight_percent)
            case "conversation.unparked" if after.state is _S.CONNECTED:
                self._carry(after, agent_id, after.weight_percent)

    def _note_owner(self, after: Conversation, event: Event) -> None:
        is_back = event.type == "conversation.unparked" and after.state is not _S.CONNECTED
        if is_back or event.type in {"conversation.transferred", "conversation.released"}:
            self.owners.pop(after.id, None)
        if event.type == "conversation.connected" and event.agent_id is not None:
            assert after.id not in self.owners, "two owners"
            self.owners[after.id] = event.agent_id

    def _carry(self, after: Conversation, agent_id: str, weight_percent: int) -> None:
        holder = Holder(agent_id, after.media_type, weight_percent, after.is_override)
        self.ledger.setdefault(after.id, {})[agent_id] = holder

    def set_status(self, agent_id: str, status: RoutingStatus) -> None:
        self.agents[agent_id] = replace(self.agents[agent_id], routing_status=status)
        if status is RoutingStatus.ON_QUEUE:
            return
        for conversation in list(self.conversations.values()):
            if conversation.offer_to(agent_id) is not None:
                self.apply(conversation.id, c.RescindOffer(agent_id), None)

    def ask(self) -> None:
        """Match as the match's transaction does; afterwards nobody waits beside a free agent."""
        queue = sorted(
            (x for x in self.conversations.values() if x.state is _S.QUEUED),
            key=lambda x: (queue_rank(x, self.routing.queue_order), x.id),
        )
        agents = [self.seen(agent_id) for agent_id in sorted(self.agents)]
        matches, failures = match(queue, everyone(agents), self.routing, self.now)
        assert len(matches) + len(failures) == len(queue)
        for pair in matches:
            chosen = [offered.agent.id for offered in pair.offered]
            assert 1 <= len(set(chosen)) == len(chosen) <= self.routing.offers_at_once
            offer = c.MakeOffer(tuple(self.new_id("offer") for _ in chosen), self.new_id("de"))
            before = self.conversations[pair.conversation.id]
            for agent_id in chosen:
                seen = self.seen(agent_id)
                assert reasons_against(before, seen, self.routing, self.now) == ()
            decision = self.apply(before.id, offer, *chosen)
            assert isinstance(decision, Decision), decision
        opened = [self._open_ring_at_once(why) for why in failures]
        if any(opened):
            self.ask()
        self.check_work_is_conserved()

    def _open_ring_at_once(self, why: Explanation) -> bool:
        """Open the next ring if it does not wait for its time and nobody is in the circle."""
        rings = self.routing.rings
        if (
            why.waits_for_agent_id
            or why.ring >= len(rings)
            or not rings[why.ring].at_once_if_nobody
        ):
            return False
        decision = self.apply(why.conversation_id, c.OpenRing(), None)
        assert isinstance(decision, Decision)
        return bool(decision.events)

    def check_work_is_conserved(self) -> None:
        for conversation in self.conversations.values():
            if conversation.state is not _S.QUEUED or self._waits_for_somebody(conversation):
                continue
            for agent_id in self.agents:
                reasons = reasons_against(conversation, self.seen(agent_id), self.routing, self.now)
                assert reasons, f"{conversation.id} waits beside {agent_id}"

    def _waits_for_somebody(self, conversation: Conversation) -> bool:
        until = conversation.preferred_until
        return until is not None and self.now < until

    def check(self, conversation_id: str) -> None:
        """Compare one conversation with the ledger, the owners and what its state demands."""
        conversation = self.conversations[conversation_id]
        carriers = holders(conversation)
        carried = {carrier.agent_id: carrier for carrier in carriers}
        assert carried == self.ledger.get(conversation_id, {}), "holders and ledger differ"
        assert (conversation.state is _S.ALERTING) == (conversation.offer is not None)
        assert conversation.is_open == (conversation.ended_at is None)
        assert conversation.unsettled_replies >= 0
        if conversation.is_open:
            assert conversation.agent_id == self.owners.get(conversation_id), "owner"
        if conversation.state in {_S.QUEUED, _S.ALERTING}:
            assert conversation.agent_id is None
        if not carriers:
            assert conversation.weight_percent == 0
        if conversation.state not in {_S.CONNECTED, _S.HELD}:
            assert conversation.consulted_agent_id is None, "a consultation without an owner"

    def check_loads(self) -> None:
        for agent_id in self.agents:
            load = self.seen(agent_id).load_percent
            assert load <= 100, f"{agent_id} carries {load} %"
