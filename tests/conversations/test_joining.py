"""Merge, forward, split and unmerge: who may, what is refused, and that nothing is lost."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import commands as c
from conversations import joining
from conversations.errors import ConversationError
from conversations.joining import Joint, Said, Stay, answered_posts
from conversations.joining_commands import Forward, Merge, Portion, Split, Unmerge
from conversations.model import Conversation, ConversationState, MediaType, holders
from tests.conversations.samples import NOW, OTHER, OWNER, POLICY, SUPERVISOR, agent, in_state

S = ConversationState
FACTS = c.Facts(POLICY)
OPEN = (S.QUEUED, S.ALERTING, S.CONNECTED, S.HELD, S.PARKED)


def other(state: ConversationState, **fields: Any) -> Conversation:
    return in_state(state, **{"id": "cv-2", "affinity_key": "key-2", **fields})


def merged(source: Conversation, target: Conversation, actor: c.Actor = SUPERVISOR) -> Joint:
    joint = joining.merge(source, target, Merge(actor, "the same matter"), FACTS, NOW)
    assert isinstance(joint, Joint), joint
    return joint


def code_of(outcome: Joint | ConversationError) -> str:
    return "done" if isinstance(outcome, Joint) else outcome.code


@pytest.mark.parametrize("source_state", OPEN)
@pytest.mark.parametrize("target_state", OPEN)
def test_a_supervisor_merges_whatever_is_open(
    source_state: ConversationState, target_state: ConversationState
) -> None:
    source = in_state(source_state, post_count=3, answered_count=1)
    target = other(target_state, post_count=2, answered_count=2)

    joint = merged(source, target)

    gone, stays = joint.source.conversation, joint.target.conversation
    assert (gone.state, gone.merged_into, gone.ended_at) == (S.MERGED, "cv-2", NOW)
    assert (gone.ended_by, gone.post_count, gone.unanswered_count) == ("supervisor", 0, 0)
    assert holders(gone) == ()
    assert (stays.post_count, stays.answered_count) == (5, 3)
    assert stays.is_open
    assert (gone.version, stays.version) == (source.version + 1, target.version + 1)
    parked = target_state is S.PARKED
    assert stays.state is (S.QUEUED if parked else target_state)
    assert holders(stays) == holders(target)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (in_state(S.CONNECTED), other(S.CONNECTED), "done"),
        (in_state(S.CONNECTED), other(S.HELD), "done"),
        (in_state(S.QUEUED), other(S.CONNECTED), "done"),
        (in_state(S.ALERTING), other(S.CONNECTED), "done"),
        (in_state(S.CONNECTED, agent_id=OTHER), other(S.CONNECTED), "not_your_conversation"),
        (in_state(S.CONNECTED), other(S.CONNECTED, agent_id=OTHER), "not_your_conversation"),
        (in_state(S.CONNECTED), other(S.QUEUED), "not_your_conversation"),
        (in_state(S.QUEUED), other(S.ALERTING), "not_your_conversation"),
        (in_state(S.COMPLETED), other(S.CONNECTED), "conversation_ended"),
        (in_state(S.MERGED), other(S.CONNECTED), "conversation_ended"),
        (in_state(S.CONNECTED), other(S.WRAPUP), "cannot_merge"),
        (in_state(S.CONNECTED), other(S.COMPLETED), "cannot_merge"),
        (in_state(S.CONNECTED), in_state(S.CONNECTED), "cannot_merge"),
    ],
)
def test_an_agent_merges_what_is_his_or_nobodys_into_his_own(
    source: Conversation, target: Conversation, expected: str
) -> None:
    assert code_of(joining.merge(source, target, Merge(agent(), None), FACTS, NOW)) == expected


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (in_state(S.QUEUED), other(S.CONNECTED, agent_id=OTHER), "done"),
        (in_state(S.ALERTING), other(S.HELD, agent_id=OTHER), "done"),
        (in_state(S.CONNECTED), other(S.PARKED, agent_id=OTHER), "done"),
        (in_state(S.CONNECTED, agent_id=OTHER), other(S.CONNECTED), "not_your_conversation"),
        (in_state(S.CONNECTED), other(S.QUEUED), "cannot_merge"),
        (in_state(S.CONNECTED), other(S.COMPLETED), "cannot_merge"),
    ],
)
def test_posts_are_forwarded_to_the_agent_who_owns_the_conversation(
    source: Conversation, target: Conversation, expected: str
) -> None:
    outcome = joining.merge(source, target, Forward(agent(), "yours"), FACTS, NOW)

    assert code_of(outcome) == expected
    if isinstance(outcome, Joint):
        told = {event.type: event for event in outcome.target.events}
        assert told["conversation.post_received"].agent_id == OTHER
        assert told["conversation.post_received"].detail["comment"] == "yours"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"media_type": MediaType.SOCIAL_DIRECT_MESSAGE}, "private"),
        ({"customer_id": "customer-2"}, "customers"),
        ({"account_id": "account-2"}, "accounts"),
    ],
)
def test_nothing_is_merged_by_which_a_reply_could_reach_the_wrong_person(
    fields: dict[str, Any], why: str
) -> None:
    for source, target in ((in_state(S.QUEUED), other(S.CONNECTED, **fields)),) * 2:
        for ours, theirs in ((source, target), (target, source)):
            outcome = joining.merge(ours, theirs, Merge(SUPERVISOR, None), FACTS, NOW)
            assert code_of(outcome) == "cannot_merge"
            assert why in str(outcome)


def test_a_waiting_target_takes_over_the_greater_age_and_the_greater_priority() -> None:
    source = in_state(S.QUEUED, queued_at=NOW - 600_000, priority=80)
    target = other(S.QUEUED)

    waiting = merged(source, target).target.conversation

    assert (waiting.queued_at, waiting.priority) == (NOW - 600_000, 80)


def test_an_agent_who_was_offered_the_source_is_told_that_the_offer_is_gone() -> None:
    joint = merged(in_state(S.ALERTING), other(S.CONNECTED, agent_id=OTHER))

    gone = [e for e in joint.source.events if e.type == "conversation.offer_expired"]
    assert [event.agent_id for event in gone] == [OWNER]


def command_to_split(count: int, *, answered: int = 0, actor: c.Actor | None = None) -> Split:
    moved = Portion(tuple(f"post-{n}" for n in range(count)), answered, NOW - 5)
    left = Portion((), 0, NOW - 9)
    return Split(actor or agent(), "cv-9", "customer-1", moved, left)


@pytest.mark.parametrize("state", [S.CONNECTED, S.HELD, S.PARKED])
def test_a_split_queues_the_posts_apart_with_their_owner_preferred(
    state: ConversationState,
) -> None:
    conversation = in_state(state, post_count=3)

    joint = joining.split(conversation, command_to_split(2), FACTS, NOW)

    assert isinstance(joint, Joint)
    left, new = joint.source.conversation, joint.target.conversation
    assert (left.state, left.post_count, left.last_post_at) == (state, 1, NOW - 9)
    assert (new.state, new.post_count, new.last_post_at) == (S.QUEUED, 2, NOW - 5)
    assert (new.preferred_agent_id, new.agent_id) == (OWNER, None)
    assert new.affinity_key != left.affinity_key
    assert (left.agent_id, holders(left)) == (OWNER, holders(conversation))


@pytest.mark.parametrize(
    ("conversation", "command", "expected"),
    [
        (in_state(S.CONNECTED, post_count=2), command_to_split(2), "cannot_split"),
        (in_state(S.CONNECTED, post_count=2), command_to_split(0), "cannot_split"),
        (
            in_state(S.CONNECTED, post_count=2),
            command_to_split(1, actor=agent(OTHER)),
            "not_your_conversation",
        ),
        (in_state(S.QUEUED, post_count=2), command_to_split(1), "not_your_conversation"),
        (in_state(S.QUEUED, post_count=2), command_to_split(1, actor=SUPERVISOR), "done"),
        (in_state(S.WRAPUP, post_count=2), command_to_split(1), "conversation_ended"),
    ],
)
def test_what_cannot_be_split_is_refused(
    conversation: Conversation, command: Split, expected: str
) -> None:
    assert code_of(joining.split(conversation, command, FACTS, NOW)) == expected


def unmerging(source: Conversation, target: Conversation, count: int, actor: c.Actor) -> Unmerge:
    moved = Portion(tuple(f"post-{n}" for n in range(count)), 1, NOW - 5)
    left = Portion((), target.answered_count, target.last_post_at)
    return Unmerge(actor, moved, left)


@pytest.mark.parametrize("state", OPEN)
def test_a_merge_is_taken_back_whole(state: ConversationState) -> None:
    source = in_state(state, post_count=3, answered_count=1)
    joint = merged(source, other(S.CONNECTED, agent_id=OTHER))
    gone, target = joint.source.conversation, joint.target.conversation

    back = joining.unmerge(gone, target, unmerging(gone, target, 3, SUPERVISOR), FACTS, NOW)

    assert isinstance(back, Joint)
    again = back.source.conversation
    assert (again.state, again.merged_into, again.ended_at) == (S.QUEUED, None, None)
    assert (again.post_count, again.answered_count) == (3, 1)
    assert (again.queued_at, again.affinity_key) == (source.queued_at, source.affinity_key)
    assert again.preferred_agent_id == source.agent_id
    assert back.target.conversation.post_count == 1
    assert holders(back.target.conversation) == holders(target)


@pytest.mark.parametrize(
    ("target_fields", "count", "actor", "expected"),
    [
        ({}, 1, agent(OTHER), "done"),
        ({}, 1, agent(OWNER), "done"),
        ({}, 1, agent("agent-3"), "not_your_conversation"),
        ({"state": S.COMPLETED, "ended_at": NOW}, 1, SUPERVISOR, "cannot_unmerge"),
        ({"state": S.MERGED, "ended_at": NOW}, 1, SUPERVISOR, "cannot_unmerge"),
        ({}, 0, SUPERVISOR, "cannot_unmerge"),
        ({}, 2, SUPERVISOR, "cannot_unmerge"),
        ({"id": "cv-3"}, 1, SUPERVISOR, "illegal_transition"),
    ],
)
def test_what_cannot_be_taken_back_is_refused_with_the_reason(
    target_fields: dict[str, Any], count: int, actor: c.Actor, expected: str
) -> None:
    target = other(S.CONNECTED, agent_id=OTHER)
    outcome = joining.merge(in_state(S.CONNECTED), target, Forward(agent(), None), FACTS, NOW)
    assert isinstance(outcome, Joint)
    gone = outcome.source.conversation
    there = replace(outcome.target.conversation, **target_fields)

    back = joining.unmerge(gone, there, unmerging(gone, there, count, actor), FACTS, NOW)

    assert code_of(back) == expected


def test_a_conversation_that_was_not_merged_cannot_be_unmerged() -> None:
    for state in set(S) - {S.MERGED}:
        source, target = in_state(state), other(S.CONNECTED)
        back = joining.unmerge(source, target, unmerging(source, target, 1, SUPERVISOR), FACTS, NOW)
        assert code_of(back) == "illegal_transition"


@pytest.mark.parametrize(
    ("stay", "said", "expected"),
    [
        (Stay("a", 10), Said("a", 11), True),
        (Stay("a", 10), Said("a", 10), False),
        (Stay("a", 10), Said("b", 11), False),
        (Stay("a", 10, 20), Said("a", 19), True),
        (Stay("a", 10, 20), Said("a", 20), False),
        (Stay("a", 10, 20), Said("a", 5), False),
    ],
)
def test_a_reply_answers_what_was_there_before_it(
    stay: Stay, said: Said, *, expected: bool
) -> None:
    assert (answered_posts({"p": [stay]}, [said]) == {"p"}) is expected


PLACES = st.sampled_from("ab")
MOMENTS = st.integers(0, 20)


@given(
    st.lists(st.tuples(PLACES, MOMENTS, st.none() | MOMENTS), max_size=4),
    st.lists(st.tuples(PLACES, MOMENTS), max_size=6),
)
def test_answered_is_what_comparing_all_with_all_says(
    stays: list[tuple[str, int, int | None]], said: list[tuple[str, int]]
) -> None:
    expected = any(
        place == where and since < at and (until is None or at < until)
        for place, since, until in stays
        for where, at in said
    )
    found = answered_posts({"p": [Stay(*s) for s in stays]}, [Said(*r) for r in said])
    assert (found == {"p"}) is expected
