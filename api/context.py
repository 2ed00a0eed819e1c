"""What the endpoints work with: opened once a process, handed to each request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.doorkeeper import Doorkeeper
from api.feed import Feed
from api.hashing import PasswordHashing
from api.links import TemporalLinks
from api.metrics import Metrics
from api.turns import Turns
from connectors.fetcher import Fetcher
from connectors.guard import Guard
from conversations.connector import Connector
from reports.now import Reading
from reports.shared import Shared
from storage.asking import Following
from storage.crew import Crew
from storage.database import Database
from storage.intake import PageIntake
from storage.secrets import Seal


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of the API."""

    database: Database
    following: Following
    intake: PageIntake
    seal: Seal
    doorkeeper: Doorkeeper
    feed: Feed
    turns: Turns
    metrics: Metrics
    links: TemporalLinks
    connectors: Mapping[str, Connector]
    guard: Guard
    fetcher: Fetcher
    floor_now: Shared[Reading]
    crew_now: Shared[Crew]
    passwords: PasswordHashing
    public_url: str
    demo_usernames: tuple[str, ...]

    @property
    def has_secure_cookies(self) -> bool:
        return self.public_url.startswith("https://")

    def rights_changed(self) -> None:
        """Look keys, sessions and roles up again, also for streams that are open."""
        self.doorkeeper.forget()
        self.feed.rights_changed()


def context_of(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


async def _context(request: Request) -> Context:
    return context_of(request)  # plain functions would each cost a hop to a thread


ContextOf = Annotated[Context, Depends(_context)]
