"""What a workflow sees of its conversation: a snapshot, after what is due has happened."""

from sqlalchemy import Connection

from conversations import commands as c
from conversations.lifecycle import alarm_at
from conversations.messages import Snapshot
from conversations.model import Conversation, ConversationState, Instant
from storage import clock, conversations, replies
from storage.asking import Following
from storage.batches import Batch
from storage.candidates import has_room
from storage.database import Database
from storage.journal import Aftermath, shown

Seen = tuple[str, int, str | None]
"""Conversation id, version, workflow run id."""


class ConversationSync:
    """Reads a conversation for its workflow, and lets time pass for it."""

    def __init__(self, database: Database, following: Following, seen: Batch[Seen]) -> None:
        self._database = database
        self._following = following
        self._seen = seen

    async def sync(self, conversation_id: str) -> Snapshot | None:
        """Let happen what is due and return what is; None when there is no such conversation.

        A conversation that waits is asked for again: whoever queued it may have died before it
        could ask.
        """
        snapshot, is_due = await self._database.read(lambda k: _look(k, conversation_id))
        if is_due:
            outcome = await self._database.write(
                lambda k: conversations.let_due_happen(k, conversation_id)
            )
            self._following.follow_later(_without_own_bell(outcome.aftermath, conversation_id))
            snapshot, _ = await self._database.read(lambda k: _look(k, conversation_id))
        if snapshot is not None and snapshot.state == ConversationState.QUEUED:
            await self._ask(snapshot.workgroup_id)
        return snapshot

    async def _ask(self, workgroup_id: str) -> None:
        """Ask for a match, where it could find anybody."""
        if await self._database.read(lambda k: has_room(k, workgroup_id)):
            self._following.follow_later(Aftermath(asks=frozenset({workgroup_id})))

    def note_seen(self, conversation_id: str, version: int, run_id: str) -> None:
        """Remember, soon and in company, what a workflow run has seen."""
        self._seen.add((conversation_id, version, run_id))

    async def cancel(self, conversation_id: str, cause: str) -> Snapshot | None:
        """End the conversation because its workflow was cancelled; audited like any end."""
        outcome = await self._database.write(
            lambda k: conversations.carry_out(k, conversation_id, lambda *_: c.EndByOperator(cause))
        )
        self._following.follow_later(_without_own_bell(outcome.aftermath, conversation_id))
        return await self.sync(conversation_id)


def _look(connection: Connection, conversation_id: str) -> tuple[Snapshot | None, bool]:
    conversation = conversations.get(connection, conversation_id)
    if conversation is None:
        return None, False
    alarm = alarm_at(conversation)
    now = clock.now(connection)
    is_due = alarm is not None and alarm <= now
    return snapshot_of(connection, conversation, now), is_due


def snapshot_of(connection: Connection, conversation: Conversation, now: Instant) -> Snapshot:
    has_replies = conversation.unsettled_replies > 0
    return Snapshot(
        conversation_id=conversation.id,
        version=conversation.version,
        read_at=now,
        state=conversation.state.value,
        workgroup_id=conversation.workgroup_id,
        network=conversation.network,
        agent_id=shown(conversation).agent_id,
        alarm_at=alarm_at(conversation),
        has_replies_to_send=has_replies and replies.has_sendable(connection, conversation.id),
        unsettled_replies=conversation.unsettled_replies,
        is_final=conversation.is_final,
        ended_by=conversation.ended_by,
    )


def _without_own_bell(aftermath: Aftermath, conversation_id: str) -> Aftermath:
    """Leave out the bell of the workflow that asked: it gets the snapshot."""
    bells = tuple(bell for bell in aftermath.bells if bell.conversation_id != conversation_id)
    return Aftermath(bells, aftermath.asks, aftermath.leavers)
