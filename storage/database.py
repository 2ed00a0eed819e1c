"""The database behind one face: SQLite with one writer thread, or PostgreSQL by asyncpg."""

import asyncio
import fcntl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from conversations.model import Instant
from storage.clock import CLOCK_OPTION

T = TypeVar("T")
Clock = Callable[[], Instant]

TRANSACTION_TIMEOUT_S = 15.0
"""No transaction takes longer; one that does waits for something that will not come."""

BUSY_TIMEOUT_MS = 10_000
GATE_PAUSE_S = 0.0005
READERS = 4
RETRIES = 10
_RETRIED_SQLSTATES = frozenset({"40001", "40P01"})


CONNECTION_WAIT_S = 5.0
"""So long a transaction waits for one of the pool's connections."""


class DatabaseUnavailable(Exception):
    """The database did not answer; nothing was changed."""


class ConcurrentChange(Exception):
    """What a transaction had read was changed before it could lock it; it is run again."""


class Database(Protocol):
    """Runs plain functions of a `Connection` as transactions."""

    dialect: str

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a transaction that changes something; it may be run again when it lost a race."""
        ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a transaction that only reads."""
        ...

    async def close(self) -> None: ...


def open_database(url: str, clock: Clock | None = None) -> Database:
    """Open `sqlite:///FILE` or `postgresql://…`; a clock replaces the database's own in tests."""
    if make_url(url).get_backend_name() == "sqlite":
        return SQLiteDatabase(url, clock)
    return PostgresDatabase(url, clock)


class SQLiteDatabase:
    """One writer thread a process, many readers; a file lock lets processes take turns fairly.

    SQLite's own waiting sleeps longer and longer between tries, the file lock does not.
    """

    dialect = "sqlite"

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self._engine = _sqlite_engine(url, clock)
        path = make_url(url).database
        self._gate = Path(f"{path}.gate").open("a") if path and path != ":memory:" else None  # noqa: SIM115 - open as long as the database
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._connections = threading.local()
        self._opened: list[Connection] = []

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await self._run(self._writer, "BEGIN IMMEDIATE", work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._run(self._readers, "BEGIN", work)

    async def _run(
        self, pool: ThreadPoolExecutor, begin: str, work: Callable[[Connection], T]
    ) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, self._transact, begin, work)

    def _transact(self, begin: str, work: Callable[[Connection], T]) -> T:
        try:
            for _ in range(RETRIES):
                try:
                    with self._turn(begin):
                        return self._transact_once(begin, work)
                except ConcurrentChange:
                    continue
        except OperationalError as error:
            raise DatabaseUnavailable(str(error.orig)) from error
        raise DatabaseUnavailable("the same rows were changed again and again")

    def _transact_once(self, begin: str, work: Callable[[Connection], T]) -> T:
        connection = self._connection()
        connection.exec_driver_sql(begin)
        try:
            result = work(connection)
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")
        return result

    @contextmanager
    def _turn(self, begin: str) -> Iterator[None]:
        if self._gate is None or begin == "BEGIN":
            yield
            return
        _wait_for(self._gate)
        try:
            yield
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._connections, "connection", None)
        if connection is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._connections.connection = connection
            self._opened.append(connection)
        return connection

    async def close(self) -> None:
        for pool in (self._writer, self._readers):
            await asyncio.to_thread(pool.shutdown)
        for connection in self._opened:
            connection.close()
        self._engine.dispose()
        if self._gate is not None:
            self._gate.close()


def _wait_for(gate: TextIO) -> None:
    """Take the gate, waiting a bounded time: a process that is frozen in its turn holds it.

    Raises:
        DatabaseUnavailable: nobody let us through in time.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise DatabaseUnavailable("another process holds the database") from None
            time.sleep(GATE_PAUSE_S)
        else:
            return


def _sqlite_engine(url: str, clock: Clock | None) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        execution_options={CLOCK_OPTION: clock},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own type
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-65536",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


class PostgresDatabase:
    """PostgreSQL by asyncpg; every statement and every transaction has a bound in time."""

    dialect = "postgresql"

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=16,
            max_overflow=0,
            pool_timeout=CONNECTION_WAIT_S,
            pool_pre_ping=False,
            connect_args={"command_timeout": 10, "timeout": 5},
            execution_options={CLOCK_OPTION: clock},
        )

    async def write(self, work: Callable[[Connection], T]) -> T:
        for _ in range(RETRIES):
            try:
                return await self._transact(work)
            except ConcurrentChange:
                continue
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _RETRIED_SQLSTATES:
                    raise
        raise DatabaseUnavailable("the same rows were changed again and again")

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._transact(work)

    async def _transact(self, work: Callable[[Connection], T]) -> T:
        try:
            async with asyncio.timeout(TRANSACTION_TIMEOUT_S), self._engine.begin() as connection:
                return await connection.run_sync(work)
        except (OSError, TimeoutError, NoConnectionFree) as error:
            raise DatabaseUnavailable(type(error).__name__) from error
        except DBAPIError as error:
            if error.connection_invalidated or _is_absence(error):
                raise DatabaseUnavailable(type(error.orig).__name__) from error
            raise

    async def close(self) -> None:
        await self._engine.dispose()


def _is_absence(error: DBAPIError) -> bool:
    """Whether the server is away, starting or full, rather than the statement wrong."""
    sqlstate = getattr(error.orig, "sqlstate", None) or ""
    return sqlstate[:2] in {"08", "53", "57"}
