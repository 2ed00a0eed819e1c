"""Complaint 15: one matter in two conversations, or two matters in one.

Merge into one's own, forward to the owner, split: audited and reversible; the union keeps the
order and the counts.
"""

from typing import Any

import pytest_asyncio

from storage.ids import new_id
from tests.api.conftest import Caller, Floor, Json

TEXTS = ("one", "two", "three", "four")
Event = tuple[str, Any]


class Matter:
    """A customer on two channels of one account, and the agents who have the conversations."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.wall = floor.channel
        self.page = ""

    async def open(self) -> "Matter":
        channel = await self.floor.admin.ok("GET", f"/channels/{self.wall}")
        body = {name: channel[name] for name in ("account_id", "workgroup_id")}
        body["name"] = new_id("page")
        self.page = (await self.floor.admin.ok("POST", "/channels", body))["id"]
        self.agent = await self.floor.agent()
        self.first = await self.post(self.wall, "one")
        await self.agent.ok("POST", f"/conversations/{self.first}/pickup", {})
        self.second = await self.post(self.page, "two")
        await self.post(self.wall, "three")
        await self.post(self.page, "four")
        return self

    async def post(self, channel: str, *texts: str) -> str:
        self.floor.channel = channel
        return await self.floor.open("customer", *texts)

    async def take(self, conversation_id: str) -> None:
        await self.agent.ok("POST", f"/conversations/{conversation_id}/pickup", {})

    async def get(self, conversation_id: str) -> Json:
        found: Json = await self.floor.admin.ok("GET", f"/conversations/{conversation_id}")
        return found

    async def entries(self, conversation_id: str, kind: str) -> list[Json]:
        path = f"/conversations/{conversation_id}/timeline?limit=200"
        items = (await self.floor.admin.ok("GET", path))["items"]
        return [item[kind] for item in items if item["kind"] == kind]

    async def texts(self, conversation_id: str) -> list[str]:
        return [post["text"] for post in await self.entries(conversation_id, "post")]

    async def audit(self, conversation_id: str) -> dict[str, Json]:
        events = await self.entries(conversation_id, "event")
        return {event["type"]: event["detail"] for event in events}


@pytest_asyncio.fixture
async def matter(floor: Floor) -> Matter:
    return await Matter(floor).open()


async def id_of(agent: Caller) -> str:
    return str((await agent.ok("GET", "/agents/me"))["id"])


async def test_a_merge_is_one_history_in_order_and_can_be_taken_back(matter: Matter) -> None:
    first, second, agent = matter.first, matter.second, matter.agent
    await matter.take(second)

    await agent.ok("POST", f"/conversations/{second}/merge", {"into": first, "comment": "same"})

    assert await matter.texts(first) == list(TEXTS)
    united = await matter.get(first)
    assert (united["post_count"], united["unanswered_count"]) == (4, 4)
    assert await matter.post(matter.page, "five") == first, "later posts follow the merge"
    told = (await matter.audit(second))["conversation.merged"]
    assert (told["into_conversation_id"], told["by_agent_id"]) == (first, await id_of(agent))
    assert told["comment"] == "same"

    await agent.ok("POST", f"/conversations/{second}/unmerge", {})

    assert await matter.texts(first) == ["one", "three"]
    assert await matter.texts(second) == ["two", "four", "five"]
    assert await matter.post(matter.page, "six") == second
    assert "conversation.unmerged" in await matter.audit(second)


async def test_who_got_the_stray_posts_forwards_them_to_the_owner(matter: Matter) -> None:
    other = await matter.floor.agent()
    await matter.agent.call("POST", f"/conversations/{matter.second}/decline", {})
    body = {"conversation_id": matter.first, "comment": "yours"}

    await other.ok("POST", f"/conversations/{matter.second}/forward", body)

    assert await matter.texts(matter.first) == list(TEXTS)
    assert (await matter.get(matter.first))["agent_id"] == await id_of(matter.agent)
    received = (await matter.audit(matter.first))["conversation.post_received"]
    assert (received["from_conversation_id"], received["comment"]) == (matter.second, "yours")


async def test_a_split_from_a_post_on_is_audited_and_undone_by_a_merge(matter: Matter) -> None:
    first, agent = matter.first, matter.agent
    await agent.ok("POST", f"/conversations/{matter.second}/pickup", {})
    await agent.ok("POST", f"/conversations/{matter.second}/merge", {"into": first})
    posts = await matter.entries(first, "post")
    from_the_third_on = {"post_ids": [post["id"] for post in posts[2:]]}

    new = await agent.ok("POST", f"/conversations/{first}/split", from_the_third_on)

    assert await matter.texts(first) == ["one", "two"]
    assert await matter.texts(new["id"]) == ["three", "four"]
    assert new["preferred_agent_id"] == await id_of(agent)
    assert (await matter.audit(first))["conversation.split"]["into_conversation_id"] == new["id"]
    assert (await matter.audit(new["id"]))["conversation.created"]["split_from"] == first
    assert await matter.post(matter.wall, "five") == first, "later posts join the original"

    await matter.floor.admin.ok("POST", f"/conversations/{new['id']}/merge", {"into": first})

    assert await matter.texts(first) == [*TEXTS, "five"]
