"""A reply's row as it is taken: to whom it goes, what it answers, and whose it is."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from conversations.model import Conversation, MediaType, ReplyState, Visibility
from conversations.replies import Reply
from storage import clock
from storage.conversation_tables import IdentityRow, PostRow, ReplyRow
from storage.rows import reply_values

IDENTITIES = IdentityRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]
REPLIES = ReplyRow.__table__  # type: ignore[attr-defined]


def visibility_of(conversation: Conversation) -> Visibility:
    if conversation.media_type is MediaType.SOCIAL_DIRECT_MESSAGE:
        return Visibility.PRIVATE
    return Visibility.PUBLIC


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said, how many posts it answers, and to whom, where that is not the usual."""

    reply_id: str
    text: str
    covers: int
    visibility: Visibility | None = None
    in_reply_to: str | None = None


def write(connection: Connection, conversation: Conversation, wording: Wording) -> Reply:
    """Write a new reply of the conversation's owner, or of nobody when it has none."""
    query = select(IDENTITIES.c.external_id, IDENTITIES.c.handle).where(
        IDENTITIES.c.network == conversation.network,
        IDENTITIES.c.customer_id == conversation.customer_id,
    )
    identity = connection.execute(query.limit(1)).one()
    now = clock.now(connection)
    taken = Reply(
        id=wording.reply_id,
        conversation_id=conversation.id,
        account_id=conversation.account_id,
        channel_id=conversation.channel_id,
        network=conversation.network,
        agent_id=conversation.agent_id,
        text=wording.text,
        visibility=wording.visibility or visibility_of(conversation),
        to_external_id=identity.external_id,
        to_handle=identity.handle,
        in_reply_to=wording.in_reply_to or _newest_post(connection, conversation.id),
        state=ReplyState.ACCEPTED,
        covers=wording.covers,
        created_at=now,
        tried_since=now,
    )
    connection.execute(insert(REPLIES).values(reply_values(taken)))
    return taken


def has_automatic_one(connection: Connection, conversation_id: str) -> bool:
    """Whether the conversation was answered automatically before: once is enough."""
    query = select(REPLIES.c.id).where(
        REPLIES.c.conversation_id == conversation_id, REPLIES.c.agent_id.is_(None)
    )
    return connection.execute(query.limit(1)).first() is not None


def _newest_post(connection: Connection, conversation_id: str) -> str | None:
    """Return what is answered when nobody says: a reply to nothing reaches no customer."""
    query = (
        select(POSTS.c.external_id)
        .where(POSTS.c.conversation_id == conversation_id)
        .order_by(POSTS.c.created_at.desc(), POSTS.c.external_id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()
