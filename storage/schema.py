"""The schema of the database: brought up, brought down, and whether it is this version's."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

T = TypeVar("T")

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = max(path.name for path in (MIGRATIONS / "versions").glob("0*.py")).partition("_")[0]
"""The newest revision: the files are named by their revisions' numbers."""

CONNECT_TIMEOUT_S = 10


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database to a revision; for one that is at the head alembic is not even loaded."""
    if revision == "head" and _transact(database_url, is_at_head):
        return
    _transact(database_url, lambda connection: _migrate(connection, "upgrade", revision))


def downgrade(database_url: str, revision: str) -> None:
    """Go back to a revision; `base` drops all tables and what is in them."""
    _transact(database_url, lambda connection: _migrate(connection, "downgrade", revision))


def is_at_head(connection: Connection) -> bool:
    """Tell whether the database has the schema that this version of Parley needs."""
    return revision_of(connection) == HEAD


def revision_of(connection: Connection) -> str | None:
    """Return the revision that the database is at, None when it has no schema."""
    if not _has_revisions(connection):
        return None
    found: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return found


def _has_revisions(connection: Connection) -> bool:
    """Look before asking: on PostgreSQL a failed statement spoils the caller's transaction."""
    query = "SELECT to_regclass('alembic_version') IS NOT NULL"
    if connection.dialect.name == "sqlite":
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    return bool(connection.execute(text(query)).scalar_one())


def _migrate(connection: Connection, direction: str, revision: str) -> None:
    """Run the revisions in the caller's transaction: all of them, or none."""
    from alembic import command  # noqa: PLC0415 - half a second that a second start does not need
    from alembic.config import Config  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        one_at_a_time = text("SELECT pg_advisory_xact_lock(hashtextextended('schema', 2))")
        connection.execute(one_at_a_time)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)


def _transact(database_url: str, work: Callable[[Connection], T]) -> T:
    if make_url(database_url).get_backend_name() == "sqlite":
        with _sqlite_engine(database_url).begin() as connection:
            return work(connection)
    return asyncio.run(_transact_on_postgresql(database_url, work))


def _sqlite_engine(database_url: str) -> Engine:
    """Return an engine whose transactions hold the writer from their first moment, DDL too."""
    engine = create_engine(database_url, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _leave_transactions_to_us(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


async def _transact_on_postgresql(database_url: str, work: Callable[[Connection], T]) -> T:
    engine = create_async_engine(
        make_url(database_url).set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        connect_args={"timeout": CONNECT_TIMEOUT_S},
    )
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()
