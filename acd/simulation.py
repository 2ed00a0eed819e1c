"""A contact centre on a virtual clock: the rules of production, and nobody who waits for time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count

from acd.eligibility import Reason, reach, reasons_against, standing
from acd.matching import Explanation, Match, Shortlist, match
from acd.model import Agent, RoutingPolicy
from acd.rings import workgroups_in_reach
from acd.shortlist import most_to_look_at
from acd.simulated_admission import Admission
from acd.simulated_floor import Changes, Floor, Touched
from acd.simulated_people import AgentState, Arrival, Behaviour, Watcher
from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import Decision, alarm_at, decide, due, open_conversation
from conversations.model import Conversation, ConversationState, Instant, RoutingStatus, holders

DUE_BOUND = 8


class Simulation:
    """Lets arrivals, agents and time act on a floor, one after the other."""

    def __init__(
        self,
        floor: Floor,
        behaviour: Behaviour,
        watchers: Sequence[Watcher] = (),
        admission: Admission | None = None,
    ) -> None:
        self.floor = floor
        self.now: Instant = 0
        self._behaviour = behaviour
        self._watchers = watchers
        self._admission = admission
        self._agenda: list[tuple[Instant, int, Callable[[], None]]] = []
        self._numbers = count()
        self._stages: dict[str, int] = {}
        self._asks: dict[str, Touched] = {}
        self._leavers: set[str] = set()
        self._reaches: dict[tuple[object, ...], tuple[int, ...]] = {}
        self._found_wide_enough: dict[str, int] = {}

    def take_over(
        self,
        conversations: Iterable[Conversation],
        states: Iterable[AgentState],
        at: Instant,
    ) -> None:
        """Begin at a moment with agents and conversations that are there already.

        A conversation in the hands of somebody unknown is left out.
        """
        self.now = at
        for state in states:
            self._put_agent(state.agent)
        for conversation in conversations:
            if any(holder.agent_id not in self.floor.agents for holder in holders(conversation)):
                continue
            self.floor.change(None, conversation, at)
            for watcher in self._watchers:
                watcher.changed(None, conversation, at)
            self._plan(None, conversation)
            if conversation.state is ConversationState.QUEUED:
                self._touch(conversation)
        self._settle()

    def interrupt(self, at: Instant, conversation_id: str, command: c.Command) -> None:
        """Let something be done at its own time, in whatever stage the conversation is then."""
        self._at(at, _Call(self._interrupt, conversation_id, command))

    def run(
        self,
        arrivals: Iterable[Arrival],
        states: Iterable[AgentState],
        until: Instant | None = None,
    ) -> None:
        """Run until nothing is left to happen, or up to a moment; arrivals come in their order."""
        for state in states:
            self._at(state.at, _Call(self._put_agent, state.agent))
        coming = iter(arrivals)
        arrival = next(coming, None)
        while self._agenda or arrival is not None:
            if arrival is not None and (not self._agenda or arrival.at < self._agenda[0][0]):
                self.now = arrival.at
                happening: Callable[[], None] = _Call(self._arrive, arrival)
                arrival = next(coming, None)
            else:
                self.now, _, happening = heappop(self._agenda)
            if until is not None and self.now > until:
                self.now = until
                break
            happening()
            self._settle()

    def _at(self, at: Instant, happening: Callable[[], None]) -> None:
        heappush(self._agenda, (at, next(self._numbers), happening))

    def _arrive(self, arrival: Arrival) -> None:
        policy = self.floor.workgroups[arrival.opening.workgroup_id].policy
        decision = open_conversation(arrival.opening, policy, self.now)
        self._record(None, decision)
        self._admit(decision.conversation)

    def _admit(self, conversation: Conversation) -> None:
        """Send a conversation on that came to where it cannot be served now."""
        if self._admission is None:
            return
        for hop in self._admission.where_to(conversation.workgroup_id, self.now):
            conversation = self._carry_out(conversation, c.Overflow(hop.workgroup_id, hop.cause))

    def _put_agent(self, agent: Agent) -> None:
        before = self.floor.agents.get(agent.id)
        after = self.floor.put_agent(agent, self.now)
        self._reaches.clear()
        self._found_wide_enough.clear()
        if after.signs_off_at is not None and after.signs_off_at > self.now:
            self._at(after.signs_off_at, _Call(self._sign_off, after))
        for watcher in self._watchers:
            watcher.agent_changed(before, after, self.now)
        self._ask_for(after, is_other=True)
        if after.routing_status is not RoutingStatus.ON_QUEUE:
            self._leavers.add(after.id)

    def _sign_off(self, agent: Agent) -> None:
        """Look again: from this moment the rules count him as off the queue."""
        if self.floor.agents[agent.id].signs_off_at == agent.signs_off_at:
            self._put_agent(self.floor.agents[agent.id])

    def _ring(self, conversation_id: str, version: int) -> None:
        conversation = self.floor.conversations.get(conversation_id)
        if conversation is None or conversation.version != version:
            return
        for _ in range(DUE_BOUND):
            falls_due, alarm = due(conversation), alarm_at(conversation)
            if falls_due is None or alarm is None or alarm > self.now:
                return
            conversation = self._carry_out(conversation, falls_due.command)

    def _act(self, conversation_id: str, stage: int, command: c.Command) -> None:
        if self._stages.get(conversation_id) == stage:
            self._interrupt(conversation_id, command)

    def _interrupt(self, conversation_id: str, command: c.Command) -> None:
        conversation = self.floor.conversations.get(conversation_id)
        if conversation is None:
            return
        for _ in range(DUE_BOUND):
            falls_due = due(conversation)
            if falls_due is None or falls_due.at > self.now:
                break
            conversation = self._carry_out(conversation, falls_due.command)
        self._carry_out(conversation, command)

    def _carry_out(self, conversation: Conversation, command: c.Command) -> Conversation:
        decision = self._decide(conversation, command)
        if isinstance(decision, ConversationError):
            for watcher in self._watchers:
                watcher.refused(conversation, decision)
            return conversation
        self._record(conversation, decision)
        if isinstance(command, c.TransferToWorkgroup):
            self._admit(decision.conversation)
        return decision.conversation

    def _decide(
        self, conversation: Conversation, command: c.Command
    ) -> Decision | ConversationError:
        return decide(conversation, command, self._facts(conversation, command), self.now)

    def _facts(self, conversation: Conversation, command: c.Command) -> c.Facts:
        workgroup = self.floor.workgroups[conversation.workgroup_id]
        if isinstance(command, c.OpenRing):
            return c.Facts(workgroup.policy, reach=self._reach(conversation, workgroup.routing))
        if isinstance(command, c.TransferToWorkgroup | c.Overflow | c.Reroute):
            entered = self.floor.workgroups[command.workgroup_id].policy
            return c.Facts(workgroup.policy, entered_policy=entered)
        agent = self.floor.agents.get(_candidate_id(command, conversation) or "")
        if agent is None:
            return c.Facts(workgroup.policy)
        ignoring = frozenset({Reason.PASSED_OVER})
        return c.Facts(
            workgroup.policy,
            standing(conversation, agent, workgroup.routing, self.now, ignoring=ignoring),
        )

    def _reach(self, conversation: Conversation, policy: RoutingPolicy) -> tuple[int, ...]:
        """Count whom the circle reaches; the same for its like until an agent changes."""
        asks = (policy.workgroup_id, conversation.media_type, conversation.required_skills)
        if asks not in self._reaches:
            members = self.floor.members(self.floor.widest_reach(policy.workgroup_id))
            self._reaches[asks] = reach(conversation, members, policy, self.now)
        return self._reaches[asks]

    def _record(self, before: Conversation | None, decision: Decision) -> None:
        after = decision.conversation
        relieved = self.floor.change(before, after, self.now)
        for watcher in self._watchers:
            watcher.changed(before, after, self.now)
        if after.state is ConversationState.QUEUED:
            self._touch(after)
        for agent_id in relieved:
            self._ask_for(self.floor.agents[agent_id])
        for agent_id in decision.not_responding_agent_ids:
            self._note_not_responding(agent_id)
        self._plan(before, after)

    def _touch(self, conversation: Conversation) -> None:
        touched = self._asks.setdefault(conversation.workgroup_id, Touched())
        touched.conversation_ids.add(conversation.id)

    def _ask_for(self, agent: Agent, *, is_other: bool = False) -> None:
        """Ask all for whose conversations the agent may be there; another than he was, by rings."""
        for workgroup_id in self.floor.asked_for(agent):
            touched = self._asks.setdefault(workgroup_id, Touched())
            touched.agent_ids.add(agent.id)
            touched.everything |= is_other and self.floor.opens_rings_at_once(workgroup_id)

    def _note_not_responding(self, agent_id: str) -> None:
        agent = self.floor.agents[agent_id]
        self._put_agent(replace(agent, routing_status=RoutingStatus.NOT_RESPONDING))
        back_at = self._behaviour.comes_back_at(agent_id, self.now)
        if back_at is not None:
            self._at(back_at, _Call(self._come_back, agent_id))

    def _come_back(self, agent_id: str) -> None:
        agent = self.floor.agents[agent_id]
        if agent.routing_status is RoutingStatus.NOT_RESPONDING:
            self._put_agent(replace(agent, routing_status=RoutingStatus.ON_QUEUE))

    def _plan(self, before: Conversation | None, after: Conversation) -> None:
        """Set the conversation's alarm, and plan what people do in its new stage."""
        if after.is_final:
            self._stages.pop(after.id, None)
            self._found_wide_enough.pop(after.id, None)
            return
        alarm = alarm_at(after)
        if alarm is not None:
            self._at(max(alarm, self.now), _Call(self._ring, after.id, after.version))
        if before is not None and _stage(before) == _stage(after):
            return
        stage = self._stages[after.id] = self._stages.get(after.id, 0) + 1
        for act in self._behaviour.acts(after, self.now):
            self._at(max(act.at, self.now), _Call(self._act, after.id, stage, act.command))

    def _settle(self) -> None:
        """Take back the offers of those who left, then match until nothing fits any more."""
        if not self._asks and not self._leavers:
            return
        while self._leavers or self._asks:
            while self._leavers:
                self._take_offers_back(self._leavers.pop())
            for workgroup_id in sorted(self._asks):
                touched = self._asks.pop(workgroup_id)
                while self._match(workgroup_id, touched):
                    pass
        for watcher in self._watchers:
            watcher.settled(self.floor, self.now)

    def _take_offers_back(self, agent_id: str) -> None:
        if self.floor.agents[agent_id].routing_status is RoutingStatus.ON_QUEUE:
            return
        for conversation_id in sorted(self.floor.carried[agent_id]):
            conversation = self.floor.conversations[conversation_id]
            if conversation.state is ConversationState.ALERTING:
                self._carry_out(conversation, c.RescindOffer(agent_id))

    def _match(self, workgroup_id: str, touched: Touched) -> int:
        """Match once, and return how many found somebody or a wider circle."""
        floor = self.floor
        queue, policy = floor.queues[workgroup_id], floor.workgroups[workgroup_id].routing
        if not queue:
            return 0
        with_room = floor.with_room(floor.widest_reach(workgroup_id))
        if not with_room and not floor.opens_rings_at_once(workgroup_id):
            return 0
        room = floor.room_of(with_room.values(), policy)
        heads = queue.heads(max(1, room), self._changes(touched))
        if not heads:
            return 0
        waited_for = self._waited_for(heads)

        def shortlist(sample: Conversation) -> Shortlist:
            enough = self._first_in_line(sample, policy, len(heads))
            reached = enough or floor.with_room(workgroups_in_reach(sample, policy))
            return Shortlist(tuple({**reached, **waited_for}.values()))

        pairs, failures = match(heads, shortlist, policy, self.now, max(1, room))
        offered = sum(self._offer(pair) for pair in pairs)
        return offered + self._open_rings_at_once(failures, policy)

    def _first_in_line(
        self, sample: Conversation, policy: RoutingPolicy, waiting: int
    ) -> dict[str, Agent] | None:
        """Return enough agents for a match of so many, as production does; None: look at all."""
        line, most = self.floor.lines[policy.workgroup_id], None
        if line.serves(sample) and len(workgroups_in_reach(sample, policy)) == 1:
            most = most_to_look_at(sample, policy, waiting)
        if most is None:
            return None
        first = {agent_id: self.floor.agents[agent_id] for agent_id in line.first(most)}
        preferred = self.floor.agents.get(sample.preferred_agent_id or "")
        if preferred is not None:
            first[preferred.id] = preferred
        fits = (not reasons_against(sample, a, policy, self.now) for a in first.values())
        return first if sum(fits) >= waiting * policy.offers_at_once else None

    def _changes(self, touched: Touched) -> Changes | None:
        if touched.everything:
            return None
        agents = [self.floor.agents[agent_id] for agent_id in touched.agent_ids]
        return Changes(agents, touched.conversation_ids, self.now)

    def _open_rings_at_once(self, failures: Sequence[Explanation], policy: RoutingPolicy) -> int:
        """Open the next ring of those in whose circle nobody is who could ever take them."""
        opened = 0
        for why in failures:
            next_ring = policy.rings[why.ring] if why.ring < len(policy.rings) else None
            if next_ring is None or not next_ring.at_once_if_nobody or why.waits_for_agent_id:
                continue
            if self._found_wide_enough.get(why.conversation_id) == why.ring:
                continue
            conversation = self.floor.conversations[why.conversation_id]
            decision = self._decide(conversation, c.OpenRing())
            if isinstance(decision, Decision) and decision.events:
                self._record(conversation, decision)
                opened += 1
            else:
                self._found_wide_enough[why.conversation_id] = why.ring
        return opened

    def _waited_for(self, heads: Sequence[Conversation]) -> dict[str, Agent]:
        """Return the agents for whom somebody waits, full or not."""
        found = (
            self.floor.agents.get(waits.preferred_agent_id or "")
            for waits in heads
            if waits.preferred_until is not None
        )
        return {
            agent.id: agent
            for agent in found
            if agent is not None and agent.routing_status is RoutingStatus.ON_QUEUE
        }

    def _offer(self, pair: Match) -> bool:
        conversation = self.floor.conversations[pair.conversation.id]
        workgroup = self.floor.workgroups[conversation.workgroup_id]
        agents = [self.floor.agents[offered.agent.id] for offered in pair.offered]
        for watcher in self._watchers:
            watcher.offered(pair, agents, self.now)
        chosen, *others = (
            standing(conversation, agent, workgroup.routing, self.now) for agent in agents
        )
        number = next(self._numbers)
        offer_ids = tuple(f"of-{number}-{agent.id}" for agent in agents)
        facts = c.Facts(workgroup.policy, chosen, others=tuple(others))
        decision = decide(conversation, c.MakeOffer(offer_ids, f"de-{number}"), facts, self.now)
        if isinstance(decision, ConversationError):
            for watcher in self._watchers:
                watcher.refused(conversation, decision)
            return False
        self._record(conversation, decision)
        return True


class _Call:
    """A happening with what it needs; smaller and quicker than a closure."""

    __slots__ = ("_arguments", "_function")

    def __init__(self, function: Callable[..., None], *arguments: object) -> None:
        self._function = function
        self._arguments = arguments

    def __call__(self) -> None:
        self._function(*self._arguments)


def _stage(conversation: Conversation) -> tuple[object, ...]:
    """Name the stretch of a conversation's life within which people's plans hold."""
    return conversation.state, conversation.workgroup_id, conversation.agent_id


def _candidate_id(command: c.Command, conversation: Conversation) -> str | None:
    """Name the agent whose eligibility the command depends on."""
    match command:
        case c.PickUp(actor=actor):
            return actor.agent_id
        case c.TransferToAgent(agent_id=agent_id):
            return agent_id
        case c.Unpark():
            return conversation.agent_id
        case _:
            return None
