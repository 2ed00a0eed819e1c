"""A small contact centre in a database: workgroups, agents, channels, and what they do."""

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select

from conversations import commands as c
from conversations.joining_commands import Forward, Merge
from conversations.messages import Bell
from conversations.model import Author, Post, RoutingStatus, Threading
from storage import clock, conversations, joining, policy_history, statuses
from storage.agent_changes import note_agents
from storage.asking import Following
from storage.conversation_tables import ConversationRow
from storage.conversations import Outcome, ReplyDraft
from storage.database import Database
from storage.ids import new_id
from storage.ingest import Source, Taken
from storage.intake import PageIntake
from storage.setup_tables import AccountRow, AgentRow, ChannelRow, MembershipRow, WorkgroupRow

SECRET = b"a secret of the tests, 32 bytes!"
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]


@dataclass
class Bells:
    """The bells that were to be rung, instead of a Temporal."""

    rung: list[Bell] = field(default_factory=list)

    async def __call__(self, bells: Sequence[Bell]) -> None:
        self.rung += bells


class Floor:
    """Acts on the storage as the API and the worker do."""

    def __init__(
        self,
        database: Database,
        *,
        following: Following | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.database = database
        self.bells = Bells()
        self.following = following or Following(database, self.bells)
        self.pages = PageIntake(database, self.following, lambda _: SECRET)
        self._account_settings = settings or {}
        self._numbers = itertools.count()

    async def workgroup(self, **settings: Any) -> str:
        workgroup_id = new_id("wg")
        values = {"name": workgroup_id, "service_level": {}, "utilization": {}, "wrap_up": {}}
        values |= {"required_skills": [], "agent_order": []} | settings
        await self._insert(WorkgroupRow, id=workgroup_id, **values)
        await self.database.write(lambda k: policy_history.note(k, workgroup_id))
        return workgroup_id

    async def agent(self, *workgroup_ids: str, on_queue: bool = True, **settings: Any) -> str:
        agent_id = new_id("ag")
        values: dict[str, Any] = {"username": agent_id, "name": agent_id, "roles": ["agent"]}
        values |= {"skills": {}, "own_utilization": {}, "presence_lease": False} | settings
        at = await self.database.read(clock.now)
        await self._insert(AgentRow, id=agent_id, since=at, idle_since=at, **values)
        for workgroup_id in workgroup_ids:
            await self.database.write(
                lambda k, w=workgroup_id: k.execute(  # type: ignore[misc]
                    insert(MembershipRow.__table__).values(workgroup_id=w, agent_id=agent_id)  # type: ignore[attr-defined]
                )
            )
        await self.database.write(lambda k: note_agents(k, [agent_id], clock.now(k)))
        if on_queue:
            await self.status(agent_id, RoutingStatus.ON_QUEUE)
        return agent_id

    async def account(self) -> str:
        account_id = new_id("ac")
        await self._insert(
            AccountRow,
            id=account_id,
            network="webhook",
            name="brand",
            settings=self._account_settings,
            secrets="",
        )
        return account_id

    async def channel(self, workgroup_id: str, **settings: Any) -> Source:
        channel_id = new_id("ch")
        account_id = settings.pop("account_id", None) or await self.account()
        values: dict[str, Any] = {"handles": [], "keywords": [], "required_skills": []} | settings
        await self._insert(
            ChannelRow,
            id=channel_id,
            name="wall",
            account_id=account_id,
            workgroup_id=workgroup_id,
            **values,
        )
        return Source(
            channel_id,
            account_id,
            "webhook",
            workgroup_id,
            Threading(settings.get("threading", "customer")),
            settings.get("affinity_window_s", 3600),
            settings.get("priority", 50),
            (),
        )

    async def _insert(self, table: Any, **values: Any) -> None:
        row = table(created_at=await self.database.read(clock.now), **values)
        names = table.__table__.columns.keys()
        plain = {name: getattr(row, name) for name in names}
        await self.database.write(lambda k: k.execute(insert(table.__table__).values(plain)))

    async def status(self, agent_id: str, status: RoutingStatus) -> None:
        outcome = await self.database.write(
            lambda k: statuses.set_status(k, agent_id, status, None)
        )
        await self.follow(outcome)

    async def post(self, source: Source, customer: str, *texts: str, **fields: Any) -> Taken:
        at = await self.database.read(clock.now)
        posts = [
            Post(
                f"p{next(self._numbers)}-{random.getrandbits(40)}",
                Author(customer),
                text,
                at,
                **fields,
            )
            for text in texts or ("Where is my parcel?",)
        ]
        return await self.pages.take_in(source, posts)

    async def open(self, source: Source, customer: str, *texts: str, **fields: Any) -> str:
        taken = await self.post(source, customer, *texts, **fields)
        (conversation_id,) = set(taken.conversation_ids.values())
        return conversation_id

    async def command(self, conversation_id: str, command: c.Command) -> Outcome:
        outcome = await self.database.write(
            lambda k: conversations.carry_out(k, conversation_id, lambda *_: command)
        )
        await self.follow(outcome)
        return outcome

    async def pick_up(self, conversation_id: str, agent_id: str) -> Outcome:
        outcome = await self.database.write(
            lambda k: conversations.carry_out(
                k, conversation_id, lambda _, at: c.PickUp(c.Actor(agent_id), None, at)
            )
        )
        await self.follow(outcome)
        return outcome

    async def reply(
        self, conversation_id: str, agent_id: str, text: str = "Here you are"
    ) -> Outcome:
        draft = ReplyDraft(new_id("re"), c.Actor(agent_id), text, None, None, confirm_public=False)
        outcome = await self.database.write(
            lambda k: conversations.reply(k, conversation_id, draft)
        )
        await self.follow(outcome)
        return outcome

    async def merge(self, source_id: str, target_id: str, actor: c.Actor = c.SYSTEM) -> Outcome:
        command = Merge(actor, None)
        return await self._join(lambda k: joining.merge(k, source_id, target_id, command))

    async def forward(self, source_id: str, target_id: str, actor: c.Actor) -> Outcome:
        command = Forward(actor, "yours")
        return await self._join(lambda k: joining.merge(k, source_id, target_id, command))

    async def unmerge(self, source_id: str, actor: c.Actor = c.SYSTEM) -> Outcome:
        return await self._join(lambda k: joining.unmerge(k, source_id, actor))

    async def split(
        self, conversation_id: str, posts: Sequence[str], actor: c.Actor = c.SYSTEM
    ) -> Outcome:
        return await self._join(lambda k: joining.split(k, conversation_id, actor, posts))

    async def _join(self, work: Callable[[Connection], Outcome]) -> Outcome:
        outcome = await self.database.write(work)
        await self.follow(outcome)
        return outcome

    async def connect(self, source: Source, customer: str) -> tuple[str, str]:
        """Return a conversation that an agent has picked up, and that agent."""
        conversation_id = await self.open(source, customer)
        offer = (await self.get(conversation_id)).offer
        assert offer is not None
        await self.pick_up(conversation_id, offer.agent_id)
        return conversation_id, offer.agent_id

    async def get(self, conversation_id: str) -> Any:
        return await self.database.read(lambda k: conversations.get(k, conversation_id))

    async def states(self) -> dict[str, str]:
        def read(connection: Connection) -> dict[str, str]:
            query = select(CONVERSATIONS.c.id, CONVERSATIONS.c.state)
            return {row.id: row.state for row in connection.execute(query)}

        return await self.database.read(read)

    async def follow(self, outcome: Any) -> None:
        await self.following.follow(outcome.aftermath)
