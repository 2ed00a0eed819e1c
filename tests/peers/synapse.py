"""Synapse, the Matrix homeserver, as a stranger: installed by pip in a folder of its own."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.peers.base import NotInstalled, peers_folder, run, started
from tests.ports import free_port

IS_QUICK = True

_REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "peer-synapse.txt"
_HIGH = "{per_second: 1000, burst_count: 1000}"
_LIMITS = f"""
rc_message: {_HIGH}
rc_invites: {{per_room: {_HIGH}, per_user: {_HIGH}, per_issuer: {_HIGH}}}
rc_joins: {{local: {_HIGH}, remote: {_HIGH}}}
rc_login: {{address: {_HIGH}, account: {_HIGH}, failed_attempts: {_HIGH}}}
"""


def install() -> Path:
    """Install it once, in the versions of the lock file, and return its programs' folder.

    Raises:
        NotInstalled: it cannot be had here.
    """
    folder = peers_folder() / "synapse"
    programs, there = folder / "bin", folder / "installed.txt"
    if there.exists() and there.read_bytes() == _REQUIREMENTS.read_bytes():
        return programs
    folder.mkdir(parents=True, exist_ok=True)
    run([sys.executable, "-m", "venv", folder])
    run([programs / "pip", "install", "--quiet", "--require-hashes", "-r", _REQUIREMENTS])
    shutil.copy(_REQUIREMENTS, there)
    return programs


@contextmanager
def running(folder: Path, users: Sequence[str]) -> Iterator[str]:
    """Run a homeserver `localhost` with these users, whose password is `NAME-pw`; yield its URL."""
    programs, port, home = install(), free_port(), folder / "homeserver"
    config = home / "homeserver.yaml"
    server: list[str | Path] = [
        programs / "python",
        "-m",
        "synapse.app.homeserver",
        "--config-path",
        config,
    ]
    made: list[str | Path] = [
        "--server-name",
        "localhost",
        "--data-directory",
        home,
        "--report-stats=no",
    ]
    run([*server, *made, "--generate-config"], cwd=folder)
    _settle(config, port)
    url = f"http://127.0.0.1:{port}"
    with started(server, health_url=f"{url}/health", log=folder / "synapse.log", cwd=folder):
        for user in users:
            _register(programs, config, user, url)
        yield url


def _settle(config: Path, port: int) -> None:
    """Let it listen on the loopback only, name nobody outside and slow nobody down."""
    text = config.read_text().replace("    - ::1\n", "").replace("port: 8008", f"port: {port}")
    keys = r'trusted_key_servers:\n\s+- server_name: "matrix.org"'
    text = re.sub(keys, "trusted_key_servers: []", text)
    config.write_text(text + _LIMITS)


def _register(programs: Path, config: Path, user: str, url: str) -> None:
    named: list[str | Path] = ["-c", config, "-u", user, "-p", f"{user}-pw", "--no-admin", url]
    command: list[str | Path] = [programs / "register_new_matrix_user", *named]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotInstalled(f"no user {user}: {done.stdout[-300:]}{done.stderr[-300:]}")
