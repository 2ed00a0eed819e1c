"""A database with a long past and a full floor, written by the database itself in a few statements.

What the rows say is made up, but it is what Parley would have written: every closed conversation
has its wait, its offer, its handling and its first reply.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    String,
    Table,
    cast,
    insert,
    literal,
    null,
    select,
    text,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from bench.claims import build
from conversations.model import Instant
from storage import clock
from storage.conversation_tables import (
    ConversationRow,
    CustomerRow,
    HandlingRow,
    QueueEntryRow,
)
from storage.database import Database
from storage.ingest import Source
from storage.report_tables import EndedOfferRow, FirstReplyRow

CHUNK = 50_000
PAST_MS = 30 * 24 * 3_600_000
WAITED_MS, HANDLED_MS = 45_000, 240_000
MEDIA_TYPE = "social_conversation"
ACTIVE_EACH = 4
"""A public conversation weighs 25 %: whoever has four is full, and nothing is matched."""

Expression = Callable[[ColumnElement[int]], ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Crowd:
    """How much there is, over all workgroups."""

    workgroups: int = 10
    agents: int = 500
    open_conversations: int = 10_000
    closed_conversations: int = 1_000_000


async def crowd(database: Database, wished: Crowd) -> None:
    """Write the crowd; agents are on queue and full, everybody else waits."""
    closed = wished.closed_conversations // wished.workgroups
    open_each = wished.open_conversations // wished.workgroups
    for _ in range(wished.workgroups):
        source, agent_ids = await database.write(
            lambda k: build(k, wished.agents // wished.workgroups)
        )
        floor = _Floor(source, agent_ids, await database.read(clock.now), PAST_MS // closed)
        await database.write(floor.add_customer)
        for begin in range(0, closed, CHUNK):
            numbers = (begin, min(closed, begin + CHUNK))
            await database.write(partial(floor.close, numbers=numbers))
        await database.write(partial(floor.fill, waiting=open_each - ACTIVE_EACH * len(agent_ids)))
    await database.write(lambda k: k.execute(text("ANALYZE")))


@dataclass(frozen=True, slots=True)
class _Floor:
    """One workgroup, and how far apart its closed conversations ended."""

    source: Source
    agent_ids: Sequence[str]
    now: Instant
    spacing_ms: int

    def add_customer(self, connection: Connection) -> None:
        row = CustomerRow(id=f"cu-{self.source.workgroup_id}", created_at=self.now)
        _copy(connection, row, (0, 1), {})

    def close(self, connection: Connection, numbers: tuple[int, int]) -> None:
        """Write conversations that were closed in the last month, the newest a second ago."""
        came, met, left = (
            self._ended(ago_ms) for ago_ms in (WAITED_MS + HANDLED_MS, HANDLED_MS, 0)
        )
        cv = {"conversation_id": self._named("cv")}
        conversation = self._conversation("completed", ended_at=self.now)
        moments = {"created_at": came, "queued_at": came, "connected_at": met, "ended_at": left}
        names = {"id": self._named("cv"), "affinity_key": self._named("key")}
        _copy(connection, conversation, numbers, {**names, **moments})
        for row, differing in (
            (
                self._of(QueueEntryRow, outcome="answered", waited_ms=WAITED_MS),
                {"id": self._named("qe"), "entered_at": came, "left_at": met},
            ),
            (
                self._of(HandlingRow, kind="handled", held_ms=0),
                {"id": self._named("ha"), "began_at": met, "ended_at": left},
            ),
            (
                self._of(EndedOfferRow, outcome="accepted"),
                {"offer_id": self._named("of"), "began_at": came, "ended_at": met},
            ),
            (
                self._of(FirstReplyRow, after_ms=WAITED_MS),
                {"reply_id": self._named("re"), "sent_at": left},
            ),
        ):
            _copy(connection, row, numbers, {**differing, **cv})

    def fill(self, connection: Connection, waiting: int) -> None:
        """Give every agent as many conversations as it can carry, and let others wait."""
        connection.execute(
            text("UPDATE agents SET utilization = 100 WHERE id = :id"),
            [{"id": agent_id} for agent_id in self.agent_ids],
        )
        for number, agent_id in enumerate(self.agent_ids):
            held = {"agent_id": agent_id, "holder_agent_id": agent_id, "weight_percent": 25}
            row = self._conversation("connected", connected_at=self.now, **held)
            _copy(connection, row, (0, ACTIVE_EACH), self._keys(f"a{number}"))
        _copy(connection, self._conversation("queued"), (0, waiting), self._keys("w"))
        entry = self._of(QueueEntryRow, entered_at=self.now, agent_id=None)
        names = {"id": self._named("qw"), "conversation_id": self._named("w")}
        _copy(connection, entry, (0, waiting), names)

    def _conversation(self, state: str, **fields: object) -> ConversationRow:
        source, now = self.source, self.now
        values: dict[str, Any] = {
            "state": state,
            "media_type": MEDIA_TYPE,
            "network": source.network,
            "account_id": source.account_id,
            "channel_id": source.channel_id,
            "workgroup_id": source.workgroup_id,
            "customer_id": f"cu-{source.workgroup_id}",
            "affinity_window_s": 3600,
            "priority": 50,
            "queue_rank": now,
            **dict.fromkeys(("created_at", "queued_at", "last_post_at", "affinity_until"), now),
        }
        return ConversationRow(**values | fields)

    def _of(self, table: type[SQLModel], **fields: object) -> SQLModel:
        """Return a row that tells of one of the workgroup's conversations."""
        common = {"workgroup_id": self.source.workgroup_id, "media_type": MEDIA_TYPE}
        return table(**{"agent_id": self.agent_ids[0], **common, **fields})

    def _named(self, prefix: str) -> Expression:
        return lambda n: literal(f"{prefix}-{self.source.workgroup_id}-") + cast(n, String)

    def _keys(self, prefix: str) -> dict[str, Expression]:
        return {"id": self._named(prefix), "affinity_key": self._named(prefix)}

    def _ended(self, ago_ms: int) -> Expression:
        last = self.now - 1000 - ago_ms
        return lambda n: literal(last, BigInteger) - n * self.spacing_ms


def _copy(
    connection: Connection,
    row: SQLModel,
    numbers: tuple[int, int],
    expressions: Mapping[str, Expression],
) -> None:
    """Write the row once for each number; the expressions say what differs by number."""
    table: Table = type(row).__table__  # type: ignore[attr-defined]
    counted = _counted(*numbers)
    values = [
        expressions[column.name](counted.c.n)
        if column.name in expressions
        else _as_it_is(getattr(row, column.name), column.type)
        for column in table.columns
    ]
    names = [column.name for column in table.columns]
    connection.execute(insert(table).from_select(names, select(*values).select_from(counted)))


def _as_it_is(value: object, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    return null() if value is None else literal(value, kind)


def _counted(begin: int, end: int) -> CTE:
    first = select(literal(begin, BigInteger).label("n")).cte("counted", recursive=True)
    return first.union_all(select(first.c.n + 1).where(first.c.n < end - 1))
