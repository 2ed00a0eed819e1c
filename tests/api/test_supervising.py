"""What a supervisor's lists need: who may find what, last words, and who did what."""

from tests.api.conftest import Floor
from tests.api.test_searching import found


async def test_nobody_finds_what_he_may_not_see(floor: Floor) -> None:
    opened = await floor.open("c1", "secret words")
    stranger, member = await floor.agent(member=False), await floor.agent(on_queue=False)

    assert await found(stranger, "q=secret") == []
    assert await found(member, "q=secret") == [opened]


async def test_a_list_shows_the_customers_last_words_and_keeps_none(floor: Floor) -> None:
    opened, agent = await floor.connect("c1")
    await floor.post("c1", "y" * 300)
    path = f"/conversations/{opened}"

    assert (await agent.ok("GET", path))["preview"] == "y" * 200
    listed = await floor.admin.ok("GET", "/conversations")
    assert listed["items"][0]["preview"] == "y" * 200
    held = await agent.ok("POST", f"{path}/hold", {})
    assert "preview" not in held


async def test_what_a_supervisor_does_with_anothers_is_told_by_name(floor: Floor) -> None:
    opened, agent = await floor.connect("c1")
    supervisor = await floor.agent("supervisor", on_queue=False)
    path = f"/conversations/{opened}"
    await supervisor.ok("POST", f"{path}/release", {"reason": "rebalancing"})
    me = await supervisor.ok("GET", "/session")

    told = await floor.admin.ok("GET", f"{path}/timeline")
    (released,) = [
        entry["event"]
        for entry in told["items"]
        if entry["kind"] == "event" and entry["event"]["type"] == "conversation.released"
    ]
    assert released["by_name"] == me["principal"]["name"]
    assert released["agent_id"] == (await agent.ok("GET", "/agents/me"))["id"]
