"""Scripted agents: they take every offer, say what was recorded, and hang up when it is over."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from operation.caller import Caller, Json, Refused
from operation.replay_world import World, put_status

LOOK_EVERY_S = 0.15
TIDY_EVERY_S = 1.0
LOOK_AGAIN_S = 0.1
SETTLED = frozenset({"sent", "rejected", "needs_human"})
NOT_THERE_YET = "unknown_reply_target"

Key = tuple[str, str]
"""A brand's handle and a customer's."""


@dataclass(frozen=True, slots=True)
class _Held:
    conversation_id: str
    agent_id: str


@dataclass(slots=True)
class Desk:
    """The agents together; `steps` says what a customer's recordings still have to bring."""

    world: World
    steps: Counter[Key] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    played: set[str] = field(default_factory=set)
    acts: int = 0
    _held: dict[Key, _Held] = field(default_factory=dict)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)
    _taking: set[str] = field(default_factory=set)
    _locks: defaultdict[Key, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    def lock(self, key: Key) -> asyncio.Lock:
        """Keep a customer from writing in the moment in which the agent hangs up."""
        return self._locks[key]

    async def work(self) -> None:
        """Take offers and end what is over, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take_offers(group))
            group.create_task(self._tidy(group))

    async def step_is_done(self, key: Key) -> None:
        """Note a recorded step; after a customer's last one the agent hangs up."""
        self.steps[key] -= 1
        self.acts += 1
        held = self._held.get(key)
        if held is not None and not self.steps[key]:
            await self._hang_up(key, held)

    async def answer(self, key: Key, text: str, in_reply_to: str | None) -> Json:
        """Say it in the customer's conversation as soon as an agent has it; return the reply."""
        while True:
            held = await self._holding(key)
            path = f"/conversations/{held.conversation_id}/replies"
            try:
                reply = await self._caller(held).post(
                    path, {"text": text, "in_reply_to": in_reply_to}
                )
            except Refused as refused:
                if refused.code != NOT_THERE_YET:
                    self._forget(key, held)
                await asyncio.sleep(LOOK_AGAIN_S)
                continue
            self.accepted.add(reply["id"])
            return reply

    async def settled(self, reply: Json) -> Json:
        """Wait until the network has the reply, or surely not."""
        while reply["state"] not in SETTLED:
            await asyncio.sleep(LOOK_AGAIN_S)
            reply = await self.world.api.get(f"/replies/{reply['id']}")
        return reply

    async def _holding(self, key: Key) -> _Held:
        async with self._came:
            while (held := self._held.get(key)) is None:
                await self._came.wait()
            return held

    async def _take_offers(self, group: asyncio.TaskGroup) -> None:
        while True:
            offered = await self._listed("alerting")
            for conversation in offered:
                offer = conversation["offer"]
                if offer and offer["id"] not in self._taking:
                    self._taking.add(offer["id"])
                    group.create_task(self._pick_up(conversation["id"], offer))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _pick_up(self, conversation_id: str, offer: Json) -> None:
        caller = self.world.agents.get(offer["agent_id"])
        try:
            if caller is not None:
                path = f"/conversations/{conversation_id}/pickup"
                await self._hold(await caller.post(path, {"offer_id": offer["id"]}))
        except Refused:
            pass  # it was taken back meanwhile: another offer follows
        finally:
            self._taking.discard(offer["id"])

    async def _hold(self, conversation: Json) -> None:
        key = self._key(conversation)
        if key is None:
            return
        held = _Held(conversation["id"], conversation["agent_id"])
        if self._held.get(key) != held:
            self.acts += 1
        async with self._came:
            self._held[key] = held
            self._came.notify_all()
        if not self.steps[key]:
            await self._hang_up(key, held)

    async def _tidy(self, group: asyncio.TaskGroup) -> None:
        """Find what a crash on either side has left: held conversations, agents not responding."""
        while True:
            for conversation in await self._listed("connected"):
                group.create_task(self._hold(conversation))
            agents = await self.world.api.all("/agents")
            for agent in agents:
                is_away = agent["routing_status"] == "not_responding"
                if is_away and agent["id"] in self.world.agents:
                    await put_status(self.world.api, agent["id"], "on_queue")
            await asyncio.sleep(TIDY_EVERY_S)

    async def _listed(self, state: str) -> Iterable[Json]:
        workgroup_id = self.world.workgroup_id
        return await self.world.api.all("/conversations", state=state, workgroup_id=workgroup_id)

    async def _hang_up(self, key: Key, held: _Held) -> None:
        async with self.lock(key):
            if self.steps[key] or self._held.get(key) != held:
                return
            self._forget(key, held)
            path = f"/conversations/{held.conversation_id}/disconnect"
            try:
                await self._caller(held).post(path)
            except Refused:
                return  # it has ended already
            self.acts += 1

    def _caller(self, held: _Held) -> Caller:
        return self.world.agents.get(held.agent_id, self.world.api)

    def _forget(self, key: Key, held: _Held) -> None:
        if self._held.get(key) == held:
            del self._held[key]

    def _key(self, conversation: Json) -> Key | None:
        brand = self.world.brand_of(conversation["channel_id"])
        handle = conversation["customer"]["handle"]
        return (brand, handle) if brand and handle else None
