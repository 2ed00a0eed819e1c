"""The secret key changes while everything goes on: all stays readable, nothing splits."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from storage import accounts
from storage.affinity_key import KEYS, AffinityKey
from storage.conversation_tables import ConversationRow
from storage.database import Database
from storage.intake import PageIntake
from storage.rotation import ACCOUNTS, Left, Rotated, rotate_accounts
from storage.secrets import Seal, SecretsUnreadable, derived_key
from tests.floor import Floor

OLD, NEW = "the old secret key of the tests", "the new secret key of the tests"
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
SOME = 12


async def sealed_accounts(database: Database, seal: Seal, count: int = SOME) -> list[str]:
    ids = [accounts.new_account_id() for _ in range(count)]
    for number, account_id in enumerate(ids):
        values = {
            "network": "webhook",
            "name": f"brand {number}",
            "settings": {},
            "secrets": seal.close(account_id, {"token": f"token-{number}"}),
        }
        await database.write(lambda k, i=account_id, v=values: accounts.create(k, i, v))  # type: ignore[misc]
    return ids


async def rotate(database: Database, seal: Seal, *, forgets_lost: bool = False) -> list[Rotated]:
    return [one async for one in rotate_accounts(database, seal, forgets_lost=forgets_lost)]


async def secrets_of(database: Database, account_id: str) -> str:
    query = select(ACCOUNTS.c.secrets).where(ACCOUNTS.c.id == account_id)
    return await database.read(lambda k: str(k.execute(query).scalar_one()))


async def conversations(database: Database) -> int:
    query = select(CONVERSATIONS.c.id)
    return await database.read(lambda k: len(k.execute(query).all()))


async def test_every_account_is_wrapped_anew_and_a_second_time_is_nothing(
    database: Database,
) -> None:
    ids = await sealed_accounts(database, Seal(OLD))
    rotating = Seal(NEW, [OLD])

    first = await rotate(database, rotating)
    again = await rotate(database, rotating)

    assert [one.left for one in first] == [Left.ROTATED] * SOME
    assert [(one.number, one.total) for one in first] == [(n + 1, SOME) for n in range(SOME)]
    assert [one.left for one in again] == [Left.CURRENT] * SOME
    for number, account_id in enumerate(ids):
        sealed = await secrets_of(database, account_id)
        assert Seal(NEW).open(account_id, sealed) == {"token": f"token-{number}"}
    rows = await database.read(lambda k: k.execute(select(ACCOUNTS.c.version)).scalars().all())
    assert set(rows) == {1}


async def test_what_no_key_opens_is_named_and_forgotten_only_when_told(database: Database) -> None:
    (lost,) = await sealed_accounts(database, Seal("a key that nobody has any more"), 1)
    await sealed_accounts(database, Seal(OLD), 1)
    rotating = Seal(NEW, [OLD])

    named = {one.account_id: one for one in await rotate(database, rotating)}
    assert named[lost].left is Left.UNREADABLE
    assert lost in named[lost].detail
    assert sorted(one.left for one in named.values()) == [Left.UNREADABLE, Left.ROTATED]

    forgotten = await rotate(database, rotating, forgets_lost=True)
    assert sorted(one.left for one in forgotten) == [Left.FORGOTTEN, Left.CURRENT]
    assert await secrets_of(database, lost) == ""


class Traffic:
    """Administrators and listeners of two processes, one of which has not been switched yet."""

    def __init__(self, database: Database, ids: list[str]) -> None:
        self._database = database
        self._ids = ids
        self._seals = (Seal(OLD, [NEW]), Seal(NEW, [OLD]))
        self.latest = dict.fromkeys(ids, "")
        self.changes = self.readings = 0
        self.is_over = False

    async def administrators(self) -> None:
        while not self.is_over:
            self.changes += 1
            account_id, seal = self._chosen(self.changes)
            self.latest[account_id] = token = f"changed-{self.changes}"
            await self._database.write(
                lambda k, i=account_id, s=seal, t=token: self._change(k, i, s, t)  # type: ignore[misc]
            )

    async def listeners(self) -> None:
        while not self.is_over:
            self.readings += 1
            account_id, seal = self._chosen(self.readings)
            assert seal.open(account_id, await secrets_of(self._database, account_id))["token"]

    def _chosen(self, number: int) -> tuple[str, Seal]:
        return self._ids[number % SOME], self._seals[number // SOME % 2]

    def _change(self, connection: Connection, account_id: str, seal: Seal, token: str) -> None:
        row = accounts.lock(connection, account_id)
        assert row is not None
        kept = seal.open(account_id, row["secrets"])
        sealed = seal.close(account_id, kept | {"token": token})
        accounts.change(connection, row, {"secrets": sealed, "network": row["network"]})


async def test_a_rotation_under_traffic_loses_no_change_and_hides_no_secret(
    database: Database,
) -> None:
    rotating = Seal(NEW, [OLD])
    ids = await sealed_accounts(database, Seal(OLD, [NEW]))
    traffic = Traffic(database, ids)

    async def rotations() -> None:
        for _ in range(4):
            await rotate(database, rotating)
        traffic.is_over = True

    await asyncio.gather(rotations(), traffic.administrators(), traffic.listeners())

    assert traffic.changes > SOME
    assert traffic.readings > SOME
    assert {one.left for one in await rotate(database, rotating)} <= {Left.ROTATED, Left.CURRENT}
    for number, account_id in enumerate(ids):
        opened = Seal(NEW).open(account_id, await secrets_of(database, account_id))
        assert opened["token"] == (traffic.latest[account_id] or f"token-{number}")


async def test_conversations_do_not_split_when_the_key_is_changed(database: Database) -> None:
    floor = Floor(database)
    source = await floor.channel(await floor.workgroup())

    async def post_to(key: AffinityKey) -> int:
        floor.pages = PageIntake(database, floor.following, key)
        await floor.post(source, "customer")
        return await conversations(database)

    assert await post_to(AffinityKey(OLD)) == 1
    assert await post_to(AffinityKey(OLD, [NEW])) == 1
    assert await post_to(AffinityKey(NEW, [OLD])) == 1
    assert await database.write(AffinityKey(NEW, [OLD]).rewrap)
    assert not await database.write(AffinityKey(NEW, [OLD]).rewrap)
    assert await post_to(AffinityKey(NEW)) == 1
    with pytest.raises(SecretsUnreadable, match="PARLEY_SECRET_KEY_PREVIOUS"):
        await post_to(AffinityKey(OLD))


async def test_the_key_begins_as_the_one_from_before_it_was_kept(database: Database) -> None:
    rotating_at_the_upgrade = AffinityKey(NEW, [OLD])

    assert await database.write(rotating_at_the_upgrade) == derived_key(OLD, "affinity")
    assert await database.write(AffinityKey(NEW, [OLD])) == derived_key(OLD, "affinity")


async def test_a_lost_key_is_begun_anew_only_when_told(database: Database) -> None:
    await database.write(AffinityKey(OLD))
    with pytest.raises(SecretsUnreadable):
        await database.write(AffinityKey(NEW))

    await database.write(AffinityKey(NEW).replace_lost)

    assert await database.write(AffinityKey(NEW)) != derived_key(OLD, "affinity")


async def test_two_processes_that_begin_at_once_have_one_key(database: Database) -> None:
    keys: list[Any] = [AffinityKey(OLD), AffinityKey(NEW, [OLD]), AffinityKey(OLD, [NEW])]

    found = await asyncio.gather(*(database.write(key) for key in keys), return_exceptions=True)

    assert len({one for one in found if isinstance(one, bytes)}) == 1
    stored = await database.read(lambda k: k.execute(select(KEYS)).all())
    assert len(stored) == 1


async def test_the_kept_key_is_of_no_use_without_the_secret_key(database: Database) -> None:
    key = await database.write(AffinityKey(OLD))
    sealed = await database.read(lambda k: str(k.execute(select(KEYS.c.sealed)).scalar_one()))

    assert key.hex() not in sealed
    await database.write(lambda k: k.execute(update(KEYS).values(sealed=sealed[:-4] + "AAAA")))
    with pytest.raises(SecretsUnreadable):
        await database.write(AffinityKey(OLD))
