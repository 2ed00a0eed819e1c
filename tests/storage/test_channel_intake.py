"""A listened channel: which posts are its own, and how far it was read."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from conversations.capabilities import Allowance
from conversations.listening import ListenerReplaced, Listening, Via
from conversations.model import Author, Post, PostKind, Unreadable
from conversations.networks import NetworkTrouble, Page, Trouble
from storage import clock, quarantine
from storage.channel_intake import ChannelIntake
from storage.conversation_tables import PostRow
from storage.database import Database
from storage.log_tables import EventRow
from storage.pages import Window
from storage.secrets import Seal, SecretsUnreadable
from storage.setup_tables import AccountRow, ChannelRow
from tests.floor import Floor

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
EVENTS = EventRow.__table__  # type: ignore[attr-defined]
CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]


class Listened:
    """A channel and its intake."""

    def __init__(self, database: Database, floor: Floor, channel_id: str) -> None:
        self._database = database
        self.intake = ChannelIntake(database, floor.pages, Seal("a secret of the tests"))
        self.channel_id = channel_id

    async def take(self, *texts: str, cursor: str | None = None, **fields: Any) -> None:
        posts = [Post(text, Author("c"), text, 0, **fields) for text in texts]
        await self.intake.take_in(self.channel_id, Page(posts, cursor=cursor))

    async def poll(self, *texts: str, epoch: int = 0, **fields: Any) -> None:
        """Take in a page as the listener of the epoch does."""
        at = (await self.row())["created_at"]
        posts = [Post(text, Author("c"), text, at) for text in texts]
        via = fields.pop("via", Via.POLL)
        page = replace(Page(posts), **fields)
        await self.intake.take_in(self.channel_id, page, Listening(epoch, via))

    async def events(self) -> list[str]:
        query = select(EVENTS.c.detail).where(EVENTS.c.type == "channel.health_changed")
        query = query.order_by(EVENTS.c.id)
        rows = await self._database.read(lambda k: list(k.execute(query).scalars()))
        return [row["health"] for row in rows]

    async def texts(self) -> list[str]:
        query = select(POSTS.c.text).order_by(POSTS.c.text)
        return await self._database.read(lambda k: list(k.execute(query).scalars()))

    async def times(self) -> list[int]:
        query = select(POSTS.c.created_at)
        return await self._database.read(lambda k: list(k.execute(query).scalars()))

    async def now(self) -> int:
        return await self._database.read(clock.now)

    async def row(self) -> Any:
        query = select(CHANNELS).where(CHANNELS.c.id == self.channel_id)
        return await self._database.read(lambda k: k.execute(query).mappings().one())


async def listened(database: Database, **settings: Any) -> Listened:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup(), **settings)
    return Listened(database, floor, source.channel_id)


@pytest.mark.parametrize("told", [253_402_300_799_000, -62_135_647_200_000])
async def test_what_a_network_brings_is_of_any_age_but_not_to_come(
    database: Database, told: int
) -> None:
    channel = await listened(database)

    await channel.intake.take_in(channel.channel_id, Page([Post("odd", Author("c"), "odd", told)]))

    (kept,) = await channel.times()
    now = await channel.now()
    assert kept == told if told < 0 else kept <= now + 60_000


async def test_only_a_channels_own_posts_are_taken_in(database: Database) -> None:
    channel = await listened(database, handles=["acme"], keywords=["parcel"])

    await channel.take("@acme hello", "my parcel", "something else")

    assert await channel.texts() == ["@acme hello", "my parcel"]


async def test_a_page_without_anything_of_the_channels_moves_its_cursor(database: Database) -> None:
    channel = await listened(database, keywords=["parcel"])

    await channel.take("something else", cursor="7")

    assert (await channel.row())["cursor"] == "7"
    assert (await channel.row())["health"] == "healthy"


async def test_a_page_without_cursor_leaves_it_where_it_is(database: Database) -> None:
    channel = await listened(database)
    await channel.take(cursor="7")

    await channel.take("brought by a stream")

    listened_channel = await channel.intake.channel(channel.channel_id)
    assert listened_channel is not None
    assert listened_channel.cursor == "7"
    assert await channel.texts() == ["brought by a stream"]


async def test_trouble_is_told_until_a_page_is_read(database: Database) -> None:
    channel = await listened(database)
    await channel.take(cursor="7")

    await channel.intake.report_trouble(
        channel.channel_id, NetworkTrouble("the network answered 500")
    )
    troubled = await channel.row()
    await channel.poll(cursor="7")

    assert (troubled["health"], troubled["health_detail"]) == (
        "degraded",
        "the network answered 500",
    )
    assert (await channel.row())["health"] == "healthy"


async def test_the_unreadable_is_quarantined_and_a_channel_that_is_gone_takes_nothing(
    database: Database,
) -> None:
    channel = await listened(database)
    page = Page(unreadable=[Unreadable("text_missing", "no text", "{}")])

    await channel.intake.take_in(channel.channel_id, page)
    await channel.intake.take_in("ch_unknown", page)

    held = await database.read(lambda k: quarantine.listed(k, None, Window(10)))
    assert [row["code"] for row in held.rows] == ["text_missing"]


@pytest.mark.parametrize("settings", [{"enabled": False}])
async def test_a_channel_that_is_switched_off_is_not_listened_to(
    database: Database, settings: dict[str, Any]
) -> None:
    channel = await listened(database, **settings)

    assert await channel.intake.channel(channel.channel_id) is None


async def test_a_channel_whose_secrets_no_key_opens_rests_and_says_so(database: Database) -> None:
    channel = await listened(database)
    sealed = Seal("a key that nobody has any more").close("ac-1", {"token": "canary"})
    await database.write(lambda k: k.execute(update(ACCOUNTS).values(secrets=sealed)))

    resting = await channel.intake.channel(channel.channel_id)

    assert resting is not None
    assert resting.wait_ms > 0
    assert resting.account.credentials == {}
    assert "PARLEY_SECRET_KEY_PREVIOUS" in (await channel.row())["health_detail"]
    with pytest.raises(SecretsUnreadable):
        await channel.intake.called(channel.channel_id)


async def test_health_is_told_at_each_change_and_only_then(database: Database) -> None:
    channel = await listened(database)
    trouble = NetworkTrouble("the network answered 500")
    await channel.poll(cursor="1")

    for _ in range(4):
        await channel.intake.report_trouble(channel.channel_id, trouble)
    down = await channel.row()
    await channel.poll(cursor="2", retry_after_s=30.0)
    limited = await channel.row()
    await channel.poll(cursor="2")
    await channel.poll(cursor="3")
    revoked = NetworkTrouble("the token was revoked", Trouble.UNAUTHORISED)
    await channel.intake.report_trouble(channel.channel_id, revoked)

    assert (down["health"], down["failures"]) == ("down", 4)
    assert limited["health_detail"] == "the network takes no calls for 30 s"
    assert (await channel.row())["health_since"] is not None
    assert await channel.events() == ["degraded", "down", "limited", "healthy", "unauthorised"]


async def test_a_silent_line_is_told_when_only_polls_find_posts(database: Database) -> None:
    channel = await listened(database)
    await channel.poll("first", cursor="1", via=Via.RECONCILING)
    await channel.poll("second", cursor="2", via=Via.RECONCILING)
    before = (await channel.row())["health"]

    await channel.poll("third", cursor="3", via=Via.RECONCILING)
    silent = (await channel.row())["health"]
    await channel.poll("fourth", via=Via.LINE)

    assert (before, silent) == ("healthy", "degraded")
    assert (await channel.row())["health"] == "healthy"


async def test_polls_do_not_flood_a_new_channel(database: Database) -> None:
    channel = await listened(database, backfill_s=60)
    created_at = (await channel.row())["created_at"]
    page = Page(
        [
            Post("old", Author("c"), "old", created_at - 60_001),
            Post("young", Author("c"), "young", created_at - 60_000),
        ]
    )

    await channel.intake.take_in(channel.channel_id, page, Listening(0))

    asked = await channel.intake.channel(channel.channel_id)
    assert asked is not None
    assert asked.since == created_at - 60_000
    assert await channel.texts() == ["young"]
    assert (await channel.row())["left_out"] == 1


async def test_what_a_network_brings_may_be_older_than_the_channel(database: Database) -> None:
    channel = await listened(database, backfill_s=0)

    await channel.take("from long ago")

    assert await channel.texts() == ["from long ago"]


async def test_likes_and_reposts_are_counted_and_left_out_unless_wanted(database: Database) -> None:
    usual = await listened(database)
    eager = await listened(database, include=["likes", "reposts"])
    posts = [Post(kind.value, Author("c"), f"1 {kind}", 0, kind=kind) for kind in PostKind]

    for channel in (usual, eager):
        young = [replace(post, created_at=(await channel.row())["created_at"]) for post in posts]
        page = Page(young, cursor="1")
        await channel.intake.take_in(channel.channel_id, page, Listening(0))

    assert await usual.texts() == ["1 like", "1 post", "1 post", "1 quote", "1 repost"]
    assert (await usual.row())["left_out"] == 2
    assert (await eager.row())["left_out"] == 1


async def test_a_listener_that_was_replaced_takes_nothing_in_any_more(database: Database) -> None:
    channel = await listened(database)
    old = await channel.intake.take_over(channel.channel_id)
    new = await channel.intake.take_over(channel.channel_id)

    with pytest.raises(ListenerReplaced):
        await channel.poll("from the old one", epoch=old, cursor="9")
    with pytest.raises(ListenerReplaced):
        await channel.poll(epoch=old, cursor="9")
    with pytest.raises(ListenerReplaced):
        await channel.intake.report_trouble(channel.channel_id, NetworkTrouble("late"), old)
    await channel.poll("from the new one", epoch=new, cursor="1")

    row = await channel.row()
    assert (row["cursor"], row["health"]) == ("1", "healthy")
    assert await channel.texts() == ["from the new one"]


async def test_of_two_listeners_at_once_only_the_later_moves_the_cursor(database: Database) -> None:
    channel = await listened(database)
    old = await channel.intake.take_over(channel.channel_id)

    async def old_one() -> None:
        for number in range(1_000):
            await channel.poll(f"old {number}", epoch=old, cursor=f"old {number}")

    going_on = asyncio.ensure_future(old_one())
    await asyncio.sleep(0.05)
    new = await channel.intake.take_over(channel.channel_id)
    await channel.poll(epoch=new, cursor="new")

    with pytest.raises(ListenerReplaced):
        await going_on
    assert (await channel.row())["cursor"] == "new"


async def test_polls_of_an_account_share_its_allowance_and_leave_some(database: Database) -> None:
    channel = await listened(database)
    account_id = (await channel.row())["account_id"]
    allowance = Allowance("polls", 30, 60, kept_for_replies_percent=50)

    waits = [await channel.intake.take_allowance(account_id, allowance) for _ in range(7)]

    assert waits == [0] * 5 + [3_000] * 2
