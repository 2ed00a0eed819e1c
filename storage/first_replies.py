"""How long customers waited until a human had answered: one row for each conversation."""

from sqlalchemy import Connection, delete, insert, select

from conversations.model import Conversation, Instant, ReplyState
from conversations.replies import Reply
from storage.report_tables import FirstReplyRow

FIRST_REPLIES = FirstReplyRow.__table__  # type: ignore[attr-defined]


def note(
    connection: Connection, conversation: Conversation, before: Reply, after: Reply, now: Instant
) -> None:
    """Write it down if this step sent the first answer of a human; the conversation is locked.

    The clock starts when the conversation's first post was taken in.
    """
    if after.state is not ReplyState.SENT or before.is_settled or after.agent_id is None:
        return
    ours = FIRST_REPLIES.c.conversation_id == conversation.id
    if connection.execute(select(ours).where(ours)).first() is not None:
        return
    row = {
        "conversation_id": conversation.id,
        "reply_id": after.id,
        "workgroup_id": conversation.workgroup_id,
        "agent_id": after.agent_id,
        "media_type": conversation.media_type.value,
        "sent_at": now,
        "after_ms": max(0, now - conversation.created_at),
    }
    connection.execute(insert(FIRST_REPLIES).values(row))


def forget_before(connection: Connection, moment: Instant, most: int) -> int:
    """Delete what was answered before the moment, so many at most; return how many."""
    key = FIRST_REPLIES.c.conversation_id
    oldest = select(key).where(FIRST_REPLIES.c.sent_at < moment).limit(most)
    return connection.execute(delete(FIRST_REPLIES).where(key.in_(oldest))).rowcount
