"""A small contact centre made through the public API, and the life of a conversation in it."""

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench.caller import Caller, Json
from bench.instance import Parley
from bench.network import Network

OFFERED_WITHIN_S = 30.0
LOOKS_EVERY_S = 0.005
TEXTS = ("Where is my parcel?", "It was to be here on Monday.", "Order 4711.")


@dataclass(slots=True)
class Floor:
    """A workgroup with agents on queue, a channel, and the network behind it."""

    admin: Caller
    network: Network
    workgroup_id: str
    account_id: str
    channel_id: str
    agents: dict[str, Caller] = field(default_factory=dict)
    reply_waits_ms: list[float] = field(default_factory=list)
    """From each reply's 202 to its arrival at the network."""

    _numbers: Any = field(default_factory=itertools.count)
    _tag: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def posts(self, customers: int, texts: tuple[str, ...] = TEXTS[:1]) -> list[Json]:
        """Write posts of customers who were never heard of."""
        written: list[Json] = []
        for _ in range(customers):
            number = next(self._numbers)
            author = {"external_id": f"u-{self._tag}-{number}", "handle": f"@u{number}"}
            written += [
                self._post(f"p-{self._tag}-{number}-{place}", author, text)
                for place, text in enumerate(texts)
            ]
        return written

    @staticmethod
    def _post(external_id: str, author: Json, text: str) -> Json:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"external_id": external_id, "author": author, "text": text, "created_at": at}

    async def send(self, posts: list[Json], channel_id: str | None = None) -> list[str]:
        """Bring a page to the door; return the conversations that its posts are in."""
        path = f"/channels/{channel_id or self.channel_id}/posts"
        taken = await self.admin.ok("POST", path, {"posts": posts})
        if taken["rejected"]:
            raise RuntimeError(f"a post was rejected: {taken['rejected'][0]}")
        return list(dict.fromkeys(taken["conversation_ids"].values()))

    async def offered_to(self, conversation_id: str) -> str:
        """Return the agent whom the conversation is offered to, as soon as it is."""
        deadline_s = time.monotonic() + OFFERED_WITHIN_S
        while time.monotonic() < deadline_s:
            found = await self.admin.ok("GET", f"/conversations/{conversation_id}")
            if found["offer"]:
                return str(found["offer"]["agent_id"])
            await asyncio.sleep(LOOKS_EVERY_S)
        raise RuntimeError(f"conversation {conversation_id} was offered to nobody")

    async def command(
        self, agent: Caller, conversation_id: str, verb: str, body: Json | None = None
    ) -> Json:
        return await agent.ok("POST", f"/conversations/{conversation_id}/{verb}", body or {})

    async def connect(self) -> tuple[str, Caller]:
        """Return a conversation that an agent has picked up, and that agent."""
        (conversation_id,) = await self.send(self.posts(1))
        agent = self.agents[await self.offered_to(conversation_id)]
        await self.command(agent, conversation_id, "pickup")
        return conversation_id, agent

    async def live(self) -> str:
        """Take a customer's burst of three posts through the whole life of a conversation."""
        (conversation_id,) = await self.send(self.posts(1, TEXTS))
        await self.handle(conversation_id)
        return conversation_id

    async def live_slowly(self, pause_s: float) -> str:
        """Do the same at a human pace: every step on its own."""
        conversation_id = ""
        for post in self.posts(1, TEXTS):
            (conversation_id,) = await self.send([post])
            await asyncio.sleep(pause_s)
        await self.handle(conversation_id, pause_s)
        return conversation_id

    async def handle(self, conversation_id: str, pause_s: float = 0.0) -> None:
        """Do an agent's part: pick up, hold, resume, reply, and disconnect when it has arrived."""
        agent = self.agents[await self.offered_to(conversation_id)]
        for verb in ("pickup", "hold", "resume"):
            await self.command(agent, conversation_id, verb)
            await asyncio.sleep(pause_s)
        said = {"text": "It is on its way."}
        reply = await self.command(agent, conversation_id, "replies", said)
        accepted_s = time.perf_counter()
        await self.network.arrival(str(reply["id"]))
        self.reply_waits_ms.append((time.perf_counter() - accepted_s) * 1000)
        await asyncio.sleep(pause_s)
        await self.command(agent, conversation_id, "disconnect")


@asynccontextmanager
async def floor(parley: Parley, agents: int = 0) -> AsyncIterator[Floor]:
    """Set a floor up; its connections and its network end with it."""
    admin = Caller(parley.port, parley.admin_key)
    tag = uuid.uuid4().hex[:8]
    async with Network() as network:
        workgroup = await admin.ok(
            "POST", "/workgroups", {"name": f"care-{tag}", "offer_timeout_s": 600}
        )
        settings = {"reply_url": network.url, "secret": network.secret}
        account = await admin.ok(
            "POST",
            "/accounts",
            {"network": "webhook", "name": f"brand-{tag}", "settings": settings},
        )
        made = Floor(admin, network, workgroup["id"], account["id"], channel_id="")
        made.channel_id = await add_channel(made, f"wall-{tag}")
        for number in range(agents):
            await _add_agent(made, parley, f"agent-{tag}-{number}")
        try:
            yield made
        finally:
            for caller in (admin, *made.agents.values()):
                await caller.close()


async def add_channel(made: Floor, name: str, **settings: object) -> str:
    """Open a channel of the floor's account; return its id."""
    body = {"name": name, "account_id": made.account_id, "workgroup_id": made.workgroup_id}
    channel = await made.admin.ok("POST", "/channels", {**body, **settings})
    return str(channel["id"])


async def _add_agent(made: Floor, parley: Parley, username: str) -> None:
    body = {"username": username, "name": username, "workgroups": [made.workgroup_id]}
    agent = await made.admin.ok("POST", "/agents", {**body, "presence_lease": False})
    key = await made.admin.ok("POST", f"/agents/{agent['id']}/keys", {})
    caller = Caller(parley.port, str(key["key"]))
    await caller.ok("PUT", "/agents/me/status", {"routing_status": "on_queue"})
    made.agents[str(agent["id"])] = caller
