"""Second thoughts in the database: exactly one of an undo and an attempt wins; changes last."""

import asyncio
import random

import pytest

from conversations import commands as c
from conversations.model import ReplyState
from conversations.replies import Certainty, Outcome, Step
from conversations.reply_parts import ChangeState
from storage import replies, reply_changes
from storage.replies import Settled
from storage.reply_changes import NewWords
from tests.clocks import Clock
from tests.floor import Floor
from tests.storage.test_replies import SENT, Sender, taken

RACES = 12
REFUSED = Outcome(Certainty.REJECTED, reason="too old")


@pytest.fixture
async def floor(database: object) -> Floor:
    return Floor(database)  # type: ignore[arg-type]


async def waiting(floor: Floor, window_s: int) -> tuple[str, str, str]:
    """Return the ids of a reply that waits for second thoughts, its conversation and agent."""
    source = await floor.channel(workgroup := await floor.workgroup(undo_window_s=window_s))
    await floor.agent(workgroup)
    opened, agent = await floor.connect(source, "customer")
    outcome = await floor.reply(opened, agent)
    assert outcome.reply is not None
    return outcome.reply.id, opened, agent


async def undone(floor: Floor, reply_id: str, agent: str) -> Settled:
    return await floor.database.write(lambda k: reply_changes.undo(k, reply_id, c.Actor(agent)))


async def sent_one(floor: Floor) -> tuple[str, str, c.Actor]:
    reply_id, opened, agent = await taken(floor)
    sender = Sender(floor.database)
    await sender.settle(await sender.begin(reply_id), SENT)
    return reply_id, opened, c.Actor(agent)


async def test_a_reply_waits_for_second_thoughts_and_then_leaves(
    floor: Floor, clock: Clock
) -> None:
    reply_id, _, agent = await waiting(floor, 10)
    sender = Sender(floor.database)
    held = await sender.begin(reply_id)
    assert (held.next_step.step, held.next_step.wait_ms) == (Step.WAIT, 10_000)

    clock.advance(s=10)
    refused = await undone(floor, reply_id, agent)

    assert refused.refusal is not None
    assert refused.refusal.code == "undo_window_over"
    assert (await sender.begin(reply_id)).next_step.step is Step.SEND


async def test_what_is_withdrawn_never_leaves_and_its_posts_are_unanswered(floor: Floor) -> None:
    reply_id, opened, agent = await waiting(floor, 10)

    withdrawn = await undone(floor, reply_id, agent)

    assert withdrawn.reply.state is ReplyState.REJECTED
    assert withdrawn.reply.reason == "withdrawn before it was sent"
    after = await floor.get(opened)
    assert (after.unsettled_replies, after.unanswered_count) == (0, 1)
    assert await floor.database.read(lambda k: replies.next_delivery(k, opened)) is None
    again = await undone(floor, reply_id, agent)
    assert again.refusal is not None
    assert again.refusal.code == "undo_window_over"


async def test_a_stranger_withdraws_nothing(floor: Floor) -> None:
    reply_id, _, _ = await waiting(floor, 10)

    refused = await undone(floor, reply_id, "agent-9")

    assert refused.refusal is not None
    assert refused.refusal.code == "not_your_conversation"


async def test_of_an_undo_and_the_first_attempt_exactly_one_wins(
    floor: Floor, clock: Clock
) -> None:
    source = await floor.channel(workgroup := await floor.workgroup(undo_window_s=5))
    await floor.agent(workgroup)
    opened, agent = await floor.connect(source, "customer")
    sender, endings = Sender(floor.database), set()

    async def soon() -> None:
        await asyncio.sleep(random.random() * 0.01)

    async def undo(reply_id: str) -> bool:
        await soon()
        return (await undone(floor, reply_id, agent)).refusal is None

    async def send(reply_id: str) -> bool:
        await soon()
        return (await sender.begin(reply_id)).next_step.step is Step.SEND

    async def end_of_window() -> None:
        await soon()
        clock.advance(s=5)

    for _ in range(RACES):
        outcome = await floor.reply(opened, agent)
        assert outcome.reply is not None
        reply_id = outcome.reply.id
        is_undone, *_ = await asyncio.gather(undo(reply_id), send(reply_id), end_of_window())
        await send(reply_id)
        after = await floor.database.read(lambda k, i=reply_id: replies.get(k, i))  # type: ignore[misc]
        assert after is not None
        endings.add((is_undone, after.state, after.attempts))
        clock.advance(s=60)

    assert endings <= {(True, ReplyState.REJECTED, 0), (False, ReplyState.SENDING, 1)}


async def test_an_edit_is_done_by_the_sender_and_counts_as_on_its_way(floor: Floor) -> None:
    reply_id, opened, actor = await sent_one(floor)
    words = NewWords("Here it is", ("Here it is",))

    asked = await floor.database.write(lambda k: reply_changes.edit(k, reply_id, actor, words))

    assert asked.refusal is None
    assert (await floor.get(opened)).unsettled_replies == 1
    sender = Sender(floor.database)
    permission = await sender.begin(reply_id)
    assert permission.next_step.step is Step.EDIT
    await sender.settle(permission, Outcome(Certainty.SENT))
    after = await floor.database.read(lambda k: replies.get(k, reply_id))
    assert after is not None
    assert (after.text, after.state) == ("Here it is", ReplyState.SENT)
    conversation = await floor.get(opened)
    assert (conversation.unsettled_replies, conversation.unanswered_count) == (0, 0)
    assert not await floor.database.read(lambda k: replies.has_sendable(k, opened))


async def test_a_deletion_after_the_end_rings_for_a_new_workflow(floor: Floor) -> None:
    reply_id, opened, actor = await sent_one(floor)
    await floor.command(opened, c.Disconnect(actor, None))

    asked = await floor.database.write(lambda k: reply_changes.delete(k, reply_id, actor))

    (bell,) = asked.aftermath.bells
    assert (bell.conversation_id, bell.is_reopened) == (opened, True)
    conversation = await floor.get(opened)
    assert (conversation.is_final, conversation.unsettled_replies) == (True, 1)
    sender = Sender(floor.database)
    await sender.settle(await sender.begin(reply_id), REFUSED)
    after = await floor.database.read(lambda k: replies.get(k, reply_id))
    assert after is not None
    assert after.change is not None
    assert (after.change.state, after.change.reason) == (ChangeState.REFUSED, "too old")
    assert (await floor.get(opened)).unsettled_replies == 0


async def test_what_is_to_be_said_goes_before_what_is_to_be_changed(floor: Floor) -> None:
    reply_id, opened, actor = await sent_one(floor)
    await floor.database.write(lambda k: reply_changes.delete(k, reply_id, actor))
    assert actor.agent_id is not None
    newer = (await floor.reply(opened, actor.agent_id)).reply
    assert newer is not None

    first = await floor.database.read(lambda k: replies.next_delivery(k, opened))

    assert first is not None
    assert first.reply.id == newer.id
