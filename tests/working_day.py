"""A random day on a floor: customers, agents, operators and time, all at once."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from acd.model import OrderKey
from api.workgroups import WorkgroupBody, body_of, values_of
from conversations import commands as c
from conversations.lifecycle import alarm_at
from conversations.model import OfferTimeoutAction, RoutingStatus
from conversations.replies import Certainty, Outcome, Permission, ReadBack, Step
from storage import conversations, events, replies, workgroups
from storage.conversation_tables import ConversationRow, PostRow, ReplyRow
from storage.ids import new_id
from storage.ingest import Source
from storage.journal import Aftermath
from storage.replies import Settled
from storage.rows import conversation_from
from tests.clocks import Clock
from tests.floor import Floor
from tests.history import World

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]
REPLIES = ReplyRow.__table__  # type: ignore[attr-defined]
SHORT: dict[str, Any] = {
    "offer_timeout_s": 2,
    "decline_backoff_s": 1,
    "preferred_agent_wait_s": 2,
    "wrap_up": {"mode": "timeboxed", "timeout_s": 2},
    "utilization": {"social_conversation": {"percent": 40}},
}
SKILLS = ("german", "billing")
BOUNDARIES_MS = (1, 10, 300, 999, 1_000, 1_001, 2_000, 2_301)
SUPERVISOR = c.Actor(is_supervisor=True)


@dataclass
class WorkingDay:
    """What is done, drawn from one seed; what the world saw of it is kept in `world`."""

    floor: Floor
    clock: Clock
    seed: int
    customers: int = 10
    does_time_pass: bool = True
    posts: set[tuple[str, str]] = field(default_factory=set)
    published: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    workgroups: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)

    async def open(self, *, agents: int = 3) -> None:
        """Set up two workgroups, one agent a member of both, and two channels of one account."""
        self.workgroups = [await self._workgroup(f"workgroup {n}") for n in range(2)]
        account_id = await self.floor.account()
        for _ in range(2):
            source = await self.floor.channel(
                self.workgroups[0], affinity_window_s=3, account_id=account_id
            )
            self.sources.append(source)
        for number in range(agents):
            groups = self.workgroups if number == 0 else [self.workgroups[number % 2]]
            skills = dict.fromkeys(SKILLS[: number % 3], 30 * (number % 4))
            self.agents.append(await self.floor.agent(*groups, skills=skills))

    async def _workgroup(self, name: str) -> str:
        """Create a workgroup as the API does; what it asks for makes the skills known."""
        asked = [{"skill": skill} for skill in SKILLS]
        body = WorkgroupBody.model_validate({"name": name, **SHORT, "preferred_skills": asked})
        return await self.floor.database.write(lambda k: workgroups.create(k, values_of(body)))

    @property
    def world(self) -> World:
        return World(posts=self.posts, published=self.published)

    async def live(self, *, actors: int, steps: int) -> None:
        """Let so many actors do so many things each, side by side."""
        draws = [random.Random(f"{self.seed} {number}") for number in range(actors)]
        await asyncio.gather(*(self._act(draw, steps) for draw in draws))

    async def _act(self, draw: random.Random, steps: int) -> None:
        acts = (
            (self._post, 3),
            (self._take, 7),
            (self._work, 10),
            (self._send, 4),
            (self._let_time_pass, 3),
            (self._intervene, 1),
            (self._join_or_part, 3),
            (self._come_and_go, 1),
            (self._change_settings, 1),
            (self._change_membership, 1),
        )
        for _ in range(steps):
            act = draw.choices([a for a, _ in acts], [weight for _, weight in acts])[0]
            await act(draw)
            await asyncio.sleep(draw.random() * 0.002)

    async def _post(self, draw: random.Random) -> None:
        source = draw.choice([self.sources[0], *self.sources])
        texts = ["again and again"] * draw.choice([1, 1, 3])
        customer = f"c{draw.randrange(self.customers)}"
        taken = await self.floor.post(source, customer, *texts)
        self.posts |= {(source.account_id, i) for i in taken.conversation_ids}
        self.done["post"] += 1

    async def _some(self, draw: random.Random, *states: str) -> Any:
        def read(connection: Connection) -> list[str]:
            query = select(CONVERSATIONS.c.id).where(CONVERSATIONS.c.state.in_(states))
            return sorted(connection.execute(query).scalars())

        ids = await self.floor.database.read(read)
        return await self.floor.get(draw.choice(ids)) if ids else None

    async def _take(self, draw: random.Random) -> None:
        conversation = await self._some(draw, "queued" if draw.random() < 0.1 else "alerting")
        if conversation is None:
            return
        agent = draw.choice(self.agents)
        if conversation.offer is not None and draw.random() < 0.9:
            agent = conversation.offer.agent_id
        if draw.random() < 0.2:
            await self._say(conversation.id, c.Decline(c.Actor(agent), None, "busy"))
        else:
            outcome = await self.floor.pick_up(conversation.id, agent)
            self._count("pick up", outcome)

    async def _work(self, draw: random.Random) -> None:
        conversation = await self._some(draw, "connected", "held", "parked", "wrapup")
        if conversation is None:
            return
        actor = c.Actor(conversation.agent_id)
        if draw.random() < 0.1:
            actor = c.Actor(draw.choice(self.agents))
        if draw.random() < 0.4 and actor.agent_id:
            outcome = await self.floor.reply(conversation.id, actor.agent_id)
            self._count("reply", outcome)
            return
        commands = (
            c.Hold(actor),
            c.Resume(actor),
            c.Park(actor, draw.choice([None, self.clock.now + 1_000]), "later"),
            c.Unpark(actor),
            c.Consult(actor, draw.choice(self.agents), "do you know?"),
            c.EndConsult(actor),
            c.TransferToWorkgroup(actor, draw.choice(self.workgroups), "please"),
            c.TransferToAgent(actor, draw.choice(self.agents), new_id("of"), "please"),
            c.Disconnect(actor, draw.choice([None, "solved"])),
            c.FinishWrapUp(actor, "solved", done=True),
            c.Disconnect(actor, "solved"),
            c.Discard(actor, "spam"),
        )
        await self._say(conversation.id, draw.choice(commands))

    async def _say(self, conversation_id: str, command: c.Command) -> None:
        outcome = await self.floor.command(conversation_id, command)
        self._count(type(command).__name__, outcome)

    def _count(self, name: str, outcome: Any) -> None:
        self.done[name if outcome.refusal is None else f"refused {name}"] += 1

    async def _send(self, draw: random.Random) -> None:
        """Be the sender of a reply: the network takes it, refuses it, or breaks the line."""
        conversation_id = draw.choice(await self._with_replies() or [""])
        if not conversation_id:
            return
        database = self.floor.database
        delivery = await database.read(lambda k: replies.next_delivery(k, conversation_id))
        if delivery is None:
            return
        reply_id = delivery.reply.id
        permit = await database.write(
            lambda k: replies.begin(k, reply_id, ReadBack.LOOK_UP, "sender")
        )
        await self.floor.following.follow(permit.aftermath)
        step = permit.permission.next_step.step
        if step not in {Step.SEND, Step.LOOK_UP}:
            return
        outcome = self._answer(draw, reply_id, step)
        if outcome is None:
            return
        settled = await database.write(partial(_settle, permit.permission, outcome))
        await self.floor.following.follow(settled.aftermath)
        self.done[f"{step.value} {outcome.certainty.value}"] += 1

    async def _with_replies(self) -> list[str]:
        def waiting(connection: Connection) -> list[str]:
            query = select(REPLIES.c.conversation_id).where(
                REPLIES.c.state.not_in(["sent", "rejected"])
            )
            return sorted(set(connection.execute(query).scalars()))

        return await self.floor.database.read(waiting)

    def _answer(self, draw: random.Random, reply_id: str, step: Step) -> Outcome | None:
        if step is Step.LOOK_UP:
            is_there = self.published[reply_id] > 0
            return Outcome(Certainty.SENT if is_there else Certainty.NOT_ACCEPTED)
        luck = draw.random()
        if luck < 0.1:
            return Outcome(Certainty.REJECTED)
        if luck < 0.2:
            return Outcome(Certainty.NOT_ACCEPTED)
        lands = luck < 0.3 or luck > 0.4
        self.published[reply_id] += lands
        if luck < 0.4:
            return None if luck < 0.25 else Outcome(Certainty.MAYBE, may_still_arrive=True)
        return Outcome(Certainty.SENT, f"out-{reply_id}")

    async def _let_time_pass(self, draw: random.Random) -> None:
        if self.does_time_pass:
            self.clock.advance(ms=draw.choice(BOUNDARIES_MS))
        states = ("queued", "alerting", "connected", "parked", "wrapup")
        for _ in range(3):
            conversation = await self._some(draw, *states)
            if conversation is None:
                return
            outcome = await self.floor.database.write(partial(_let_due_happen, conversation.id))
            await self.floor.follow(outcome)

    async def _intervene(self, draw: random.Random) -> None:
        conversation = await self._some(draw, "queued", "alerting", "connected", "held")
        if conversation is None:
            return
        commands = (
            c.Release(SUPERVISOR, "away"),
            c.EndByOperator("workflow_cancelled"),
            c.TransferToWorkgroup(SUPERVISOR, draw.choice(self.workgroups), None),
            c.Disconnect(SUPERVISOR, None),
            c.TransferToAgent(
                SUPERVISOR, draw.choice(self.agents), new_id("of"), None, override_capacity=True
            ),
        )
        await self._say(conversation.id, draw.choice(commands))

    async def _join_or_part(self, draw: random.Random) -> None:
        """Merge or forward into another of the customer's conversations, split, or take it back."""
        open_states = ("queued", "alerting", "connected", "held", "parked")
        undone = draw.random() < 0.3
        conversation = await self._some(draw, *(["merged"] if undone else open_states))
        if conversation is None:
            return
        if undone:
            self._count("unmerge", await self.floor.unmerge(conversation.id))
            return
        if draw.random() < 0.3:
            posts = await self._posts_in(conversation.id)
            some = draw.sample(posts, draw.randint(1, max(1, len(posts) - 1))) if posts else []
            self._count("split", await self.floor.split(conversation.id, some))
            return
        other = await self._another_of(draw, conversation)
        if other is None:
            return
        if draw.random() < 0.5:
            actor = c.Actor(conversation.agent_id or draw.choice(self.agents))
            self._count("forward", await self.floor.forward(conversation.id, other, actor))
        else:
            self._count("merge", await self.floor.merge(conversation.id, other))

    async def _posts_in(self, conversation_id: str) -> list[str]:
        query = select(POSTS.c.id).where(POSTS.c.conversation_id == conversation_id)
        return await self.floor.database.read(lambda k: sorted(k.execute(query).scalars()))

    async def _another_of(self, draw: random.Random, conversation: Any) -> str | None:
        query = select(CONVERSATIONS.c.id).where(
            CONVERSATIONS.c.customer_id == conversation.customer_id,
            CONVERSATIONS.c.ended_at.is_(None),
            CONVERSATIONS.c.id != conversation.id,
        )
        others = await self.floor.database.read(lambda k: sorted(k.execute(query).scalars()))
        return draw.choice(others) if others else None

    async def _come_and_go(self, draw: random.Random) -> None:
        agent = draw.choice(self.agents)
        if draw.random() < 0.5:
            await self.floor.status(agent, RoutingStatus.OFF_QUEUE)
        for other in self.agents if draw.random() < 0.5 else [agent]:
            await self.floor.status(other, RoutingStatus.ON_QUEUE)

    async def _change_settings(self, draw: random.Random) -> None:
        """Change how a workgroup routes, as an administrator does."""
        workgroup_id = draw.choice(self.workgroups)
        drawn = drawn_settings(draw, [w for w in self.workgroups if w != workgroup_id])

        def change(connection: Connection) -> None:
            row = workgroups.lock(connection, workgroup_id)
            assert row is not None
            body = WorkgroupBody.model_validate(body_of(row) | drawn)
            workgroups.change(connection, row, values_of(body))

        await self.floor.database.write(change)
        await self.floor.following.follow(Aftermath(asks=frozenset({workgroup_id})))
        self.done["settings"] += 1

    async def _change_membership(self, draw: random.Random) -> None:
        workgroup_id, agent = draw.choice(self.workgroups), draw.choice(self.agents)
        change = draw.choice([workgroups.add_member, workgroups.remove_member])
        asked = await self.floor.database.write(lambda k: change(k, workgroup_id, agent))
        await self.floor.following.follow(Aftermath(asks=asked or frozenset()))
        self.done[change.__name__] += 1

    async def come_to_rest(self) -> None:
        """Let all that was begun come to its end, what is due happen, every event get its place.

        Nobody asks for a match here but whoever changed something, and the alarms: no sweep.
        """
        await self.floor.following.close()
        if self.does_time_pass:
            await self._let_alarms_ring()
        await self.floor.following.close()
        while await self.floor.database.write(events.number_events):
            pass

    async def _let_alarms_ring(self) -> None:
        """Do what each conversation's workflow does when its alarm rings."""
        query = select(CONVERSATIONS).where(
            CONVERSATIONS.c.state.not_in(["completed", "discarded"])
        )
        rows = await self.floor.database.read(lambda k: list(k.execute(query).mappings()))
        for row in rows:
            alarm = alarm_at(conversation_from(row))
            if alarm is not None and alarm <= self.clock.now:
                outcome = await self.floor.database.write(partial(_let_due_happen, row["id"]))
                await self.floor.follow(outcome)


def drawn_settings(draw: random.Random, others: list[str]) -> dict[str, Any]:
    """Draw settings of a workgroup whose rings add some of the others."""
    is_automatic = draw.random() < 0.2
    rings: list[dict[str, Any]] = [
        {"after_s": 0, "drop_skills": [SKILLS[0]], "at_once_if_nobody": True},
        {"after_s": 1, "workgroups": others, "at_once_if_nobody": draw.random() < 0.5},
        {"after_s": 2, "lower_skills": [{"skill": SKILLS[1], "min_proficiency": 10}]},
    ]
    asked = [{"skill": skill, "min_proficiency": draw.choice([0, 30, 60])} for skill in SKILLS]
    return {
        "auto_accept": is_automatic,
        "offers_at_once": 1 if is_automatic else draw.choice([1, 1, 2, 3]),
        "offer_timeout_action": draw.choice(list(OfferTimeoutAction)),
        "strict_priority": draw.random() < 0.3,
        "score_weights": {
            name: draw.choice([0, 1, 3]) for name in ("skill", "priority", "time_in_system")
        }
        | {"time_in_queue": 1},
        "agent_order": draw.sample(list(OrderKey), draw.randint(1, len(OrderKey))),
        "required_skills": draw.choice([[], [], asked[:1], asked]),
        "preferred_skills": draw.choice([[], asked]),
        "rings": rings[: draw.randint(0, len(rings))],
        "utilization": {"social_conversation": {"percent": draw.choice([20, 40, 60, 100])}},
    }


def _settle(permission: Permission, outcome: Outcome, connection: Connection) -> Settled:
    return replies.settle(connection, permission, outcome)


def _let_due_happen(conversation_id: str, connection: Connection) -> conversations.Outcome:
    return conversations.let_due_happen(connection, conversation_id)
