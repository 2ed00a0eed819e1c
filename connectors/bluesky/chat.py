"""Reads a Bluesky account's direct messages from the log of its conversations.

`chat.bsky.convo.getLog` gives what happened after a revision; revisions are record keys of time.
"""

from dataclasses import dataclass, field
from typing import Any

from connectors.bluesky.calls import BlueskyCalls
from connectors.bluesky.wire import MICROSECONDS, Ourselves, author_from, message_from, tid
from connectors.fields import NotUnderstood, instant, mapping, sequence, words
from connectors.json_pages import NotAPage, read_page
from conversations.model import Author, Post, PostChange, PostChangeKind, Unreadable
from conversations.networks import ListenedChannel, NetworkTrouble

FULL_PAGE = 50
_NAME = "chat.bsky.convo.getLog"
_CREATED, _DELETED = "#logCreateMessage", "#logDeleteMessage"


@dataclass(slots=True)
class ChatPage:
    """What happened in conversations after a revision, up to `revision`."""

    revision: str
    goes_on: bool = False
    posts: list[Post] = field(default_factory=list)
    changes: list[PostChange] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


class BlueskyChat:
    """Gives a channel its private messages, oldest first."""

    def __init__(self, calls: BlueskyCalls) -> None:
        self._calls = calls

    async def page(self, channel: ListenedChannel, revision: str) -> ChatPage:
        """Return what follows a revision; an empty one is the channel's beginning.

        Raises:
            Busy, NetworkTrouble: the network could not be asked.
        """
        after = revision or tid(max(0, channel.since) * MICROSECONDS, 0)
        session = await self._calls.session(channel.account)
        answer = await self._calls.answer(channel.account, _NAME, is_chat=True, cursor=after)
        try:
            pieces = read_page(answer.body, "logs")
        except NotAPage as reason:
            raise NetworkTrouble(f"{_NAME} gave no page: {reason}") from reason
        page = ChatPage(after)
        count = 0
        for log in sorted(pieces.entries, key=_revision):
            if count == channel.post_limit:
                page.goes_on = True
                return page
            before = len(page.posts)
            _add(page, log, session.ours, channel.since)
            count += len(page.posts) - before
            page.revision = max(page.revision, _revision(log))
        page.revision = max(page.revision, words(pieces.beside.get("cursor"), 100) or "")
        page.goes_on = len(pieces.entries) >= FULL_PAGE and page.revision != after
        return page


def _revision(log: Any) -> str:  # noqa: ANN401 - any JSON
    found = words(mapping(log).get("rev"), 100)
    return found if found and found.isalnum() else ""


def _add(page: ChatPage, log: object, ours: Ourselves, since: int) -> None:
    if isinstance(log, Unreadable):
        page.unreadable.append(log)
        return
    told = mapping(log)
    kind, convo_id = str(told.get("$type")), words(told.get("convoId"), 100)
    if not kind.endswith((_CREATED, _DELETED)):
        return
    if convo_id is None:
        missing = NotUnderstood("convo_id_missing", "a message is in a conversation")
        page.unreadable.append(missing.unreadable(log))
    elif kind.endswith(_DELETED):
        _add_deletion(page, convo_id, mapping(told.get("message")))
    else:
        _add_message(page, convo_id, told, ours, since)


def _add_deletion(page: ChatPage, convo_id: str, message: dict[str, Any]) -> None:
    message_id, at = words(message.get("id"), 100), instant(message.get("sentAt")) or 0
    if message_id:
        gone = PostChange(f"{convo_id}:{message_id}", PostChangeKind.DELETED, at)
        page.changes.append(gone)


def _add_message(
    page: ChatPage, convo_id: str, told: dict[str, Any], ours: Ourselves, since: int
) -> None:
    message = mapping(told.get("message"))
    if str(message.get("$type")).endswith("#deletedMessageView"):
        return
    understood = message_from(convo_id, message, _profiles(told), ours)
    if isinstance(understood, Unreadable):
        page.unreadable.append(understood)
    elif understood.created_at >= since:
        page.posts.append(understood)


def _profiles(told: dict[str, Any]) -> dict[str, Author]:
    found = {}
    for profile in sequence(told.get("relatedProfiles"), 50):
        try:
            author = author_from(profile)
        except NotUnderstood:
            continue
        found[author.external_id] = author
    return found
