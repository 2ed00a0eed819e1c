"""GreenMail: an SMTP and IMAP server in one jar, from Maven, for tests only."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.base import NotInstalled, peers_folder, run, started
from tests.ports import free_port

IS_QUICK = True

VERSION = "2.1.8"
SHA256 = "332bfed79603101308927a951c4b56e89798edf614ed354a927ac9099e8ab4e4"


@dataclass(frozen=True, slots=True)
class MailPorts:
    smtp: int
    imap: int


def install() -> Path:
    """Install it once, and return the jar; one that is not the expected one is not used.

    Raises:
        NotInstalled: it cannot be had here.
    """
    folder = peers_folder() / "greenmail" / VERSION
    jar = folder / "greenmail-standalone.jar"
    if not jar.exists():
        folder.mkdir(parents=True, exist_ok=True)
        artifact = f"-Dartifact=com.icegreen:greenmail-standalone:{VERSION}"
        options = [f"-DoutputDirectory={folder}", "-Dmdep.stripVersion=true"]
        run(["mvn", "-q", "-B", "dependency:copy", artifact, *options])
    if hashlib.sha256(jar.read_bytes()).hexdigest() != SHA256:
        jar.unlink()
        raise NotInstalled("Maven brought another GreenMail than the one expected")
    return jar


@contextmanager
def running(folder: Path, users: str) -> Iterator[MailPorts]:
    """Run it for users written as `name:password@domain,…`; they log in with their address."""
    jar = install()
    ports, admin = MailPorts(free_port(), free_port()), free_port()
    settings = {
        "greenmail.hostname": "127.0.0.1",
        "greenmail.smtp.hostname": "127.0.0.1",
        "greenmail.smtp.port": ports.smtp,
        "greenmail.imap.hostname": "127.0.0.1",
        "greenmail.imap.port": ports.imap,
        "greenmail.api.hostname": "127.0.0.1",
        "greenmail.api.port": admin,
        "greenmail.users.login": "email",
        "greenmail.users": users,
    }
    options = [f"-D{name}={value}" for name, value in settings.items()]
    health_url = f"http://127.0.0.1:{admin}/api/service/readiness"
    command: list[str | Path] = ["java", "-Xmx256m", *options, "-jar", jar]
    with started(command, health_url=health_url, log=folder / "greenmail.log"):
        yield ports
