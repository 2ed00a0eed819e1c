"""Two conversations become one, or one becomes two: decided together, for one commit."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from conversations import commands as c
from conversations.errors import (
    CannotMerge,
    CannotSplit,
    CannotUnmerge,
    ConversationEnded,
    ConversationError,
    IllegalTransition,
    NotYourConversation,
)
from conversations.joining_commands import Forward, Merge, Portion, Split, Unmerge
from conversations.lifecycle import Decision, open_conversation
from conversations.model import Conversation, ConversationState, Event, Instant, Visibility
from conversations.transitions import (
    OWNED,
    at_its_end,
    back_in_queue,
    back_in_queue_for_owner,
    entering,
    require_owner,
    require_owner_or_supervisor_of_open,
    require_state,
    rescinded,
    slid_window,
)

WAITING = frozenset({ConversationState.QUEUED, ConversationState.ALERTING})


@dataclass(frozen=True, slots=True)
class Joint:
    """Both conversations after the command; they are written in one commit."""

    source: Decision
    target: Decision


def merge(
    source: Conversation,
    target: Conversation,
    command: Merge | Forward,
    facts: c.Facts,
    now: Instant,
) -> Joint | ConversationError:
    """Say what a merge makes of both, or why it is refused; the policy is the target's."""
    try:
        _require_both_open(source, target)
        _require_right(source, target, command)
        _require_one_correspondence(source, target)
    except ConversationError as refusal:
        return refusal
    comment, by = command.comment, command.actor.agent_id
    into: dict[str, object] = {
        "into_conversation_id": target.id,
        "post_count": source.post_count,
        "by_agent_id": by,
        "comment": comment,
    }
    came: dict[str, object] = {**into, "from_conversation_id": source.id}
    del came["into_conversation_id"]
    gone = Decision(
        _merged(source, target, by or "supervisor", now),
        (
            *(rescinded(offer, "merged") for offer in source.offers),
            Event("conversation.merged", source.agent_id, into),
        ),
    )
    joined, unparked = _with_posts_of(source, target, facts, now)
    told = (
        Event("conversation.merged", target.agent_id, came),
        Event("conversation.post_received", target.agent_id, came),
        *unparked,
    )
    return Joint(gone, Decision(joined, told))


def _require_both_open(source: Conversation, target: Conversation) -> None:
    if source.id == target.id:
        raise CannotMerge(source.id, target.id, "it is the same conversation")
    if not source.is_open:
        raise ConversationEnded("merge", source.state)
    if not target.is_open:
        raise CannotMerge(source.id, target.id, f"the target is {target.state}")


def _require_right(source: Conversation, target: Conversation, command: Merge | Forward) -> None:
    """Let an agent give what is his, offered to him or nobody's; supervisors may give all."""
    actor = command.actor
    if isinstance(command, Forward):
        if target.state not in OWNED:
            raise CannotMerge(
                source.id, target.id, f"no agent owns the target: it is {target.state}"
            )
    elif not actor.is_supervisor:
        require_owner(target, actor)
    if actor.is_supervisor or _may_give(source, actor):
        return
    offer = source.offer
    raise NotYourConversation(actor.agent_id, offer.agent_id if offer else source.agent_id)


def _may_give(source: Conversation, actor: c.Actor) -> bool:
    if source.state is ConversationState.QUEUED:
        return True
    is_offered = source.offer_to(actor.agent_id) is not None
    return is_offered or (source.agent_id is not None and source.agent_id == actor.agent_id)


def _require_one_correspondence(source: Conversation, target: Conversation) -> None:
    """Refuse to mix what a reply could tell to the wrong person or in the wrong place.

    A reply goes to the conversation's customer, by its account and with its visibility.
    """
    differences = (
        ("one is private, the other public", source.media_type, target.media_type),
        ("they are with different customers", source.customer_id, target.customer_id),
        ("they are on different accounts", source.account_id, target.account_id),
    )
    for difference, ours, theirs in differences:
        if ours != theirs:
            raise CannotMerge(source.id, target.id, difference)


def _merged(
    source: Conversation, target: Conversation, ended_by: str, now: Instant
) -> Conversation:
    return replace(
        at_its_end(source, ended_by, now),
        state=ConversationState.MERGED,
        merged_into=target.id,
        weight_percent=0,
        is_override=False,
        post_count=0,
        answered_count=0,
        version=source.version + 1,
    )


def _with_posts_of(
    source: Conversation, target: Conversation, facts: c.Facts, now: Instant
) -> tuple[Conversation, tuple[Event, ...]]:
    """Let the source's posts join; who waited longer or more urgently lends that to the target."""
    joined = replace(
        target,
        post_count=target.post_count + source.post_count,
        answered_count=target.answered_count + source.answered_count,
        last_post_at=max(target.last_post_at, source.last_post_at),
        affinity_until=slid_window(target, now),
        version=target.version + 1,
    )
    if target.state in WAITING:
        joined = replace(
            joined,
            queued_at=min(target.queued_at, source.queued_at),
            priority=max(target.priority, source.priority),
        )
    if target.state is not ConversationState.PARKED:
        return joined, ()
    unparked = Event("conversation.unparked", target.agent_id)
    return back_in_queue_for_owner(joined, facts, now), (unparked,)


def split(
    conversation: Conversation, command: Split, facts: c.Facts, now: Instant
) -> Joint | ConversationError:
    """Say what becomes of a conversation and of the new one that is made of some of its posts.

    The new one has a key of its own, so that the customer's next posts join the original.
    """
    moved = command.moved
    try:
        require_owner_or_supervisor_of_open(conversation, "split", command.actor)
        if not command.actor.is_supervisor:
            require_state(conversation, "split", OWNED)
        if not moved.post_ids or len(moved.post_ids) >= conversation.post_count:
            raise CannotSplit(conversation.id, len(moved.post_ids), conversation.post_count)
    except ConversationError as refusal:
        return refusal
    by, posts = command.actor.agent_id, list(moved.post_ids)
    told: dict[str, object] = {
        "into_conversation_id": command.conversation_id,
        "moved_post_ids": posts,
        "by_agent_id": by,
    }
    left = Decision(
        _without(conversation, moved, command.left, now),
        (Event("conversation.split", conversation.agent_id, told),),
    )
    return Joint(left, _split_off(conversation, command, facts, now))


def _split_off(
    conversation: Conversation, command: Split, facts: c.Facts, now: Instant
) -> Decision:
    new_id = command.conversation_id
    opening = c.Opening(
        conversation_id=new_id,
        network=conversation.network,
        account_id=conversation.account_id,
        channel_id=conversation.channel_id,
        workgroup_id=conversation.workgroup_id,
        customer_id=command.customer_id,
        affinity_key=f"{conversation.affinity_key}.{new_id}",
        affinity_window_s=conversation.affinity_window_s,
        priority=conversation.priority,
        visibility=_visibility_of(conversation),
        required_skills=conversation.required_skills,
        preferred_skills=conversation.preferred_skills,
        tags=conversation.tags,
        location=conversation.location,
        post_ids=command.moved.post_ids,
        last_post_at=command.moved.last_post_at,
        preferred_agent_id=conversation.agent_id,
    )
    opened = open_conversation(opening, facts.policy, now)
    detail: dict[str, object] = {
        "split_from": conversation.id,
        "moved_post_ids": list(command.moved.post_ids),
        "by_agent_id": command.actor.agent_id,
    }
    counted = replace(opened.conversation, answered_count=command.moved.answered_count)
    return Decision(counted, (Event("conversation.created", None, detail),))


def _visibility_of(conversation: Conversation) -> Visibility:
    is_public = conversation.media_type is Visibility.PUBLIC.media_type
    return Visibility.PUBLIC if is_public else Visibility.PRIVATE


def _without(
    conversation: Conversation, moved: Portion, left: Portion, now: Instant
) -> Conversation:
    return replace(
        conversation,
        post_count=conversation.post_count - len(moved.post_ids),
        answered_count=min(conversation.answered_count, left.answered_count),
        last_post_at=left.last_post_at,
        affinity_until=slid_window(conversation, now),
        version=conversation.version + 1,
    )


def unmerge(
    source: Conversation, target: Conversation, command: Unmerge, facts: c.Facts, now: Instant
) -> Joint | ConversationError:
    """Say how a merged conversation lives again, or why it cannot; the policy is the source's."""
    try:
        _require_unmergeable(source, target, command)
    except ConversationError as refusal:
        return refusal
    by = command.actor.agent_id
    told: dict[str, object] = {"post_count": len(command.moved.post_ids), "by_agent_id": by}
    reopened = back_in_queue(
        source,
        preferred_agent_id=source.agent_id,
        preferred_until=now + facts.policy.preferred_agent_wait_s * 1000
        if source.agent_id
        else None,
        merged_into=None,
        reopened_at=now,
        ended_at=None,
        ended_by=None,
        post_count=len(command.moved.post_ids),
        answered_count=command.moved.answered_count,
        last_post_at=command.moved.last_post_at,
        affinity_until=slid_window(source, now),
        version=source.version + 1,
    )
    back = Event("conversation.unmerged", None, {**told, "from_conversation_id": target.id})
    away = Event(
        "conversation.unmerged", target.agent_id, {**told, "into_conversation_id": source.id}
    )
    return Joint(
        Decision(entering(reopened, facts.policy, now), (back,)),
        Decision(_without(target, command.moved, command.left, now), (away,)),
    )


def _require_unmergeable(source: Conversation, target: Conversation, command: Unmerge) -> None:
    if source.state is not ConversationState.MERGED or source.merged_into != target.id:
        raise IllegalTransition("unmerge", source.state)
    actor = command.actor
    if not actor.is_supervisor and actor.agent_id not in {target.agent_id, source.ended_by}:
        raise NotYourConversation(actor.agent_id, target.agent_id)
    if not target.is_open:
        raise CannotUnmerge(source.id, target.id, f"that one is {target.state}")
    if not command.moved.post_ids:
        raise CannotUnmerge(source.id, target.id, "none of its posts is there any more")
    if len(command.moved.post_ids) >= target.post_count:
        raise CannotUnmerge(source.id, target.id, "no post would be left there")


@dataclass(frozen=True, slots=True)
class Stay:
    """A post was in a conversation between two moments; without the second one it still is."""

    conversation_id: str
    since: Instant
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A reply was taken in a conversation; it answers the posts that were there before."""

    conversation_id: str
    at: Instant


def answered_posts(stays: Mapping[str, Sequence[Stay]], said: Iterable[Said]) -> set[str]:
    """Return which posts a reply answered while they were where it was said.

    What happened in one millisecond counts as not answered: a post too many in an agent's sight
    does no harm, one too few is a customer without an answer.
    """
    moments: defaultdict[str, list[Instant]] = defaultdict(list)
    for reply in said:
        moments[reply.conversation_id].append(reply.at)
    for replies in moments.values():
        replies.sort()
    return {
        post_id for post_id, of_post in stays.items() if any(_hears(moments, s) for s in of_post)
    }


def _hears(moments: Mapping[str, list[Instant]], stay: Stay) -> bool:
    replies = moments.get(stay.conversation_id, [])
    first_after = bisect_right(replies, stay.since)
    if first_after == len(replies):
        return False
    return stay.until is None or replies[first_after] < stay.until
