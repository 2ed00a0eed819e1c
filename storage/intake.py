"""Pages of posts on their way in: chunk by chunk, then what follows, then the cursor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from conversations.model import Post, Unreadable
from storage import clock, ingest, replies
from storage.asking import Following
from storage.conversation_tables import QuarantineRow
from storage.database import Database
from storage.events import Happening
from storage.ids import new_id
from storage.ingest import CHUNK, Source, Taken, source_from
from storage.journal import Aftermath, Journal
from storage.setup_tables import AccountRow, ChannelRow

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]
QUARANTINE = QuarantineRow.__table__  # type: ignore[attr-defined]

SMALL_PAGE = 10
"""A page up to this size is matched before it is answered, a larger one behind its answer."""

LARGEST_RAW = 16_384
"""So many characters of what could not be understood are kept."""


@dataclass(frozen=True, slots=True)
class ChannelWithAccount:
    """A channel's and its account's row, as posts come in through them."""

    channel: RowMapping
    network: str
    settings: dict[str, Any]
    secrets: str

    @property
    def source(self) -> Source:
        return source_from(self.channel, self.network)


def channel_with_account(connection: Connection, channel_id: str) -> ChannelWithAccount | None:
    query = (
        select(
            CHANNELS,
            ACCOUNTS.c.network.label("account_network"),
            ACCOUNTS.c.settings.label("account_settings"),
            ACCOUNTS.c.secrets.label("account_secrets"),
        )
        .join(ACCOUNTS, ACCOUNTS.c.id == CHANNELS.c.account_id)
        .where(CHANNELS.c.id == channel_id)
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return ChannelWithAccount(
        row, row["account_network"], row["account_settings"], row["account_secrets"]
    )


class PageIntake:
    """Takes pages in; what it returns is committed."""

    def __init__(
        self, database: Database, following: Following, secret_of: Callable[[Connection], bytes]
    ) -> None:
        """Take what reads the affinity secret, within the transaction that needs it."""
        self._database = database
        self._following = following
        self._secret_of = secret_of

    async def take_in(
        self, source: Source, posts: Sequence[Post], unreadable: Sequence[Unreadable] = ()
    ) -> Taken:
        """Store a page: our own replies are recognised, the unreadable is quarantined.

        A page is committed in chunks, so that a large one does not hold the database; should a
        chunk fail, those before it stay taken and are duplicates when the page comes again.
        """
        await self._recognise(source, [post for post in posts if post.is_own])
        if unreadable:
            await self._database.write(lambda k: quarantine(k, source.channel_id, unreadable))
        theirs = [post for post in posts if not post.is_own]
        taken = Taken()
        for start in range(0, len(theirs), CHUNK):
            chunk = theirs[start : start + CHUNK]
            part = await self._database.write(
                lambda k, chunk=chunk: ingest.take_in(k, self._secret_of(k), source, chunk)  # type: ignore[misc]
            )
            taken = Taken(
                taken.accepted + part.accepted,
                taken.duplicates + part.duplicates,
                taken.conversation_ids | part.conversation_ids,
                taken.aftermath | part.aftermath,
            )
        if len(theirs) <= SMALL_PAGE:
            await self._following.follow(taken.aftermath)
        else:
            self._following.follow_later(taken.aftermath)
        return replace(taken, aftermath=Aftermath())

    def take_at_once(
        self,
        connection: Connection,
        source: Source,
        posts: Sequence[Post],
        unreadable: Sequence[Unreadable],
    ) -> Taken:
        """Store a small page of customers' posts within a transaction of the caller's.

        The caller lets the aftermath follow its commit.
        """
        if unreadable:
            quarantine(connection, source.channel_id, unreadable)
        if not posts:
            return Taken()
        return ingest.take_in(connection, self._secret_of(connection), source, posts)

    async def _recognise(self, source: Source, echoes: Sequence[Post]) -> None:
        for echo in echoes:
            aftermath = await self._database.write(
                lambda k, echo=echo: replies.recognise(k, source.account_id, echo)  # type: ignore[misc]
            )
            if aftermath is not None:
                self._following.follow_later(aftermath)


def quarantine(connection: Connection, channel_id: str, pieces: Sequence[Unreadable]) -> None:
    """Keep what could not be accepted, with its reason."""
    now = clock.now(connection)
    rows = [
        {
            "id": new_id("qu"),
            "channel_id": channel_id,
            "external_id": piece.external_id,
            "code": piece.code,
            "detail": piece.detail,
            "raw": piece.raw[:LARGEST_RAW],
            "received_at": now,
        }
        for piece in pieces
    ]
    connection.execute(insert(QUARANTINE), rows)


def move_cursor(connection: Connection, channel_id: str, cursor: str | None) -> Aftermath:
    """Remember how far a channel was read; its health is good, since it was."""
    if cursor is not None:
        moved = update(CHANNELS).where(CHANNELS.c.id == channel_id).values(cursor=cursor)
        connection.execute(moved)
    return report_health(connection, channel_id, "ok", None)


def report_health(
    connection: Connection, channel_id: str, health: str, detail: str | None
) -> Aftermath:
    """Note a channel's health; viewers are told when it changes."""
    query = select(CHANNELS.c.health, CHANNELS.c.workgroup_id).where(CHANNELS.c.id == channel_id)
    row = connection.execute(query).one_or_none()
    if row is None or row.health == health:
        return Aftermath()
    now = clock.now(connection)
    changed = update(CHANNELS).where(CHANNELS.c.id == channel_id)
    connection.execute(changed.values(health=health, health_detail=detail, health_since=now))
    told = {"channel_id": channel_id, "health": health, "detail": detail}
    journal = Journal(connection, now)
    journal.tell(Happening("channel.health_changed", row.workgroup_id, None, None, told))
    journal.flush()
    return Aftermath()
