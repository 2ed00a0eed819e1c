"""What edits and deletions make of a post, in whatever order they come."""

from dataclasses import dataclass, replace

from conversations.model import (
    Conversation,
    ConversationState,
    Instant,
    PostChange,
    PostChangeKind,
)

POSTS_DELETED = "posts_deleted"
"""Ends a conversation that nobody had yet and in which nothing is left to answer."""

CLOCKS_DIFFER_MS = 60_000
MOST_EARLIER_TEXTS = 50

_NOBODYS = frozenset({ConversationState.QUEUED, ConversationState.ALERTING})


@dataclass(frozen=True, slots=True)
class EarlierText:
    """What a post said, until when."""

    text: str
    until: Instant


@dataclass(frozen=True, slots=True)
class Wording:
    """What a post says now, and what it said."""

    text: str
    earlier_texts: tuple[EarlierText, ...] = ()
    edited_at: Instant | None = None
    deleted_at: Instant | None = None


def by_our_clock(change: PostChange, now: Instant) -> PostChange:
    """Return the change as one of about now when it says that it is to come.

    Else no later edit of the post would ever count.
    """
    return replace(change, at=min(change.at, now + CLOCKS_DIFFER_MS))


def newest(known: PostChange | None, change: PostChange) -> PostChange:
    """Return which of two changes of a post counts: a deletion is final, else the later one."""
    if known is None:
        return change
    if PostChangeKind.DELETED in (known.kind, change.kind):
        return known if known.kind is PostChangeKind.DELETED else change
    return change if change.at >= known.at else known


def changed(wording: Wording, change: PostChange) -> Wording:
    """Return the wording after the change; the same one when the change says nothing new."""
    if wording.deleted_at is not None:
        return wording
    if change.kind is PostChangeKind.DELETED:
        return Wording("", edited_at=wording.edited_at, deleted_at=change.at)
    if change.text is None or change.at < (wording.edited_at or change.at):
        return wording
    if change.text == wording.text:
        return replace(wording, edited_at=change.at)
    earlier = EarlierText(wording.text, change.at)
    kept = (*wording.earlier_texts, earlier)[-MOST_EARLIER_TEXTS:]
    return Wording(change.text, kept, change.at)


def is_pointless(conversation: Conversation, posts_left: int) -> bool:
    """Say whether nobody has to see the conversation; whoever has it decides for himself."""
    return posts_left == 0 and conversation.state in _NOBODYS
