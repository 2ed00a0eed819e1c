"""The last words of a customer, cut to what a list shows."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from storage.conversation_tables import ConversationRow, PostRow

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]

LONGEST_PREVIEW = 200


def previews(connection: Connection, conversation_ids: Collection[str]) -> dict[str, str | None]:
    """Return how the newest post of each conversation begins; None when none is left to read.

    It is read, never kept: a post that its author deletes is gone from here at once.
    """
    newest = (
        select(func.substr(POSTS.c.text, 1, LONGEST_PREVIEW))
        .where(POSTS.c.conversation_id == CONVERSATIONS.c.id, POSTS.c.deleted_at.is_(None))
        .order_by(POSTS.c.created_at.desc(), POSTS.c.external_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    wanted = CONVERSATIONS.c.id.in_(sorted(conversation_ids))
    query = select(CONVERSATIONS.c.id, newest.label("preview")).where(wanted)
    return {row.id: row.preview for row in connection.execute(query)}
