"""The database when it is busy, away, or held by a process that is frozen."""

import asyncio
import fcntl
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from storage import database as module
from storage.database import ConcurrentChange, Database, DatabaseUnavailable, open_database


async def test_a_frozen_neighbour_stops_nobody_for_ever(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 200)
    opened = open_database(sqlite_url)
    gate = Path(f"{make_url(sqlite_url).database}.gate")

    with gate.open("a") as held:  # noqa: ASYNC230 - a lock file, nothing is read
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DatabaseUnavailable):
            await opened.write(lambda k: k.execute(text("SELECT 1")))
        assert await opened.read(lambda k: k.execute(text("SELECT 1")).scalar_one()) == 1

    assert await opened.write(lambda k: k.execute(text("SELECT 1")).scalar_one()) == 1
    await opened.close()


async def test_a_failed_transaction_leaves_nothing_behind(database: Database) -> None:
    def fail(connection: object) -> None:
        connection.execute(text("INSERT INTO skills VALUES ('half', 0)"))  # type: ignore[attr-defined]
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        await database.write(fail)

    count = text("SELECT count(*) FROM skills")
    assert await database.read(lambda k: k.execute(count).scalar_one()) == 0


async def test_a_transaction_that_lost_a_race_is_run_again(database: Database) -> None:
    tries: list[int] = []

    def race(_: object) -> str:
        tries.append(1)
        if len(tries) < 3:
            raise ConcurrentChange("somebody was quicker")
        return "done"

    assert await database.write(race) == "done"
    assert len(tries) == 3


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    opened = open_database("postgresql://nobody@127.0.0.1:1/nothing")

    async with asyncio.timeout(10):
        with pytest.raises(DatabaseUnavailable):
            await opened.read(lambda k: k.execute(text("SELECT 1")))
    await opened.close()


async def test_more_than_there_are_connections_are_told_to_come_again(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECTION_WAIT_S", 0.1)
    opened = open_database(postgresql_url)
    reads = [opened.read(lambda k: k.execute(text("SELECT pg_sleep(1)"))) for _ in range(20)]

    ends = await asyncio.gather(*reads, return_exceptions=True)

    refused = [end for end in ends if isinstance(end, BaseException)]
    assert {type(end) for end in refused} == {DatabaseUnavailable}
    assert len(refused) == 4
    await opened.close()
