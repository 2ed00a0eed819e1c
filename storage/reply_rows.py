"""A reply's row as it is taken: to whom it goes, what it answers, and whose it is."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from conversations.attachments import Attachment
from conversations.model import Conversation, MediaType, ReplyState, Visibility
from conversations.replies import Reply
from conversations.reply_parts import Part
from storage import attachments, clock
from storage.conversation_tables import IdentityRow, PostRow, ReplyRow
from storage.rows import reply_values
from storage.setup_tables import WorkgroupRow

IDENTITIES = IdentityRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]
REPLIES = ReplyRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]


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
    parts: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


def write(connection: Connection, conversation: Conversation, wording: Wording) -> Reply:
    """Write a new reply of the conversation's owner, or of nobody when it has none.

    Only what a human wrote waits for second thoughts.
    """
    undo_window = select(WORKGROUPS.c.undo_window_s).where(
        WORKGROUPS.c.id == conversation.workgroup_id
    )
    query = select(
        IDENTITIES.c.external_id,
        IDENTITIES.c.handle,
        undo_window.scalar_subquery().label("undo_window_s"),
    ).where(
        IDENTITIES.c.network == conversation.network,
        IDENTITIES.c.customer_id == conversation.customer_id,
    )
    identity = connection.execute(query.limit(1)).one()
    answered = _answered_post(connection, conversation.id, wording.in_reply_to)
    now = clock.now(connection)
    window_ms = identity.undo_window_s * 1000 if conversation.agent_id else 0
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
        in_reply_to=answered[0],
        thread_root=answered[1],
        state=ReplyState.ACCEPTED,
        covers=wording.covers,
        created_at=now,
        tried_since=now,
        undo_until=now + window_ms if window_ms else None,
        parts=tuple(Part(text) for text in wording.parts) if len(wording.parts) > 1 else (),
        attachments=wording.attachments,
    )
    connection.execute(insert(REPLIES).values(reply_values(taken)))
    attachments.give_to_reply(connection, [one.id for one in wording.attachments], taken.id)
    return taken


def has_automatic_one(connection: Connection, conversation_id: str) -> bool:
    """Whether the conversation was answered automatically before: once is enough."""
    query = select(REPLIES.c.id).where(
        REPLIES.c.conversation_id == conversation_id, REPLIES.c.agent_id.is_(None)
    )
    return connection.execute(query.limit(1)).first() is not None


def _answered_post(
    connection: Connection, conversation_id: str, named: str | None
) -> tuple[str | None, str | None]:
    """Return the post that is answered, and its thread's root; the newest when nobody says.

    A reply to nothing reaches no customer.
    """
    query = (
        select(POSTS.c.external_id, POSTS.c.thread_root)
        .where(POSTS.c.conversation_id == conversation_id)
        .order_by(POSTS.c.created_at.desc(), POSTS.c.external_id.desc())
        .limit(1)
    )
    if named is not None:
        query = query.where(POSTS.c.external_id == named)
    post = connection.execute(query).one_or_none()
    return (post.external_id, post.thread_root) if post else (named, None)
