"""Second thoughts about a reply: withdrawn before it leaves, edited or deleted afterwards."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from conversations.commands import Actor
from conversations.errors import ConversationError
from conversations.model import Instant
from conversations.replies import Reply, withdraw
from conversations.reply_changes import ask_delete, ask_edit
from storage import clock, replies
from storage.replies import Settled

Rule = Callable[[Reply, Instant], Reply]


@dataclass(frozen=True, slots=True)
class NewWords:
    """What a reply is to say instead, and what each of its posts is to say of it."""

    text: str
    texts: tuple[str, ...]


def undo(connection: Connection, reply_id: str, actor: Actor) -> Settled:
    """Take a reply back that waits for second thoughts; the row decides who was first."""
    return _change(connection, reply_id, actor, withdraw)


def edit(connection: Connection, reply_id: str, actor: Actor, words: NewWords) -> Settled:
    """Have a sent reply say something else; its conversation's workflow sees to it."""

    def rule(reply: Reply, now: Instant) -> Reply:
        return ask_edit(reply, words.text, words.texts, now)

    return _change(connection, reply_id, actor, rule)


def delete(connection: Connection, reply_id: str, actor: Actor) -> Settled:
    """Have a sent reply taken off its network; its conversation's workflow sees to it."""
    return _change(connection, reply_id, actor, ask_delete)


def _change(connection: Connection, reply_id: str, actor: Actor, rule: Rule) -> Settled:
    conversation, reply = replies.locked(connection, reply_id)
    refusal = replies.refusal_of(connection, conversation, actor)
    if refusal is not None:
        return Settled(reply, replies.unchanged(conversation), refusal)
    now = clock.now(connection)
    try:
        changed = rule(reply, now)
    except ConversationError as refused:
        return Settled(reply, replies.unchanged(conversation), refused)
    aftermath = replies.write_step(connection, conversation, reply, changed, now=now, epoch=None)
    return Settled(changed, aftermath)
