"""How often a name or an address has failed of late, and how long it has to wait therefore.

An attempt is counted before its password is looked at, so that many at once are not cheaper.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations.model import Instant
from storage import clock
from storage.principals import hash_of
from storage.sign_in_tables import SignInAttemptRow

ATTEMPTS = SignInAttemptRow.__table__  # type: ignore[attr-defined]

FIRST_PAUSE_MS = 1_000
LONGEST_PAUSE_MS = 60_000
"""Long enough for 1,440 guesses a day and name, of which none is a common password; short enough
that nobody is kept out by others who know nothing but the name."""

MOST_SUBJECTS = 10_000
REMEMBERED_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose attempts are counted: some are free, and one is forgotten every so often."""

    name: str
    free: int
    forgets_every_ms: int

    @property
    def key(self) -> str:
        """What is stored: whoever types a password for a name leaves no password behind."""
        return hash_of(self.name)

    def pause_ms(self, failures: int) -> int:
        """Return how long to wait after so many failures: twice as long each time."""
        beyond = failures - self.free
        return 0 if beyond <= 0 else min(FIRST_PAUSE_MS * 2 ** (beyond - 1), LONGEST_PAUSE_MS)

    @property
    def most(self) -> int:
        """More failures are not counted: the pause is the longest one."""
        return self.free + 7

    def left(self, failures: int, since_ms: int) -> int:
        """Return what is still held against the subject after a quiet time."""
        return max(0, failures - max(0, since_ms) // self.forgets_every_ms)


def account(username: str) -> Subject:
    """One name, whoever has it and whether anybody has."""
    return Subject(f"account {username}", free=5, forgets_every_ms=60_000)


def address(network: str) -> Subject:
    """One address; behind it may sit a whole floor."""
    return Subject(f"address {network}", free=50, forgets_every_ms=6_000)


def charge(connection: Connection, subjects: Sequence[Subject]) -> int:
    """Count an attempt; return how many milliseconds it comes too early, 0 when it may be made.

    One that comes too early is not counted: it makes nothing longer for whoever waits.
    """
    by_key = {subject.key: subject for subject in subjects}
    _make_rows(connection, sorted(by_key))
    chosen = select(ATTEMPTS).where(ATTEMPTS.c.subject.in_(sorted(by_key)))
    rows = connection.execute(chosen.order_by(ATTEMPTS.c.subject).with_for_update())
    found = {row["subject"]: row for row in rows.mappings()}
    now = clock.now(connection)
    too_early_ms = max((row["blocked_until"] - now for row in found.values()), default=0)
    if too_early_ms > 0:
        return int(too_early_ms)
    for key, row in found.items():
        subject = by_key[key]
        left = subject.left(row["failures"], now - row["last_at"])
        failures = min(left + 1, subject.most)
        _write(connection, key, failures, now, now + subject.pause_ms(failures))
    return 0


def _write(
    connection: Connection, key: str, failures: int, now: Instant, blocked_until: Instant
) -> None:
    one = update(ATTEMPTS).where(ATTEMPTS.c.subject == key)
    values = {"failures": failures, "last_at": now, "blocked_until": blocked_until}
    connection.execute(one.values(**values))


def _make_rows(connection: Connection, keys: Sequence[str]) -> None:
    now = clock.now(connection)
    blank = [{"subject": k, "failures": 0, "last_at": now, "blocked_until": 0} for k in keys]
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    added = connection.execute(dialect.insert(ATTEMPTS).values(blank).on_conflict_do_nothing())
    if added.rowcount:
        _make_room(connection, keys)


def _make_room(connection: Connection, keys: Sequence[str]) -> None:
    """Forget those that failed longest ago: the table is bounded, whatever comes."""
    beyond = connection.execute(select(func.count()).select_from(ATTEMPTS)).scalar_one()
    beyond -= MOST_SUBJECTS
    if beyond <= 0:
        return
    others = select(ATTEMPTS.c.subject).where(ATTEMPTS.c.subject.not_in(keys))
    oldest = others.order_by(ATTEMPTS.c.last_at).limit(beyond)
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.subject.in_(oldest)))


def forgive(connection: Connection, account: Subject, address: Subject) -> None:
    """Take a success into account: the name starts afresh, the address is spared this attempt.

    What else failed from the address stays: who knows one password may guess others.
    """
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.subject == account.key))
    one_less = case((ATTEMPTS.c.failures > 0, ATTEMPTS.c.failures - 1), else_=0)
    theirs = update(ATTEMPTS).where(ATTEMPTS.c.subject == address.key)
    connection.execute(theirs.values(failures=one_less))


def forget_before(connection: Connection, moment: Instant) -> int:
    """Delete what nobody has to wait for any more."""
    old = delete(ATTEMPTS).where(ATTEMPTS.c.last_at < moment)
    return connection.execute(old).rowcount
