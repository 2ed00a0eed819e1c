"""Replies to X: how they are written, and how they are found again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connectors.calls import Answer
from connectors.fields import mapping, words
from connectors.x.ids import number
from connectors.x.message_wire import PREFIX, group_of, message_id
from connectors.x.text import are_the_same
from connectors.x.wire import Found, Us
from conversations.model import Instant, Post, Visibility
from conversations.replies import Certainty, Outcome, Reply

CLOCKS_DIFFER_MS = 5_000
"""X's clock and ours may be so far apart."""

SHOWN_WITHIN_MS = 30_000
"""What X accepted is in the account's own list after so long at most."""


class Unanswerable(Exception):
    """The reply cannot be put into X's words; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Call:
    """Where a reply is POSTed, and what."""

    path: str
    body: dict[str, Any]


def call_for(reply: Reply) -> Call:
    """Write a reply as X wants it.

    Raises:
        Unanswerable: it says not whom it is for.
    """
    if reply.visibility is Visibility.PRIVATE:
        return Call(f"{conversation_path(reply)}/messages", {"text": reply.text})
    answered = reply.in_reply_to
    if answered is not None and number(answered) is not None:
        reference = {"in_reply_to_tweet_id": answered}
        return Call("/2/tweets", {"text": reply.text, "reply": reference})
    # A public answer to a message answers no post: it reaches the customer by name.
    name = f"@{reply.to_handle.removeprefix('@')} " if reply.to_handle else ""
    return Call("/2/tweets", {"text": f"{name}{reply.text}"})


def conversation_path(reply: Reply) -> str:
    """Return the address of the conversation that a message belongs to.

    Raises:
        Unanswerable: the customer's id is none.
    """
    if group := group_of(reply.thread_root):
        if number(group) is None:
            raise Unanswerable("the conversation's id is none of X's")
        return f"/2/dm_conversations/{group}"
    if number(reply.to_external_id) is None:
        raise Unanswerable("the customer's id is none of X's")
    return f"/2/dm_conversations/with/{reply.to_external_id}"


def listing_path(reply: Reply) -> str:
    """Return where the messages of a conversation are listed.

    Raises:
        Unanswerable: the customer's id is none.
    """
    return f"{conversation_path(reply)}/dm_events"


def outcome_of_success(answer: Answer, reply: Reply, us: Us) -> Outcome | None:
    """Return that it is there, when the answer proves it."""
    if answer.status // 100 != 2:  # noqa: PLR2004 - the class of success
        return None
    published = mapping(answer.json.get("data"))
    if reply.visibility is Visibility.PRIVATE:
        event_id = words(published.get("dm_event_id"), 19)
        return Outcome(Certainty.SENT, f"{PREFIX}{event_id}") if number(event_id) else None
    post_id = words(published.get("id"), 19)
    if post_id is None or number(post_id) is None:
        return None
    return Outcome(
        Certainty.SENT, post_id, f"https://x.com/{us.handle or 'i/web'}/status/{post_id}"
    )


def begun_at(reply: Reply) -> Instant:
    """Return the earliest moment that X can have written on any attempt."""
    return reply.tried_since - CLOCKS_DIFFER_MS


def published_among(found: Iterable[Found], reply: Reply) -> Post | None:
    """Return the post that is this reply: ours, these words, to that post, not older than it."""
    posts = (one.post for one in found if isinstance(one.post, Post))
    return next((post for post in posts if _is(post, reply)), None)


def _is(post: Post, reply: Reply) -> bool:
    if not post.is_own or post.created_at < begun_at(reply):
        return False
    if post.visibility is Visibility.PUBLIC and post.in_reply_to != _answered(reply):
        return False
    return are_the_same(reply.text, post.text)


def _answered(reply: Reply) -> str | None:
    """Return the post that is answered on X: a message is none."""
    return None if message_id(reply.in_reply_to) is not None else reply.in_reply_to
