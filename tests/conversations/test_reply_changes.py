"""Edits and deletions of what was sent, on a network that may be late, silent or unwilling."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from conversations.errors import CannotChangeReply
from conversations.model import Instant, ReplyState
from conversations.replies import (
    ATTEMPT_DEADLINE_MS,
    GIVE_UP_AFTER_MS,
    Certainty,
    Outcome,
    Reply,
    Step,
)
from conversations.reply_changes import (
    NOT_IN_A_DAY,
    after_change,
    ask_delete,
    ask_edit,
    changed_part,
    next_change_step,
)
from conversations.reply_parts import ChangeState, Part, origin_of
from tests.conversations.test_reply_life import REPLY, START

SENT = replace(REPLY, state=ReplyState.SENT, external_id="p-1", attempts=1, sent_at=START)
THREAD = replace(
    SENT,
    text="one two",
    attempts=2,
    parts=(Part("one", "p-1", None, START, 1), Part("two", "p-2", None, START, 1)),
)
DONE = Outcome(Certainty.SENT)
BUSY = Outcome(Certainty.NOT_ACCEPTED, reason="busy")
SILENT = Outcome(Certainty.MAYBE, reason="no answer", may_still_arrive=True)
REFUSED = Outcome(Certainty.REJECTED, reason="too old")


def stepped(reply: Reply, outcome: Outcome, now: Instant = START) -> Reply:
    return after_change(next_change_step(reply, now).reply, outcome, now)


def state_of(reply: Reply) -> tuple[str, str | None]:
    assert reply.change is not None
    return reply.change.state, reply.change.reason


def why_not(reply: Reply, *, is_edit: bool) -> str:
    with pytest.raises(CannotChangeReply) as refused:
        ask_edit(reply, "new", ("new",), START) if is_edit else ask_delete(reply, START)
    return str(refused.value)


def test_an_edited_reply_says_what_the_network_says() -> None:
    asked = ask_edit(SENT, "new", ("new",), START)
    assert (asked.text, asked.has_pending_change) == ("hello", True)

    edited = stepped(asked, DONE)

    assert (edited.text, edited.state, state_of(edited)) == (
        "new",
        ReplyState.SENT,
        (ChangeState.DONE, None),
    )
    assert next_change_step(edited, START).step is Step.STOP


def test_posts_are_edited_from_the_first_and_deleted_from_the_last() -> None:
    edit, delete = ask_edit(THREAD, "1 2", ("1", "2"), START), ask_delete(THREAD, START)
    posts = []
    for asked in (edit, stepped(edit, DONE), delete, stepped(delete, DONE)):
        post, text = changed_part(next_change_step(asked, START).reply)
        posts.append((post.id, post.external_id, text))

    assert posts == [
        ("reply-1", "p-1", "1"),
        ("reply-1-2", "p-2", "2"),
        ("reply-1-2", "p-2", ""),
        ("reply-1", "p-1", ""),
    ]


def test_what_is_refused_half_way_shows_what_is_there() -> None:
    half = stepped(ask_edit(THREAD, "1 2", ("1", "2"), START), DONE)

    refused = stepped(half, REFUSED)

    assert state_of(refused) == (ChangeState.REFUSED, "part 2 of 2: too old")
    assert (refused.text, [part.text for part in refused.parts]) == ("1\n\ntwo", ["1", "two"])


def test_a_refused_change_leaves_the_text() -> None:
    refused = stepped(ask_edit(SENT, "new", ("new",), START), REFUSED)

    assert (refused.text, state_of(refused)) == ("hello", (ChangeState.REFUSED, "too old"))


def test_a_busy_network_is_asked_again_and_a_silent_one_after_the_deadline() -> None:
    asked = ask_delete(SENT, START)
    busy = next_change_step(stepped(asked, BUSY), START)
    silent = next_change_step(stepped(asked, SILENT), START)
    limited = next_change_step(stepped(asked, replace(BUSY, retry_after_s=90)), START)

    assert (busy.step, busy.wait_ms) == (Step.WAIT, 1_000)
    assert (silent.step, silent.wait_ms) == (Step.WAIT, ATTEMPT_DEADLINE_MS)
    assert limited.wait_ms == 90_000
    for_ever = next_change_step(stepped(asked, replace(BUSY, retry_after_s=float("inf"))), START)
    assert for_ever.wait_ms == 86_400_000


def test_after_a_day_it_counts_as_refused() -> None:
    asked = ask_delete(SENT, START)

    assert next_change_step(asked, START + GIVE_UP_AFTER_MS).step is Step.DELETE
    late = next_change_step(asked, START + GIVE_UP_AFTER_MS + 1)
    assert (late.step, state_of(late.reply)) == (Step.STOP, (ChangeState.REFUSED, NOT_IN_A_DAY))


def test_only_what_is_there_can_be_changed() -> None:
    for state in (ReplyState.ACCEPTED, ReplyState.SENDING, ReplyState.NEEDS_HUMAN):
        assert f"it is {state}, not sent" in why_not(replace(SENT, state=state), is_edit=True)
        assert f"it is {state}, not sent" in why_not(replace(SENT, state=state), is_edit=False)
    assert "on its way" in why_not(ask_delete(SENT, START), is_edit=True)
    assert "was deleted" in why_not(stepped(ask_delete(SENT, START), DONE), is_edit=True)
    assert "2 posts, and the new text makes 1" in why_not(THREAD, is_edit=True)


def test_what_is_there_of_a_rejected_thread_can_be_deleted() -> None:
    half = replace(
        THREAD, state=ReplyState.REJECTED, parts=(THREAD.parts[0], Part("two")), attempts=2
    )
    assert "rejected" in why_not(half, is_edit=True)

    deleted = stepped(ask_delete(half, START), DONE)

    assert state_of(deleted) == (ChangeState.DONE, None)
    assert "rejected" in why_not(replace(SENT, state=ReplyState.REJECTED), is_edit=False)


@dataclass
class Call:
    """One call as the network lives it: it changes a post when it lands, or never."""

    post: int
    text: str | None
    lands_at: Instant | None


class ChangeLife(RuleBasedStateMachine):
    """What is done is what the network has, and stays so: nothing older lands later."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.reply = THREAD
        self.there: dict[int, str | None] = {}
        self.calls: list[Call] = []
        self.open: Reply | None = None
        self.edits = 0

    @initialize(is_thread=st.booleans())
    def choose_the_reply(self, *, is_thread: bool) -> None:
        self.reply = THREAD if is_thread else SENT
        texts = [part.text for part in self.reply.parts] or [self.reply.text]
        self.there = dict(enumerate(texts))

    @rule(ms=st.sampled_from([1, 600, 5_000, 14_999, 15_000, 61_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms
        self.land()

    def land(self) -> None:
        due = [c for c in self.calls if c.lands_at is not None and c.lands_at <= self.now]
        for call in sorted(due, key=lambda call: call.lands_at or 0):
            self.there[call.post] = call.text
            self.calls.remove(call)

    @rule(is_delete=st.booleans())
    def somebody_asks(self, *, is_delete: bool) -> None:
        self.edits += 1
        texts = tuple(f"{self.edits}.{index}" for index in self.there)
        try:
            asked = (
                ask_delete(self.reply, self.now)
                if is_delete
                else ask_edit(self.reply, " ".join(texts), texts, self.now)
            )
        except CannotChangeReply:
            return
        assert not self.reply.has_pending_change
        self.reply = asked

    @precondition(lambda self: self.open is None)
    @rule(lands=st.one_of(st.none(), st.integers(0, ATTEMPT_DEADLINE_MS - 1)))
    def the_sender_goes_on(self, lands: int | None) -> None:
        step = next_change_step(self.reply, self.now)
        self.reply = step.reply
        if step.step not in (Step.EDIT, Step.DELETE):
            return
        assert not self.calls, "two calls are on their way at once"
        post, text = changed_part(step.reply)
        lands_at = None if lands is None else self.now + lands
        said = text if step.step is Step.EDIT else None
        self.calls = [Call(origin_of(post.id)[1], said, lands_at)] if lands_at is not None else []
        self.open = step.reply
        self.land()

    @precondition(lambda self: self.open is not None)
    @rule(is_clear=st.booleans(), is_refused=st.booleans())
    def the_network_answers(self, *, is_clear: bool, is_refused: bool) -> None:
        attempt, self.open = self.open, None
        assert attempt is not None
        assert attempt.change is not None
        change = self.reply.change
        if change is None or change.attempts != attempt.change.attempts:
            return
        outcome = SILENT
        if is_clear and not self.calls:
            never_landed = self.there[self.post_of(attempt)] != self.wanted(attempt)
            outcome = (REFUSED if is_refused else BUSY) if never_landed else DONE
        self.reply = after_change(self.reply, outcome, self.now)

    def post_of(self, attempt: Reply) -> int:
        return origin_of(changed_part(attempt)[0].id)[1]

    def wanted(self, attempt: Reply) -> str | None:
        assert attempt.change is not None
        return changed_part(attempt)[1] if attempt.change.texts else None

    @precondition(lambda self: self.open is not None)
    @rule()
    def the_sender_dies(self) -> None:
        self.open = None

    @invariant()
    def what_is_done_is_there(self) -> None:
        change = self.reply.change
        if change is None or change.state is not ChangeState.DONE:
            return
        assert not self.calls, "something older may still land"
        wanted = change.texts or (None,) * len(self.there)
        assert tuple(self.there.values()) == wanted


TestChangeLife = ChangeLife.TestCase
TestChangeLife.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
