"""A clock that stands still until a test moves it."""

import time
from dataclasses import dataclass

from conversations.model import Instant

NOON = 1_750_000_000_000


@dataclass(slots=True)
class Clock:
    """Give it to `open_database`: all processes of a test then live at this moment.

    `runs_since` makes it run on with the real time, for tests that wait for something.
    """

    instant: Instant = NOON
    runs_since: float | None = None

    def __call__(self) -> Instant:
        """Return the present moment."""
        if self.runs_since is None:
            return self.instant
        return self.instant + int((time.monotonic() - self.runs_since) * 1000)

    @property
    def now(self) -> Instant:
        return self()

    def advance(self, *, s: float = 0, ms: int = 0) -> Instant:
        """Let so much time pass; return the new moment."""
        self.instant += int(s * 1000) + ms
        return self()

    def run(self) -> None:
        """Run on with the real time from here."""
        self.runs_since = time.monotonic()

    def stop(self) -> None:
        """Stand still again, at the present moment."""
        self.instant, self.runs_since = self(), None
