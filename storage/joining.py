"""Merge, forward, split and unmerge: two conversations changed in one commit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from conversations import commands as c
from conversations import joining
from conversations.errors import ConversationError, IllegalTransition, UnknownPosts
from conversations.joining import Joint
from conversations.joining_commands import Forward, Merge, MoveKind, Split, Unmerge
from conversations.model import Conversation, holders
from storage import clock, post_moves
from storage.conversation_tables import ConversationRow
from storage.conversations import Outcome, let_happen, lock, lock_touched
from storage.database import ConcurrentChange
from storage.ids import new_id
from storage.journal import Journal
from storage.post_moves import Posts, Way
from storage.rows import policy_from

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]


@dataclass(slots=True)
class _Locked:
    """Conversations locked in the order of their ids, then their agents; what was due happened."""

    journal: Journal
    conversations: dict[str, Conversation]

    def facts(self, conversation: Conversation) -> c.Facts:
        return c.Facts(policy_from(self.journal.workgroup(conversation.workgroup_id)))

    def refusal(self, conversation_id: str, why: ConversationError) -> Outcome:
        """Keep what fell due before the refusal."""
        self.journal.flush()
        conversation = self.conversations[conversation_id]
        return Outcome(conversation, why, self.journal.aftermath())


def _lock_all(connection: Connection, conversation_ids: Collection[str]) -> _Locked | None:
    locked = lock(connection, conversation_ids)
    if len(locked) != len(set(conversation_ids)):
        return None
    journal = Journal(connection, clock.now(connection))
    touched: set[str] = set()
    for conversation in locked.values():
        journal.conversation_is_locked(conversation)
        touched |= {carrier.agent_id for carrier in holders(conversation)}
        touched |= {conversation.agent_id} if conversation.agent_id else set()
    agents = lock_touched(journal, next(iter(locked.values())), touched)
    happened = {i: let_happen(journal, locked[i], agents, journal.now) for i in sorted(locked)}
    return _Locked(journal, happened)


def merge(
    connection: Connection, source_id: str, target_id: str, command: Merge | Forward
) -> Outcome:
    """Merge the source into the target; the answer is the source."""
    locked = _lock_all(connection, {source_id, target_id})
    if locked is None:
        return Outcome(None)
    source, target = locked.conversations[source_id], locked.conversations[target_id]
    now = locked.journal.now
    joint = joining.merge(source, target, command, locked.facts(target), now)
    if isinstance(joint, ConversationError):
        return locked.refusal(source_id, joint)
    outcome = _write(locked.journal, source, target, joint, "post_received")
    way = Way(source_id, target_id, MoveKind.MERGE, command.actor.agent_id, now)
    post_moves.move_all(connection, way)
    post_moves.add_to_covers(connection, target_id, source.answered_count)
    post_moves.cover_nothing(connection, source_id)
    return outcome


def _write(
    journal: Journal, source: Conversation, target: Conversation | None, joint: Joint, bell: str
) -> Outcome:
    """Write both; the answer is the source."""
    after = journal.record(source, joint.source, "commanded")
    journal.record(target, joint.target, bell)
    journal.flush()
    return Outcome(after, aftermath=journal.aftermath())


def split(
    connection: Connection, conversation_id: str, actor: c.Actor, posts: Sequence[str]
) -> Outcome:
    """Make a conversation of some of the posts; the answer is the new one."""
    locked = _lock_all(connection, {conversation_id})
    if locked is None:
        return Outcome(None)
    conversation, now = locked.conversations[conversation_id], locked.journal.now
    there = Posts(connection, conversation_id)
    named = there.ids_named(posts)
    ids = [post_id for post_id in named.values() if post_id is not None]
    if unknown := [name for name, post_id in named.items() if post_id is None]:
        return locked.refusal(conversation_id, UnknownPosts(conversation_id, unknown))
    moved = there.portion(ids)
    customer_id = there.customer_of(moved.post_ids[0]) if ids else conversation.customer_id
    command = Split(actor, new_id("cv"), customer_id, moved, there.rest_of(ids))
    joint = joining.split(conversation, command, locked.facts(conversation), now)
    if isinstance(joint, ConversationError):
        return locked.refusal(conversation_id, joint)
    outcome = _write(locked.journal, conversation, None, joint, "post_received")
    new_one = command.conversation_id
    way = Way(conversation_id, new_one, MoveKind.SPLIT, actor.agent_id, now)
    post_moves.move(connection, ids, way)
    Posts(connection, conversation_id).recount_covers()
    return Outcome(joint.target.conversation, aftermath=outcome.aftermath)


def unmerge(connection: Connection, source_id: str, actor: c.Actor) -> Outcome:
    """Give a merged conversation its posts back; the answer is that conversation, queued."""
    query = select(CONVERSATIONS.c.merged_into).where(CONVERSATIONS.c.id == source_id)
    target_id = connection.execute(query).scalar_one_or_none()
    locked = _lock_all(connection, {source_id, target_id} if target_id else {source_id})
    if locked is None:
        return Outcome(None)
    source, now = locked.conversations[source_id], locked.journal.now
    if source.merged_into != target_id:
        raise ConcurrentChange(source_id)
    if target_id is None:
        return locked.refusal(source_id, IllegalTransition("unmerge", source.state))
    target = locked.conversations[target_id]
    back = post_moves.came_from(connection, source_id, target.id, source.ended_at or 0)
    there = Posts(connection, target.id)
    command = Unmerge(actor, there.portion(back), there.rest_of(back))
    joint = joining.unmerge(source, target, command, locked.facts(source), now)
    if isinstance(joint, ConversationError):
        return locked.refusal(source_id, joint)
    outcome = _write(locked.journal, source, target, joint, "commanded")
    way = Way(target.id, source_id, MoveKind.UNMERGE, actor.agent_id, now)
    post_moves.move(connection, back, way)
    for conversation_id in (source_id, target.id):
        Posts(connection, conversation_id).recount_covers()
    return outcome
