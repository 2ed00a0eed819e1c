"""A page's posts and the comments under them, asked for to find what no delivery brought."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from connectors.facebook.wire import COMMENT_FIELDS, POST_FIELDS, listed_comment, listed_post
from connectors.fields import mapping
from connectors.meta.cursor import Found
from connectors.meta.graph import Graph
from connectors.meta.messages import Ours
from connectors.meta.replies import Said
from connectors.meta.values import identifier, moment
from conversations.model import Instant, Post

MOST_FEED_PAGES = 4
POSTS_A_PAGE = 25
"""The page's newest 100 posts are looked at, and those of them that changed are looked into."""
MOST_COMMENT_PAGES = 50
COMMENTS_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class SaidBelow(Said):
    """A comment of the page itself, and what it answers."""

    parent_id: str | None = None


async def said_on_page(graph: Graph, page_id: str, ours: Ours, floor: Instant) -> list[Found]:
    """Return posts and comments from a moment on, each list the newest first.

    Raises:
        NetworkTrouble: they cannot be asked for.
        Limited: not now.
    """
    found: list[Found] = []
    for edge in ("feed", "tagged"):
        pages = graph.walk(
            f"{page_id}/{edge}", MOST_FEED_PAGES, fields=POST_FIELDS, limit=POSTS_A_PAGE
        )
        async for entries in pages:
            for entry in entries:
                post = listed_post(entry, ours, floor)
                if post is not None and post.at >= floor:
                    found.append(post)
                post_id = identifier(mapping(entry).get("id"))
                changed_at = moment(mapping(entry).get("updated_time"))
                if post_id is None or (changed_at is not None and changed_at < floor):
                    continue
                found += [one async for one in _comments(graph, post_id, ours, floor)]
    return found


async def _comments(
    graph: Graph, post_id: str, ours: Ours, floor: Instant, most_pages: int = MOST_COMMENT_PAGES
) -> AsyncIterator[Found]:
    """Yield comments at any depth from a moment on, the newest first."""
    pages = graph.walk(
        f"{post_id}/comments",
        most_pages,
        filter="stream",
        order="reverse_chronological",
        fields=COMMENT_FIELDS,
        limit=COMMENTS_A_PAGE,
    )
    async for entries in pages:
        for entry in entries:
            found = listed_comment(entry, post_id, ours, floor)
            if found.at < floor:
                return
            yield found


async def own_comments(
    graph: Graph, target: str, ours: Ours, since: Instant, most_pages: int
) -> list[SaidBelow]:
    """Return what the page said below a post or a comment from a moment on.

    Raises:
        NetworkTrouble: it cannot be asked for.
        Limited: not now.
    """
    return [
        SaidBelow(one.external_id, post.text, one.at, post.url, post.in_reply_to)
        async for one in _comments(graph, target, ours, since, most_pages)
        if isinstance(post := one.content, Post) and post.is_own
    ]
