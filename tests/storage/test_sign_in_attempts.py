"""How long a name or an address has to wait: doubling, bounded, forgotten, and in the database."""

import asyncio

import pytest
from sqlalchemy import func, select

from storage import sign_in_attempts
from storage.database import Database, open_database
from storage.sign_in_attempts import ATTEMPTS, account, address, charge, forgive
from tests.clocks import Clock

NAME, PLACE = account("agent-7"), address("192.0.2.7")


async def attempt(database: Database) -> int:
    return await database.write(lambda k: charge(k, (NAME, PLACE)))


async def rows(database: Database) -> int:
    query = select(func.count()).select_from(ATTEMPTS)
    return int(await database.read(lambda k: k.execute(query).scalar_one()))


async def waits(database: Database, clock: Clock, attempts: int) -> list[int]:
    """Try as soon as one may; return how long that was each time, in seconds."""
    found: list[int] = []
    for _ in range(attempts):
        wait_ms = await attempt(database)
        found.append(wait_ms // 1000)
        if wait_ms:
            clock.advance(ms=wait_ms)
            assert await attempt(database) == 0
    return found


async def test_asvs_6_3_1_pauses_double_up_to_a_minute_and_no_further(
    database: Database, clock: Clock
) -> None:
    assert await waits(database, clock, 5) == [0] * 5
    assert await waits(database, clock, 9) == [0, 1, 2, 4, 8, 16, 32, 60, 60]


async def test_what_comes_too_early_makes_nothing_longer(database: Database, clock: Clock) -> None:
    await waits(database, clock, 8)
    before = await attempt(database)
    assert before > 0

    for _ in range(20):
        assert await attempt(database) == before
    clock.advance(ms=before)
    assert await attempt(database) == 0


async def test_a_quiet_time_is_forgotten_bit_by_bit(database: Database, clock: Clock) -> None:
    await waits(database, clock, 6)
    clock.advance(s=180)

    assert await waits(database, clock, 4) == [0, 0, 0, 1]


async def test_a_success_frees_the_name_and_spares_the_address_one(
    database: Database, clock: Clock
) -> None:
    await waits(database, clock, 6)
    await database.write(lambda k: forgive(k, NAME, PLACE))
    assert await waits(database, clock, 5) == [0] * 5

    query = select(ATTEMPTS.c.failures).where(ATTEMPTS.c.subject == PLACE.key)
    assert await database.read(lambda k: k.execute(query).scalar_one()) == 10


async def test_an_address_has_room_for_a_floor_and_then_waits_too(
    database: Database, clock: Clock
) -> None:
    async def from_here(name: str) -> int:
        return await database.write(lambda k: charge(k, (account(name), PLACE)))

    assert [await from_here(f"agent-{n}") for n in range(51)] == [0] * 51
    assert await from_here("agent-99") == 1000
    elsewhere = (account("agent-99"), address("198.51.100.7"))
    assert await database.write(lambda k: charge(k, elsewhere)) == 0


async def test_many_at_once_are_counted_one_by_one_over_all_processes(
    database: Database, database_url: str, clock: Clock
) -> None:
    other = open_database(database_url, clock)

    waited = await asyncio.gather(*(attempt(one) for one in [database, other] * 8))

    assert sum(wait_ms == 0 for wait_ms in waited) == 6
    await other.close()


async def test_names_are_not_in_the_clear_and_the_table_is_bounded(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_attempts, "MOST_SUBJECTS", 10)
    for number in range(20):
        subjects = (account(f"a password typed as a name {number}"), PLACE)
        await database.write(lambda k, s=subjects: charge(k, s))  # type: ignore[misc]
        clock.advance(ms=1)

    kept = await database.read(lambda k: k.execute(select(ATTEMPTS.c.subject)).scalars().all())
    assert len(kept) == 10
    assert PLACE.key in kept
    assert not any("password" in subject for subject in kept)
    clock.advance(s=3_601)
    await database.write(
        lambda k: sign_in_attempts.forget_before(k, clock.now - sign_in_attempts.REMEMBERED_MS)
    )
    assert await rows(database) == 0
