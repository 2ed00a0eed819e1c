"""Today's service level, kept up by increments, is what counting the whole day comes to."""

import random

from sqlalchemy import Connection, insert

from acd.service_level import WayOut
from conversations.model import MediaType
from reports.today import SETTLED_MS, Today
from storage import queues, standing
from storage.conversation_tables import QueueEntryRow
from storage.database import Database
from storage.ids import new_id
from tests.clocks import Clock
from tests.floor import Floor

ENTRIES = QueueEntryRow.__table__  # type: ignore[attr-defined]


async def test_increments_come_to_the_same_as_counting_the_day(
    database: Database, clock: Clock
) -> None:
    floor, dice, today = Floor(database), random.Random(4), Today()
    workgroup_id = await floor.workgroup()
    conversation_id = await floor.open(await floor.channel(workgroup_id), "customer-1")

    def let_a_wait_end(connection: Connection, left_at: int) -> None:
        wait = {
            "id": new_id("qe"),
            "conversation_id": conversation_id,
            "workgroup_id": workgroup_id,
            "media_type": dice.choice(list(MediaType)).value,
            "entered_at": left_at - 1_000,
            "left_at": left_at,
            "outcome": dice.choice(list(WayOut)).value,
            "waited_ms": dice.choice([0, 300_000, 300_001, 900_000]),
        }
        connection.execute(insert(ENTRIES).values(wait))

    def compare(connection: Connection) -> None:
        (row,) = [r for r in standing.all_workgroups(connection) if r["id"] == workgroup_id]
        found = today.reached(connection, [row], clock.now)[workgroup_id]
        for media_type, (_, counts, _) in found.by_media_type.items():
            period = (found.since, clock.now + 1)
            assert counts == queues.counts_between(connection, row, media_type, period)

    for _ in range(60):
        clock.advance(ms=dice.choice([1, 5_000, SETTLED_MS, 7_200_000]))
        for _ in range(dice.randrange(4)):
            left_at = clock.now - dice.randrange(SETTLED_MS - 10_000)
            await database.write(lambda k, at=left_at: let_a_wait_end(k, at))  # type: ignore[misc]
        await database.read(compare)
