"""An account's pictures with their comments, asked for to find what no delivery brought."""

from collections.abc import AsyncIterator
from typing import Any

from connectors.fields import mapping
from connectors.instagram.wire import (
    COMMENT_FIELDS,
    MEDIA_FIELDS,
    TAG_FIELDS,
    listed_comments,
    listed_tag,
)
from connectors.meta.cursor import Found
from connectors.meta.graph import Graph, after_of
from connectors.meta.messages import Ours
from connectors.meta.replies import Said
from connectors.meta.values import identifier
from conversations.model import Instant, Post

MOST_MEDIA_PAGES = 2
MEDIA_A_PAGE = 25
"""The newest 50 pictures are looked into: nobody says under which of them something is new."""
MOST_COMMENT_PAGES = 40
MOST_TAG_PAGES = 4
ENTRIES_A_PAGE = 50


async def said_on_account(
    graph: Graph, instagram_id: str, ours: Ours, floor: Instant
) -> list[Found]:
    """Return comments, answers to them and tags from a moment on, the newest first.

    Raises:
        NetworkTrouble: they cannot be asked for.
        Limited: not now.
    """
    found: list[Found] = []
    media = graph.walk(
        f"{instagram_id}/media", MOST_MEDIA_PAGES, fields=MEDIA_FIELDS, limit=MEDIA_A_PAGE
    )
    async for entries in media:
        for entry in entries:
            found += [one async for one in _comments(graph, mapping(entry), ours, floor)]
    return found + await _tags(graph, instagram_id, ours, floor)


async def _comments(
    graph: Graph, media: dict[str, Any], ours: Ours, floor: Instant
) -> AsyncIterator[Found]:
    """Yield what was said under a picture; old comments are passed over for their answers."""
    media_id = identifier(media.get("id"))
    if media_id is None:
        return
    async for entries in _comment_pages(graph, media_id, mapping(media.get("comments"))):
        said = [one for entry in entries for one in listed_comments(entry, media_id, ours, floor)]
        new = [one for one in said if one.at >= floor]
        for one in new:
            yield one
        if not new:
            return


async def _comment_pages(
    graph: Graph, media_id: str, first: dict[str, Any]
) -> AsyncIterator[list[Any]]:
    entries = first.get("data")
    yield entries if isinstance(entries, list) else []
    after = after_of(first)
    if after is None:
        return
    pages = graph.walk(
        f"{media_id}/comments",
        MOST_COMMENT_PAGES,
        fields=COMMENT_FIELDS,
        limit=ENTRIES_A_PAGE,
        after=after,
    )
    async for more in pages:
        yield more


async def _tags(graph: Graph, instagram_id: str, ours: Ours, floor: Instant) -> list[Found]:
    found: list[Found] = []
    pages = graph.walk(
        f"{instagram_id}/tags", MOST_TAG_PAGES, fields=TAG_FIELDS, limit=ENTRIES_A_PAGE
    )
    async for entries in pages:
        tags = [listed_tag(entry, ours, floor) for entry in entries]
        new = [tag for tag in tags if tag is not None and tag.at >= floor]
        found += new
        if not new:
            break
    return found


async def own_answers(graph: Graph, comment_id: str, ours: Ours, most_pages: int) -> list[Said]:
    """Return what the account itself said below a comment.

    Raises:
        NetworkTrouble: it cannot be asked for.
        Limited: not now.
    """
    said: list[Said] = []
    pages = graph.walk(
        f"{comment_id}/replies",
        most_pages,
        fields="id,text,timestamp,username,from",
        limit=ENTRIES_A_PAGE,
    )
    async for entries in pages:
        for entry in entries:
            said += [
                Said(one.external_id, post.text, one.at)
                for one in listed_comments(entry, comment_id, ours, 0)
                if isinstance(post := one.content, Post) and post.is_own
            ]
    return said
