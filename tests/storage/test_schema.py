import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlmodel import SQLModel

from storage import (
    conversation_tables,
    desk_tables,
    log_tables,
    report_tables,
    schema,
    setup_tables,
    sign_in_tables,
)
from storage.database import open_database
from tests.postgres import Cluster

T = TypeVar("T")
METADATA = SQLModel.metadata
TABLES = (conversation_tables, desk_tables, log_tables, report_tables, setup_tables, sign_in_tables)
"""Whoever compares has to have read them all."""


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    name = cluster.create_database()
    yield cluster.url(name)
    cluster.drop_database(name)


def differences(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))


def described(connection: Connection) -> dict[str, Any]:
    """Describe what autogenerate does not compare: CHECKs and the conditions of indexes."""
    found: dict[str, Any] = {}
    inspector = inspect(connection)
    for table in METADATA.tables:
        for check in inspector.get_check_constraints(table):
            found[f"{table}.{check['name']}"] = check["sqltext"]
        for index in inspector.get_indexes(table):
            condition = index.get("dialect_options", {}).get(f"{connection.dialect.name}_where")
            found[f"{table}.{index['name']}"] = (
                index["column_names"],
                bool(index["unique"]),
                str(condition),
            )
    return found


async def look(url: str, work: Callable[[Connection], T]) -> T:
    database = open_database(url)
    try:
        return await database.write(work)
    finally:
        await database.close()


async def test_the_migrated_schema_is_that_of_the_tables(database_url: str) -> None:
    assert await look(database_url, differences) == []


async def test_checks_and_partial_indexes_are_those_of_the_tables(database_url: str) -> None:
    migrated = await look(database_url, described)
    await look(database_url, METADATA.drop_all)
    await look(database_url, METADATA.create_all)
    assert migrated == await look(database_url, described)


def test_going_down_drops_all_and_up_again_is_possible(bare_url: str) -> None:
    schema.upgrade(bare_url)
    schema.downgrade(bare_url, "base")
    schema.upgrade(bare_url, "0001")
    schema.upgrade(bare_url)


async def test_nothing_is_left_after_going_down(database_url: str) -> None:
    await asyncio.to_thread(schema.downgrade, database_url, "base")
    left = await look(database_url, lambda connection: inspect(connection).get_table_names())
    assert left == ["alembic_version"]


async def test_a_database_knows_whether_it_is_at_the_head(database_url: str, bare_url: str) -> None:
    assert await look(database_url, schema.is_at_head)
    assert not await look(bare_url, schema.is_at_head)


def test_a_second_start_does_not_load_alembic(sqlite_url: str) -> None:
    program = (
        "import sys; from storage.schema import upgrade; upgrade(sys.argv[1]);"
        " sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, sqlite_url], check=True)
