"""Replies that are several posts: in order, each once, whoever dies or looks in between."""

from dataclasses import replace

import pytest

from conversations import commands as c
from conversations.capabilities import Capabilities, ReplyDepth
from conversations.model import Author, Post, ReplyState, Visibility
from conversations.replies import Certainty, Outcome, ReadBack, Reply, Step, current_part
from storage import conversations, leases, replies
from storage.conversations import ReplyDraft
from storage.ids import new_id
from tests.clocks import Clock
from tests.floor import Floor
from tests.storage.test_replies import UNKNOWN, Sender

TEXTS = ("one (1/3)", "two (2/3)", "three (3/3)")


def sent(number: int) -> Outcome:
    return Outcome(Certainty.SENT, f"out-{number}", f"http://network.example/out-{number}")


@pytest.fixture
async def floor(database: object) -> Floor:
    return Floor(database)  # type: ignore[arg-type]


async def draft_of(floor: Floor, opened: str, agent: str, **fields: object) -> Reply | str:
    """Return the reply that was taken, or the code of its refusal."""
    draft = ReplyDraft(new_id("re"), c.Actor(agent), "one two", None, None, confirm_public=False)
    wanted = replace(draft, **fields)  # type: ignore[arg-type]
    outcome = await floor.database.write(lambda k: conversations.reply(k, opened, wanted))
    if outcome.refusal is not None:
        return outcome.refusal.code
    assert outcome.reply is not None
    return outcome.reply


async def thread(floor: Floor) -> tuple[str, str, str]:
    """Return the ids of a reply of three posts, of its conversation and of its agent."""
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, agent = await floor.connect(source, "customer")
    reply = await draft_of(floor, opened, agent, parts=TEXTS)
    assert isinstance(reply, Reply)
    return reply.id, opened, agent


async def now(floor: Floor, reply_id: str) -> Reply:
    found = await floor.database.read(lambda k: replies.get(k, reply_id))
    assert found is not None
    return found


async def test_parts_leave_in_order_each_under_its_key_answering_the_one_before(
    floor: Floor,
) -> None:
    reply_id, opened, _ = await thread(floor)
    sender, left = Sender(floor.database), []
    for number in (1, 2, 3):
        permission = await sender.begin(reply_id)
        part = current_part(permission.next_step.reply)
        left.append((part.id, part.text, part.in_reply_to))
        await sender.settle(permission, sent(number))

    target = (await now(floor, reply_id)).in_reply_to
    assert left == [
        (reply_id, TEXTS[0], target),
        (f"{reply_id}-2", TEXTS[1], "out-1"),
        (f"{reply_id}-3", TEXTS[2], "out-2"),
    ]
    after, conversation = await now(floor, reply_id), await floor.get(opened)
    assert (after.state, after.external_id, after.attempts) == (ReplyState.SENT, "out-1", 3)
    assert [part.external_id for part in after.parts] == ["out-1", "out-2", "out-3"]
    assert (conversation.unsettled_replies, conversation.unanswered_count) == (0, 0)


async def test_another_process_resumes_at_the_part_in_doubt(floor: Floor, clock: Clock) -> None:
    reply_id, _, _ = await thread(floor)
    sender = Sender(floor.database)
    await sender.settle(await sender.begin(reply_id), sent(1))
    dying = await sender.begin(reply_id)
    clock.advance(ms=leases.LEASE_MS + 1)

    second = Sender(floor.database, "second")
    look_up = await second.begin(reply_id)
    assert look_up.next_step.step is Step.LOOK_UP
    assert current_part(look_up.next_step.reply).id == f"{reply_id}-2"
    await second.settle(look_up, sent(2))
    assert await sender.settle(dying, UNKNOWN) is ReplyState.ACCEPTED
    third = await second.begin(reply_id)
    assert current_part(third.next_step.reply).id == f"{reply_id}-3"


async def test_a_rejected_later_part_rejects_the_reply_and_says_which(floor: Floor) -> None:
    reply_id, opened, _ = await thread(floor)
    sender = Sender(floor.database)
    await sender.settle(await sender.begin(reply_id), sent(1))
    rejected = Outcome(Certainty.REJECTED, reason="not these words")
    await sender.settle(await sender.begin(reply_id), rejected)

    after, conversation = await now(floor, reply_id), await floor.get(opened)
    assert (after.state, after.reason) == (ReplyState.REJECTED, "part 2 of 3: not these words")
    assert (after.external_id, after.sent_parts) == ("out-1", 1)
    assert (conversation.unsettled_replies, conversation.unanswered_count) == (0, 1)


async def test_a_human_settles_the_part_in_doubt(floor: Floor, clock: Clock) -> None:
    reply_id, opened, agent = await thread(floor)
    sender = Sender(floor.database)
    await sender.settle(await sender.begin(reply_id), sent(1))
    await sender.settle(await sender.begin(reply_id), UNKNOWN)
    clock.advance(s=30)
    await sender.begin(reply_id, ReadBack.IMPOSSIBLE)
    assert (await now(floor, reply_id)).state is ReplyState.NEEDS_HUMAN
    version = (await floor.get(opened)).version

    resolved = await floor.database.write(
        lambda k: replies.resolve_by_human(k, reply_id, c.Actor(agent), "sent", "out-2")
    )

    assert resolved is not None
    assert (resolved.reply.state, resolved.reply.sent_parts) == (ReplyState.ACCEPTED, 2)
    last = await sender.begin(reply_id)
    assert current_part(last.next_step.reply).in_reply_to == "out-2"
    assert (await floor.get(opened)).version > version


async def test_the_echo_of_any_part_is_recognised(floor: Floor) -> None:
    reply_id, opened, _ = await thread(floor)
    account_id, sender = (await floor.get(opened)).account_id, Sender(floor.database)

    async def echo(external_id: str, key: str | None) -> bool:
        post = Post(external_id, Author("brand"), "one", 1, is_own=True, own_reply_id=key)
        found = await floor.database.write(lambda k: replies.recognise(k, account_id, post))
        return found is not None

    await sender.settle(await sender.begin(reply_id), UNKNOWN)
    assert await echo("out-1", reply_id)
    assert (await now(floor, reply_id)).sent_parts == 1
    await sender.settle(await sender.begin(reply_id), UNKNOWN)
    assert await echo("out-1", None)
    assert await echo("out-1", reply_id)
    assert (await now(floor, reply_id)).sent_parts == 1
    assert await echo("out-2", f"{reply_id}-2")
    assert await echo("out-2", None)
    assert (await now(floor, reply_id)).sent_parts == 2
    assert not await echo("out-9", None)


async def test_a_reply_keeps_the_root_of_the_thread_that_it_answers(floor: Floor) -> None:
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, agent = await floor.connect(source, "customer")
    await floor.post(source, "customer", "and more", thread_root="root-1")

    reply = await draft_of(floor, opened, agent)

    assert isinstance(reply, Reply)
    assert reply.thread_root == "root-1"
    assert (await now(floor, reply.id)).thread_root == "root-1"


async def test_what_the_network_cannot_carry_is_refused(floor: Floor) -> None:
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, agent = await floor.connect(source, "customer")
    public, mute = Capabilities(), Capabilities(reply_depth=ReplyDepth.NONE)
    both = Capabilities(visibilities=frozenset(Visibility))
    forward = replace(both, may_initiate_private=True)
    private = Capabilities(visibilities=frozenset({Visibility.PRIVATE}))

    async def said(known: Capabilities | None, visibility: Visibility) -> str:
        made = await draft_of(floor, opened, agent, capabilities=known, visibility=visibility)
        return made if isinstance(made, str) else "taken"

    assert await said(public, Visibility.PRIVATE) == "visibility_not_spoken"
    assert await said(private, Visibility.PUBLIC) == "visibility_not_spoken"
    assert await said(mute, Visibility.PUBLIC) == "visibility_not_spoken"
    assert await said(both, Visibility.PRIVATE) == "cannot_initiate_direct_message"
    assert await said(None, Visibility.PRIVATE) == "cannot_initiate_direct_message"
    assert await said(forward, Visibility.PRIVATE) == "taken"
    assert await said(public, Visibility.PUBLIC) == "taken"


async def test_what_was_not_divided_is_divided_by_the_first_attempt_only(
    floor: Floor, clock: Clock
) -> None:
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, agent = await floor.connect(source, "customer")
    whole = await draft_of(floor, opened, agent)
    assert isinstance(whole, Reply)

    async def begin(posts: tuple[str, ...]) -> Reply:
        permit = await floor.database.write(
            lambda k: replies.begin(k, whole.id, ReadBack.LOOK_UP, "sender", posts=posts)
        )
        return permit.permission.next_step.reply

    tried = await begin(TEXTS)
    clock.advance(s=20)
    later = await begin(("another", "division"))

    assert [part.text for part in tried.parts] == list(TEXTS)
    assert [part.text for part in (await now(floor, whole.id)).parts] == list(TEXTS)
    assert [part.text for part in later.parts] == list(TEXTS)
