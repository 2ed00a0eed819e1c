"""Random lives of many conversations among several agents; every step is checked."""

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from acd.model import Utilization
from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import Decision, due
from conversations.model import (
    Conversation,
    ConversationState,
    Instant,
    MediaType,
    RoutingStatus,
    Visibility,
)
from tests.conversations.floor import WORKGROUP, Floor
from tests.conversations.routing_settings import HELPERS, Settings, routing_settings

S = ConversationState
KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
PICKS = st.integers(0, 10_000)
WINDOW_S = 20
PUBLIC = MediaType.SOCIAL_CONVERSATION


class Life(RuleBasedStateMachine):
    """What may happen on a floor, in any order and at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.floor = Floor()
        self.covers: dict[str, list[int]] = {}

    @initialize(
        percents=st.lists(st.sampled_from([None, 10, 25, 40, 50, 100]), min_size=2, max_size=4),
        settings=routing_settings(),
    )
    def open_the_floor(self, percents: list[int | None], settings: Settings) -> None:
        policy, self.floor.routing = settings
        self.floor.policy = policy
        for number, percent in enumerate(percents):
            own = {} if percent is None else {PUBLIC: Utilization(percent)}
            agent_id = self.floor.add_agent(own)
            if number % 2:
                german = replace(self.floor.agents[agent_id], skills={"german": 20 * number})
                self.floor.agents[agent_id] = german
            if number > 1:
                elsewhere = replace(self.floor.agents[agent_id], workgroup_ids=HELPERS)
                self.floor.agents[agent_id] = elsewhere
        for key in "abc":
            self.a_post_arrives(key, is_private=False, is_taken=True)

    def agent(self, pick: int) -> str:
        return sorted(self.floor.agents)[pick % len(self.floor.agents)]

    def has(self, *states: ConversationState) -> bool:
        return any(x.state in states for x in self.floor.conversations.values())

    def some(self, pick: int, *states: ConversationState) -> Conversation | None:
        """Choose a conversation, one in the given states if there is any."""
        known = list(self.floor.conversations.values())
        fitting = [x for x in known if x.state in states] or known
        return fitting[pick % len(fitting)] if fitting else None

    def say(
        self, conversation: Conversation, command: c.Command, candidate: str | None = None
    ) -> Decision | ConversationError:
        """Command; a refusal has a code and changes nothing but what was due anyway."""
        self.floor.let_happen(conversation.id, until=self.floor.now)
        before = self.floor.conversations[conversation.id]
        outcome = self.floor.apply(conversation.id, command, candidate)
        if isinstance(outcome, ConversationError):
            assert outcome.code.islower()
            assert str(outcome)
            assert self.floor.conversations[conversation.id] is before
        return outcome

    @rule(key=KEYS, is_private=st.booleans(), is_taken=st.booleans())
    def a_post_arrives(self, key: str, *, is_private: bool, is_taken: bool) -> None:
        """Join the open conversation of the key, or start a new one; never two at once."""
        floor = self.floor
        key += "-private" if is_private else ""
        known = [x for x in floor.conversations.values() if x.affinity_key == key]
        for conversation in known:
            if conversation.is_open:
                floor.let_happen(conversation.id, until=floor.now)
        still = [floor.conversations[x.id] for x in known]
        joinable = [x for x in still if x.is_open]
        assert len(joinable) <= 1, "two open conversations of one key"
        if joinable:
            posts = (floor.new_id("post"),)
            joined = floor.apply(joinable[0].id, c.ReceivePosts(posts, floor.now), None)
            assert isinstance(joined, Decision), "a post finds its open conversation"
            assert joined.conversation.post_count == joinable[0].post_count + 1
        else:
            visibility = Visibility.PRIVATE if is_private else Visibility.PUBLIC
            floor.open(key, visibility, WINDOW_S, still[-1].agent_id if still else None)
        floor.ask()
        for conversation in list(floor.conversations.values()):
            if is_taken and conversation.offer and conversation.affinity_key == key:
                taker = conversation.offer.agent_id
                floor.command(conversation.id, c.PickUp(c.Actor(taker), None, floor.now), taker)

    @rule()
    def a_match_is_asked_for(self) -> None:
        self.floor.ask()

    @precondition(lambda self: self.has(S.ALERTING, S.QUEUED))
    @rule(pick=PICKS, who=PICKS, early_ms=st.integers(0, 400), names=st.booleans())
    def somebody_picks_up(self, pick: int, who: int, early_ms: int, *, names: bool) -> None:
        alerting = self.some(pick, ConversationState.ALERTING, ConversationState.QUEUED)
        if alerting is None:
            return
        chosen = alerting.offers[who % len(alerting.offers)] if alerting.offers else None
        agent_id = chosen.agent_id if chosen and who % 4 else self.agent(who)
        offer = alerting.offer_to(agent_id)
        offer_id = offer.id if offer and names else None
        received_at = self.floor.now - early_ms
        outcome = self.floor.apply(
            alerting.id, c.PickUp(c.Actor(agent_id), offer_id, received_at), agent_id
        )
        if offer:
            is_in_time = received_at <= offer.expires_at
            assert isinstance(outcome, Decision) == is_in_time, "in time wins, late loses"
        elif alerting.offers:
            assert isinstance(outcome, ConversationError), "offered to somebody else"

    @precondition(lambda self: self.has(S.ALERTING))
    @rule(pick=PICKS, who=PICKS)
    def somebody_declines(self, pick: int, who: int) -> None:
        alerting = self.some(pick, ConversationState.ALERTING)
        if alerting is None:
            return
        agent_id = alerting.offer.agent_id if alerting.offer and who % 4 else self.agent(who)
        outcome = self.say(alerting, c.Decline(c.Actor(agent_id), None, None))
        if isinstance(outcome, Decision):
            self.floor.ask()
            after = self.floor.conversations[alerting.id]
            assert after.offer_to(agent_id) is None, "passed over"

    @precondition(lambda self: self.has(S.CONNECTED, S.HELD, S.PARKED))
    @rule(pick=PICKS, who=PICKS, what=st.sampled_from(["hold", "resume", "park", "unpark"]))
    def somebody_sets_it_aside(self, pick: int, who: int, what: str) -> None:
        states = {
            "hold": ConversationState.CONNECTED,
            "resume": ConversationState.HELD,
            "park": ConversationState.CONNECTED,
            "unpark": ConversationState.PARKED,
        }
        conversation = self.some(pick, states[what])
        if conversation is None:
            return
        actor = self.actor(conversation, who)
        until = self.floor.now + who if who % 2 else None
        commands: dict[str, c.Command] = {
            "hold": c.Hold(actor),
            "resume": c.Resume(actor),
            "park": c.Park(actor, until, None),
            "unpark": c.Unpark(actor),
        }
        self.say_as(conversation, commands[what], actor)

    def actor(self, conversation: Conversation, who: int) -> c.Actor:
        """Mostly the owner, sometimes another agent, sometimes a supervisor."""
        if who % 7 == 0:
            return c.Actor(is_supervisor=True)
        if who % 5 == 0:
            return c.Actor(self.agent(who))
        return c.Actor(conversation.agent_id)

    def say_as(self, conversation: Conversation, command: c.Command, actor: c.Actor) -> Any:
        """Command; whoever is neither owner nor supervisor is refused."""
        self.floor.let_happen(conversation.id, until=self.floor.now)
        owner = self.floor.conversations[conversation.id].agent_id
        outcome = self.say(conversation, command, owner)
        if not actor.is_supervisor and (actor.agent_id is None or actor.agent_id != owner):
            assert isinstance(outcome, ConversationError), "a stranger's command"
        return outcome

    @precondition(lambda self: self.has(S.CONNECTED, S.HELD))
    @rule(pick=PICKS, who=PICKS, to=PICKS, is_direct=st.booleans())
    def somebody_transfers(self, pick: int, who: int, to: int, *, is_direct: bool) -> None:
        conversation = self.some(pick, ConversationState.CONNECTED, ConversationState.HELD)
        if conversation is None:
            return
        actor = self.actor(conversation, who)
        if not is_direct:
            self.say_as(conversation, c.TransferToWorkgroup(actor, WORKGROUP, None), actor)
            return
        offer_id = self.floor.new_id("offer")
        target = self.agent(to)
        command = c.TransferToAgent(actor, target, offer_id, None)
        self.floor.let_happen(conversation.id, until=self.floor.now)
        consulted = self.floor.conversations[conversation.id].consulted_agent_id
        outcome = self.say(conversation, command, target)
        if not isinstance(outcome, Decision):
            return
        given = outcome.conversation
        assert given.consulted_agent_id is None
        if consulted == target:
            assert (given.state, given.agent_id) == (S.CONNECTED, target)
        else:
            assert given.offer is not None
            assert given.offer.agent_id == target

    @precondition(lambda self: self.has(S.CONNECTED, S.HELD))
    @rule(pick=PICKS, who=PICKS, to=PICKS, is_over=st.booleans())
    def somebody_consults(self, pick: int, who: int, to: int, *, is_over: bool) -> None:
        conversation = self.some(pick, ConversationState.CONNECTED, ConversationState.HELD)
        if conversation is None:
            return
        actor, target = self.actor(conversation, who), self.agent(to)
        if is_over:
            self.say(conversation, c.EndConsult(actor))
            return
        before = self.floor.seen(target).load_percent
        outcome = self.say(conversation, c.Consult(actor, target, None), target)
        if isinstance(outcome, Decision):
            assert outcome.conversation.consulted_agent_id == target
            assert self.floor.seen(target).load_percent == before, "it takes no room"

    @precondition(lambda self: self.has(S.CONNECTED))
    @rule(pick=PICKS, who=PICKS, is_quick=st.booleans())
    def somebody_replies(self, pick: int, who: int, *, is_quick: bool) -> None:
        conversation = self.some(pick, ConversationState.CONNECTED)
        if conversation is None:
            return
        actor = self.actor(conversation, who)
        visibility = Visibility.PUBLIC
        if conversation.media_type is MediaType.SOCIAL_DIRECT_MESSAGE:
            visibility = Visibility.PRIVATE
        command = c.SendReply(actor, "reply", visibility, confirm_public=False)
        actor = replace(actor, is_supervisor=False)
        outcome = self.say_as(conversation, replace(command, actor=actor), actor)
        if isinstance(outcome, Decision):
            after = outcome.conversation
            assert after.state is ConversationState.CONNECTED
            self.covers.setdefault(after.id, []).append(after.post_count)
            if is_quick:
                self.settle(after.id, is_sent=True)

    @precondition(lambda self: any(self.covers.values()))
    @rule(pick=PICKS, is_sent=st.booleans())
    def a_reply_is_settled(self, pick: int, *, is_sent: bool) -> None:
        waiting = sorted(i for i, covers in self.covers.items() if covers)
        self.settle(waiting[pick % len(waiting)], is_sent=is_sent)

    def settle(self, conversation_id: str, *, is_sent: bool) -> None:
        covers = self.covers[conversation_id].pop(0)
        before = self.floor.conversations[conversation_id]
        command = c.SettleReply("reply", is_sent, covers)
        outcome = self.floor.apply(conversation_id, command, None)
        assert isinstance(outcome, Decision), "a settled reply is always taken"
        answered = max(before.answered_count, covers) if is_sent else before.answered_count
        assert outcome.conversation.answered_count == answered
        assert outcome.conversation.state is before.state

    @precondition(lambda self: self.has(S.CONNECTED, S.HELD, S.WRAPUP))
    @rule(pick=PICKS, who=PICKS, what=st.sampled_from(["disconnect", "wrapup", "discard"]))
    def somebody_ends_it(self, pick: int, who: int, what: str) -> None:
        states = [ConversationState.CONNECTED, ConversationState.HELD]
        if what == "wrapup":
            states = [ConversationState.WRAPUP]
        conversation = self.some(pick, *states)
        if conversation is None:
            return
        actor = self.actor(conversation, who)
        commands: dict[str, c.Command] = {
            "disconnect": c.Disconnect(actor, None),
            "wrapup": c.FinishWrapUp(actor, "solved", done=True),
            "discard": c.Discard(actor, "spam"),
        }
        self.say_as(conversation, commands[what], actor)

    @rule(pick=PICKS, to=PICKS)
    def a_supervisor_overrides_capacity(self, pick: int, to: int) -> None:
        """Give it to an agent though he is full; not though anything else is against him."""
        conversation, target = self.some(pick), self.agent(to)
        if conversation is None:
            return
        self.floor.let_happen(conversation.id, until=self.floor.now)
        before = self.floor.seen(target).load_percent
        offer_id, supervisor = self.floor.new_id("offer"), c.Actor(is_supervisor=True)
        command = c.TransferToAgent(supervisor, target, offer_id, None, override_capacity=True)
        outcome = self.say(conversation, command, target)
        if isinstance(outcome, Decision) and outcome.conversation.is_override:
            assert self.floor.seen(target).load_percent <= before, "it is counted apart"

    @rule(pick=PICKS, what=st.sampled_from(["release", "cancel"]))
    def an_operator_intervenes(self, pick: int, what: str) -> None:
        conversation = self.some(pick)
        if conversation is None:
            return
        supervisor = c.Actor(is_supervisor=True)
        command: c.Command = c.Release(supervisor, "away")
        if what == "cancel":
            command = c.EndByOperator("workflow_cancelled")
        self.say(conversation, command)

    @rule(who=PICKS, status=st.sampled_from(list(RoutingStatus)))
    def an_agent_changes_his_status(self, who: int, status: RoutingStatus) -> None:
        self.floor.set_status(self.agent(who), status)

    @rule(who=PICKS)
    def an_agent_comes_back(self, who: int) -> None:
        self.floor.set_status(self.agent(who), RoutingStatus.ON_QUEUE)

    @rule(ms=st.integers(1, 8_000))
    def time_passes(self, ms: int) -> None:
        self.floor.now += ms

    @rule(pick=PICKS, offset_ms=st.sampled_from([-1, 0, 1, 300, 5_000, 5_001]))
    def time_passes_up_to_a_boundary(self, pick: int, offset_ms: int) -> None:
        moments = sorted(self.moments())
        if not moments:
            return
        self.floor.now = max(self.floor.now, moments[pick % len(moments)] + offset_ms)

    def moments(self) -> set[Instant]:
        known = self.floor.conversations.values()
        found = {x.affinity_until for x in known if x.is_open}
        return found | {d.at for x in known if (d := due(x)) is not None}

    @rule(pick=PICKS)
    def an_alarm_rings(self, pick: int) -> None:
        conversation = self.some(pick)
        if conversation is None:
            return
        self.floor.ring(conversation.id)
        after = self.floor.conversations[conversation.id]
        self.floor.ring(conversation.id)
        assert self.floor.conversations[conversation.id] is after, "a second ring does nothing"

    @invariant()
    def nobody_carries_too_much(self) -> None:
        self.floor.check_loads()

    @invariant()
    def every_conversation_agrees_with_the_ledger(self) -> None:
        for conversation_id in self.floor.conversations:
            self.floor.check(conversation_id)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=900, stateful_step_count=60, deadline=None)
