"""Closed, or too long a wait: where a conversation goes that comes into a workgroup."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from acd.admission import Cause, Hop, Way
from conversations import commands as c
from conversations.model import Conversation, ReplyState
from conversations.replies import Certainty, Outcome, ReadBack, Reply
from storage import replies
from storage.admission import Admission
from storage.conversation_tables import QueueEntryRow
from storage.database import Database
from storage.ids import new_id
from storage.journal import Journal
from storage.log_tables import EventRow
from storage.setup_tables import WorkgroupRow
from tests.clocks import Clock
from tests.floor import Floor

ENTRIES = QueueEntryRow.__table__  # type: ignore[attr-defined]
EVENTS = EventRow.__table__  # type: ignore[attr-defined]
WEEKDAYS = {day: [{"from": "09:00", "to": "17:00"}] for day in ("mon", "tue", "wed", "thu", "fri")}
SORRY = "We are closed. Somebody will answer you on Monday."
"""The tests' noon is a Sunday afternoon."""


def closed(when_closed: str = "queue", **fields: Any) -> dict[str, Any]:
    return {"time_zone": "UTC", "weekly": WEEKDAYS, "when_closed": when_closed, **fields}


def opened_now(when_closed: str = "queue", **fields: Any) -> dict[str, Any]:
    always = {day: [{"from": "00:00", "to": "24:00"}] for day in ("sat", "sun", "mon")}
    return {"time_zone": "UTC", "weekly": always, "when_closed": when_closed, **fields}


@pytest.fixture
async def floor(database: Database) -> Floor:
    return Floor(database)


async def where_to(floor: Floor, workgroup_id: str, clock: Clock) -> Way:
    return await floor.database.write(
        lambda k: Admission(Journal(k, clock.now)).where_to(workgroup_id)
    )


async def transfers(floor: Floor, conversation_id: str) -> list[dict[str, Any]]:
    query = (
        select(EVENTS.c.detail)
        .where(
            EVENTS.c.conversation_id == conversation_id,
            EVENTS.c.type == "conversation.transferred",
        )
        .order_by(EVENTS.c.id)
    )
    return await floor.database.read(lambda k: list(k.execute(query).scalars()))


async def replies_of(floor: Floor, conversation_id: str) -> list[Reply]:
    return await floor.database.read(lambda k: list(replies.of_conversation(k, conversation_id)))


async def let_wait(floor: Floor, workgroup_id: str, conversation_id: str, **entry: Any) -> None:
    """Write down a wait that was answered."""

    def write(connection: Connection) -> None:
        values = {"id": new_id("qe"), "conversation_id": conversation_id, "outcome": "answered"}
        values |= {"workgroup_id": workgroup_id, "media_type": "social_conversation"}
        connection.execute(ENTRIES.insert().values(values | entry))

    await floor.database.write(write)


async def test_always_open_it_waits_where_it_came_to(floor: Floor, clock: Clock) -> None:
    workgroup = await floor.workgroup()
    assert await where_to(floor, workgroup, clock) == Way()
    assert await where_to(floor, await floor.workgroup(business_hours=closed()), clock) == Way()


async def test_closed_it_waits_and_agents_on_queue_still_get_it(floor: Floor) -> None:
    workgroup = await floor.workgroup(business_hours=closed())
    source = await floor.channel(workgroup)
    agent = await floor.agent(workgroup)
    conversation = await floor.get(await floor.open(source, "customer"))
    assert (conversation.state, conversation.offer.agent_id) == ("alerting", agent)


async def test_closed_it_overflows_to_who_is_open_and_says_why(floor: Floor, clock: Clock) -> None:
    other = await floor.workgroup()
    agent = await floor.agent(other)
    workgroup = await floor.workgroup(
        business_hours=closed("overflow", overflow_workgroup_id=other)
    )
    assert await where_to(floor, workgroup, clock) == Way((Hop(other, Cause.CLOSED),))

    opened = await floor.open(await floor.channel(workgroup), "customer")
    conversation = await floor.get(opened)
    assert (conversation.workgroup_id, conversation.offer.agent_id) == (other, agent)
    assert await transfers(floor, opened) == [
        {"from_workgroup_id": workgroup, "to_workgroup_id": other, "cause": "closed"}
    ]


async def test_it_overflows_on_from_one_closed_workgroup_to_the_next(
    floor: Floor, clock: Clock
) -> None:
    last = await floor.workgroup(
        business_hours=closed("automatic_reply", automatic_reply_text=SORRY)
    )
    middle = await floor.workgroup(business_hours=closed("overflow", overflow_workgroup_id=last))
    first = await floor.workgroup(business_hours=closed("overflow", overflow_workgroup_id=middle))
    way = Way((Hop(middle, Cause.CLOSED), Hop(last, Cause.CLOSED)), SORRY)
    assert await where_to(floor, first, clock) == way

    opened = await floor.open(await floor.channel(first), "customer")
    assert (await floor.get(opened)).workgroup_id == last
    assert [reply.text for reply in await replies_of(floor, opened)] == [SORRY]
    entries = select(ENTRIES.c.workgroup_id, ENTRIES.c.outcome, ENTRIES.c.waited_ms).where(
        ENTRIES.c.conversation_id == opened
    )
    found = await floor.database.read(lambda k: {tuple(row) for row in k.execute(entries)})
    assert found == {
        (first, "flowed_out", 0),
        (middle, "flowed_out", 0),
        (last, None, None),
    }


async def test_open_it_does_not_overflow_for_being_closed(floor: Floor, clock: Clock) -> None:
    other = await floor.workgroup()
    hours = opened_now("overflow", overflow_workgroup_id=other)
    assert await where_to(floor, await floor.workgroup(business_hours=hours), clock) == Way()


async def test_round_a_circle_it_goes_only_once(floor: Floor, clock: Clock) -> None:
    second_id = "wg_second"
    first = await floor.workgroup(
        business_hours=closed("overflow", overflow_workgroup_id=second_id)
    )
    await floor._insert(
        WorkgroupRow,
        service_level={},
        utilization={},
        wrap_up={},
        required_skills=[],
        agent_order=[],
        id=second_id,
        name=second_id,
        business_hours=closed("overflow", overflow_workgroup_id=first),
    )
    assert await where_to(floor, first, clock) == Way((Hop(second_id, Cause.CLOSED),))


async def test_the_estimate_that_exceeds_the_limit_lets_it_overflow(
    floor: Floor, clock: Clock
) -> None:
    other = await floor.workgroup()
    overflow = {"when_estimate_exceeds_s": 60, "workgroup_id": other}
    workgroup = await floor.workgroup(overflow=overflow)
    source = await floor.channel(workgroup)
    some = await floor.open(source, "somebody")
    for _ in range(4):
        await let_wait(floor, workgroup, some, entered_at=0, left_at=clock.now, waited_ms=60_000)
    assert await where_to(floor, workgroup, clock) == Way()

    await let_wait(floor, workgroup, some, entered_at=0, left_at=clock.now, waited_ms=60_004)
    assert await where_to(floor, workgroup, clock) == Way()
    await let_wait(floor, workgroup, some, entered_at=0, left_at=clock.now, waited_ms=60_002)
    assert await where_to(floor, workgroup, clock) == Way((Hop(other, Cause.OVERFLOW),))

    opened = await floor.open(source, "customer")
    assert (await floor.get(opened)).workgroup_id == other
    assert (await transfers(floor, opened))[0]["cause"] == "overflow"

    clock.advance(ms=30 * 60_000)
    assert await where_to(floor, workgroup, clock) == Way((Hop(other, Cause.OVERFLOW),))
    clock.advance(ms=1)
    assert await where_to(floor, workgroup, clock) == Way()


async def test_a_transfer_to_a_closed_workgroup_overflows_too(floor: Floor) -> None:
    other = await floor.workgroup()
    target = await floor.workgroup(business_hours=closed("overflow", overflow_workgroup_id=other))
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, giver = await floor.connect(source, "customer")
    await floor.command(opened, c.TransferToWorkgroup(c.Actor(giver), target, "please"))

    assert (await floor.get(opened)).workgroup_id == other
    by_hand, by_itself = await transfers(floor, opened)
    assert (by_hand["to_workgroup_id"], by_hand["comment"]) == (target, "please")
    assert (by_itself["to_workgroup_id"], by_itself["cause"]) == (other, "closed")


async def answering(floor: Floor) -> tuple[str, Conversation, Reply]:
    hours = closed("automatic_reply", automatic_reply_text=SORRY)
    workgroup = await floor.workgroup(business_hours=hours)
    opened = await floor.open(await floor.channel(workgroup), "customer", "one", "two")
    (reply,) = await replies_of(floor, opened)
    return workgroup, await floor.get(opened), reply


async def test_closed_it_answers_by_itself_and_waits(floor: Floor) -> None:
    _, conversation, reply = await answering(floor)
    assert conversation.state == "queued"
    assert (conversation.unsettled_replies, conversation.unanswered_count) == (1, 2)
    assert (reply.agent_id, reply.covers, reply.state) == (None, 0, ReplyState.ACCEPTED)
    assert (reply.text, reply.to_external_id) == (SORRY, "customer")
    assert reply.in_reply_to is not None
    rung = [bell for bell in floor.bells.rung if bell.conversation_id == conversation.id]
    assert any(bell.is_urgent for bell in rung)


async def test_an_automatic_reply_that_is_sent_answers_no_post(floor: Floor) -> None:
    _, conversation, reply = await answering(floor)
    permit = await floor.database.write(
        lambda k: replies.begin(k, reply.id, ReadBack.LOOK_UP, "sender")
    )
    sent = Outcome(Certainty.SENT, "out-1")
    await floor.database.write(lambda k: replies.settle(k, permit.permission, sent))
    after = await floor.get(conversation.id)
    assert (after.state, after.unsettled_replies, after.unanswered_count) == ("queued", 0, 2)


async def test_a_conversation_is_answered_automatically_once(floor: Floor) -> None:
    workgroup, conversation, reply = await answering(floor)
    supervisor = c.Actor(None, is_supervisor=True)
    for _ in range(2):
        await floor.command(conversation.id, c.TransferToWorkgroup(supervisor, workgroup, None))
    assert [one.id for one in await replies_of(floor, conversation.id)] == [reply.id]


async def test_posts_that_join_get_no_further_automatic_reply(floor: Floor) -> None:
    hours = closed("automatic_reply", automatic_reply_text=SORRY)
    source = await floor.channel(await floor.workgroup(business_hours=hours))
    opened = await floor.open(source, "customer")
    assert await floor.open(source, "customer", "Hello?") == opened
    assert len(await replies_of(floor, opened)) == 1


async def test_a_transfer_to_who_is_closed_is_answered_automatically(floor: Floor) -> None:
    hours = closed("automatic_reply", automatic_reply_text=SORRY)
    target = await floor.workgroup(business_hours=hours)
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, giver = await floor.connect(source, "customer")
    await floor.command(opened, c.TransferToWorkgroup(c.Actor(giver), target, None))

    (reply,) = await replies_of(floor, opened)
    assert (reply.agent_id, reply.text) == (None, SORRY)
    assert (await floor.get(opened)).unsettled_replies == 1
