"""Tells who calls, by key or by session; remembers it for two seconds."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from api.policy import Role, effective
from conversations.commands import Actor
from storage import displays, principals, sessions
from storage.database import Database, DatabaseUnavailable
from storage.principals import Identity
from storage.reading import Viewer

REMEMBERED_S = 2.0
"""A key that another process revoked opens nothing after this; one revoked here, at once."""

MOST_REMEMBERED = 10_000
NOTED_EVERY_S = 60.0
"""The use of a session or a display is written down so often; idle time counts in minutes."""


LookUp = Callable[[], Awaitable[Identity | None]]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, and what they may do."""

    identity: Identity
    roles: frozenset[Role]

    @property
    def id(self) -> str:
        return self.identity.principal_id

    @property
    def agent_id(self) -> str | None:
        return self.identity.agent_id

    @property
    def is_supervisor(self) -> bool:
        return Role.SUPERVISOR in self.roles

    @property
    def is_display(self) -> bool:
        return Role.DISPLAY in self.roles

    @property
    def actor(self) -> Actor:
        """Who acts on conversations: an agent, a supervisor, or both."""
        agent_id = self.agent_id if Role.AGENT in self.roles else None
        return Actor(agent_id, self.is_supervisor, self.identity.principal_id)

    def sees(self, workgroup_ids: Sequence[str]) -> Viewer:
        """Return what this principal may know of, given the agent's workgroups."""
        return Viewer() if self.is_supervisor else Viewer(self.agent_id, workgroup_ids)


class Doorkeeper:
    """Looks keys and sessions up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, Principal]] = {}
        self._generation = 0
        self._noted: dict[str, float] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def by_key(self, key: str) -> Principal | None:
        principal = await self._remembered(
            f"key {key}", lambda: self._database.read(lambda k: principals.by_key(k, key))
        )
        if principal is not None and principal.is_display:
            self._note_use(principal.id, lambda k: displays.note_use(k, principal.id))
        return principal

    async def by_session(self, token: str, *, is_use: bool = True) -> Principal | None:
        """Return whose session it is; what nobody wanted does not keep it alive."""
        principal = await self._remembered(
            f"session {token}",
            lambda: self._database.read(lambda k: principals.by_session(k, token)),
        )
        if is_use and principal is not None and principal.identity.session_hash is not None:
            session_hash = principal.identity.session_hash
            self._note_use(session_hash, lambda k: sessions.note_use(k, session_hash))
        return principal

    async def _remembered(self, proof: str, look_up: LookUp) -> Principal | None:
        now = time.monotonic()
        proof = principals.hash_of(proof)
        known = self._known.get(proof)
        if known is not None and now - known[0] < REMEMBERED_S:
            return known[1]
        generation = self._generation
        identity = await look_up()
        if identity is None:
            self._known.pop(proof, None)
            return None
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        principal = Principal(identity, effective(identity.roles))
        if generation == self._generation:
            self._known[proof] = (now, principal)
        return principal

    def _note_use(self, whose: str, write: Callable[[Connection], None]) -> None:
        now = time.monotonic()
        if now - self._noted.get(whose, -NOTED_EVERY_S) < NOTED_EVERY_S:
            return
        if len(self._noted) >= MOST_REMEMBERED:
            self._noted.clear()
        self._noted[whose] = now
        writing = asyncio.create_task(self._write_use(whose, write))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)

    async def _write_use(self, whose: str, write: Callable[[Connection], None]) -> None:
        try:
            await self._database.write(write)
        except DatabaseUnavailable:
            self._noted.pop(whose, None)

    def forget(self) -> None:
        """Look everybody up again: keys, sessions, roles or agents were changed."""
        self._generation += 1
        self._known.clear()

    async def still_good(self, many: Sequence[Principal]) -> dict[Identity, Principal]:
        """Return who of many long-lived callers may stay, as they are now."""
        identities = [principal.identity for principal in many]
        good = await self._database.read(lambda k: principals.still_good(k, identities))
        return {i: Principal(now, effective(now.roles)) for i, now in good.items()}

    async def close(self) -> None:
        await asyncio.gather(*self._writing, return_exceptions=True)
