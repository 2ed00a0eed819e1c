"""Conversations, as both networks list them: the newest first, each with its newest messages."""

from collections.abc import AsyncIterator
from typing import Any

from connectors.fields import mapping
from connectors.meta.cursor import Found
from connectors.meta.graph import Graph, after_of
from connectors.meta.messages import NOT_SHOWN, Ours, listed_message
from connectors.meta.values import identifier, moment
from conversations.model import Instant, Unreadable, Visibility

MOST_PAGES = 50
"""Of conversations, and of the messages of each: so far back a lost delivery is looked for."""

PAUSE_S = 0.5
"""Two calls a second are taken: who lists faster is cut off, and begins anew for ever."""

_MESSAGE = "id,created_time,from,to,message,attachments,shares"
MESSAGE_FIELDS = {
    "messenger": f"{_MESSAGE},sticker",
    "instagram": f"{_MESSAGE},story,is_unsupported",
}
_CONVERSATIONS_A_PAGE = 25
_MESSAGES_AT_ONCE = 20
"""Of older ones only that they were said is told."""


def with_messages(platform: str) -> str:
    fields = MESSAGE_FIELDS[platform]
    return f"id,updated_time,messages.limit({_MESSAGES_AT_ONCE}){{{fields}}}"


async def messages_since(graph: Graph, platform: str, ours: Ours, floor: Instant) -> list[Found]:
    """Return the messages of all conversations from a moment on, each conversation newest first.

    Raises:
        NetworkTrouble: they cannot be asked for.
        Limited: not now.
    """
    found: list[Found] = []
    pages = graph.walk(
        "me/conversations",
        MOST_PAGES,
        PAUSE_S,
        platform=platform,
        fields=with_messages(platform),
        limit=_CONVERSATIONS_A_PAGE,
    )
    async for entries in pages:
        for entry in entries:
            updated_at = moment(mapping(entry).get("updated_time"))
            if updated_at is not None and updated_at < floor:
                return found
            if isinstance(entry, Unreadable):
                found.append(Found(floor, f"raw:{entry.raw}", entry, Visibility.PRIVATE))
                continue
            found += [one async for one in _messages_of(graph, entry, platform, ours, floor)]
    return found


async def _messages_of(
    graph: Graph,
    conversation: Any,  # noqa: ANN401 - any JSON
    platform: str,
    ours: Ours,
    floor: Instant,
) -> AsyncIterator[Found]:
    """Yield a conversation's messages from a moment on, the newest first.

    The first that is not shown whole stands for those before it: none of them is, either.
    """
    otherwise = moment(mapping(conversation).get("updated_time")) or floor
    async for entries in message_pages(graph, conversation, platform):
        for entry in entries:
            found = listed_message(entry, ours, otherwise)
            if found.at < floor:
                return
            yield found
            if isinstance(found.content, Unreadable) and found.content.code == NOT_SHOWN:
                return


async def message_pages(
    graph: Graph,
    conversation: Any,  # noqa: ANN401 - any JSON
    platform: str,
    most_pages: int = MOST_PAGES,
) -> AsyncIterator[list[Any]]:
    """Yield a conversation's messages page by page, the first of them came with it."""
    whole = mapping(conversation)
    messages = mapping(whole.get("messages"))
    first = messages.get("data")
    yield first if isinstance(first, list) else []
    after, conversation_id = after_of(messages), identifier(whole.get("id"))
    if after is None or conversation_id is None:
        return
    pages = graph.walk(
        f"{conversation_id}/messages",
        most_pages,
        PAUSE_S,
        fields=MESSAGE_FIELDS[platform],
        limit=_MESSAGES_AT_ONCE,
        after=after,
    )
    async for entries in pages:
        yield entries
