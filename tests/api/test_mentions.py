"""A note names colleagues: they are told, and see the conversation from then on."""

import pytest
from pydantic import SecretStr

from settings import Settings
from tests.api.conftest import Caller, Floor


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(database_url)})


async def id_of(agent: Caller) -> str:
    return str((await agent.ok("GET", "/agents/me"))["id"])


async def unread(agent: Caller) -> list[str]:
    listed = await agent.ok("GET", "/mentions?unread=true")
    return [one["text"] for one in listed["items"]]


async def test_who_is_named_is_told_sees_it_and_reads_it_once(floor: Floor) -> None:
    opened, agent = await floor.connect("ferry42")
    expert = await floor.agent(member=False)
    path, expert_id = f"/conversations/{opened}", await id_of(expert)
    await expert.refused("GET", path, None, 404, "not_found")
    body = {"text": "what do you say?", "mentions": [expert_id, await id_of(agent), expert_id]}

    note = await agent.ok("POST", f"{path}/notes", body)

    assert note["mentions"] == [expert_id]
    (mention,) = (await expert.ok("GET", "/mentions"))["items"]
    assert (mention["note_id"], mention["conversation_id"]) == (note["id"], opened)
    assert mention["by"]["agent_id"] == await id_of(agent)
    assert (mention["customer"]["handle"], mention["network"]) == (None, "webhook")
    assert await unread(agent) == []
    timeline = (await expert.ok("GET", f"{path}/timeline"))["items"]
    told = [entry["event"]["detail"] for entry in timeline if entry["kind"] == "event"]
    assert {"note_id": note["id"], "mentions": [expert_id]} in told
    assert [e["note"]["mentions"] for e in timeline if e["kind"] == "note"] == [[expert_id]]

    await expert.ok("PUT", f"{path}/mentions", {"read": True})
    assert await unread(expert) == []
    await expert.ok("PUT", f"{path}/mentions", {"read": False})
    assert await unread(expert) == ["what do you say?"]


async def test_nobody_unknown_is_named_and_nothing_is_written_then(floor: Floor) -> None:
    opened, agent = await floor.connect("ferry42")
    body = {"text": "and you?", "mentions": ["nobody"]}
    path = f"/conversations/{opened}"

    await agent.refused("POST", f"{path}/notes", body, 422, "unknown_reference")

    timeline = (await agent.ok("GET", f"{path}/timeline"))["items"]
    assert not [entry for entry in timeline if entry["kind"] == "note"]
    stranger = await floor.agent(member=False)
    await stranger.refused("PUT", f"{path}/mentions", {"read": True}, 404, "not_found")


async def test_mentions_come_in_pages_the_newest_first(floor: Floor) -> None:
    opened, agent = await floor.connect("ferry42")
    expert = await floor.agent()
    named = [await id_of(expert)]
    for number in range(3):
        body = {"text": f"note {number}", "mentions": named}
        await agent.ok("POST", f"/conversations/{opened}/notes", body)

    first = await expert.ok("GET", "/mentions?limit=2")
    rest = await expert.ok("GET", f"/mentions?limit=2&cursor={first['next_cursor']}")

    texts = [one["text"] for one in first["items"] + rest["items"]]
    assert texts == ["note 2", "note 1", "note 0"]
    assert (await floor.admin.ok("GET", "/mentions"))["items"] == []
