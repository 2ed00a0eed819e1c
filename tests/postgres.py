"""A PostgreSQL cluster of the tests' own: on the loopback, in a folder that is gone at the end."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.ports import free_port

SUPERUSER = "parley"
TEMPLATE = "parley_template"
START_TIMEOUT_S = 30
MOST_USES = 40
MOST_LEFT_BEHIND = 4 * 1024 * 1024
"""What has grown larger is full of dead rows, and of statistics that mislead the next test."""

_NUMBERS = count(1)

CUTTING = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = '{name}'
"""
LOOKING = """
SELECT md5(concat(
    (SELECT version_num FROM alembic_version),
    (SELECT string_agg(concat_ws(' ', attrelid::regclass, attname, atttypid::regtype, attnotnull,
        pg_get_expr(adbin, adrelid)), ',' ORDER BY attrelid::regclass::text, attname)
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        JOIN pg_class ON pg_class.oid = attrelid
        WHERE attnum > 0 AND relnamespace = 'public'::regnamespace),
    (SELECT string_agg(concat_ws(' ', conname, pg_get_constraintdef(oid)), ',' ORDER BY conname)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace))),
    pg_database_size(current_database())
"""
EMPTYING = """
SELECT 'SET LOCAL session_replication_role = replica; '
    || string_agg(format('DELETE FROM %I', tablename), '; ')
    || (SELECT coalesce(string_agg(format('; ALTER SEQUENCE %I RESTART', sequencename), ''), '')
        FROM pg_sequences WHERE schemaname = 'public')
    || format('; INSERT INTO licences SELECT * FROM json_populate_recordset(null::licences, %L)',
        (SELECT json_agg(licences) FROM licences))
FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
"""Writes what empties a database; only licences are there from the beginning."""


class NoPostgres(Exception):
    """Debian's package `postgresql` is not installed."""


@dataclass(frozen=True)
class Cluster:
    programs: Path
    port: int

    def url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as the superuser and return what psql prints."""
        finished = subprocess.run(
            [self.programs / "psql", "-XAtqc", statement, self.url(database)],
            capture_output=True,
            text=True,
            check=True,
        )
        return finished.stdout.strip()

    def create_database(self, template: str = "template0") -> str:
        """Create a database of a name of its own, as a copy of another, and return the name.

        Copied as files: through the log it takes three times as long, and hundreds are made.
        """
        name = f"parley_{next(_NUMBERS)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    def drop_database(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


class Databases:
    """Migrated, empty databases that tests borrow: one that was used is emptied and used again.

    Making one costs half a second of the kernel's time, emptying one a thirtieth of that.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._free: list[tuple[str, int]] = []
        self._uses: dict[str, int] = {}
        self._schema, self._most_bytes = self._look_at(TEMPLATE)
        self._most_bytes += MOST_LEFT_BEHIND
        self._emptying = cluster.execute(EMPTYING, TEMPLATE)

    def take(self) -> str:
        name, uses = (
            self._free.pop() if self._free else (self._cluster.create_database(TEMPLATE), 0)
        )
        self._uses[name] = uses + 1
        return name

    def give_back(self, name: str) -> None:
        """Empty the database for the next test, under another name: nobody comes back to it."""
        uses = self._uses.pop(name)
        self._cluster.execute(CUTTING.format(name=name))
        schema, size = self._look_at(name)
        if uses >= MOST_USES or schema != self._schema or size > self._most_bytes:
            self._cluster.drop_database(name)
            return
        self._cluster.execute(self._emptying, name)
        new_name = f"parley_{next(_NUMBERS)}"
        self._cluster.execute(f"ALTER DATABASE {name} RENAME TO {new_name}")
        self._free.append((new_name, uses))

    def _look_at(self, name: str) -> tuple[str, int]:
        """Return what the schema is, in short, and how large the database is."""
        schema, size = self._cluster.execute(LOOKING, name).split("|")
        return schema, int(size)


def find_programs() -> Path:
    """Return the newest installed server's programs; Debian keeps them off PATH."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise NoPostgres("no PostgreSQL server: `make setup` or `apt-get install postgresql`")
    return Path(on_path).parent


def _as_owner() -> list[str]:
    """Return what starts a program as a user who is not root, and ends it with the tests."""
    prefix = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() != 0:
        return prefix
    return [*prefix, "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]


@contextmanager
def private_cluster() -> Iterator[Cluster]:
    """Start a cluster; stop it by its own process id. What it says is kept in its folder's log."""
    programs, port = find_programs(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="parley-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "cluster"
        _initialise(programs, data)
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(
                [*_as_owner(), *_server_command(programs, data, folder, port)],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
            )
            try:
                _wait_until_ready(programs, port, server, folder / "log")
                yield Cluster(programs, port)
            finally:
                server.send_signal(signal.SIGINT)
                server.wait(START_TIMEOUT_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(programs: Path, data: Path) -> None:
    subprocess.run(
        [
            *_as_owner(),
            str(programs / "initdb"),
            f"--pgdata={data}",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ],
        capture_output=True,
        check=True,
        cwd=data.parent,
    )


def _server_command(programs: Path, data: Path, sockets: Path, port: int) -> list[str]:
    """Spell the server's command line; fsync stays on, as in production."""
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": sockets,
        "max_connections": 200,
        "shared_buffers": "64MB",
        "max_wal_size": "512MB",
        "jit": "off",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [str(programs / "postgres"), "-D", str(data), *options]


def _wait_until_ready(
    programs: Path, port: int, server: subprocess.Popen[bytes], log: Path
) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    ask = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ask, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise NoPostgres(f"the cluster did not start: {log.read_text()[-2000:]}")
        time.sleep(0.1)
