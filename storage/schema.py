"""The schema of the database: brought up, brought down, and whether it is this version's."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = max(path.name for path in (MIGRATIONS / "versions").glob("0*.py")).partition("_")[0]
"""The newest revision: their files are named by their numbers."""


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database to a revision; one that is at the head already costs no import."""
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
    found = connection.execute(text("SELECT version_num FROM alembic_version"))
    return found.scalar_one_or_none()


def _has_revisions(connection: Connection) -> bool:
    """Look before asking: on PostgreSQL a failed statement spoils the caller's transaction."""
    query = "SELECT to_regclass('alembic_version') IS NOT NULL"
    if connection.dialect.name == "sqlite":
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    return bool(connection.execute(text(query)).scalar_one())


def _migrate(connection: Connection, direction: str, revision: str) -> None:
    """Run revisions in the caller's transaction, one process at a time."""
    from alembic import command  # noqa: PLC0415 - half a second that a second start does not need
    from alembic.config import Config  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('schema', 0))"))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, revision)


def _transact[T](database_url: str, work: Callable[[Connection], T]) -> T:
    if make_url(database_url).get_backend_name() == "sqlite":
        return _transact_on_sqlite(database_url, work)
    return asyncio.run(_transact_on_postgresql(database_url, work))
