"""Agents at work, through the API: each command, its refusals and what is seen afterwards."""

import pytest

from tests.api.conftest import Caller, Floor


async def test_a_life_from_post_to_wrap_up(admin_floor: Floor) -> None:
    floor = admin_floor
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}"
    for command, state in (("hold", "held"), ("resume", "connected"), ("park", "parked")):
        assert (await agent.ok("POST", f"{path}/{command}", {}))["state"] == state
    assert (await agent.ok("GET", "/agents/me"))["utilization_percent"] == 0
    assert (await agent.ok("POST", f"{path}/unpark", {}))["state"] == "connected"
    assert (await agent.ok("GET", "/agents/me"))["utilization_percent"] == 25

    reply = await agent.ok("POST", f"{path}/replies", {"text": "We look into it"})
    assert (reply["state"], reply["visibility"]) == ("accepted", "public")
    note = await agent.ok("POST", f"{path}/notes", {"text": "a patient one"})
    assert note["author_name"]
    ended = await agent.ok("POST", f"{path}/disconnect", {})
    assert (ended["state"], ended["ended_by"]) == ("wrapup", ended["agent_id"])
    done = await agent.ok("POST", f"{path}/wrapup", {"wrap_up_code": "solved", "done": True})
    assert (done["state"], done["wrap_up_code"]) == ("completed", "solved")

    entries = (await agent.ok("GET", f"{path}/timeline"))["items"]
    assert [entry["kind"] for entry in entries if entry["kind"] != "event"] == [
        "post",
        "reply",
        "note",
    ]
    assert (await agent.ok("GET", f"/replies/{reply['id']}"))["state"] == "accepted"


@pytest.fixture
async def admin_floor(floor: Floor) -> Floor:
    wrap_up = {"wrap_up": {"mode": "optional"}}
    await floor.admin.ok("PATCH", f"/workgroups/{floor.workgroup}", wrap_up)
    return floor


@pytest.mark.parametrize(
    ("before", "command", "body", "code"),
    [
        ((), "pickup", {}, "illegal_transition"),
        ((), "resume", {}, "illegal_transition"),
        ((), "unpark", {}, "illegal_transition"),
        ((), "decline", {}, "illegal_transition"),
        (("hold",), "replies", {"text": "x"}, "conversation_held"),
        (("hold",), "hold", {}, "illegal_transition"),
        (("park",), "replies", {"text": "x"}, "illegal_transition"),
        (("disconnect",), "hold", {}, "conversation_ended"),
        (("disconnect",), "replies", {"text": "x"}, "conversation_ended"),
        (("disconnect",), "transfer", {"agent_id": "SELF"}, "conversation_ended"),
    ],
)
async def test_what_does_not_apply_is_refused_with_its_code(
    floor: Floor, before: tuple[str, ...], command: str, body: dict[str, str], code: str
) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}"
    for earlier in before:
        await agent.ok("POST", f"{path}/{earlier}", {})
    if body.get("agent_id") == "SELF":
        body = {"agent_id": (await agent.ok("GET", "/agents/me"))["id"]}

    await agent.refused("POST", f"{path}/{command}", body, 409, code)


async def test_a_former_owner_is_told_whose_it_is(floor: Floor) -> None:
    opened, giver = await floor.connect("customer")
    taker = await floor.agent()
    taker_id = (await taker.ok("GET", "/agents/me"))["id"]
    path = f"/conversations/{opened}"

    given = await giver.ok("POST", f"{path}/transfer", {"agent_id": taker_id, "comment": "yours"})
    assert (given["state"], given["offer"]["agent_id"]) == ("alerting", taker_id)
    assert (await giver.ok("GET", "/agents/me"))["utilization_percent"] == 0
    await taker.ok("POST", f"{path}/pickup", {"offer_id": given["offer"]["id"]})

    problem = await giver.refused(
        "POST", f"{path}/replies", {"text": "still me"}, 409, "not_your_conversation"
    )
    assert taker_id in problem["detail"]
    decisions = (await floor.admin.ok("GET", f"{path}/decisions"))["items"]
    assert decisions[-1]["agent_id"] == taker_id


async def test_an_agent_without_room_gets_nothing_and_the_giver_keeps_it(floor: Floor) -> None:
    full = {"utilization": {"social_conversation": {"percent": 100}}}
    await floor.admin.ok("PATCH", f"/workgroups/{floor.workgroup}", full)
    _, busy = await floor.connect("first")
    busy_id = (await busy.ok("GET", "/agents/me"))["id"]
    opened, giver = await floor.connect("second")
    path = f"/conversations/{opened}"

    target = {"agent_id": busy_id}
    await giver.refused("POST", f"{path}/transfer", target, 409, "agent_at_capacity")

    assert (await giver.ok("GET", path))["state"] == "connected"


async def test_a_private_word_to_somebody_who_never_wrote_in_private_is_refused(
    floor: Floor,
) -> None:
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}/replies"
    private = {"text": "psst", "visibility": "private"}

    await agent.refused("POST", path, private, 409, "cannot_initiate_direct_message")
    await floor.post("customer", "in private", visibility="private")

    assert (await agent.ok("POST", path, private))["visibility"] == "private"


async def test_a_private_conversation_is_answered_in_public_only_on_purpose(floor: Floor) -> None:
    agent = await floor.agent()
    opened = await floor.open("customer", "my number is 42", visibility="private")
    await agent.ok("POST", f"/conversations/{opened}/pickup", {})
    path, public = f"/conversations/{opened}/replies", {"text": "42?", "visibility": "public"}

    code = "public_answer_to_private_conversation"
    await agent.refused("POST", path, public, 409, code)

    assert (await agent.ok("POST", path, public | {"confirm_public": True}))["state"] == "accepted"


async def test_supervisors_release_and_discard(floor: Floor) -> None:
    supervisor = await floor.agent("supervisor", on_queue=False)
    opened, agent = await floor.connect("customer")
    path = f"/conversations/{opened}"

    await agent.refused("POST", f"{path}/release", {"reason": "mine"}, 403, "forbidden")
    released = await supervisor.ok("POST", f"{path}/release", {"reason": "shift is over"})
    assert (released["state"], released["agent_id"]) == ("queued", None)
    discarded = await supervisor.ok("POST", f"{path}/discard", {"reason": "spam"})
    assert discarded["state"] == "discarded"


async def test_draining_is_for_supervisors_and_not_responding_for_nobody(floor: Floor) -> None:
    _, agent = await floor.connect("customer")
    supervisor = await floor.agent("supervisor", on_queue=False)
    me = await agent.ok("GET", "/agents/me")
    draining, not_responding = {"routing_status": "draining"}, {"routing_status": "not_responding"}

    await agent.refused("PUT", "/agents/me/status", draining, 403, "forbidden")
    await supervisor.refused(
        "PUT", f"/agents/{me['id']}/status", not_responding, 422, "not_for_callers"
    )
    changed = await supervisor.ok("PUT", f"/agents/{me['id']}/status", draining)

    assert changed["routing_status"] == "draining"


async def test_several_who_are_asked_at_once_each_find_what_is_offered(admin: Caller) -> None:
    floor = await Floor(admin).set_up(offers_at_once=2)
    agents = [await floor.agent() for _ in range(2)]
    opened = await floor.open("customer")
    for agent in agents:
        me = (await agent.ok("GET", "/agents/me"))["id"]
        found = await agent.ok("GET", f"/conversations?state=alerting&agent_id={me}")
        assert [row["id"] for row in found["items"]] == [opened]
