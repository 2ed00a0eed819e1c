"""What is kept for so long and no longer; of what is kept, everything it was made from is too."""

from typing import Any

from sqlalchemy import func, select

from storage import clock as clocks
from storage import decisions, explaining, upkeep
from storage.database import Database
from storage.log_tables import AgentHistoryRow, DecisionRow, MatchRow
from tests.clocks import Clock
from tests.floor import Floor

DECISIONS = DecisionRow.__table__  # type: ignore[attr-defined]
HISTORY = AgentHistoryRow.__table__  # type: ignore[attr-defined]
MATCHES = MatchRow.__table__  # type: ignore[attr-defined]
DAY_S = 24 * 3600
LIFE_S = upkeep.DECISION_LIFE_MS // 1000


async def count(database: Database, table: Any) -> int:
    query = select(func.count()).select_from(table)
    return await database.read(lambda k: k.execute(query).scalar_one())


async def forget(database: Database) -> None:
    await database.write(lambda k: upkeep.forget_old(k, clocks.now(k)))


async def kept(database: Database) -> dict[str, bool]:
    """Say of each decision that is kept whether it comes out again, by its conversation."""

    def read(connection: Any) -> dict[str, bool]:
        found: dict[str, bool] = {}
        for record in connection.execute(select(DECISIONS.c.record)).scalars():
            again = explaining.evaluate(connection, record)
            assert again is not None
            found[record["conversation_id"]] = explaining.is_reproduced(record, again)
        return found

    return await database.read(read)


async def test_a_decision_is_kept_for_thirty_days_and_not_longer(
    database: Database, clock: Clock
) -> None:
    floor = Floor(database)
    care = await floor.workgroup()
    await floor.agent(care)
    opened = await floor.open(await floor.channel(care), "customer")

    clock.advance(s=LIFE_S)
    await forget(database)
    assert await kept(database) == {opened: True}

    clock.advance(ms=1)
    await forget(database)
    assert await kept(database) == {}


async def test_younger_decisions_still_come_out_from_a_floor_that_is_older(
    database: Database, clock: Clock
) -> None:
    """The agents changed last before what is forgotten: how they were then is kept."""
    floor = Floor(database)
    care = await floor.workgroup(offers_at_once=2)
    for level in (10, 20, 30):
        await floor.agent(care, skills={"german": level})
    source = await floor.channel(care)
    for number in range(4):
        await floor.open(source, f"early-{number}")
        clock.advance(s=1)
    clock.advance(s=LIFE_S - DAY_S)
    late = [await floor.open(source, f"late-{number}") for number in range(4)]

    clock.advance(s=2 * DAY_S)
    before = await count(database, HISTORY)
    await forget(database)

    assert await kept(database) == dict.fromkeys(late, True)
    assert await count(database, HISTORY) < before


async def test_what_a_decision_was_made_from_goes_after_it(
    database: Database, clock: Clock
) -> None:
    """A batch that leaves old decisions leaves what they were made from."""
    floor = Floor(database)
    care = await floor.workgroup()
    source = await floor.channel(care)
    waiting = [await floor.open(source, f"customer-{number}") for number in range(6)]
    clock.advance(s=1)
    for _ in range(2):
        await floor.agent(care)
    assert await count(database, MATCHES) > 0
    clock.advance(s=LIFE_S + 61)
    moment = clock.now - upkeep.DECISION_LIFE_MS

    seen: set[str] = set()
    left = await count(database, DECISIONS)
    while left:
        await database.write(lambda k: decisions.forget_before(k, moment, 2))
        still = await kept(database)
        assert all(still.values()), "what is still there comes out as it was"
        seen |= set(still)
        assert await count(database, DECISIONS) < left
        left = await count(database, DECISIONS)
    while await database.write(lambda k: decisions.forget_before(k, moment, 2)):
        pass

    assert seen <= set(waiting)
    assert await count(database, MATCHES) == 0
    assert await count(database, HISTORY) == 2, "how each agent is, and nothing more"
