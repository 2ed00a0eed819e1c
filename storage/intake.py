"""Pages of posts on their way in: chunk by chunk, then what follows, then the cursor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection, RowMapping, insert, select, update

from conversations.health import Condition, Health, Sighting, after
from conversations.listening import ListenerReplaced
from conversations.model import Instant, Post, PostChange, Unreadable
from storage import clock, ingest, post_changes, replies
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

T = TypeVar("T")
Fence: TypeAlias = Callable[[Connection], None]


def unfenced(_: Connection) -> None:
    """Let everybody write: the generic door, and what networks bring by themselves."""


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
            ACCOUNTS.c.version.label("account_version"),
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
        self,
        source: Source,
        posts: Sequence[Post],
        unreadable: Sequence[Unreadable] = (),
        changes: Sequence[PostChange] = (),
        fence: Fence = unfenced,
    ) -> Taken:
        """Store a page: our own replies are recognised, the unreadable is quarantined.

        `fence` is asked in every transaction, and raises when the page may not be taken in.

        A page is committed in chunks, so that a large one does not hold the database; should a
        chunk fail, those before it stay taken and are duplicates when the page comes again.
        """
        await self._recognise(source, [post for post in posts if post.is_own])
        if unreadable:
            await self._write(fence, lambda k: quarantine(k, source.channel_id, unreadable))
        theirs = [post for post in posts if not post.is_own]
        taken = Taken()
        for start in range(0, len(theirs), CHUNK):
            chunk = theirs[start : start + CHUNK]
            taken |= await self._write(
                fence,
                lambda k, chunk=chunk: ingest.take_in(k, self._secret_of(k), source, chunk),  # type: ignore[misc]
            )
        if changes:
            followed = await self._write(
                fence, lambda k: post_changes.follow(k, source.account_id, changes)
            )
            taken = replace(taken, aftermath=taken.aftermath | followed.aftermath)
        if len(theirs) <= SMALL_PAGE:
            await self._following.follow(taken.aftermath)
        else:
            self._following.follow_later(taken.aftermath)
        return replace(taken, aftermath=Aftermath())

    async def _write(self, fence: Fence, work: Callable[[Connection], T]) -> T:
        def fenced(connection: Connection) -> T:
            fence(connection)
            return work(connection)

        return await self._database.write(fenced if fence is not unfenced else work)

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


def take_over(connection: Connection, channel_id: str) -> int:
    """Make the caller the channel's only listener; return its epoch."""
    taken = update(CHANNELS).where(CHANNELS.c.id == channel_id)
    raised = taken.values(listener_epoch=CHANNELS.c.listener_epoch + 1)
    epoch = connection.execute(raised.returning(CHANNELS.c.listener_epoch)).scalar_one_or_none()
    return int(epoch or 0)


def fence_of(channel_id: str, epoch: int) -> Fence:
    """Return what lets only the channel's present listener write.

    The row stays locked against a take-over until the commit.
    """
    query = select(CHANNELS.c.listener_epoch).where(CHANNELS.c.id == channel_id)

    def require_present(connection: Connection) -> None:
        found = connection.execute(query.with_for_update(read=True)).scalar_one_or_none()
        if found != epoch:
            raise ListenerReplaced(channel_id, epoch)

    return require_present


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a channel was read: the new cursor, and what was not for it."""

    cursor: str | None = None
    left_out: int = 0
    is_caught_up: bool = False


def note(
    connection: Connection,
    channel_id: str,
    seen: Sighting,
    epoch: int | None,
    progress: Progress = Progress(),
) -> Condition:
    """Remember what was seen of a channel's network; viewers are told when its health changes.

    Raises:
        ListenerReplaced: whoever saw it does not listen to the channel any more.
    """
    query = select(CHANNELS).where(CHANNELS.c.id == channel_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return Condition()
    if epoch is not None and row["listener_epoch"] != epoch:
        raise ListenerReplaced(channel_id, epoch)
    before, now = condition_from(row), clock.now(connection)
    condition = after(before, seen)
    values: dict[str, Any] = {
        "health": condition.health.value,
        "health_detail": condition.detail,
        "failures": condition.failures,
        "missed": condition.missed,
        "left_out": row["left_out"] + progress.left_out,
    }
    if progress.cursor is not None:
        values["cursor"] = progress.cursor
    if progress.is_caught_up:
        values["caught_up_at"] = now
    if condition.health is not before.health:
        values["health_since"] = now
        _tell(connection, row, condition, now)
    connection.execute(update(CHANNELS).where(CHANNELS.c.id == channel_id).values(**values))
    return condition


def condition_from(channel: RowMapping) -> Condition:
    return Condition(
        Health(channel["health"]), channel["health_detail"], channel["failures"], channel["missed"]
    )


def _tell(connection: Connection, row: RowMapping, condition: Condition, now: Instant) -> None:
    told = {"channel_id": row["id"], "health": condition.health.value, "detail": condition.detail}
    journal = Journal(connection, now)
    journal.tell(Happening("channel.health_changed", row["workgroup_id"], None, None, told))
    journal.flush()
