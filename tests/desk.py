"""One agent's desk, two channels of one account, and a customer who writes to both."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from conversations.replies import Certainty, Outcome, ReadBack
from storage import events, reading, replies
from storage.conversation_tables import PostRow
from storage.database import Database
from storage.ingest import Source
from storage.pages import Window
from storage.setup_tables import AgentRow
from tests.clocks import Clock
from tests.floor import Floor
from tests.history import read_history
from tests.invariants import violations_when_quiet

POSTS = PostRow.__table__  # type: ignore[attr-defined]
AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
SENT = Outcome(Certainty.SENT, "out-1")
WINDOW_S = 60


class Desk:
    """Acts for the agent and the customer; each act takes a millisecond."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.floor = Floor(database)
        self.database = database
        self.clock = clock

    async def open(self) -> "Desk":
        floor = self.floor
        self.workgroup = await floor.workgroup(
            utilization={"social_conversation": {"percent": 25}},
            wrap_up={"mode": "none"},
        )
        account_id = await floor.account()
        settings: dict[str, Any] = {"account_id": account_id, "affinity_window_s": WINDOW_S}
        self.wall = await floor.channel(self.workgroup, **settings)
        self.page = await floor.channel(self.workgroup, **settings)
        self.agent = await floor.agent(self.workgroup)
        return self

    async def two(self, *texts: str) -> tuple[str, str]:
        """Return two connected conversations of one customer."""
        first = await self.connected(self.wall, *texts)
        return first, await self.connected(self.page, *texts)

    async def connected(self, source: Source, *texts: str) -> str:
        self.clock.advance(ms=1)
        opened = await self.floor.open(source, "customer", *texts)
        picked = await self.floor.pick_up(opened, self.agent)
        assert picked.refusal is None, picked.refusal
        self.clock.advance(ms=1)
        return opened

    async def answer(self, conversation_id: str) -> str:
        """Take a reply, to be sent later."""
        self.clock.advance(ms=1)
        outcome = await self.floor.reply(conversation_id, self.agent)
        assert outcome.reply is not None, outcome.refusal
        self.clock.advance(ms=1)
        return outcome.reply.id

    async def send(self, reply_id: str) -> None:
        permit = await self.database.write(
            lambda k: replies.begin(k, reply_id, ReadBack.LOOK_UP, "sender")
        )
        await self.database.write(lambda k: replies.settle(k, permit.permission, SENT))

    async def load(self) -> int:
        query = select(AGENTS.c.utilization).where(AGENTS.c.id == self.agent)
        return await self.database.read(lambda k: int(k.execute(query).scalar_one()))

    async def texts(self, conversation_id: str) -> list[str]:
        told = await self.database.read(
            lambda k: reading.timeline(k, conversation_id, Window(limit=200))
        )
        return [entry.value["text"] for entry in told.entries if entry.kind == "post"]

    async def ids(self, conversation_id: str) -> Sequence[str]:
        query = select(POSTS.c.external_id).where(POSTS.c.conversation_id == conversation_id)
        query = query.order_by(POSTS.c.created_at, POSTS.c.external_id)
        return await self.database.read(lambda k: list(k.execute(query).scalars()))

    async def check(self) -> None:
        await self.floor.following.close()
        while await self.database.write(events.number_events):
            pass
        assert violations_when_quiet(await self.database.read(read_history)) == []
