"""Merge, forward, split and unmerge in the database: history, counts, load, later posts."""

import pytest

from conversations import commands as c
from conversations.model import ConversationState, RoutingStatus, Visibility
from storage import reading
from storage.database import Database
from storage.pages import Window
from tests.clocks import Clock
from tests.desk import WINDOW_S, Desk
from tests.history import read_history

S = ConversationState


@pytest.fixture
async def desk(database: Database, clock: Clock) -> Desk:
    return await Desk(database, clock).open()


async def test_complaint_15_a_merge_unites_both_histories_in_order_and_keeps_the_counts(
    desk: Desk,
) -> None:
    """`reference/field.md` §6 rank 15: history union keeps order and counts."""
    first = await desk.connected(desk.wall, "one")
    second = await desk.connected(desk.page, "two")
    for source, text in ((desk.wall, "three"), (desk.page, "four"), (desk.wall, "five")):
        desk.clock.advance(ms=1)
        await desk.floor.open(source, "customer", text)

    outcome = await desk.floor.merge(first, second, c.Actor(desk.agent))

    assert outcome.refusal is None
    gone, target = await desk.floor.get(first), await desk.floor.get(second)
    assert (gone.state, gone.merged_into, gone.ended_by) == (S.MERGED, second, desk.agent)
    assert (gone.post_count, target.post_count, target.unanswered_count) == (0, 5, 5)
    assert await desk.texts(second) == ["one", "two", "three", "four", "five"]
    assert await desk.texts(first) == []
    await desk.check()


async def test_a_merge_frees_the_room_of_the_source_in_the_same_commit(desk: Desk) -> None:
    first, second = await desk.two()
    assert await desk.load() == 50

    await desk.floor.merge(first, second, c.Actor(desk.agent))

    assert await desk.load() == 25
    await desk.check()


async def test_what_is_written_where_the_source_was_joins_the_target(desk: Desk) -> None:
    first, second = await desk.two()
    await desk.floor.merge(first, second)

    assert await desk.floor.open(desk.wall, "customer", "again on the wall") == second
    assert await desk.floor.open(desk.page, "customer", "again on the page") == second
    assert (await desk.floor.get(second)).post_count == 4
    await desk.check()


async def test_one_page_with_posts_of_both_keys_joins_the_target_once(desk: Desk) -> None:
    """Three merged into one another: each key leads to the end of the chain."""
    first, second = await desk.two()
    third = await desk.connected(
        await desk.floor.channel(
            desk.workgroup, account_id=desk.wall.account_id, affinity_window_s=WINDOW_S
        )
    )
    await desk.floor.merge(first, second)
    await desk.floor.merge(second, third)

    for source in (desk.wall, desk.page):
        assert await desk.floor.open(source, "customer", "x", "y") == third
    assert (await desk.floor.get(third)).post_count == 7
    await desk.check()


async def test_after_the_targets_end_the_key_opens_a_conversation_of_its_own_again(
    desk: Desk,
) -> None:
    first, second = await desk.two()
    await desk.floor.merge(first, second)
    await desk.floor.command(second, c.Disconnect(c.Actor(desk.agent), None))
    desk.clock.advance(s=1)

    third = await desk.floor.open(desk.wall, "customer")

    opened = await desk.floor.get(third)
    assert third not in {first, second}
    assert (opened.continues, opened.offer.agent_id) == (first, desk.agent)
    assert (await desk.floor.unmerge(first)).refusal.code == "cannot_unmerge"  # type: ignore[union-attr]
    await desk.check()


async def test_answered_posts_stay_answered_and_the_others_do_not(desk: Desk) -> None:
    first, second = await desk.two("one", "two")
    await desk.send(await desk.answer(first))
    await desk.floor.open(desk.wall, "customer", "three")

    await desk.floor.merge(first, second)

    target = await desk.floor.get(second)
    assert (target.post_count, target.unanswered_count) == (5, 3)
    await desk.check()


async def test_a_reply_of_the_target_that_is_on_its_way_covers_what_it_covered(desk: Desk) -> None:
    first, second = await desk.two("one", "two")
    await desk.send(await desk.answer(first))
    late = await desk.answer(second)
    await desk.floor.open(desk.wall, "customer", "three")
    await desk.floor.merge(first, second)

    await desk.send(late)

    target = await desk.floor.get(second)
    assert (target.post_count, target.unanswered_count) == (5, 1)
    await desk.check()


async def test_a_reply_of_the_source_settles_where_it_is_and_its_posts_are_answered(
    desk: Desk,
) -> None:
    first, second = await desk.two("one", "two")
    late = await desk.answer(first)
    await desk.floor.merge(first, second)
    gone = await desk.floor.get(first)
    assert (gone.unsettled_replies, (await desk.floor.get(second)).unanswered_count) == (1, 4)

    await desk.send(late)

    gone = await desk.floor.get(first)
    assert (gone.unsettled_replies, gone.unanswered_count) == (0, 0)
    assert (await desk.floor.get(second)).unanswered_count == 2
    await desk.check()


async def test_what_was_said_and_noted_in_the_source_is_read_along_in_the_target(
    desk: Desk,
) -> None:
    first, second = await desk.two()
    said = await desk.answer(first)
    await desk.database.write(lambda k: reading.add_note(k, first, desk.agent, "a", "patient"))
    await desk.floor.merge(first, second)

    told = await desk.database.read(lambda k: reading.timeline(k, second, Window(limit=200)))

    assert [e.reply.id for e in told.entries if e.reply] == [said]
    assert [e.value["text"] for e in told.entries if e.kind == "note"] == ["patient"]


async def test_private_words_and_other_customers_are_never_mixed_in(desk: Desk) -> None:
    public = await desk.connected(desk.wall)
    private = await desk.floor.open(desk.wall, "customer", visibility=Visibility.PRIVATE)
    stranger = await desk.floor.open(desk.wall, "stranger")
    elsewhere = await desk.floor.open(await desk.floor.channel(desk.workgroup), "customer")

    for other in (private, stranger, elsewhere):
        for source, target in ((other, public), (public, other)):
            outcome = await desk.floor.merge(source, target)
            assert outcome.refusal is not None
            assert outcome.refusal.code == "cannot_merge"
    await desk.check()


async def test_complaint_15_posts_are_forwarded_to_the_agent_who_owns_the_conversation(
    desk: Desk,
) -> None:
    """Source document 000: who got a post that belongs to another agent's conversation."""
    owned = await desk.connected(desk.wall, "one")
    other = await desk.floor.agent(desk.workgroup)
    await desk.floor.status(desk.agent, RoutingStatus.OFF_QUEUE)
    stray = await desk.floor.open(desk.page, "customer", "two")
    assert (await desk.floor.get(stray)).offer.agent_id == other

    outcome = await desk.floor.forward(stray, owned, c.Actor(other))

    assert outcome.refusal is None
    assert await desk.texts(owned) == ["one", "two"]
    await desk.floor.following.close()
    history = await desk.database.read(read_history)
    told = [e for e in history.events if e["detail"].get("from_conversation_id") == stray]
    assert {(e["type"], e["agent_id"]) for e in told} == {
        ("conversation.merged", desk.agent),
        ("conversation.post_received", desk.agent),
    }
    assert {a["id"]: a["utilization"] for a in history.agents} == {desk.agent: 25, other: 0}
    await desk.check()


async def test_complaint_15_a_split_is_audited_and_later_posts_join_the_original(
    desk: Desk,
) -> None:
    opened = await desk.connected(desk.wall, "one", "two", "three")
    ids = await desk.ids(opened)

    outcome = await desk.floor.split(opened, ids[1:], c.Actor(desk.agent))

    assert outcome.refusal is None
    new = outcome.conversation
    assert new is not None
    assert (new.post_count, new.preferred_agent_id) == (2, desk.agent)
    left = await desk.floor.get(opened)
    assert (left.state, left.post_count) == (S.CONNECTED, 1)
    assert (await desk.ids(new.id), await desk.ids(opened)) == (ids[1:], ids[:1])
    assert await desk.floor.open(desk.wall, "customer", "four") == opened
    history = await desk.database.read(read_history)
    told = {
        (e["type"], e["conversation_id"]) for e in history.events if "moved_post_ids" in e["detail"]
    }
    assert told == {("conversation.split", opened), ("conversation.created", new.id)}
    assert len(history.moves) == 2
    await desk.check()


async def test_a_split_is_undone_by_a_merge(desk: Desk) -> None:
    opened = await desk.connected(desk.wall, "one", "two", "three")
    before = await desk.texts(opened)
    split = await desk.floor.split(opened, (await desk.ids(opened))[1:])
    assert split.conversation is not None

    assert (await desk.floor.merge(split.conversation.id, opened)).refusal is None

    assert await desk.texts(opened) == before
    await desk.check()


async def test_answered_posts_are_answered_on_both_sides_of_a_split(desk: Desk) -> None:
    opened = await desk.connected(desk.wall, "one", "two")
    await desk.send(await desk.answer(opened))
    await desk.floor.open(desk.wall, "customer", "three")
    desk.clock.advance(ms=1)
    pending = await desk.answer(opened)
    await desk.floor.open(desk.wall, "customer", "four")
    ids = await desk.ids(opened)

    split = await desk.floor.split(opened, [ids[0], ids[3]])

    assert split.conversation is not None
    new, left = split.conversation, await desk.floor.get(opened)
    assert (new.post_count, new.unanswered_count) == (2, 1)
    assert (left.post_count, left.unanswered_count) == (2, 1)
    await desk.send(pending)
    assert (await desk.floor.get(opened)).unanswered_count == 0
    await desk.check()


@pytest.mark.parametrize(
    ("names", "code"),
    [((), "cannot_split"), (("nothing",), "unknown_posts"), (("ALL",), "cannot_split")],
)
async def test_a_split_that_names_nothing_or_all_is_refused(
    desk: Desk, names: tuple[str, ...], code: str
) -> None:
    opened = await desk.connected(desk.wall, "one", "two")
    posts = await desk.ids(opened) if names == ("ALL",) else names

    outcome = await desk.floor.split(opened, posts)

    assert outcome.refusal is not None
    assert outcome.refusal.code == code
    await desk.check()


async def test_complaint_15_a_merge_is_taken_back_with_all_that_came_meanwhile(desk: Desk) -> None:
    first, second = await desk.two("one", "two")
    await desk.send(await desk.answer(first))
    await desk.floor.merge(first, second)
    await desk.floor.open(desk.wall, "customer", "on the wall")
    await desk.floor.open(desk.page, "customer", "on the page")

    outcome = await desk.floor.unmerge(first, c.Actor(desk.agent))

    assert outcome.refusal is None
    again, target = await desk.floor.get(first), await desk.floor.get(second)
    assert (again.state, again.offer.agent_id) == (S.ALERTING, desk.agent)
    assert (again.merged_into, again.ended_at) == (None, None)
    assert (again.post_count, again.unanswered_count) == (3, 1)
    assert (target.post_count, target.unanswered_count) == (3, 3)
    assert await desk.floor.open(desk.wall, "customer", "later") == first
    assert await desk.floor.open(desk.page, "customer", "later") == second
    await desk.check()


async def test_a_reopened_conversation_rings_for_a_workflow_of_its_own(desk: Desk) -> None:
    first, second = await desk.two()
    await desk.floor.merge(first, second)
    assert not any(bell.is_reopened for bell in desk.floor.bells.rung)

    await desk.floor.unmerge(first)

    rung = {b.conversation_id for b in desk.floor.bells.rung if b.is_reopened}
    assert rung == {first}


async def test_a_merge_can_be_done_and_undone_again_and_again(desk: Desk) -> None:
    first, second = await desk.two("one", "two")
    for _ in range(3):
        desk.clock.advance(s=1)
        assert (await desk.floor.merge(first, second)).refusal is None
        desk.clock.advance(s=1)
        assert (await desk.floor.unmerge(first)).refusal is None
    assert (await desk.floor.get(first)).post_count == 2
    await desk.check()


async def test_a_merge_leaves_a_lapsed_target_alone(desk: Desk) -> None:
    first, second = await desk.two()
    await desk.send(await desk.answer(second))
    desk.clock.advance(s=WINDOW_S, ms=1)

    outcome = await desk.floor.merge(first, second)

    assert outcome.refusal is not None
    assert outcome.refusal.code == "cannot_merge"
    assert (await desk.floor.get(second)).ended_by == "affinity_window"
    await desk.check()


async def test_a_parked_target_comes_back_with_the_posts_it_gets(desk: Desk) -> None:
    first, second = await desk.two()
    await desk.floor.command(second, c.Park(c.Actor(desk.agent), None, None))

    await desk.floor.merge(first, second)

    target = await desk.floor.get(second)
    assert (target.state, target.offer.agent_id) == (S.ALERTING, desk.agent)
    await desk.check()
