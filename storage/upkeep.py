"""What the sweep does in the database."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from conversations.model import ConversationState, Instant, RoutingStatus
from storage import (
    attachments,
    bells,
    clock,
    decisions,
    drafts,
    ended_offers,
    events,
    first_replies,
    handlings,
    onlookers,
    post_changes,
    presence,
    queue_entries,
    sign_in_attempts,
    statuses,
    workgroups,
)
from storage.asking import Following
from storage.conversation_tables import ConversationRow
from storage.database import Database
from storage.journal import Aftermath
from storage.log_tables import CommandRow
from storage.principals import IDLE_MS
from storage.setup_tables import AccountRow, ChannelRow, SessionRow, WorkgroupRow

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]
COMMANDS = CommandRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
SESSIONS = SessionRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

KEY_LIFE_MS = 24 * 3_600_000
EVENT_LIFE_MS = 7 * 24 * 3_600_000
WAIT_LIFE_MS = 90 * 24 * 3_600_000
DECISION_LIFE_MS = 30 * 24 * 3_600_000
FORGET_BATCH = 5_000
FORGET_ROUNDS = 40
PRESENCE_GRACE_S = 60
"""So long after his lease an absent agent's conversations wait for his return."""

PRESENCE_LOST = "presence lost"


class DatabaseUpkeep:
    """The sweep's port `activities.ports.Upkeep` on the database."""

    def __init__(
        self,
        database: Database,
        following: Following,
        listened: frozenset[str],
        presence_grace_s: int = PRESENCE_GRACE_S,
    ) -> None:
        self._database = database
        self._following = following
        self._listened = listened
        self._grace_ms = presence_grace_s * 1000

    async def ring_again(self) -> int:
        lost = await self._database.read(lambda k: bells.to_ring_again(k, clock.now(k)))
        await self._following.follow(Aftermath(tuple(lost)))
        return len(lost)

    async def ring_those(self, conversation_ids: Sequence[str]) -> int:
        if not conversation_ids:
            return 0
        found = await self._database.read(lambda k: bells.of_those_that_go_on(k, conversation_ids))
        await self._following.follow(Aftermath(tuple(found)))
        return len(found)

    async def sign_off_agents(self) -> int:
        """Sign off who is absent, and drain whose scheduled sign-off has come."""
        absent = await self._database.read(presence.absent_agents)
        for agent_id in absent:
            await self._set(agent_id, RoutingStatus.OFF_QUEUE, PRESENCE_LOST)
        leaving = await self._database.read(presence.agents_to_sign_off)
        for agent_id in leaving:
            await self._set(agent_id, RoutingStatus.DRAINING, statuses.SIGNED_OFF)
        return len(absent) + len(leaving)

    async def _set(self, agent_id: str, status: RoutingStatus, reason: str) -> None:
        outcome = await self._database.write(
            lambda k: statuses.set_status(k, agent_id, status, reason, is_sign_of_life=False)
        )
        await self._following.follow(outcome.aftermath)

    async def release_from_lost_agents(self) -> int:
        lost = await self._database.read(lambda k: presence.lost_agents(k, self._grace_ms))
        for agent_id in lost:
            aftermath = await self._database.write(
                lambda k, agent_id=agent_id: presence.lose_agent(  # type: ignore[misc]
                    k, agent_id, self._grace_ms
                )
            )
            await self._following.follow(aftermath)
        return len(lost)

    async def take_lost_offers_back(self) -> int:
        leavers = await self._database.read(statuses.agents_with_lost_offers)
        await self._following.follow(Aftermath(leavers=frozenset(leavers)))
        return len(leavers)

    async def ask_everywhere(self) -> int:
        for workgroup_id in await self._database.read(workgroups.lately_changed):
            await self._database.write(lambda k, i=workgroup_id: workgroups.rank_again(k, i))  # type: ignore[misc]
        waiting = await self._database.read(workgroups_with_waiting)
        await self._following.ask(waiting)
        return len(waiting)

    async def forget_old(self) -> int:
        """Forget in short transactions until nothing old is left, or the rest has to wait."""
        forgotten = 0
        for _ in range(FORGET_ROUNDS):
            batch = await self._database.write(lambda k: forget_old(k, clock.now(k)))
            forgotten += batch
            if batch < FORGET_BATCH:
                break
        return forgotten

    async def known_beat(self) -> int:
        return await self._database.read(bells.known_beat)

    async def keep_beat(self, beat: int) -> None:
        await self._database.write(lambda k: bells.keep_beat(k, beat))

    async def start_over(self) -> int:
        return await self._database.write(bells.reset)

    async def listened_channels(self) -> Sequence[tuple[str, str]]:
        return await self._database.read(lambda k: channels_to_listen_to(k, self._listened))


def workgroups_with_waiting(connection: Connection) -> list[str]:
    """Return the workgroups in whose queues somebody waits."""
    waits = (
        select(CONVERSATIONS.c.id)
        .where(
            CONVERSATIONS.c.workgroup_id == WORKGROUPS.c.id,
            CONVERSATIONS.c.state == ConversationState.QUEUED.value,
        )
        .exists()
    )
    return list(connection.execute(select(WORKGROUPS.c.id).where(waits)).scalars())


def channels_to_listen_to(
    connection: Connection, networks: frozenset[str]
) -> list[tuple[str, str]]:
    query = (
        select(CHANNELS.c.id, ACCOUNTS.c.network)
        .join(ACCOUNTS, ACCOUNTS.c.id == CHANNELS.c.account_id)
        .where(CHANNELS.c.enabled, ACCOUNTS.c.network.in_(sorted(networks)))
    )
    return [(row.id, row.network) for row in connection.execute(query)]


def forget_old(connection: Connection, now: Instant) -> int:
    """Delete what has had its time: keys, events, decisions, waits, drafts, files, sessions."""
    forgotten = connection.execute(
        delete(COMMANDS).where(COMMANDS.c.created_at < now - KEY_LIFE_MS)
    ).rowcount
    is_over = (SESSIONS.c.expires_at < now) | (SESSIONS.c.last_used_at < now - IDLE_MS)
    forgotten += connection.execute(delete(SESSIONS).where(is_over)).rowcount
    forgotten += post_changes.forget_before(connection, now - post_changes.KEPT_MS, FORGET_BATCH)
    forgotten += onlookers.forget_before(connection, now)
    forgotten += drafts.forget_left(connection, now)
    forgotten += attachments.forget_old(connection, now)
    forgotten += sign_in_attempts.forget_before(connection, now - sign_in_attempts.REMEMBERED_MS)
    for each in (queue_entries, handlings, ended_offers, first_replies):
        forgotten += each.forget_before(connection, now - WAIT_LIFE_MS, FORGET_BATCH)
    forgotten += decisions.forget_before(connection, now - DECISION_LIFE_MS, FORGET_BATCH)
    return forgotten + events.forget_before(connection, now - EVENT_LIFE_MS, FORGET_BATCH)
