"""Claims per second in one workgroup: waiting conversations and agents with room, paired."""

import asyncio
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, func, insert, make_url, select

from conversations.messages import Bell
from conversations.model import Author, Post, RoutingStatus, Threading
from storage import clock
from storage.asking import Following
from storage.conversation_tables import ConversationRow
from storage.database import Database, open_database
from storage.ids import new_id
from storage.ingest import CHUNK, Source, take_in
from storage.schema import upgrade
from storage.setup_tables import AccountRow, AgentRow, ChannelRow, MembershipRow, WorkgroupRow

CONVERSATIONS_EACH = 4
"""A public conversation weighs 25 %: an agent has room for four."""

SECRET = b"of no worth: nothing is kept of it"
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]


async def claims_per_s(database_url: str, agents: int) -> float:
    """Fill a workgroup's queue with as many as its agents have room for, and claim them all."""
    await asyncio.to_thread(upgrade, database_url)
    database = open_database(database_url)
    try:
        source, _ = await database.write(lambda k: build(k, agents))
        total = agents * CONVERSATIONS_EACH
        await fill(database, source, total)
        following = Following(database, ring_nobody)
        began_s = time.perf_counter()
        await following.ask([source.workgroup_id])
        took_s = time.perf_counter() - began_s
        await following.close()
        if left := await database.read(_waiting):
            raise RuntimeError(f"{left} conversations were left beside agents with room")
    finally:
        await database.close()
    return total / took_s


async def ring_nobody(bells: Sequence[Bell]) -> None:
    """No workflow is told: only the claims are measured."""


def _waiting(connection: Connection) -> int:
    waiting = select(func.count()).where(CONVERSATIONS.c.state == "queued")
    return int(connection.execute(waiting).scalar_one())


def build(connection: Connection, agents: int) -> tuple[Source, list[str]]:
    """Build a workgroup with a channel and agents on queue; return the channel and the agents."""
    at = clock.now(connection)
    workgroup_id, account_id, channel_id = new_id("wg"), new_id("ac"), new_id("ch")
    _put(connection, [WorkgroupRow(id=workgroup_id, name=workgroup_id, created_at=at)])
    account = AccountRow(id=account_id, network="webhook", name="brand", created_at=at)
    _put(connection, [account])
    channel = ChannelRow(
        id=channel_id,
        name="wall",
        account_id=account_id,
        workgroup_id=workgroup_id,
        created_at=at,
    )
    _put(connection, [channel])
    floor = [_agent(at) for _ in range(agents)]
    _put(connection, floor)
    _put(connection, [MembershipRow(workgroup_id=workgroup_id, agent_id=a.id) for a in floor])
    source = Source(
        channel_id,
        account_id,
        "webhook",
        workgroup_id,
        Threading.CUSTOMER,
        channel.affinity_window_s,
        channel.priority,
        (),
    )
    return source, [agent.id for agent in floor]


def _agent(at: int) -> AgentRow:
    agent_id = new_id("ag")
    return AgentRow(
        id=agent_id,
        username=agent_id,
        name=agent_id,
        routing_status=RoutingStatus.ON_QUEUE.value,
        roles=["agent"],
        presence_lease=False,
        since=at,
        idle_since=at,
        created_at=at,
    )


def _put(connection: Connection, rows: Sequence[Any]) -> None:
    table = type(rows[0]).__table__
    names = table.columns.keys()
    connection.execute(insert(table), [{n: getattr(row, n) for n in names} for row in rows])


async def fill(database: Database, source: Source, total: int) -> None:
    at = await database.read(clock.now)
    posts = [Post(f"p-{n}", Author(f"u-{n}"), "Where is my parcel?", at) for n in range(total)]
    for start in range(0, total, CHUNK):
        chunk = posts[start : start + CHUNK]
        await database.write(lambda k, chunk=chunk: take_in(k, SECRET, source, chunk))  # type: ignore[misc]


async def on_sqlite(agents: int) -> float:
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        return await claims_per_s(f"sqlite:///{Path(folder) / 'claims.db'}", agents)


async def on_postgresql(server_url: str, agents: int) -> float:
    async with fresh_database(server_url) as database_url:
        return await claims_per_s(database_url, agents)


@asynccontextmanager
async def fresh_database(server_url: str) -> AsyncIterator[str]:
    """Make a database of our own on the server, and drop it at the end."""
    name = f"parley_bench_{uuid.uuid4().hex[:12]}"
    url = make_url(server_url).set(drivername="postgresql")
    await _administer(url.render_as_string(hide_password=False), f'CREATE DATABASE "{name}"')
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        await _administer(
            url.render_as_string(hide_password=False), f'DROP DATABASE "{name}" WITH (FORCE)'
        )


async def _administer(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def server_version(server_url: str) -> str:
    """Return what kind of server it is: `PostgreSQL 15.18`."""
    url = make_url(server_url).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        return f"PostgreSQL {await connection.fetchval('SHOW server_version')}"
    finally:
        await connection.close()
