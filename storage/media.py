"""What a post points at beside its words."""

from sqlalchemy import Connection, RowMapping, select

from storage.conversation_tables import PostRow

POSTS = PostRow.__table__  # type: ignore[attr-defined]


def of_post(connection: Connection, post_id: str) -> RowMapping | None:
    """Return a post's `conversation_id`, `visibility` and `media`; None when there is no post."""
    query = select(POSTS.c.conversation_id, POSTS.c.visibility, POSTS.c.media)
    return connection.execute(query.where(POSTS.c.id == post_id)).mappings().one_or_none()
