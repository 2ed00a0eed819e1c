"""Which posts belong together: the affinity key, and whether a post still joins."""

import hashlib
import hmac

from conversations.model import Conversation, Instant, Post, Threading


def affinity_key(secret: bytes, channel_id: str, threading: Threading, post: Post) -> str:
    """Return the key under which at most one conversation is open.

    A keyed hash, so that neither a workflow id nor a log can be traced back to a person.
    """
    text = f"{channel_id}\0{post.visibility}\0{threading}\0{_subject(threading, post)}"
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:32]


def _subject(threading: Threading, post: Post) -> str:
    match threading:
        case Threading.CUSTOMER:
            return post.author.external_id
        case Threading.THREAD:
            return post.thread_root or post.external_id
        case Threading.POST:
            return post.external_id


def is_within_window(ended: Conversation, now: Instant) -> bool:
    """Whether the last agent is still preferred after the end: until `ended_at` + window."""
    if ended.ended_at is None:
        return False
    return now <= ended.ended_at + ended.affinity_window_s * 1000
