"""What authors do to their posts later, on both sides of the posts' arrival."""

import asyncio
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from conversations import commands as c
from conversations.model import Author, Media, Post, PostChange, PostChangeKind
from storage import clock, post_changes
from storage.conversation_tables import PostChangeRow, PostRow
from storage.database import Database
from storage.ingest import Source, Taken
from storage.log_tables import EventRow
from storage.upkeep import forget_old
from tests.clocks import Clock
from tests.floor import Floor

CHANGES = PostChangeRow.__table__  # type: ignore[attr-defined]
EVENTS = EventRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]


def edited(external_id: str, at: int, text: str) -> PostChange:
    return PostChange(external_id, PostChangeKind.EDITED, at, text)


def deleted(external_id: str, at: int = 50) -> PostChange:
    return PostChange(external_id, PostChangeKind.DELETED, at)


class Wall:
    """A channel whose posts are changed."""

    def __init__(self, floor: Floor, source: Source) -> None:
        self.floor = floor
        self.source = source

    async def post(self, *external_ids: str) -> Taken:
        media = (Media("image", "http://network.example/1.png", "my parcel"),)
        at = await self.floor.database.read(clock.now)
        posts = [Post(i, Author("c", "anna"), "words", at, media=media) for i in external_ids]
        return await self.floor.pages.take_in(self.source, posts)

    async def change(self, *changes: PostChange) -> None:
        await self.floor.pages.take_in(self.source, (), changes=changes)

    async def row(self, external_id: str) -> Any:
        query = select(POSTS).where(POSTS.c.external_id == external_id)
        return await self.floor.database.read(lambda k: k.execute(query).mappings().one_or_none())

    async def events(self) -> list[str]:
        query = select(EVENTS.c.type).order_by(EVENTS.c.id)
        return await self.floor.database.read(lambda k: list(k.execute(query).scalars()))


@pytest.fixture
async def wall(database: Database) -> Wall:
    floor = Floor(database)
    return Wall(floor, await floor.channel(await floor.workgroup()))


async def test_an_edit_shows_the_new_words_and_keeps_the_old(wall: Wall) -> None:
    taken = await wall.post("p")
    before = await wall.floor.get(taken.conversation_ids["p"])

    await wall.change(edited("p", 10, "other words"))
    await wall.change(edited("p", 10, "other words"))

    row = await wall.row("p")
    assert (row["text"], row["edited_at"], row["deleted_at"]) == ("other words", 10, None)
    assert row["earlier_texts"] == [{"text": "words", "until": 10}]
    assert (await wall.events()).count("conversation.post_changed") == 1
    after = await wall.floor.get(before.id)
    assert after.version == before.version + 1
    assert after.state == "queued"


async def test_an_edit_from_the_year_9999_counts_as_one_of_now(wall: Wall) -> None:
    await wall.post("p")
    await wall.change(edited("p", 253_402_300_799_000, "other words"))

    now = await wall.floor.database.read(clock.now)
    assert (await wall.row("p"))["edited_at"] <= now + 60_000


async def test_a_deletion_leaves_no_word_and_ends_what_nobody_has(wall: Wall) -> None:
    taken = await wall.post("p", "q")
    conversation_id = taken.conversation_ids["p"]

    await wall.change(edited("p", 10, "other words"), deleted("p"))
    half = await wall.floor.get(conversation_id)
    await wall.change(deleted("q"))

    row = await wall.row("p")
    assert (row["text"], row["media"], row["earlier_texts"]) == ("", [], [])
    assert row["deleted_at"] == 50
    ended = await wall.floor.get(conversation_id)
    assert (half.state, ended.state, ended.ended_by) == ("queued", "abandoned", "posts_deleted")


async def test_an_offered_conversation_is_taken_back_and_its_agent_free(wall: Wall) -> None:
    agent_id = await wall.floor.agent(wall.source.workgroup_id)
    conversation_id = (await wall.post("p")).conversation_ids["p"]
    assert (await wall.floor.get(conversation_id)).offer.agent_id == agent_id

    await wall.change(deleted("p"))
    later = (await wall.post("q")).conversation_ids["q"]

    assert (await wall.floor.get(conversation_id)).state == "abandoned"
    assert (await wall.floor.get(later)).offer.agent_id == agent_id


async def test_an_agents_conversation_only_shows_it(wall: Wall) -> None:
    agent_id = await wall.floor.agent(wall.source.workgroup_id)
    conversation_id = (await wall.post("p")).conversation_ids["p"]
    await wall.floor.pick_up(conversation_id, agent_id)

    await wall.change(deleted("p"))

    assert (await wall.floor.get(conversation_id)).state == "connected"
    assert (await wall.events())[-1] == "conversation.post_changed"


async def test_a_change_of_an_ended_conversations_post_is_done_too(wall: Wall) -> None:
    conversation_id = (await wall.post("p")).conversation_ids["p"]
    await wall.floor.command(conversation_id, c.Discard(c.SYSTEM, "spam"))

    await wall.change(deleted("p"))

    assert (await wall.row("p"))["text"] == ""


@pytest.mark.parametrize(
    "order", list(permutations([edited("p", 10, "two"), edited("p", 20, "three")]))
)
async def test_an_edit_before_its_post_is_waited_for(
    wall: Wall, order: tuple[PostChange, ...]
) -> None:
    for change in order:
        await wall.change(change)

    await wall.post("p", "other")

    row = await wall.row("p")
    assert (row["text"], row["edited_at"]) == ("three", 20)
    assert (await wall.row("other"))["text"] == "words"


@pytest.mark.parametrize(
    "order", list(permutations([edited("p", 10, "two"), edited("p", 90, "three"), deleted("p")]))
)
async def test_a_post_that_was_deleted_before_it_came_is_never_routed(
    wall: Wall, order: tuple[PostChange, ...]
) -> None:
    for change in order:
        await wall.change(change)

    taken = await wall.post("p", "other")

    assert (len(taken.accepted), taken.withdrawn, taken.duplicates) == (1, 1, 0)
    assert await wall.row("p") is None
    kept = await wall.floor.database.read(
        lambda k: k.execute(select(CHANGES.c.text)).scalars().all()
    )
    assert kept == [None]


async def test_changes_of_posts_that_never_come_are_forgotten(wall: Wall, clock: Clock) -> None:
    await wall.change(deleted("p"))

    clock.advance(ms=post_changes.KEPT_MS)
    kept = await wall.floor.database.write(lambda k: forget_old(k, clock.now))
    clock.advance(ms=1)
    forgotten = await wall.floor.database.write(lambda k: forget_old(k, clock.now))

    assert (kept, forgotten) == (0, 1)


async def test_a_change_and_its_post_at_the_same_moment_always_meet(wall: Wall) -> None:
    names = [f"p{number}" for number in range(30)]

    await asyncio.gather(
        *(wall.post(name) for name in names), *(wall.change(deleted(name)) for name in names)
    )

    for name in names:
        row = await wall.row(name)
        assert row is None or row["deleted_at"] == 50
    states = set((await wall.floor.states()).values())
    assert states <= {"abandoned"}


async def test_a_change_of_another_accounts_post_does_nothing(wall: Wall) -> None:
    other = await wall.floor.channel(wall.source.workgroup_id)
    await wall.post("p")

    await wall.floor.pages.take_in(other, (), changes=[deleted("p")])

    assert (await wall.row("p"))["text"] == "words"
