"""Posts on their way in: once, in order, into the right conversation, exactly at the boundary."""

import asyncio
import random

from sqlalchemy import func, select

from conversations import commands as c
from conversations.model import Author, ConversationState, Post, Unreadable, Visibility
from storage import reading
from storage.conversation_tables import PostRow, QuarantineRow
from storage.database import Database
from storage.pages import Window
from tests.clocks import Clock
from tests.floor import Floor

POSTS = PostRow.__table__  # type: ignore[attr-defined]
QUARANTINE = QuarantineRow.__table__  # type: ignore[attr-defined]
WINDOW_S = 60


async def answered(floor: Floor, conversation_id: str, agent_id: str) -> None:
    """Let every post of the conversation count as answered."""
    outcome = await floor.reply(conversation_id, agent_id)
    assert outcome.reply is not None
    settled = c.SettleReply(outcome.reply.id, sent=True, covers=outcome.reply.covers)
    await floor.command(conversation_id, settled)


async def test_a_burst_in_any_order_over_parallel_pages_is_one_conversation(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())
    posts = [
        Post(f"p{n}", Author("customer"), f"part {n}", clock.now - 6_000 + n * 1_000)
        for n in range(6)
    ]
    deliveries = posts * 3
    random.Random(7).shuffle(deliveries)

    taken = await asyncio.gather(*(floor.pages.take_in(source, [post]) for post in deliveries))

    assert sum(len(page.accepted) for page in taken) == 6
    assert sum(page.duplicates for page in taken) == 12
    (conversation_id,) = {i for page in taken for i in page.conversation_ids.values()}
    timeline = await database.read(lambda k: reading.timeline(k, conversation_id, Window(limit=50)))
    texts = [entry.value["text"] for entry in timeline.entries if entry.kind == "post"]
    assert texts == [f"part {n}" for n in range(6)]


async def test_a_post_joins_at_the_end_of_the_window_and_not_after_it(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup(), affinity_window_s=WINDOW_S)
    await floor.agent(workgroup)
    first, agent = await floor.connect(source, "customer")
    await answered(floor, first, agent)

    clock.advance(s=WINDOW_S)
    assert await floor.open(source, "customer") == first
    await answered(floor, first, agent)
    clock.advance(s=WINDOW_S, ms=1)
    second = await floor.open(source, "customer")

    assert second != first
    ended = await floor.get(first)
    assert (ended.state, ended.ended_by) == (ConversationState.COMPLETED, "affinity_window")
    assert ended.continued_by == second
    following = await floor.get(second)
    assert following.continues == first
    assert following.offer.agent_id == agent


async def test_an_unanswered_conversation_never_lapses(database: Database, clock: Clock) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup(), affinity_window_s=WINDOW_S)
    await floor.agent(workgroup)
    first, _ = await floor.connect(source, "customer")

    clock.advance(s=100 * WINDOW_S)

    assert await floor.open(source, "customer") == first


async def test_the_last_agent_is_preferred_for_a_window_after_the_end_and_no_longer(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup(), affinity_window_s=WINDOW_S)
    agent = await floor.agent(workgroup)
    preferred = []
    for wait_ms in (WINDOW_S * 1000, WINDOW_S * 1000 + 1):
        opened, _ = await floor.connect(source, "customer")
        await floor.command(opened, c.Disconnect(c.Actor(agent), None))
        clock.advance(ms=wait_ms)
        following = await floor.open(source, "customer")
        decision = await floor.get(following)
        preferred.append(decision.preferred_agent_id)
        await floor.pick_up(following, agent)
        await floor.command(following, c.Disconnect(c.Actor(agent), None))
        clock.advance(s=10 * WINDOW_S)

    assert preferred == [agent, None]


async def test_public_and_private_words_are_different_conversations(database: Database) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())

    public = await floor.open(source, "customer")
    private = await floor.open(source, "customer", visibility=Visibility.PRIVATE)

    assert public != private
    assert (await floor.get(private)).media_type == "social_direct_message"


async def test_a_late_post_is_shown_where_it_belongs_and_flagged(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())
    newer = Post("newer", Author("customer"), "second", clock.now)
    older = Post("older", Author("customer"), "first", clock.now - 5_000)
    await floor.pages.take_in(source, [newer])
    taken = await floor.pages.take_in(source, [older])

    (conversation_id,) = taken.conversation_ids.values()
    timeline = await database.read(lambda k: reading.timeline(k, conversation_id, Window(limit=50)))
    posts = [entry.value for entry in timeline.entries if entry.kind == "post"]
    assert [(post["text"], post["is_late"]) for post in posts] == [
        ("first", True),
        ("second", False),
    ]


async def test_a_large_page_is_taken_whole_and_its_repetition_adds_nothing(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())
    page = [Post(f"p{n}", Author(f"c{n % 100}"), "x", clock.now) for n in range(500)]

    first = await floor.pages.take_in(source, page)
    again = await floor.pages.take_in(source, page)
    await floor.following.close()

    assert (len(first.accepted), first.duplicates) == (500, 0)
    assert (len(again.accepted), again.duplicates) == (0, 500)
    assert again.conversation_ids == first.conversation_ids
    assert len(set(first.conversation_ids.values())) == 100


async def test_what_cannot_be_read_is_quarantined_and_its_neighbours_go_on(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())
    good = Post("good", Author("customer"), "fine", clock.now)

    taken = await floor.pages.take_in(
        source, [good], [Unreadable("no_author", "the post names no author", "{}")]
    )

    assert taken.accepted == ("good",)
    kept = await database.read(lambda k: k.execute(select(QUARANTINE)).mappings().all())
    assert [row["code"] for row in kept] == ["no_author"]


async def test_two_channels_of_an_account_take_a_post_once(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    first = await floor.channel(await floor.workgroup())
    second = await floor.channel(await floor.workgroup(), account_id=first.account_id)
    post = Post("p", Author("customer"), "to both", clock.now)

    pages = await asyncio.gather(
        *(floor.pages.take_in(source, [post]) for source in (first, second) * 5)
    )

    assert sum(len(page.accepted) for page in pages) == 1
    count = await database.read(
        lambda k: k.execute(select(func.count()).select_from(POSTS)).scalar_one()
    )
    assert count == 1
