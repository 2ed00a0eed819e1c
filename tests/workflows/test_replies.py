"""Replies as the workflow's hands send them: in parts, after second thoughts, after the end."""

import pytest

from connectors.webhook import WebhookConnector
from conversations import commands as c
from conversations.model import ReplyState
from conversations.networks import Account
from conversations.replies import Certainty, Outcome, Reply
from conversations.reply_parts import ChangeState
from storage import conversations, replies, reply_changes
from storage.conversations import ReplyDraft
from storage.ids import new_id
from storage.reply_changes import NewWords
from tests.workflows.conftest import World, eventually
from tests.workflows.test_conversation import finished


async def connected(world: World, **workgroup: int) -> tuple[str, c.Actor]:
    source = await world.floor.channel(group := await world.floor.workgroup(**workgroup))
    await world.floor.agent(group)
    opened, agent = await world.floor.connect(source, "customer")
    return opened, c.Actor(agent)


async def said(world: World, opened: str, actor: c.Actor, *parts: str) -> str:
    draft = ReplyDraft(
        new_id("re"), actor, " ".join(parts), None, None, confirm_public=False, parts=parts
    )
    outcome = await world.floor.database.write(lambda k: conversations.reply(k, opened, draft))
    await world.floor.follow(outcome)
    return draft.reply_id


async def now(world: World, reply_id: str) -> Reply:
    reply = await world.parts.database.read(lambda k: replies.get(k, reply_id))
    assert reply is not None
    return reply


async def settled(world: World, reply_id: str, state: ReplyState) -> None:
    async def is_settled() -> bool:
        return (await now(world, reply_id)).state is state

    await eventually(is_settled, f"the reply is {state}")


async def test_a_thread_is_said_in_order_and_each_part_once(world: World) -> None:
    lost = {1: "lost"}
    world.receiver.fault = lambda key, attempt: (
        lost.get(attempt, "ok") if key.endswith("-2") else "ok"
    )
    opened, actor = await connected(world)

    reply_id = await said(world, opened, actor, "one", "two", "three")

    await settled(world, reply_id, ReplyState.SENT)
    assert world.receiver.texts == ["one", "two", "three"]
    keys = [reply_id, f"{reply_id}-2", f"{reply_id}-3"]
    assert world.receiver.published == dict.fromkeys(keys, 1)
    answers = [published.in_reply_to for published in world.receiver.said]
    assert answers[1:] == [f"out-{reply_id}", f"out-{reply_id}-2"]


async def test_what_was_withdrawn_is_never_said_and_ends_the_workflow(world: World) -> None:
    opened, actor = await connected(world, undo_window_s=3)
    reply_id = await said(world, opened, actor, "too hasty")
    await world.floor.command(opened, c.Disconnect(actor, None))

    undone = await world.floor.database.write(lambda k: reply_changes.undo(k, reply_id, actor))
    await world.floor.following.follow(undone.aftermath)

    await finished(world, opened)
    assert (await now(world, reply_id)).state is ReplyState.REJECTED
    assert world.receiver.published == {}


async def test_what_waited_for_second_thoughts_is_said_after_them(world: World) -> None:
    opened, actor = await connected(world, undo_window_s=1)

    reply_id = await said(world, opened, actor, "sure")

    await settled(world, reply_id, ReplyState.SENT)
    sent = await now(world, reply_id)
    assert (sent.sent_at or 0) >= (sent.undo_until or 0) > sent.created_at


async def test_a_reply_is_edited_after_the_conversations_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, edits = [Outcome(Certainty.NOT_ACCEPTED, reason="busy"), Outcome(Certainty.SENT)], []

    async def edit(_: WebhookConnector, account: Account, reply: Reply, text: str) -> Outcome:
        edits.append((account.network, reply.external_id, text))
        return answers.pop(0)

    monkeypatch.setattr(WebhookConnector, "edit", edit)
    opened, actor = await connected(world)
    reply_id = await said(world, opened, actor, "helo")
    await settled(world, reply_id, ReplyState.SENT)
    await world.floor.command(opened, c.Disconnect(actor, None))
    await finished(world, opened)
    first_run = (await world.workflow(opened).describe()).run_id

    words = NewWords("hello", ("hello",))
    asked = await world.floor.database.write(
        lambda k: reply_changes.edit(k, reply_id, actor, words)
    )
    await world.floor.following.follow(asked.aftermath)

    async def is_edited() -> bool:
        change = (await now(world, reply_id)).change
        return change is not None and change.state is ChangeState.DONE

    await eventually(is_edited, "the edit is done")
    await finished(world, opened)
    external_id = f"out-{reply_id}"
    assert edits == [("webhook", external_id, "hello")] * 2
    after = await now(world, reply_id)
    assert (after.text, after.state) == ("hello", ReplyState.SENT)
    assert (await world.workflow(opened).describe()).run_id != first_run
    assert (await world.floor.get(opened)).unsettled_replies == 0
