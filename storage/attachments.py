"""Files that go with replies: their bytes are kept here once, for as long as they are needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, select, update

from conversations.attachments import Attachment
from conversations.model import Instant, ReplyState
from storage import clock
from storage.conversation_tables import ReplyRow
from storage.desk_tables import AttachmentRow, DraftRow

ATTACHMENTS = AttachmentRow.__table__  # type: ignore[attr-defined]
DRAFTS = DraftRow.__table__  # type: ignore[attr-defined]
REPLIES = ReplyRow.__table__  # type: ignore[attr-defined]

UNUSED_LIFE_MS = 7 * 24 * 3_600_000
"""So long a file is kept that is in no reply and, after that, in a conversation without draft."""

CONTENT_LIFE_MS = 90 * 24 * 3_600_000
"""So long what went out can be looked at again."""

FORGET_BATCH = 50
_META = ("id", "conversation_id", "agent_id", "reply_id", "name", "media_type", "size_bytes")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file with whose it is; `reply_id`: the last reply that took it."""

    attachment: Attachment
    conversation_id: str
    agent_id: str
    reply_id: str | None


def add(
    connection: Connection, conversation_id: str, agent_id: str, attachment: Attachment
) -> None:
    """Keep a file with its content for a reply of the conversation."""
    connection.execute(
        insert(ATTACHMENTS).values(
            id=attachment.id,
            conversation_id=conversation_id,
            agent_id=agent_id,
            name=attachment.name,
            media_type=attachment.media_type,
            size_bytes=attachment.size_bytes,
            content=attachment.content,
            created_at=clock.now(connection),
        )
    )


def get(connection: Connection, attachment_id: str) -> Kept | None:
    return of_ids(connection, [attachment_id]).get(attachment_id)


def of_ids(connection: Connection, attachment_ids: Sequence[str]) -> dict[str, Kept]:
    """Return those that there are, without their content."""
    columns = [ATTACHMENTS.c[name] for name in _META]
    query = select(*columns).where(ATTACHMENTS.c.id.in_(attachment_ids))
    return {
        row.id: Kept(
            Attachment(row.id, row.name, row.media_type, row.size_bytes),
            row.conversation_id,
            row.agent_id,
            row.reply_id,
        )
        for row in connection.execute(query)
    }


def contents(connection: Connection, attachment_ids: Sequence[str]) -> Mapping[str, bytes]:
    """Return the bytes of those that are still kept."""
    if not attachment_ids:
        return {}
    query = select(ATTACHMENTS.c.id, ATTACHMENTS.c.content).where(
        ATTACHMENTS.c.id.in_(attachment_ids), ATTACHMENTS.c.content.is_not(None)
    )
    return {row.id: row.content for row in connection.execute(query)}


def unused(connection: Connection, conversation_id: str, agent_id: str) -> int:
    """Count the agent's files in the conversation that are in no reply."""
    query = select(func.count()).where(
        ATTACHMENTS.c.conversation_id == conversation_id,
        ATTACHMENTS.c.agent_id == agent_id,
        ATTACHMENTS.c.reply_id.is_(None),
    )
    return int(connection.execute(query).scalar_one())


def is_free(connection: Connection, kept: Kept) -> bool:
    """Whether another reply may take it: none has, or one that never went out."""
    if kept.reply_id is None:
        return True
    query = select(REPLIES.c.state).where(REPLIES.c.id == kept.reply_id)
    return bool(connection.execute(query).scalar_one() == ReplyState.REJECTED.value)


def give_to_reply(connection: Connection, attachment_ids: Sequence[str], reply_id: str) -> None:
    if attachment_ids:
        taken = update(ATTACHMENTS).where(ATTACHMENTS.c.id.in_(attachment_ids))
        connection.execute(taken.values(reply_id=reply_id))


def remove(connection: Connection, attachment_id: str) -> None:
    connection.execute(delete(ATTACHMENTS).where(ATTACHMENTS.c.id == attachment_id))


def forget_old(connection: Connection, now: Instant) -> int:
    """Delete files that nothing needs, and the contents of what went out long ago."""
    has_draft = exists().where(
        DRAFTS.c.conversation_id == ATTACHMENTS.c.conversation_id,
        DRAFTS.c.agent_id == ATTACHMENTS.c.agent_id,
    )
    unused = ATTACHMENTS.c.reply_id.is_(None) & ~has_draft
    forgotten = connection.execute(
        delete(ATTACHMENTS).where(_among(unused, now - UNUSED_LIFE_MS))
    ).rowcount
    settled = (ReplyState.SENT.value, ReplyState.REJECTED.value)
    is_over = exists().where(REPLIES.c.id == ATTACHMENTS.c.reply_id, REPLIES.c.state.in_(settled))
    gone = is_over & ATTACHMENTS.c.content.is_not(None)
    emptied = update(ATTACHMENTS).where(_among(gone, now - CONTENT_LIFE_MS)).values(content=None)
    return forgotten + connection.execute(emptied).rowcount


def _among(condition: ColumnElement[bool], before: Instant) -> ColumnElement[bool]:
    """Choose a bounded batch of the oldest, so that no transaction becomes long."""
    oldest = (
        select(ATTACHMENTS.c.id)
        .where(ATTACHMENTS.c.created_at < before, condition)
        .order_by(ATTACHMENTS.c.created_at)
        .limit(FORGET_BATCH)
    )
    is_among: ColumnElement[bool] = ATTACHMENTS.c.id.in_(oldest)
    return is_among
