"""A reply's transactions: one sender an account, one attempt at a time, old outcomes fenced."""

from dataclasses import replace

import pytest

from conversations import commands as c
from conversations.model import Author, Post, ReplyState
from conversations.replies import (
    ATTEMPT_DEADLINE_MS,
    Certainty,
    Outcome,
    Permission,
    ReadBack,
    Step,
)
from storage import leases, replies
from storage.database import Database
from tests.clocks import Clock
from tests.floor import Floor

SENT = Outcome(Certainty.SENT, "out-1", "http://network.example/out-1")
UNKNOWN = Outcome(Certainty.MAYBE, reason="the line broke", may_still_arrive=True)


class Sender:
    """One process that sends replies."""

    def __init__(self, database: Database, name: str = "first") -> None:
        self._database = database
        self._name = name

    async def begin(self, reply_id: str, read_back: ReadBack = ReadBack.LOOK_UP) -> Permission:
        permit = await self._database.write(
            lambda k: replies.begin(k, reply_id, read_back, self._name)
        )
        return permit.permission

    async def settle(self, permission: Permission, outcome: Outcome) -> ReplyState:
        settled = await self._database.write(lambda k: replies.settle(k, permission, outcome))
        return settled.reply.state


@pytest.fixture
async def floor(database: Database) -> Floor:
    return Floor(database)


async def taken(floor: Floor) -> tuple[str, str, str]:
    """Return a reply's, its conversation's and its agent's id."""
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, agent = await floor.connect(source, "customer")
    outcome = await floor.reply(opened, agent)
    assert outcome.reply is not None
    return outcome.reply.id, opened, agent


async def test_a_sent_reply_answers_its_conversation(floor: Floor) -> None:
    reply_id, opened, _ = await taken(floor)
    sender = Sender(floor.database)
    permission = await sender.begin(reply_id)
    before = await floor.get(opened)

    assert await sender.settle(permission, SENT) is ReplyState.SENT

    after = await floor.get(opened)
    assert (before.unsettled_replies, before.unanswered_count) == (1, 1)
    assert (after.unsettled_replies, after.unanswered_count) == (0, 0)
    assert after.version > before.version


async def test_an_attempt_in_flight_lets_no_second_one_begin(floor: Floor, clock: Clock) -> None:
    reply_id, _, _ = await taken(floor)
    sender = Sender(floor.database)
    assert (await sender.begin(reply_id)).next_step.step is Step.SEND

    clock.advance(ms=ATTEMPT_DEADLINE_MS - 1)
    assert (await sender.begin(reply_id)).next_step.step is Step.WAIT
    clock.advance(ms=1)
    assert (await sender.begin(reply_id)).next_step.step is Step.LOOK_UP


async def test_another_process_waits_for_the_lease(floor: Floor, clock: Clock) -> None:
    reply_id, _, _ = await taken(floor)
    await Sender(floor.database).begin(reply_id)
    second = Sender(floor.database, "second")

    assert (await second.begin(reply_id)).next_step.step is Step.WAIT
    clock.advance(ms=leases.LEASE_MS + 1)
    assert (await second.begin(reply_id)).next_step.step is Step.LOOK_UP


async def test_a_lease_is_free_as_soon_as_nobody_calls(floor: Floor) -> None:
    first, second = Sender(floor.database), Sender(floor.database, "second")
    one, opened, agent = await taken(floor)
    other = await floor.reply(opened, agent)
    assert other.reply is not None
    begun = await first.begin(one)
    assert (await second.begin(other.reply.id)).next_step.step is Step.WAIT

    await first.settle(begun, SENT)

    assert (await second.begin(other.reply.id)).next_step.step is Step.SEND
    assert (await first.begin(other.reply.id)).next_step.step is Step.WAIT


async def test_a_lease_lasts_as_long_as_any_of_its_calls(floor: Floor, clock: Clock) -> None:
    first, second = Sender(floor.database), Sender(floor.database, "second")
    one, opened, agent = await taken(floor)
    other = await floor.reply(opened, agent)
    assert other.reply is not None
    begun, also_begun = await first.begin(one), await first.begin(other.reply.id)
    await first.settle(begun, SENT)
    assert (await second.begin(other.reply.id)).next_step.step is Step.WAIT

    await first.settle(also_begun, UNKNOWN)
    clock.advance(s=2)

    assert (await second.begin(other.reply.id)).next_step.step is Step.LOOK_UP


async def test_the_outcome_of_a_fenced_attempt_changes_nothing(floor: Floor, clock: Clock) -> None:
    reply_id, _, _ = await taken(floor)
    first, second = Sender(floor.database), Sender(floor.database, "second")
    frozen = await first.begin(reply_id, ReadBack.RECEIVER_DEDUPLICATES)
    clock.advance(ms=leases.LEASE_MS + 1)
    again = await second.begin(reply_id, ReadBack.RECEIVER_DEDUPLICATES)
    assert again.epoch == frozen.epoch + 1

    rejected = Outcome(Certainty.REJECTED, reason="too late to count")
    assert await first.settle(frozen, rejected) is ReplyState.SENDING
    assert await second.settle(again, SENT) is ReplyState.SENT


async def test_absent_before_the_deadline_is_not_sent_again(floor: Floor, clock: Clock) -> None:
    reply_id, _, _ = await taken(floor)
    sender = Sender(floor.database)
    await sender.settle(await sender.begin(reply_id), UNKNOWN)
    clock.advance(s=2)
    look_up = await sender.begin(reply_id)
    assert look_up.next_step.step is Step.LOOK_UP

    absent = Outcome(Certainty.NOT_ACCEPTED, reason="not there")
    assert await sender.settle(look_up, absent) is ReplyState.UNKNOWN
    clock.advance(ms=ATTEMPT_DEADLINE_MS)
    assert await sender.settle(await sender.begin(reply_id), absent) is ReplyState.ACCEPTED
    assert (await sender.begin(reply_id)).next_step.step is Step.SEND


async def test_a_limited_account_is_left_alone_as_long_as_it_asks(
    floor: Floor, clock: Clock
) -> None:
    reply_id, _, _ = await taken(floor)
    sender = Sender(floor.database)
    limited = Outcome(Certainty.NOT_ACCEPTED, reason="429", retry_after_s=5)
    await sender.settle(await sender.begin(reply_id), limited)

    clock.advance(ms=4_999)
    assert (await sender.begin(reply_id)).next_step.step is Step.WAIT
    clock.advance(ms=1)
    assert (await sender.begin(reply_id)).next_step.step is Step.SEND


async def test_a_human_settles_what_no_network_can_answer(floor: Floor, clock: Clock) -> None:
    reply_id, opened, agent = await taken(floor)
    sender = Sender(floor.database)
    await sender.settle(await sender.begin(reply_id), UNKNOWN)
    clock.advance(s=30)
    stopped = await sender.begin(reply_id, ReadBack.IMPOSSIBLE)
    assert stopped.next_step.reply.state is ReplyState.NEEDS_HUMAN
    await floor.command(opened, c.Disconnect(c.Actor(agent), None))

    def resolve(outcome: str) -> object:
        return floor.database.write(
            lambda k: replies.resolve_by_human(k, reply_id, c.Actor(agent), outcome, None)
        )

    absent = await resolve("absent")  # type: ignore[misc]
    assert absent.reply.state is ReplyState.ACCEPTED
    refused = await resolve("sent")  # type: ignore[misc]
    assert refused.refusal.code == "reply_settled"
    assert (await sender.begin(reply_id)).next_step.step is Step.SEND
    assert (await floor.get(opened)).unsettled_replies == 1


async def test_an_own_reply_that_comes_back_proves_itself(floor: Floor) -> None:
    reply_id, opened, _ = await taken(floor)
    sender = Sender(floor.database)
    await sender.settle(await sender.begin(reply_id), UNKNOWN)
    account_id = (await floor.get(opened)).account_id
    echo = Post("out-7", Author("brand"), "Here you are", 1, is_own=True, own_reply_id=reply_id)

    await floor.database.write(lambda k: replies.recognise(k, account_id, echo))
    stranger = replace(echo, external_id="out-8", own_reply_id=None)
    unknown = await floor.database.write(lambda k: replies.recognise(k, account_id, stranger))

    found = await floor.database.read(lambda k: replies.get(k, reply_id))
    assert found is not None
    assert (found.state, found.external_id) == (ReplyState.SENT, "out-7")
    assert unknown is None
    assert (await floor.get(opened)).post_count == 1


async def test_a_reply_answers_the_newest_post_when_nobody_says_which(floor: Floor) -> None:
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    opened, agent = await floor.connect(source, "customer")
    newest = await floor.post(source, "customer", "and one more thing", in_reply_to=None)

    outcome = await floor.reply(opened, agent)

    assert outcome.reply is not None
    assert outcome.reply.in_reply_to == newest.accepted[0]
