"""Which posts belong together, and when a conversation ends by itself."""

from dataclasses import replace

import pytest

from conversations import commands as c
from conversations.affinity import affinity_key, is_within_window
from conversations.lifecycle import due
from conversations.model import Author, ConversationState, Post, Threading, Visibility
from tests.conversations.samples import (
    NOW,
    OWNER,
    WINDOW_S,
    agent,
    answered,
    done,
    in_state,
    refused,
    reply_by,
)

SECRET = b"a secret of the tests"
POST = Post("p1", Author("u1"), "hello", NOW, thread_root="t1")
UNTIL = NOW + 10_000


def key(post: Post, threading: Threading = Threading.CUSTOMER, channel: str = "ch-1") -> str:
    return affinity_key(SECRET, channel, threading, post)


def test_posts_of_one_customer_on_one_channel_belong_together() -> None:
    assert key(POST) == key(replace(POST, external_id="p2", text="again", thread_root=None))


def test_other_customers_channels_and_visibilities_are_other_conversations() -> None:
    private = replace(POST, visibility=Visibility.PRIVATE)
    keys = {key(POST), key(private), key(POST, channel="ch-2")}
    keys.add(key(replace(POST, author=Author("u2"))))
    keys |= {key(POST, Threading.THREAD), key(POST, Threading.POST)}
    assert len(keys) == 6


def test_a_thread_is_its_root_and_a_root_is_its_own_thread() -> None:
    root = replace(POST, external_id="t1", thread_root=None, author=Author("u9"))
    assert key(root, Threading.THREAD) == key(POST, Threading.THREAD)


def test_each_post_may_be_routed_for_itself() -> None:
    other = replace(POST, external_id="p2")
    assert key(POST, Threading.POST) != key(other, Threading.POST)


def test_the_key_tells_nothing_without_the_secret() -> None:
    assert "u1" not in key(POST)
    assert key(POST) != affinity_key(b"another", "ch-1", Threading.CUSTOMER, POST)


def test_a_connected_and_answered_conversation_lapses_after_its_window_not_at_it() -> None:
    conversation = answered(affinity_until=UNTIL)
    falls_due = due(conversation)
    assert falls_due is not None
    assert falls_due.at == UNTIL + 1
    assert refused(conversation, c.Lapse(), now=UNTIL) == "illegal_transition"
    ended = done(conversation, c.Lapse(), now=UNTIL + 1).conversation
    assert ended.state is ConversationState.COMPLETED
    assert ended.ended_by == "affinity_window"
    assert ended.weight_percent == 0


def test_a_post_at_the_windows_last_moment_joins_and_moves_it() -> None:
    conversation = answered(affinity_until=UNTIL)
    joined = done(conversation, c.ReceivePosts(("post-2",), UNTIL), now=UNTIL).conversation
    assert joined.affinity_until == UNTIL + WINDOW_S * 1000
    assert joined.unanswered_count == 1
    assert due(joined) is None


@pytest.mark.parametrize(
    "conversation",
    [
        in_state(ConversationState.QUEUED),
        in_state(ConversationState.HELD, answered_count=1),
        in_state(ConversationState.PARKED, answered_count=1),
        in_state(ConversationState.WRAPUP, answered_count=1),
        in_state(ConversationState.CONNECTED),
        answered(unsettled_replies=1),
        answered(post_count=2),
    ],
    ids=["queued", "held", "parked", "wrap-up", "unanswered", "unsettled reply", "a newer post"],
)
def test_what_waits_for_somebody_never_lapses(conversation: object) -> None:
    assert due(conversation) is None  # type: ignore[arg-type]


def test_a_rejected_reply_leaves_its_posts_unanswered() -> None:
    sending = in_state(ConversationState.CONNECTED, unsettled_replies=1)
    rejected = done(sending, c.SettleReply("reply-1", sent=False, covers=1)).conversation
    assert rejected.unanswered_count == 1
    assert due(rejected) is None


def test_a_sent_reply_answers_what_was_there_when_it_was_written() -> None:
    sending = in_state(ConversationState.CONNECTED, unsettled_replies=1, post_count=3)
    sent = done(sending, c.SettleReply("reply-1", sent=True, covers=2)).conversation
    assert sent.unanswered_count == 1
    older = done(
        replace(sent, unsettled_replies=1), c.SettleReply("reply-0", sent=True, covers=1)
    ).conversation
    assert older.unanswered_count == 1


def test_a_reply_that_is_sent_after_the_window_gives_the_customer_a_window() -> None:
    sending = in_state(ConversationState.CONNECTED, unsettled_replies=1, affinity_until=NOW - 1)
    sent = done(sending, c.SettleReply("reply-1", sent=True, covers=1)).conversation
    assert sent.affinity_until == NOW + WINDOW_S * 1000


@pytest.mark.parametrize(
    ("state", "command"),
    [
        (ConversationState.ALERTING, c.PickUp(agent(), None, NOW)),
        (ConversationState.CONNECTED, c.Hold(agent())),
        (ConversationState.HELD, c.Resume(agent())),
        (ConversationState.CONNECTED, c.Park(agent(), None, None)),
        (ConversationState.PARKED, c.Unpark(agent())),
        (ConversationState.CONNECTED, reply_by(agent())),
        (ConversationState.CONNECTED, c.TransferToWorkgroup(agent(), "workgroup-2", None)),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
def test_every_action_of_an_agent_slides_the_window(
    state: ConversationState, command: c.Command
) -> None:
    conversation = in_state(state, affinity_until=NOW - 1)
    assert done(conversation, command).conversation.affinity_until == NOW + WINDOW_S * 1000


def test_the_window_never_shrinks() -> None:
    later = NOW + 2 * WINDOW_S * 1000
    conversation = in_state(ConversationState.CONNECTED, affinity_until=later)
    assert done(conversation, c.Hold(agent())).conversation.affinity_until == later


@pytest.mark.parametrize(("after_ms", "is_preferred"), [(0, True), (60_000, True), (60_001, False)])
def test_the_last_agent_is_preferred_until_the_end_and_a_window(
    after_ms: int, *, is_preferred: bool
) -> None:
    ended = in_state(ConversationState.COMPLETED, ended_at=NOW, affinity_window_s=60)
    assert is_within_window(ended, NOW + after_ms) is is_preferred


def test_nobody_is_preferred_while_the_conversation_is_open() -> None:
    assert not is_within_window(in_state(ConversationState.CONNECTED), NOW)


def test_an_ended_conversation_takes_no_post() -> None:
    wrapping_up = in_state(ConversationState.WRAPUP, agent_id=OWNER)
    assert refused(wrapping_up, c.ReceivePosts(("post-2",), NOW)) == "conversation_ended"
