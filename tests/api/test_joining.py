"""Consult, merge, forward, split, wrap-up codes and customers' own agents, through the API."""

from typing import Any

import pytest

from storage.ids import new_id
from tests.api.conftest import Caller, Floor, Json


async def second_channel(floor: Floor) -> str:
    """Return another channel of the floor's account and workgroup."""
    channel = await floor.admin.ok("GET", f"/channels/{floor.channel}")
    body = {n: channel[n] for n in ("account_id", "workgroup_id")}
    return str((await floor.admin.ok("POST", "/channels", {"name": new_id("name"), **body}))["id"])


async def two_of_one_customer(floor: Floor) -> tuple[str, str, Caller]:
    first, agent = await floor.connect("customer")
    floor.channel = await second_channel(floor)
    second = await floor.open("customer", "and on the page")
    await agent.ok("POST", f"/conversations/{second}/pickup", {})
    return first, second, agent


async def id_of(agent: Caller) -> str:
    return str((await agent.ok("GET", "/agents/me"))["id"])


async def types_of(caller: Caller, conversation_id: str) -> list[str]:
    entries = (await caller.ok("GET", f"/conversations/{conversation_id}/timeline"))["items"]
    return [entry["event"]["type"] for entry in entries if entry["kind"] == "event"]


async def test_an_owner_merges_two_and_takes_it_back(floor: Floor) -> None:
    first, second, agent = await two_of_one_customer(floor)
    assert (await agent.ok("GET", "/agents/me"))["utilization_percent"] == 50

    gone = await agent.ok(
        "POST", f"/conversations/{first}/merge", {"into": second, "comment": "the same"}
    )

    assert (gone["state"], gone["merged_into"], gone["post_count"]) == ("merged", second, 0)
    assert (await agent.ok("GET", "/agents/me"))["utilization_percent"] == 25
    target = await agent.ok("GET", f"/conversations/{second}")
    assert (target["post_count"], target["unanswered_count"]) == (2, 2)
    assert (await types_of(agent, first))[-1] == "conversation.merged"
    assert (await types_of(agent, second))[-2:] == [
        "conversation.merged",
        "conversation.post_received",
    ]

    back = await agent.ok("POST", f"/conversations/{first}/unmerge", {})

    assert (back["merged_into"], back["ended_at"], back["post_count"]) == (None, None, 1)
    assert "conversation.unmerged" in await types_of(agent, first)
    assert (await types_of(agent, second))[-1] == "conversation.unmerged"


async def test_a_split_answers_201_with_the_new_conversation(floor: Floor) -> None:
    agent = await floor.agent()
    opened = await floor.open("customer", "about one thing", "about another")
    await agent.ok("POST", f"/conversations/{opened}/pickup", {})
    path = f"/conversations/{opened}"
    posts = [
        entry["post"]
        for entry in (await agent.ok("GET", f"{path}/timeline"))["items"]
        if entry["kind"] == "post"
    ]

    answer = await agent.call("POST", f"{path}/split", {"post_ids": [posts[1]["id"]]}, "key-1")
    again = await agent.call("POST", f"{path}/split", {"post_ids": [posts[1]["id"]]}, "key-1")

    new = answer.json()
    assert (answer.status_code, again.json()) == (201, new)
    assert (new["post_count"], new["preferred_agent_id"]) == (1, await id_of(agent))
    assert (await agent.ok("GET", path))["post_count"] == 1
    shown = await agent.ok("GET", f"/conversations/{new['id']}")
    assert shown["state"] in {"queued", "alerting"}
    by_external_id = {"post_ids": [posts[0]["external_id"]]}
    await agent.refused("POST", f"{path}/split", by_external_id, 409, "cannot_split")
    await agent.refused("POST", f"{path}/split", {"post_ids": ["x"]}, 409, "unknown_posts")
    await agent.refused("POST", f"{path}/split", {"post_ids": []}, 422, "invalid_request")


async def test_who_got_a_stray_post_forwards_it_to_the_owner(floor: Floor) -> None:
    owned, owner = await floor.connect("customer")
    await owner.ok("PUT", "/agents/me/status", {"routing_status": "off_queue"})
    other = await floor.agent()
    floor.channel = await second_channel(floor)
    stray = await floor.open("customer", "where are you?")
    body = {"conversation_id": owned, "comment": "yours"}

    gone = await other.ok("POST", f"/conversations/{stray}/forward", body)

    assert (gone["state"], gone["merged_into"]) == ("merged", owned)
    assert (await owner.ok("GET", f"/conversations/{owned}"))["unanswered_count"] == 2
    assert (await other.ok("GET", "/agents/me"))["utilization_percent"] == 0


@pytest.mark.parametrize(("path", "field"), [("merge", "into"), ("forward", "conversation_id")])
async def test_a_conversation_that_the_caller_does_not_see_is_none_to_him(
    floor: Floor, path: str, field: str
) -> None:
    opened, agent = await floor.connect("customer")
    elsewhere = await Floor(floor.admin).set_up()
    hidden = await elsewhere.open("customer")
    for target in (hidden, "nothing"):
        body = {field: target}
        await agent.refused(
            "POST", f"/conversations/{opened}/{path}", body, 422, "unknown_reference"
        )
    body = {field: opened}
    await agent.refused("POST", f"/conversations/{hidden}/{path}", body, 404, "not_found")


async def test_an_agent_is_consulted_notes_and_gets_the_conversation(floor: Floor) -> None:
    opened, owner = await floor.connect("customer")
    expert = await floor.agent(member=False)
    expert_id, path = await id_of(expert), f"/conversations/{opened}"
    await expert.refused("GET", path, None, 404, "not_found")

    consulted = await owner.ok("POST", f"{path}/consult", {"agent_id": expert_id, "comment": "?"})

    assert (consulted["state"], consulted["consulted_agent_id"]) == ("connected", expert_id)
    assert (await expert.ok("GET", path))["id"] == opened
    about = await expert.ok("GET", f"/conversations?consulted_agent_id={expert_id}")
    assert [row["id"] for row in about["items"]] == [opened]
    assert (await expert.ok("GET", "/agents/me"))["utilization_percent"] == 0
    await expert.ok("POST", f"{path}/notes", {"text": "ask for the number"})
    words = {"text": "me instead"}
    await expert.refused("POST", f"{path}/replies", words, 409, "not_your_conversation")
    transfer = {"agent_id": expert_id}
    await owner.refused("POST", f"{path}/transfer", transfer, 409, "agent_not_eligible")
    await floor.admin.ok("PUT", f"/workgroups/{floor.workgroup}/members/{expert_id}")

    given = await owner.ok("POST", f"{path}/transfer", transfer)

    assert (given["state"], given["agent_id"]) == ("connected", expert_id)
    assert given["consulted_agent_id"] is None
    about = await expert.ok("GET", f"/conversations?consulted_agent_id={expert_id}")
    assert about["items"] == []
    assert (await owner.ok("GET", "/agents/me"))["utilization_percent"] == 0
    assert (await expert.ok("GET", "/agents/me"))["utilization_percent"] == 25
    assert (await types_of(owner, opened))[-4:] == [
        "conversation.consulted",
        "conversation.note_written",
        "conversation.transferred",
        "conversation.connected",
    ]


async def test_a_consultation_is_ended_by_either_side(floor: Floor) -> None:
    opened, owner = await floor.connect("customer")
    expert = await floor.agent()
    stranger = await floor.agent()
    path = f"/conversations/{opened}"
    for caller in (owner, expert, floor.admin):
        await owner.ok("POST", f"{path}/consult", {"agent_id": await id_of(expert)})
        body: Json = {}
        await stranger.refused("POST", f"{path}/consult/end", body, 409, "not_your_conversation")
        ended = await caller.ok("POST", f"{path}/consult/end", body)
        assert ended["consulted_agent_id"] is None
    await owner.refused("POST", f"{path}/consult/end", {}, 409, "illegal_transition")


async def test_nobody_is_consulted_who_is_not_there(floor: Floor) -> None:
    opened, owner = await floor.connect("customer")
    absent = await floor.agent(on_queue=False)
    path = f"/conversations/{opened}/consult"

    body = {"agent_id": await id_of(absent)}
    problem = await owner.refused("POST", path, body, 409, "cannot_consult")
    assert "not_on_queue" in problem["detail"]
    body = {"agent_id": await id_of(owner)}
    await owner.refused("POST", path, body, 409, "cannot_consult")
    await owner.refused("POST", path, {"agent_id": "nobody"}, 422, "unknown_reference")


async def wrapping(floor: Floor, mode: str, **wrap_up: Any) -> tuple[str, Caller]:
    settings = {"wrap_up": {"mode": mode, "codes": ["solved", "passed_on"], **wrap_up}}
    await floor.admin.ok("PATCH", f"/workgroups/{floor.workgroup}", settings)
    opened, agent = await floor.connect(new_id("customer"))
    return f"/conversations/{opened}", agent


async def test_a_mandatory_wrap_up_keeps_the_room_until_it_has_a_known_code(floor: Floor) -> None:
    path, agent = await wrapping(floor, "mandatory")
    bad = {"wrap_up_code": "bored"}
    problem = await agent.refused("POST", f"{path}/disconnect", bad, 409, "unknown_wrap_up_code")
    assert "solved, passed_on" in problem["detail"]

    assert (await agent.ok("POST", f"{path}/disconnect", {}))["state"] == "wrapup"
    await agent.refused("POST", f"{path}/wrapup", {}, 409, "wrap_up_code_required")
    await agent.refused("POST", f"{path}/wrapup", bad, 409, "unknown_wrap_up_code")
    assert (await agent.ok("GET", "/agents/me"))["utilization_percent"] == 25

    done = await agent.ok("POST", f"{path}/wrapup", {"wrap_up_code": "solved"})
    assert (done["state"], done["wrap_up_code"]) == ("completed", "solved")
    assert (await agent.ok("GET", "/agents/me"))["utilization_percent"] == 0


async def test_a_supervisor_finishes_the_wrap_up_of_another(floor: Floor) -> None:
    path, agent = await wrapping(floor, "mandatory")
    await agent.ok("POST", f"{path}/disconnect", {})

    await floor.admin.refused("POST", f"{path}/wrapup", {}, 409, "wrap_up_code_required")
    done = await floor.admin.ok("POST", f"{path}/wrapup", {"wrap_up_code": "passed_on"})

    assert done["state"] == "completed"
    assert (await agent.ok("GET", "/agents/me"))["utilization_percent"] == 0


@pytest.mark.parametrize("mode", ["none", "optional", "timeboxed"])
async def test_a_code_at_the_disconnect_needs_no_wrap_up(floor: Floor, mode: str) -> None:
    path, agent = await wrapping(floor, mode, **({"timeout_s": 30} if mode == "timeboxed" else {}))
    ended = await agent.ok("POST", f"{path}/disconnect", {"wrap_up_code": "solved"})
    assert (ended["state"], ended["wrap_up_code"]) == ("completed", "solved")


async def test_a_customers_own_agent_gets_what_nobody_knows_better(floor: Floor) -> None:
    first, agent = await floor.connect("customer")
    customer_id = (await agent.ok("GET", f"/conversations/{first}"))["customer"]["id"]
    await agent.ok("POST", f"/conversations/{first}/discard", {"reason": "a test"})
    path = f"/customers/{customer_id}"
    card = await agent.ok("GET", path)
    assert (card["own_agent_id"], card["identities"][0]["external_id"]) == (None, "customer")
    own = await floor.agent()
    own_id = await id_of(own)

    await agent.refused("PATCH", path, {"own_agent_id": own_id}, 403, "forbidden")
    nobody = {"own_agent_id": "nobody"}
    await floor.admin.refused("PATCH", path, nobody, 422, "unknown_reference")
    changed = await floor.admin.ok("PATCH", path, {"own_agent_id": own_id})
    assert changed["own_agent_id"] == own_id

    floor.channel = await second_channel(floor)
    second = await floor.open("customer")
    offer = (await own.ok("GET", f"/conversations/{second}"))["offer"]
    assert offer["agent_id"] == own_id
    cleared = await floor.admin.ok("PATCH", path, {"own_agent_id": None})
    assert cleared["own_agent_id"] is None


async def test_a_customer_whom_one_has_nothing_to_do_with_is_none(floor: Floor) -> None:
    opened, agent = await floor.connect("customer")
    stranger = await floor.agent(member=False)
    customer = (await agent.ok("GET", f"/conversations/{opened}"))["customer"]["id"]

    await stranger.refused("GET", f"/customers/{customer}", None, 404, "not_found")
    await agent.refused("GET", "/customers/nobody", None, 404, "not_found")
    assert (await floor.admin.ok("GET", f"/customers/{customer}"))["id"] == customer
