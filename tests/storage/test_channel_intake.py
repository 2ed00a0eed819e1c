"""A listened channel: which posts are its own, and how far it was read."""

from typing import Any

import pytest
from sqlalchemy import select, update

from conversations.model import Author, Post, Unreadable
from conversations.networks import NetworkTrouble, Page
from storage import quarantine
from storage.channel_intake import ChannelIntake
from storage.conversation_tables import PostRow
from storage.database import Database
from storage.pages import Window
from storage.secrets import Seal, SecretsUnreadable
from storage.setup_tables import AccountRow, ChannelRow
from tests.floor import Floor

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
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

    async def texts(self) -> list[str]:
        query = select(POSTS.c.text).order_by(POSTS.c.text)
        return await self._database.read(lambda k: list(k.execute(query).scalars()))

    async def row(self) -> Any:
        query = select(CHANNELS).where(CHANNELS.c.id == self.channel_id)
        return await self._database.read(lambda k: k.execute(query).mappings().one())


async def listened(database: Database, **settings: Any) -> Listened:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup(), **settings)
    return Listened(database, floor, source.channel_id)


async def test_only_a_channels_own_posts_are_taken_in(database: Database) -> None:
    channel = await listened(database, handles=["acme"], keywords=["parcel"])

    await channel.take("@acme hello", "my parcel", "something else")

    assert await channel.texts() == ["@acme hello", "my parcel"]


async def test_a_page_without_anything_of_the_channels_moves_its_cursor(database: Database) -> None:
    channel = await listened(database, keywords=["parcel"])

    await channel.take("something else", cursor="7")

    assert (await channel.row())["cursor"] == "7"
    assert (await channel.row())["health"] == "ok"


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
    await channel.take(cursor="7")

    assert (troubled["health"], troubled["health_detail"]) == (
        "trouble",
        "the network answered 500",
    )
    assert (await channel.row())["health"] == "ok"


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
