"""Complaint 14: two answer the same customer, or a bot talks over a human.

Only the owner answers; everybody else is told whose the conversation is. A bot is an agent.
"""

import asyncio
from collections import Counter

from tests.api.conftest import Caller, Floor, Json

WRITERS = 4
REPLIES = 8


async def id_of(agent: Caller) -> str:
    return str((await agent.ok("GET", "/agents/me"))["id"])


async def replies_of(floor: Floor, conversation_id: str) -> list[Json]:
    path = f"/conversations/{conversation_id}/timeline?limit=200"
    entries = (await floor.admin.ok("GET", path))["items"]
    return [entry["reply"] for entry in entries if entry["kind"] == "reply"]


async def test_of_many_who_answer_at_once_only_the_owner_is_heard(floor: Floor) -> None:
    opened, owner = await floor.connect("customer")
    owner_id = await id_of(owner)
    others = [await floor.agent() for _ in range(WRITERS - 1)]
    path = f"/conversations/{opened}/replies"

    answers = await asyncio.gather(
        *(
            agent.call("POST", path, {"text": f"answer {number}"})
            for number in range(REPLIES)
            for agent in (owner, *others)
        )
    )

    counts = Counter(answer.status_code for answer in answers)
    assert counts == {202: REPLIES, 409: REPLIES * len(others)}
    for answer in answers:
        if answer.status_code == 409:
            problem = answer.json()
            assert problem["code"] == "not_your_conversation"
            assert owner_id in problem["detail"], "the refusal names the owner"
    assert [reply["agent_id"] for reply in await replies_of(floor, opened)] == [owner_id] * REPLIES


async def test_an_answer_that_races_a_transfer_is_its_owners_or_refused(floor: Floor) -> None:
    opened, giver = await floor.connect("customer")
    taker = await floor.agent()
    giver_id, taker_id = await id_of(giver), await id_of(taker)
    path = f"/conversations/{opened}"
    consult = {"agent_id": taker_id}
    await giver.ok("POST", f"{path}/consult", consult)

    sent = await asyncio.gather(
        *(giver.call("POST", f"{path}/replies", {"text": f"giver {n}"}) for n in range(REPLIES)),
        giver.call("POST", f"{path}/transfer", {"agent_id": taker_id}),
        *(taker.call("POST", f"{path}/replies", {"text": f"taker {n}"}) for n in range(REPLIES)),
    )

    assert sent[REPLIES].status_code == 200
    writers = [reply["agent_id"] for reply in await replies_of(floor, opened)]
    assert sorted(writers, key=[giver_id, taker_id].index) == writers, "one after the other"
    accepted = Counter(answer.status_code for answer in sent)[202]
    assert len(writers) == accepted
