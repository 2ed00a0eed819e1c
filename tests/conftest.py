"""What tests stand on: databases, clocks, and a Temporal server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from storage import schema
from storage.database import Database, open_database
from tests.clocks import Clock
from tests.postgres import TEMPLATE, Cluster, Databases, private_cluster
from tests.temporal import TemporalServer, dev_server

# Machines of very different speed run these tests: a slow example is no failure.
settings.register_profile(
    "parley", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("parley")

FOLLOWS_WITHIN_S = 5.0


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """Start a cluster of the tests' own; each worker of a parallel run has one."""
    with private_cluster() as cluster:
        cluster.execute(f"CREATE DATABASE {TEMPLATE}")
        schema.upgrade(cluster.url(TEMPLATE))
        yield cluster


@pytest.fixture(scope="session")
def databases(postgres: Cluster) -> Databases:
    return Databases(postgres)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty, migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Return the address of an empty, migrated SQLite database."""
    path = tmp_path / "parley.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgres: Cluster, databases: Databases) -> Iterator[str]:
    """Return the address of an empty, migrated PostgreSQL database."""
    name = databases.take()
    yield postgres.url(name)
    databases.give_back(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the address of an empty, migrated database: each test runs on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still until the test moves it."""
    return Clock()


@pytest_asyncio.fixture
async def database(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    """Open an empty database of each kind, living by the test's clock."""
    opened = open_database(database_url, clock)
    yield opened
    under_way = asyncio.all_tasks() - {asyncio.current_task()}
    if under_way:  # what follows a test's last commit holds a connection
        await asyncio.wait(under_way, timeout=FOLLOWS_WITHIN_S)
    await opened.close()


@pytest.fixture(scope="session")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """Start a Temporal dev server with Parley's search attributes, in memory."""
    with dev_server(tmp_path_factory.mktemp("temporal")) as server:
        yield server


@pytest.fixture(scope="session")
def temporal_address(temporal: TemporalServer) -> str:
    return temporal.address
