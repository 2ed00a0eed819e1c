"""What follows a commit: bells ring, offers are taken back, matches are asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from conversations.messages import Bell
from storage import assignment
from storage.database import Database, DatabaseUnavailable
from storage.journal import Aftermath
from storage.statuses import take_offers_back

log = structlog.get_logger()

Ring = Callable[[Sequence[Bell]], Awaitable[None]]
"""Tell conversations' workflows; the port that `workflows.delivery` fills."""

MOST_FRUITLESS = 20
"""So often a match that claimed nothing is tried again at once; then it is left to the sweep."""

CONTENDED_PAUSE_S = 0.02
"""After a match whose pairs were all held by others: they ask when they have committed."""


class Following:
    """Does in one process what has to follow its commits.

    A process that dies in between loses nothing: the sweep and each conversation's `sync` ask
    again. Asks for one workgroup that come while one runs are answered by the next run.
    """

    def __init__(self, database: Database, ring: Ring) -> None:
        self._database = database
        self._ring = ring
        self._running: dict[str, asyncio.Task[None]] = {}
        self._asked_again: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()

    async def follow(self, aftermath: Aftermath) -> None:
        """Return when all that follows is done: bells queued, offers taken back, matches made.

        What fails here undoes nothing of what was committed; it is left to the sweep.
        """
        try:
            await self._follow(aftermath)
        except DatabaseUnavailable as error:
            log.warning("following_failed", error=str(error))

    async def _follow(self, aftermath: Aftermath) -> None:
        """Match first: a conversation that finds an agent at once needs one bell, not two."""
        try:
            for agent_id in aftermath.leavers:
                await self._take_offers_back(agent_id)
            await self.ask(aftermath.asks)
        finally:
            await self._ring(aftermath.bells)

    def follow_later(self, aftermath: Aftermath) -> None:
        """Do the same behind the answer that the caller is about to give."""
        following = asyncio.create_task(self.follow(aftermath))
        self._background.add(following)
        following.add_done_callback(self._background.discard)

    async def _take_offers_back(self, agent_id: str) -> None:
        taken = await self._database.write(
            lambda connection: take_offers_back(connection, agent_id)
        )
        await self._follow(Aftermath(taken.bells, taken.asks))

    async def ask(self, workgroup_ids: Iterable[str]) -> None:
        """Match each workgroup's queue with its agents until nothing fits any more."""
        for matched in await asyncio.gather(
            *(self._ask_one(workgroup_id) for workgroup_id in sorted(workgroup_ids)),
            return_exceptions=True,
        ):
            if isinstance(matched, BaseException):
                raise matched

    async def _ask_one(self, workgroup_id: str) -> None:
        """Join the run that starts after this call: one that already runs may have read before."""
        running = self._running.get(workgroup_id)
        if running is not None:
            self._asked_again.add(workgroup_id)
            await asyncio.shield(running)
            return
        matching = asyncio.create_task(self._match(workgroup_id))
        self._running[workgroup_id] = matching
        await asyncio.shield(matching)

    async def _match(self, workgroup_id: str) -> None:
        try:
            goes_on, batch, fruitless = True, assignment.FIRST_BATCH, 0
            while goes_on or workgroup_id in self._asked_again:
                self._asked_again.discard(workgroup_id)
                asked = await self._match_once(workgroup_id, batch)
                fruitless = 0 if asked.claimed else fruitless + 1
                goes_on = asked.goes_on and fruitless < MOST_FRUITLESS
                batch = assignment.BATCH
        finally:
            self._running.pop(workgroup_id, None)
            self._asked_again.discard(workgroup_id)

    async def _match_once(self, workgroup_id: str, batch: int) -> assignment.Asked:
        asked = await self._database.write(lambda c: assignment.ask(c, workgroup_id, batch))
        await self._ring(asked.aftermath.bells)
        others = asked.aftermath.asks
        if others and not asked.claimed:
            await asyncio.sleep(CONTENDED_PAUSE_S)
        if others:
            self.follow_later(Aftermath(asks=others))
        return asked

    async def close(self) -> None:
        """Let what was begun come to its end."""
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)
