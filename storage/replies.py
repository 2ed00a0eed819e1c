"""A reply's way to the network, one short transaction on each side of every attempt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations import commands as c
from conversations.capabilities import Allowance
from conversations.change_commands import ChangeReply, SettleChange
from conversations.commands import Actor, Policy
from conversations.errors import ConversationError, NotYourConversation, ReplySettled
from conversations.lifecycle import decide
from conversations.model import Conversation, ConversationState, Instant, Post, ReplyState
from conversations.replies import (
    Certainty,
    NextStep,
    Outcome,
    Permission,
    ReadBack,
    Reply,
    Step,
    after_attempt,
    after_look_up,
    divided,
    next_step,
    resolve,
)
from conversations.reply_changes import after_change, next_change_step
from conversations.reply_parts import ChangeState, origin_of
from storage import budgets, clock, first_replies, leases
from storage.conversation_tables import ConversationRow, ReplyPostRow, ReplyRow
from storage.conversations import lock
from storage.database import ConcurrentChange
from storage.journal import Aftermath, Journal
from storage.latest import targets_of
from storage.post_moves import Posts
from storage.rows import reply_from, reply_values
from storage.setup_tables import AccountRow

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
REPLIES = ReplyRow.__table__  # type: ignore[attr-defined]
REPLY_POSTS = ReplyPostRow.__table__  # type: ignore[attr-defined]

SENDABLE = (ReplyState.ACCEPTED.value, ReplyState.SENDING.value, ReplyState.UNKNOWN.value)
HAS_TO_LEAVE = or_(REPLIES.c.state.in_(SENDABLE), REPLIES.c.has_pending_change)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A reply with what its connector needs; `secrets` is still sealed."""

    reply: Reply
    settings: dict[str, Any]
    secrets: str


@dataclass(frozen=True, slots=True)
class Permit:
    """What the sender may do now, and what follows the commit that allowed it."""

    permission: Permission
    aftermath: Aftermath = field(default_factory=Aftermath)


@dataclass(frozen=True, slots=True)
class Settled:
    reply: Reply
    aftermath: Aftermath = field(default_factory=Aftermath)
    refusal: ConversationError | None = None


def get(connection: Connection, reply_id: str) -> Reply | None:
    row = connection.execute(select(REPLIES).where(REPLIES.c.id == reply_id)).mappings()
    found = row.one_or_none()
    return reply_from(found) if found else None


def next_delivery(connection: Connection, conversation_id: str) -> Delivery | None:
    """Return the conversation's oldest reply that can still be sent, None when there is none.

    What is to be changed of sent ones comes after what is to be said.
    """
    query = (
        select(REPLIES, ACCOUNTS.c.settings, ACCOUNTS.c.secrets)
        .join(ACCOUNTS, ACCOUNTS.c.id == REPLIES.c.account_id)
        .where(REPLIES.c.conversation_id == conversation_id, HAS_TO_LEAVE)
        .order_by(REPLIES.c.has_pending_change, REPLIES.c.created_at, REPLIES.c.id)
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return Delivery(reply_from(row), row["settings"], row["secrets"]) if row else None


def has_sendable(connection: Connection, conversation_id: str) -> bool:
    query = select(REPLIES.c.id).where(REPLIES.c.conversation_id == conversation_id, HAS_TO_LEAVE)
    return connection.execute(query.limit(1)).first() is not None


def begin(
    connection: Connection,
    reply_id: str,
    read_back: ReadBack,
    process: str,
    allowance: Allowance | None = None,
    *,
    posts: tuple[str, ...] = (),
) -> Permit:
    """Decide the next step of a reply, and write it down before anything leaves.

    With `posts` it goes out as these, if nothing was tried of it yet.

    Only the process that holds the account's lease goes on; the others are told to wait, and so
    is whoever would send more than the network's allowance.
    """
    conversation, reply = locked(connection, reply_id)
    now = clock.now(connection)
    epoch, wait_ms = leases.take(connection, reply.account_id, process, now)
    if wait_ms:
        waiting = Permission(NextStep(Step.WAIT, reply, wait_ms), epoch)
        return Permit(waiting, unchanged(conversation))
    taken = divided(reply, posts)
    is_change = reply.is_settled
    step = next_change_step(reply, now) if is_change else next_step(taken, read_back, now)
    if step.step is Step.SEND and allowance is not None:
        account_id = reply.account_id
        if wait_ms := budgets.take(connection, account_id, allowance, now, kept_percent=0):
            waiting = Permission(NextStep(Step.WAIT, reply, wait_ms), epoch)
            return Permit(waiting, unchanged(conversation))
    if step.step.is_call:
        leases.call_begins(connection, reply.account_id, epoch)
    if step.reply == reply:
        return Permit(Permission(step, epoch), unchanged(conversation))
    aftermath = write_step(connection, conversation, reply, step.reply, now=now, epoch=epoch)
    return Permit(Permission(step, epoch), aftermath)


def settle(connection: Connection, permission: Permission, outcome: Outcome) -> Settled:
    """Write what an attempt or a look-up came to.

    An outcome of an older attempt, or of a process that lost the lease, changes nothing.
    """
    attempt, step = permission.next_step.reply, permission.next_step.step
    conversation, reply = locked(connection, attempt.id)
    now = clock.now(connection)
    leases.call_ended(connection, reply.account_id, permission.epoch, now)
    row = connection.execute(select(REPLIES.c.epoch).where(REPLIES.c.id == reply.id)).one()
    if _fence(reply) != _fence(attempt):
        return Settled(reply, unchanged(conversation))
    if step is Step.SEND and row.epoch != permission.epoch:
        return Settled(reply, unchanged(conversation))
    if outcome.retry_after_s is not None and outcome.certainty is Certainty.NOT_ACCEPTED:
        leases.pause(connection, reply.account_id, now + outcome.wait_ms)
    moved = _MOVES[step](reply, outcome, now)
    return Settled(
        moved, write_step(connection, conversation, reply, moved, now=now, epoch=permission.epoch)
    )


_MOVES = {
    Step.SEND: after_attempt,
    Step.LOOK_UP: after_look_up,
    Step.EDIT: after_change,
    Step.DELETE: after_change,
}


def _fence(reply: Reply) -> tuple[object, ...]:
    """Return what is another as soon as anything later was begun, seen or decided."""
    change = reply.change
    return reply.state, reply.attempts, reply.sent_parts, change and (change.attempts, change.state)


def resolve_by_human(
    connection: Connection, reply_id: str, actor: Actor, outcome: str, external_id: str | None
) -> Settled | None:
    """Settle what no network could answer: `sent`, or `absent` and then sent again.

    The owner may, also of the conversation that got the posts by a merge. Returns None when there
    is no such reply.
    """
    if get(connection, reply_id) is None:
        return None
    conversation, reply = locked(connection, reply_id)
    if (refusal := refusal_of(connection, conversation, actor)) is not None:
        return Settled(reply, unchanged(conversation), refusal)
    if reply.state is not ReplyState.NEEDS_HUMAN:
        refused = ReplySettled(reply.id, reply.state)
        return Settled(reply, unchanged(conversation), refused)
    now = clock.now(connection)
    resolved = resolve(reply, outcome, external_id, now)
    return Settled(
        resolved, write_step(connection, conversation, reply, resolved, now=now, epoch=None)
    )


def refusal_of(
    connection: Connection, conversation: Conversation, actor: Actor
) -> ConversationError | None:
    """Say why somebody may not decide about the conversation's replies; None when he may."""
    owners = {conversation.agent_id, _where_the_posts_are(connection, conversation).agent_id}
    if actor.is_supervisor or actor.agent_id in owners - {None}:
        return None
    return NotYourConversation(actor.agent_id, conversation.agent_id)


def recognise(connection: Connection, account_id: str, echo: Post) -> Aftermath | None:
    """Attach one of our own posts that came back to its reply; None when no reply is its origin.

    Of a reply that is several posts, the one whose turn it is proves itself.
    """
    origin = _origin(connection, account_id, echo)
    if origin is None:
        return None
    reply_id, index = origin
    conversation, reply = locked(connection, reply_id)
    if reply.is_settled or reply.sent_parts != index:
        return unchanged(conversation)
    now = clock.now(connection)
    seen = Outcome(Certainty.SENT, echo.external_id, echo.url)
    return write_step(
        connection, conversation, reply, after_attempt(reply, seen, now), now=now, epoch=None
    )


def _origin(connection: Connection, account_id: str, echo: Post) -> tuple[str, int] | None:
    """Return of which reply this is a post, by its key or its id, and which one."""
    key = echo.own_reply_id or ""
    by_key, index = origin_of(key)
    query = select(REPLIES.c.id).where(
        REPLIES.c.account_id == account_id,
        or_(REPLIES.c.id.in_({key, by_key}), REPLIES.c.external_id == echo.external_id),
    )
    reply_id = connection.execute(query.limit(1)).scalar_one_or_none()
    if reply_id is not None:
        return reply_id, index if reply_id == by_key else 0
    later = select(REPLY_POSTS.c.reply_id).where(
        REPLY_POSTS.c.account_id == account_id, REPLY_POSTS.c.external_id == echo.external_id
    )
    reply_id = connection.execute(later).scalar_one_or_none()
    return (reply_id, 0) if reply_id is not None else None


def locked(connection: Connection, reply_id: str) -> tuple[Conversation, Reply]:
    """Lock the reply's conversation, which guards its replies too, and what got its posts.

    Raises:
        ConcurrentChange: it was merged before it could be locked.
    """
    owner = (
        select(CONVERSATIONS.c.id, CONVERSATIONS.c.merged_into)
        .join(REPLIES, REPLIES.c.conversation_id == CONVERSATIONS.c.id)
        .where(REPLIES.c.id == reply_id)
    )
    conversation_id, merged_into = connection.execute(owner).one()
    targets = targets_of(connection, [merged_into] if merged_into else [])
    conversation = lock(connection, {conversation_id, *targets})[conversation_id]
    if conversation.merged_into != merged_into:
        raise ConcurrentChange(conversation_id)
    row = connection.execute(select(REPLIES).where(REPLIES.c.id == reply_id)).mappings().one()
    return conversation, reply_from(row)


def unchanged(conversation: Conversation) -> Aftermath:
    """Ask for a queued conversation: its lock hid it from a match that ran meanwhile."""
    if conversation.state is ConversationState.QUEUED:
        return Aftermath(asks=frozenset({conversation.workgroup_id}))
    return Aftermath()


def write_step(
    connection: Connection,
    conversation: Conversation,
    before: Reply,
    after: Reply,
    *,
    now: Instant,
    epoch: int | None,
) -> Aftermath:
    """Write a reply's step, and tell its conversation of it."""
    values = reply_values(after) if epoch is None else {**reply_values(after), "epoch": epoch}
    connection.execute(update(REPLIES).where(REPLIES.c.id == after.id).values(values))
    _note_later_post(connection, before, after)
    command = _what_happened(before, after)
    if command is None:
        return unchanged(conversation)
    journal = Journal(connection, now)
    journal.conversation_is_locked(conversation)
    decision = decide(conversation, command, c.Facts(Policy()), now)
    if isinstance(decision, ConversationError):
        raise decision
    journal.record(conversation, decision, "nudged")
    first_replies.note(connection, conversation, before, after, now)
    is_sent = isinstance(command, c.SettleReply) and command.sent
    if is_sent and conversation.merged_into is not None:
        _count_where_the_posts_are(journal, conversation)
    journal.flush()
    return journal.aftermath()


def _what_happened(before: Reply, after: Reply) -> c.Command | None:
    """Return what a step is to the conversation; None when it is bookkeeping."""
    change = after.change
    if change is not None and after.has_pending_change != before.has_pending_change:
        if after.has_pending_change:
            return ChangeReply(after.id, change.kind)
        return SettleChange(after.id, change.kind, change.state is ChangeState.DONE)
    if after.is_settled and not before.is_settled:
        return c.SettleReply(after.id, after.state is ReplyState.SENT, after.covers)
    if (after.state, after.sent_parts) == (before.state, before.sent_parts):
        return None
    return c.NoteReplyState(after.id, after.state)


def _note_later_post(connection: Connection, before: Reply, after: Reply) -> None:
    """Remember whose a post is that is neither a reply's first nor its only one."""
    if not 0 < before.sent_parts < after.sent_parts:
        return
    external_id = after.parts[before.sent_parts].external_id
    if external_id is None:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = dialect.insert(REPLY_POSTS).values(
        account_id=after.account_id, external_id=external_id, reply_id=after.id
    )
    connection.execute(row.on_conflict_do_nothing())


def _where_the_posts_are(connection: Connection, conversation: Conversation) -> Conversation:
    """Return the conversation, or that which got its posts by merges; they are locked."""
    if conversation.merged_into is None:
        return conversation
    locked = lock(connection, targets_of(connection, [conversation.merged_into]))
    end = locked[conversation.merged_into]
    while end.merged_into is not None:
        end = locked[end.merged_into]
    return end


def _count_where_the_posts_are(journal: Journal, conversation: Conversation) -> None:
    """Let the conversation that got the posts know that they are answered."""
    target = _where_the_posts_are(journal.connection, conversation)
    posts = Posts(journal.connection, target.id)
    journal.conversation_is_locked(target)
    counted = decide(target, c.CountAnswered(len(posts.answered)), c.Facts(Policy()), journal.now)
    if isinstance(counted, ConversationError):
        raise counted
    journal.record(target, counted, "nudged")
    posts.recount_covers()


def of_conversation(connection: Connection, conversation_id: str) -> Sequence[Reply]:
    query = (
        select(REPLIES)
        .where(REPLIES.c.conversation_id == conversation_id)
        .order_by(REPLIES.c.created_at, REPLIES.c.id)
    )
    return [reply_from(row) for row in connection.execute(query).mappings()]
