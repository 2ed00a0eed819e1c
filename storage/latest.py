"""Where an affinity key leads: its last conversation, or the one that it was merged into."""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, func, or_, select

from conversations.model import Conversation
from storage.conversation_tables import ConversationRow
from storage.conversations import lock
from storage.database import ConcurrentChange

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]


class Latest:
    """The conversations that some keys lead to, locked in the order of their ids."""

    def __init__(self, connection: Connection, keys: Collection[str]) -> None:
        """Lock, for each key, its open conversation or else its last one, and what got its posts.

        Raises:
            ConcurrentChange: one of them was merged before it could be locked.
        """
        self._by_id = lock(connection, _ids(connection, keys))
        for conversation in self._by_id.values():
            target = conversation.merged_into
            if target is not None and target not in self._by_id:
                raise ConcurrentChange(conversation.id)
        wanted = set(keys)
        by_age = sorted(self._by_id.values(), key=lambda c: (c.is_open, c.created_at, c.id))
        self._last = {c.affinity_key: c.id for c in by_age if c.affinity_key in wanted}

    def __iter__(self) -> Iterator[Conversation]:
        return iter(list(self._by_id.values()))

    def last(self, key: str) -> Conversation | None:
        """Return the key's last conversation, whatever became of it."""
        last_id = self._last.get(key)
        return self._by_id[last_id] if last_id else None

    def at_the_end(self, key: str) -> Conversation | None:
        """Return where the key's posts went in the end: over all merges that stand."""
        conversation = self.last(key)
        while conversation is not None and conversation.merged_into is not None:
            conversation = self._by_id[conversation.merged_into]
        return conversation

    def keep(self, conversation: Conversation) -> None:
        """Remember what a decision made of a conversation."""
        self._by_id[conversation.id] = conversation


def _ids(connection: Connection, keys: Collection[str]) -> set[str]:
    newest = (
        select(func.max(CONVERSATIONS.c.created_at))
        .where(CONVERSATIONS.c.affinity_key == (outer := CONVERSATIONS.alias()).c.affinity_key)
        .scalar_subquery()
    )
    query = select(outer.c.id, outer.c.merged_into).where(
        outer.c.affinity_key.in_(sorted(keys)),
        or_(outer.c.ended_at.is_(None), outer.c.created_at == newest),
    )
    rows = connection.execute(query).all()
    ids = {row.id for row in rows}
    return ids | targets_of(connection, {row.merged_into for row in rows if row.merged_into})


def targets_of(connection: Connection, conversation_ids: Collection[str]) -> set[str]:
    """Return the conversations and all into which they were merged, one into the other."""
    ids: set[str] = set()
    further = set(conversation_ids)
    while further:
        ids |= further
        query = select(CONVERSATIONS.c.merged_into).where(
            CONVERSATIONS.c.id.in_(sorted(further)), CONVERSATIONS.c.merged_into.is_not(None)
        )
        further = set(connection.execute(query).scalars()) - ids
    return ids


def sources_of(connection: Connection, conversation_id: str) -> set[str]:
    """Return the conversation and all that were merged into it, one into the other."""
    ids: set[str] = set()
    further = {conversation_id}
    while further:
        ids |= further
        query = select(CONVERSATIONS.c.id).where(CONVERSATIONS.c.merged_into.in_(sorted(further)))
        further = set(connection.execute(query).scalars()) - ids
    return ids
