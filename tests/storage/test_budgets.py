"""Budgets of accounts: one row that all workers share."""

import asyncio

from conversations.capabilities import Allowance
from conversations.replies import ReadBack, Step
from storage import budgets, clock, replies
from storage.database import Database
from tests.clocks import Clock
from tests.floor import Floor

ALLOWANCE = Allowance("posts", 30, 60)


async def take(database: Database, account_id: str, kept_percent: int = 0) -> int:
    return await database.write(
        lambda k: budgets.take(k, account_id, ALLOWANCE, clock.now(k), kept_percent=kept_percent)
    )


async def test_a_burst_is_taken_and_then_waited_for(database: Database, clock: Clock) -> None:
    account_id = await Floor(database).account()

    assert [await take(database, account_id) for _ in range(10)] == [0] * 10
    wait_ms = await take(database, account_id)
    clock.advance(ms=wait_ms)

    assert wait_ms == 3_000
    assert await take(database, account_id) == 0
    assert await take(database, account_id) == 3_000


async def test_polls_leave_what_is_kept_for_replies(database: Database) -> None:
    account_id = await Floor(database).account()

    polls = [await take(database, account_id, kept_percent=20) for _ in range(9)]
    replies = [await take(database, account_id) for _ in range(3)]

    assert polls == [0] * 8 + [3_000]
    assert replies == [0, 0, 3_000]


async def test_accounts_do_not_share_and_workers_do(database: Database) -> None:
    floor = Floor(database)
    one, other = await floor.account(), await floor.account()

    waits = await asyncio.gather(*(take(database, one) for _ in range(25)))

    assert waits.count(0) == 10
    assert await take(database, other) == 0


async def test_a_reply_takes_its_allowance_when_it_begins_and_waits_without(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    one_a_minute = Allowance("posts", 1, 60)
    reply_ids = []
    for customer in ("one", "other"):
        opened, agent_id = await floor.connect(source, customer)
        outcome = await floor.reply(opened, agent_id)
        assert outcome.reply is not None
        reply_ids.append(outcome.reply.id)

    async def begin(reply_id: str) -> tuple[Step, int]:
        permit = await database.write(
            lambda k: replies.begin(k, reply_id, ReadBack.LOOK_UP, "sender", one_a_minute)
        )
        return permit.permission.next_step.step, permit.permission.next_step.wait_ms

    first, second = await begin(reply_ids[0]), await begin(reply_ids[1])
    clock.advance(s=60)

    assert (first, second) == ((Step.SEND, 0), (Step.WAIT, 60_000))
    assert await begin(reply_ids[1]) == (Step.SEND, 0)
