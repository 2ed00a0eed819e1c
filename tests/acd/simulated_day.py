"""A random floor and its people for the simulator, drawn from one seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from acd.model import Agent, OrderKey, QueueOrder, RoutingPolicy, ScoreWeights, Utilization
from acd.simulated_floor import Floor, SimulatedWorkgroup
from acd.simulated_people import Act, AgentState, Arrival
from conversations import commands as c
from conversations.model import (
    Conversation,
    ConversationState,
    Instant,
    MediaType,
    Offer,
    OfferTimeoutAction,
    RequiredSkill,
    Ring,
    RoutingStatus,
    Visibility,
    WrapUpMode,
)

SKILLS = ("billing", "french", "spanish")
PUBLIC, PRIVATE = MediaType.SOCIAL_CONVERSATION, MediaType.SOCIAL_DIRECT_MESSAGE
SUPERVISOR = c.Actor(is_supervisor=True)
MEAN_HANDLE_MS = 120_000


@dataclass(slots=True)
class People:
    """What agents and customers do; all of it drawn."""

    draw: random.Random
    workgroup_ids: Sequence[str]
    agent_ids: Sequence[str]
    mean_handle_ms: int = MEAN_HANDLE_MS
    are_plain: bool = False
    """Nobody parks, holds, transfers or misses anything: what is left is pick up and end."""
    handled_until: dict[str, Instant] = field(default_factory=dict)

    def acts(self, conversation: Conversation, now: Instant) -> Sequence[Act]:
        match conversation.state:
            case ConversationState.ALERTING:
                return [act for offer in conversation.offers for act in self._answer(offer, now)]
            case ConversationState.CONNECTED:
                return self._work(conversation, now)
            case ConversationState.HELD:
                actor = c.Actor(conversation.agent_id)
                return [Act(now + self._ms(20_000), c.Resume(actor))]
            case ConversationState.PARKED:
                return self._come_back(conversation, now)
            case ConversationState.WRAPUP:
                actor = c.Actor(conversation.agent_id)
                return [Act(now + self._ms(30_000), c.FinishWrapUp(actor, "done", done=True))]
            case _:
                return ()

    def _ms(self, mean_ms: int) -> int:
        return 1 + int(self.draw.expovariate(1 / mean_ms))

    def _answer(self, offer: Offer, now: Instant) -> Sequence[Act]:
        agent_id, offer_id = offer.agent_id, offer.id
        at = now + self._ms(3_000)
        luck = 1.0 if self.are_plain else self.draw.random()
        if luck < 0.02:
            return ()
        if luck < 0.08:
            return [Act(at, c.Decline(c.Actor(agent_id), offer_id, "busy"))]
        return [Act(at, c.PickUp(c.Actor(agent_id), offer_id, at))]

    def _work(self, conversation: Conversation, now: Instant) -> Sequence[Act]:
        """Draw what the owner does after a while: mostly he answers and ends it."""
        at = now + self._ms(self.mean_handle_ms)
        luck = 1.0 if self.are_plain else self.draw.random()
        owner, named = c.Actor(conversation.agent_id), self.draw.choice(self.agent_ids)
        offer_id = f"of-{conversation.id}-{at}"
        group, until = self.draw.choice(self.workgroup_ids), at + self._ms(300_000)
        commands: tuple[tuple[float, c.Command], ...] = (
            (0.10, c.Hold(owner)),
            (0.13, c.Park(owner, None, None)),
            (0.16, c.Park(owner, until, None)),
            (0.22, c.TransferToWorkgroup(owner, group, None)),
            (0.28, c.TransferToAgent(owner, named, offer_id, None)),
            (0.31, c.TransferToAgent(SUPERVISOR, named, offer_id, None, override_capacity=True)),
            (0.33, c.Release(SUPERVISOR, "away")),
            (0.35, c.Discard(owner, "spam")),
            (0.70, c.Disconnect(owner, None)),
            (1.00, c.Disconnect(owner, "solved")),
        )
        command = next(command for limit, command in commands if luck <= limit)
        if 0.35 < luck < 0.45:
            return self._answer_and_leave(conversation, at)
        return [Act(at, command), Act(at + 1, c.Disconnect(owner, None))]

    def _answer_and_leave(self, conversation: Conversation, at: Instant) -> Sequence[Act]:
        """Send a reply and leave the rest to the affinity window."""
        owner, reply_id = c.Actor(conversation.agent_id), f"re-{conversation.id}"
        is_private = conversation.media_type is PRIVATE
        visibility = Visibility.PRIVATE if is_private else Visibility.PUBLIC
        reply = c.SendReply(owner, reply_id, visibility, confirm_public=True)
        settled = c.SettleReply(reply_id, sent=True, covers=conversation.post_count)
        return [Act(at, reply), Act(at + 900, settled)]

    def _come_back(self, conversation: Conversation, now: Instant) -> Sequence[Act]:
        at = now + self._ms(240_000)
        if self.draw.random() < 0.5:
            return [Act(at, c.Unpark(c.Actor(conversation.agent_id)))]
        return [Act(at, c.ReceivePosts((f"po-{conversation.id}-{at}",), at))]

    def comes_back_at(self, agent_id: str, now: Instant) -> Instant | None:
        return now + self._ms(60_000)


@dataclass
class SimulatedDay:
    """Workgroups of all kinds, agents who come and go, and arrivals at a given load."""

    seed: int
    conversations: int
    groups: int = 6
    agents_per_group: int = 8
    load_percent: int = 90
    """How much of the agents' time the arrivals ask for."""
    is_plain: bool = False

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.workgroup_ids = [f"wg-{number}" for number in range(self.groups)]
        count = self.groups * self.agents_per_group
        self.agents = [self._agent(number) for number in range(count)]
        ids = [agent.id for agent in self.agents]
        self.people = People(self.draw, self.workgroup_ids, ids, are_plain=self.is_plain)

    def floor(self) -> Floor:
        return Floor([self._workgroup(number) for number in range(self.groups)])

    def _workgroup(self, number: int) -> SimulatedWorkgroup:
        workgroup_id = self.workgroup_ids[number]
        if self.is_plain:
            return SimulatedWorkgroup(c.Policy(), RoutingPolicy(workgroup_id, 1))
        draw = self.draw
        rings = self._rings(number) if number % 2 else ()
        policy = c.Policy(
            wrap_up_mode=draw.choice(list(WrapUpMode)),
            wrap_up_timeout_s=20,
            offer_timeout_action=draw.choice(list(OfferTimeoutAction)),
            auto_accept=number % 3 == 2,
            rings=rings,
        )
        routing = RoutingPolicy(
            workgroup_id,
            1,
            utilization={
                PUBLIC: Utilization(draw.choice([20, 25, 40])),
                PRIVATE: Utilization(draw.choice([25, 50]), draw.choice([None, 1, 2])),
            },
            queue_order=self._queue_order(number),
            agent_order=tuple(draw.sample(list(OrderKey), 4)),
            rings=rings,
            offers_at_once=draw.choice([1, 1, 2, 3]),
        )
        return SimulatedWorkgroup(policy, routing)

    def _queue_order(self, number: int) -> QueueOrder:
        orders = (
            QueueOrder(),
            QueueOrder(ScoreWeights(0, 1, 1, 1)),
            QueueOrder(is_strict=True),
            QueueOrder(),
            QueueOrder(ScoreWeights(skill=1)),
        )
        return orders[number % len(orders)]

    def _rings(self, number: int) -> tuple[Ring, ...]:
        others = [self.workgroup_ids[(number + step) % self.groups] for step in (1, 2)]
        return (
            Ring(20, (others[0],), at_once_if_nobody=True),
            Ring(40, (), drop_skills=(SKILLS[0],), at_once_if_nobody=number % 4 == 1),
            Ring(90, (others[1],), drop_skills=SKILLS),
        )

    def _agent(self, number: int) -> Agent:
        draw = self.draw
        groups = {self.workgroup_ids[number % self.groups]}
        if not self.is_plain and draw.random() < 0.3:
            groups.add(draw.choice(self.workgroup_ids))
        own = {PUBLIC: Utilization(34)} if not self.is_plain and draw.random() < 0.2 else {}
        skills = {skill: draw.randrange(40, 101) for skill in SKILLS if draw.random() < 0.8}
        return Agent(
            id=f"ag-{number}",
            routing_status=RoutingStatus.ON_QUEUE,
            is_present=True,
            is_licensed=True,
            is_enabled=True,
            workgroup_ids=frozenset(groups),
            skills=skills,
            load_percent=0,
            idle_since=0,
            utilization=own,
        )

    @property
    def gap_ms(self) -> float:
        """How far arrivals are apart on the average."""
        handled_at_once = len(self.agents) * 4
        return MEAN_HANDLE_MS / (handled_at_once * self.load_percent / 100)

    def arrivals(self) -> Iterator[Arrival]:
        draw, at = self.draw, 0.0
        for number in range(self.conversations):
            at += draw.expovariate(1 / self.gap_ms)
            yield Arrival(int(at), self._opening(number, int(at)))

    def _opening(self, number: int, at: Instant) -> c.Opening:
        draw = self.draw
        skills = tuple(
            RequiredSkill(skill, draw.choice([0, 50, 60]))
            for skill in SKILLS
            if draw.random() < 0.1
        )
        preferred = draw.choice(self.agents).id if draw.random() < 0.1 else None
        return c.Opening(
            conversation_id=f"cv-{number}",
            network="simulated",
            account_id="ac",
            channel_id="ch",
            workgroup_id=draw.choice(self.workgroup_ids),
            customer_id=f"cu-{number}",
            affinity_key=f"key-{number}",
            affinity_window_s=600,
            priority=draw.choice([0, 30, 50, 50, 50, 80, 100]),
            visibility=draw.choice([Visibility.PUBLIC, Visibility.PUBLIC, Visibility.PRIVATE]),
            required_skills=skills,
            post_ids=(f"po-{number}",),
            last_post_at=at,
            preferred_agent_id=None if self.is_plain else preferred,
        )

    def states(self) -> Iterator[AgentState]:
        """Let everybody come on queue, and all but plain ones go, come and change."""
        until = int(self.conversations * self.gap_ms)
        for agent in self.agents:
            yield AgentState(0, agent)
            at = self.people._ms(1_200_000)
            while not self.is_plain and at < until:
                changed = self._changed(agent)
                yield AgentState(at, changed)
                at += self.people._ms(120_000)
                yield AgentState(at, replace(agent, skills=changed.skills))
                at += self.people._ms(1_200_000)

    def _changed(self, agent: Agent) -> Agent:
        return self.draw.choice(
            [
                replace(agent, routing_status=RoutingStatus.OFF_QUEUE),
                replace(agent, routing_status=RoutingStatus.DRAINING),
                replace(agent, is_present=False),
                replace(agent, is_licensed=False),
                replace(agent, may_get=frozenset({PUBLIC})),
                replace(agent, skills={}),
                replace(agent, skills=dict.fromkeys(SKILLS, 100)),
                replace(agent, workgroup_ids=frozenset(self.draw.sample(self.workgroup_ids, 2))),
            ]
        )
