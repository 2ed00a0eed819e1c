"""What merge, split and unmerge change of both conversations, and what they tell of each."""

from dataclasses import replace
from typing import Any

import pytest

from conversations import commands as c
from conversations import joining
from conversations.errors import ConversationError
from conversations.joining import Joint
from conversations.joining_commands import Forward, Merge, Portion, Split, Unmerge
from conversations.lifecycle import Decision
from conversations.model import (
    Conversation,
    ConversationState,
    Event,
    Location,
    MediaType,
    RequiredSkill,
)
from tests.conversations.everything import (
    ALERTING,
    ENDED,
    FOR_OWNER,
    OFFERS,
    PARKED,
    RINGS,
    SLID,
    TAKEN_BACK,
    TALKING,
    WAITING,
    changed,
    told,
)
from tests.conversations.samples import NOW, OTHER, OWNER, POLICY, SUPERVISOR, agent, in_state

FACTS = c.Facts(POLICY)
SOURCE = replace(ALERTING, id="cv-9", post_count=3, answered_count=1, priority=70)
GONE: dict[str, Any] = {
    **ENDED,
    "state": ConversationState.MERGED,
    "offers": (),
    "merged_into": "cv-1",
    "weight_percent": 0,
    "is_override": False,
    "post_count": 0,
    "answered_count": 0,
}
MOVED = Portion(("post-2", "post-3"), 1, NOW - 500)
LEFT = Portion(("post-1",), 1, NOW - 700)


def merged(source: Conversation, target: Conversation, actor: c.Actor, **also: Any) -> Joint:
    joint = joining.merge(source, target, also.get("by", Merge)(actor, "one matter"), FACTS, NOW)
    assert isinstance(joint, Joint), joint
    return joint


def with_posts(target: Conversation, **fields: Any) -> Conversation:
    return changed(
        target,
        post_count=4,
        answered_count=1,
        affinity_until=SLID,
        last_post_at=max(target.last_post_at, SOURCE.last_post_at),
        **fields,
    )


def check(decision: Decision, conversation: Conversation, *events: Event) -> None:
    assert decision.conversation == conversation
    assert list(decision.events) == list(events)


def test_a_merge_ends_the_source_and_tells_everybody_who_was_asked() -> None:
    joint = merged(SOURCE, TALKING, agent())

    detail: dict[str, Any] = {"post_count": 3, "by_agent_id": OWNER, "comment": "one matter"}
    check(
        joint.source,
        changed(SOURCE, **GONE, ended_by=OWNER),
        *(told("offer_expired", o.agent_id, offer_id=o.id, reason="merged") for o in OFFERS),
        told("merged", None, into_conversation_id="cv-1", **detail),
    )
    check(
        joint.target,
        with_posts(TALKING),
        told("merged", from_conversation_id="cv-9", **detail),
        told("post_received", from_conversation_id="cv-9", **detail),
    )


def test_a_merge_by_a_supervisor_into_a_parked_one_brings_it_back() -> None:
    joint = merged(SOURCE, PARKED, SUPERVISOR)

    assert joint.source.conversation.ended_by == "supervisor"
    assert joint.target.conversation == with_posts(PARKED, **FOR_OWNER)
    assert joint.target.events[-1] == told("unparked")


@pytest.mark.parametrize("target", [WAITING, replace(ALERTING, priority=90)])
def test_a_waiting_target_lends_itself_the_greater_age_and_priority(target: Conversation) -> None:
    older = replace(SOURCE, queued_at=target.queued_at - 1, last_post_at=NOW)

    joint = merged(older, target, SUPERVISOR)

    after = joint.target.conversation
    assert (after.queued_at, after.priority) == (older.queued_at, max(target.priority, 70))
    assert after.last_post_at == NOW


def test_an_owned_target_keeps_its_own_age_and_priority() -> None:
    older = replace(SOURCE, queued_at=TALKING.queued_at - 1)

    after = merged(older, TALKING, agent()).target.conversation

    assert (after.queued_at, after.priority) == (TALKING.queued_at, TALKING.priority)


def test_a_forward_needs_no_right_to_the_target() -> None:
    theirs = replace(TALKING, agent_id=OTHER)

    assert merged(SOURCE, theirs, agent(), by=Forward).target.conversation.agent_id == OTHER


def said_no(source: Conversation, target: Conversation, command: Merge | Forward) -> str:
    refusal = joining.merge(source, target, command, FACTS, NOW)
    assert isinstance(refusal, ConversationError), refusal
    return f"{refusal.code}: {refusal}"


@pytest.mark.parametrize(
    ("source", "target", "command", "said"),
    [
        (TALKING, TALKING, Merge(SUPERVISOR, None), "cannot be merged into cv-1: it is the same"),
        (
            in_state(ConversationState.COMPLETED, id="cv-9"),
            TALKING,
            Merge(SUPERVISOR, None),
            "merge",
        ),
        (
            SOURCE,
            in_state(ConversationState.COMPLETED),
            Merge(SUPERVISOR, None),
            "target is completed",
        ),
        (SOURCE, WAITING, Forward(agent(), None), "no agent owns the target: it is queued"),
        (
            SOURCE,
            TALKING,
            Merge(agent(OTHER), None),
            "belongs to agent agent-1, not to agent agent-2",
        ),
        (
            replace(SOURCE, offers=OFFERS[1:]),
            TALKING,
            Merge(agent(), None),
            "belongs to agent agent-2, not to agent agent-1",
        ),
        (
            replace(TALKING, id="cv-9", agent_id="agent-3"),
            TALKING,
            Merge(agent(), None),
            "belongs to agent agent-3, not to agent agent-1",
        ),
        (
            replace(SOURCE, media_type=MediaType.SOCIAL_DIRECT_MESSAGE),
            TALKING,
            Merge(SUPERVISOR, None),
            "one is private, the other public",
        ),
        (replace(SOURCE, customer_id="x"), TALKING, Merge(SUPERVISOR, None), "different customers"),
        (replace(SOURCE, account_id="x"), TALKING, Merge(SUPERVISOR, None), "different accounts"),
    ],
)
def test_a_merge_that_must_not_be_is_refused_with_both_facts(
    source: Conversation, target: Conversation, command: Merge | Forward, said: str
) -> None:
    assert said in said_no(source, target, command)


def test_a_split_makes_a_new_conversation_of_the_posts_and_leaves_the_others() -> None:
    before = replace(
        TALKING,
        post_count=3,
        answered_count=2,
        priority=70,
        required_skills=(RequiredSkill("billing"),),
        preferred_skills=(RequiredSkill("german"),),
        tags=("vip",),
        location=Location("DE"),
    )
    command = Split(agent(), "cv-9", "customer-9", MOVED, LEFT)

    joint = joining.split(before, command, c.Facts(RINGS), NOW)

    assert isinstance(joint, Joint)
    moved: dict[str, Any] = {"moved_post_ids": ["post-2", "post-3"], "by_agent_id": OWNER}
    check(
        joint.source,
        changed(
            before, post_count=1, answered_count=1, last_post_at=NOW - 700, affinity_until=SLID
        ),
        told("split", into_conversation_id="cv-9", **moved),
    )
    new = joint.target.conversation
    kept: tuple[str, ...] = (
        "network",
        "account_id",
        "channel_id",
        "workgroup_id",
        "media_type",
        "priority",
    )
    kept += ("required_skills", "preferred_skills", "tags", "location", "affinity_window_s")
    assert {name: getattr(new, name) for name in kept} == {
        name: getattr(before, name) for name in kept
    }
    assert (new.id, new.customer_id, new.affinity_key) == ("cv-9", "customer-9", "key-1.cv-9")
    assert (new.state, new.post_count, new.answered_count) == (ConversationState.QUEUED, 2, 1)
    assert (new.preferred_agent_id, new.preferred_until) == (OWNER, NOW + 10_000)
    assert (new.last_post_at, new.ring_until) == (NOW - 500, NOW + 30_000)
    assert list(joint.target.events) == [told("created", None, split_from="cv-1", **moved)]


@pytest.mark.parametrize("media_type", list(MediaType))
def test_what_is_split_off_is_as_private_as_before(media_type: MediaType) -> None:
    before = replace(TALKING, post_count=3, media_type=media_type)

    joint = joining.split(before, Split(agent(), "cv-9", "c", MOVED, LEFT), FACTS, NOW)

    assert isinstance(joint, Joint)
    assert joint.target.conversation.media_type is media_type


@pytest.mark.parametrize(
    ("before", "command", "said"),
    [
        (
            in_state(ConversationState.COMPLETED),
            Split(agent(), "n", "c", MOVED, LEFT),
            "split came",
        ),
        (replace(TALKING, post_count=2), Split(agent(), "n", "c", MOVED, LEFT), "2 of the 2 posts"),
        (
            replace(TALKING, post_count=2),
            Split(agent(), "n", "c", Portion((), 0, NOW), LEFT),
            "0 of the 2 posts",
        ),
        (
            TALKING,
            Split(agent(OTHER), "n", "c", MOVED, LEFT),
            "the conversation belongs to agent agent-1",
        ),
    ],
)
def test_a_split_that_must_not_be_is_refused(
    before: Conversation, command: Split, said: str
) -> None:
    refusal = joining.split(before, command, FACTS, NOW)

    assert isinstance(refusal, ConversationError)
    assert str(refusal).startswith(said)


MERGED = changed(replace(TALKING, id="cv-9", queued_at=NOW - 90_000), **GONE, ended_by=OWNER)


@pytest.mark.parametrize("owner", [OWNER, None])
def test_an_unmerge_brings_the_source_back_to_its_queue_and_to_its_agent(owner: str | None) -> None:
    source = replace(MERGED, agent_id=owner)
    target = replace(TALKING, post_count=3, answered_count=3)

    joint = joining.unmerge(source, target, Unmerge(agent(), MOVED, LEFT), c.Facts(RINGS), NOW)

    assert isinstance(joint, Joint)
    detail: dict[str, Any] = {"post_count": 2, "by_agent_id": OWNER}
    check(
        joint.source,
        changed(
            source,
            **TAKEN_BACK
            | {
                "preferred_agent_id": owner,
                "preferred_until": NOW + 10_000 if owner else None,
                "merged_into": None,
                "reopened_at": NOW,
                "ended_at": None,
                "ended_by": None,
                "post_count": 2,
                "answered_count": 1,
                "last_post_at": NOW - 500,
                "affinity_until": SLID,
                "ring": 0,
                "ring_since": NOW,
                "ring_until": NOW + 30_000,
            },
        ),
        told("unmerged", None, from_conversation_id="cv-1", **detail),
    )
    check(
        joint.target,
        changed(
            target, post_count=1, answered_count=1, last_post_at=NOW - 700, affinity_until=SLID
        ),
        told("unmerged", into_conversation_id="cv-9", **detail),
    )


@pytest.mark.parametrize(
    ("source", "target", "command", "said"),
    [
        (TALKING, TALKING, Unmerge(agent(), MOVED, LEFT), "unmerge is not possible while"),
        (
            replace(MERGED, merged_into="x"),
            TALKING,
            Unmerge(agent(), MOVED, LEFT),
            "unmerge is not",
        ),
        (MERGED, TALKING, Unmerge(agent(OTHER), MOVED, LEFT), "belongs to agent agent-1"),
        (
            MERGED,
            replace(in_state(ConversationState.COMPLETED), post_count=3),
            Unmerge(agent(), MOVED, LEFT),
            "that one is completed",
        ),
        (
            MERGED,
            replace(TALKING, post_count=3),
            Unmerge(agent(), Portion((), 0, NOW), LEFT),
            "none of its posts is there any more",
        ),
        (
            MERGED,
            replace(TALKING, post_count=2),
            Unmerge(agent(), MOVED, LEFT),
            "no post would be left there",
        ),
    ],
)
def test_an_unmerge_that_must_not_be_is_refused_with_the_reason(
    source: Conversation, target: Conversation, command: Unmerge, said: str
) -> None:
    refusal = joining.unmerge(source, target, command, FACTS, NOW)

    assert isinstance(refusal, ConversationError)
    assert said in str(refusal)


def test_whoever_merged_may_take_it_back_though_the_target_is_anothers() -> None:
    target = replace(TALKING, agent_id=OTHER, post_count=3)

    assert isinstance(
        joining.unmerge(MERGED, target, Unmerge(agent(), MOVED, LEFT), FACTS, NOW), Joint
    )
    assert isinstance(
        joining.unmerge(MERGED, target, Unmerge(SUPERVISOR, MOVED, LEFT), FACTS, NOW), Joint
    )
