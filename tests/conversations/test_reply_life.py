"""A reply between its sender and a network that may take it late, answer badly, or not at all.

It may be several posts, it may wait for second thoughts, and the network may show what it took.
"""

from dataclasses import dataclass, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from conversations.errors import UndoWindowOver
from conversations.model import Instant, ReplyState, Visibility
from conversations.replies import (
    ATTEMPT_DEADLINE_MS,
    Certainty,
    Outcome,
    ReadBack,
    Reply,
    Step,
    after_attempt,
    after_look_up,
    current_part,
    may_be_withdrawn,
    next_step,
    resolve,
    withdraw,
)
from conversations.reply_parts import Part, key_of, origin_of

START: Instant = 1_750_000_000_000
REPLY = Reply(
    id="reply-1",
    conversation_id="cv-1",
    account_id="account-1",
    channel_id="channel-1",
    network="simulated",
    agent_id="agent-1",
    text="hello",
    visibility=Visibility.PUBLIC,
    to_external_id="u1",
    to_handle=None,
    in_reply_to=None,
    state=ReplyState.ACCEPTED,
    covers=1,
    created_at=START,
    tried_since=START,
)


@dataclass
class Attempt:
    """One call as the network lives it: it may land until its deadline, or never."""

    reply: Reply
    begun_at: Instant
    lands_at: Instant | None

    @property
    def part(self) -> int:
        return self.reply.sent_parts

    def has_landed(self, now: Instant) -> bool:
        return self.lands_at is not None and self.lands_at <= now

    def is_seen(self, now: Instant, delay_ms: int) -> bool:
        return self.lands_at is not None and self.lands_at + delay_ms <= now


class ReplyLife(RuleBasedStateMachine):
    """Where the network can be asked, a reply is there once at most; `sent` means: it is there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.reply = REPLY
        self.attempts: list[Attempt] = []
        self.open: Attempt | None = None
        self.read_back = ReadBack.LOOK_UP
        self.visible_within_ms = 0
        self.is_withdrawn = False

    @initialize(
        read_back=st.sampled_from(list(ReadBack)),
        visible_within_ms=st.sampled_from([0, 0, 30_000]),
        parts=st.sampled_from([0, 0, 2, 3]),
        undo_window_ms=st.sampled_from([0, 0, 5_000, 60_000]),
    )
    def choose_the_network(
        self, read_back: ReadBack, visible_within_ms: int, parts: int, undo_window_ms: int
    ) -> None:
        self.read_back = read_back
        self.visible_within_ms = visible_within_ms
        self.reply = replace(
            REPLY,
            parts=tuple(Part(f"part {index}") for index in range(parts)),
            undo_until=START + undo_window_ms if undo_window_ms else None,
        )

    def of_this_part(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.part == self.reply.sent_parts]

    @rule(ms=st.sampled_from([1, 400, 1_000, 5_000, 14_999, 15_000, 15_001, 61_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @precondition(lambda self: self.open is None)
    @rule(
        lands=st.one_of(st.none(), st.integers(0, ATTEMPT_DEADLINE_MS)),
        look_up_fails=st.booleans(),
    )
    def the_sender_goes_on(self, lands: int | None, *, look_up_fails: bool) -> None:
        step = next_step(self.reply, self.read_back, self.now)
        assert (step.wait_ms > 0) == (step.step is Step.WAIT)
        self.reply = step.reply
        if step.step is Step.SEND:
            self.send(lands)
        if step.step is Step.LOOK_UP:
            assert self.reply.state is ReplyState.UNKNOWN
            self.look_up(is_answered=not look_up_fails)

    def send(self, lands: int | None) -> None:
        assert self.reply.state is ReplyState.SENDING
        assert self.reply.attempt_until == self.now + ATTEMPT_DEADLINE_MS
        assert self.reply.attempts == len(self.attempts) + 1
        assert not self.is_withdrawn, "what was withdrawn leaves"
        assert self.now >= (self.reply.undo_until or 0), "it left within its undo window"
        if self.read_back is not ReadBack.RECEIVER_DEDUPLICATES:
            for earlier in self.of_this_part():
                assert earlier.lands_at is None, "said twice, or while it may still arrive"
        self.require_its_turn()
        lands_at = None if lands is None else self.now + lands
        self.open = Attempt(self.reply, self.now, lands_at)
        self.attempts.append(self.open)

    def require_its_turn(self) -> None:
        """Each part leaves under its own key, after the one before is there, and answers it."""
        index = self.reply.sent_parts
        part = current_part(self.reply)
        assert part.id == key_of(REPLY.id, index)
        assert origin_of(part.id) == (REPLY.id, index)
        assert part.attempts == len(self.of_this_part()) + 1
        if self.reply.parts:
            assert part.text == f"part {index}"
        for before in range(index):
            landed = [a for a in self.attempts if a.part == before and a.has_landed(self.now)]
            assert landed, "a part left before the one that it answers"

    def look_up(self, *, is_answered: bool) -> None:
        seen = (a.is_seen(self.now, self.visible_within_ms) for a in self.of_this_part())
        is_there = any(seen)
        certainty = Certainty.SENT if is_there else Certainty.NOT_ACCEPTED
        outcome = Outcome(
            certainty if is_answered else Certainty.MAYBE, visible_within_ms=self.visible_within_ms
        )
        self.reply = after_look_up(self.reply, outcome, self.now)

    @precondition(lambda self: self.open is not None)
    @rule(takes_ms=st.integers(0, 12_000), is_clear=st.booleans(), is_rejected=st.booleans())
    def the_network_answers(self, takes_ms: int, *, is_clear: bool, is_rejected: bool) -> None:
        """Answer the open attempt: clearly if it knows, else as a broken line does."""
        attempt = self.open
        assert attempt is not None
        self.open = None
        self.now = max(self.now, attempt.begun_at + takes_ms)
        certainty = Certainty.MAYBE
        # An error that was answered is final: what has not landed by then never will.
        is_final = attempt.lands_at is None or attempt.has_landed(self.now)
        if is_clear and attempt.has_landed(self.now):
            certainty = Certainty.SENT
        elif is_clear and attempt.lands_at is None:
            certainty = Certainty.REJECTED if is_rejected else Certainty.NOT_ACCEPTED
        retry_after_s = 3.0 if is_rejected else None
        may_still_arrive = not (is_final and is_rejected)
        self.settle(
            attempt,
            Outcome(certainty, retry_after_s=retry_after_s, may_still_arrive=may_still_arrive),
        )

    def settle(self, attempt: Attempt, outcome: Outcome) -> None:
        """Write an outcome as storage does: one of an older attempt changes nothing."""
        if self.reply.attempts != attempt.reply.attempts:
            return
        if self.reply.state is not ReplyState.SENDING:
            return
        self.reply = after_attempt(self.reply, outcome, self.now)

    @precondition(lambda self: self.reply.attempts > 0)
    @rule()
    def the_network_shows_what_it_took(self) -> None:
        """Let an echo prove the part whose turn it is, as storage does."""
        there = [a for a in self.attempts if a.has_landed(self.now)]
        if not there or self.reply.is_settled or there[-1].part != self.reply.sent_parts:
            return
        self.reply = after_attempt(self.reply, Outcome(Certainty.SENT, "echo"), self.now)

    @rule()
    def somebody_has_second_thoughts(self) -> None:
        is_possible = may_be_withdrawn(self.reply, self.now)
        try:
            self.reply = withdraw(self.reply, self.now)
        except UndoWindowOver:
            assert not is_possible
            return
        assert not self.attempts, "withdrawn, and it may have left"
        assert self.now < (self.reply.undo_until or 0)
        self.is_withdrawn = True

    @precondition(lambda self: self.open is not None)
    @rule()
    def the_sender_dies(self) -> None:
        """Whoever comes after it knows nothing but the reply's row."""
        self.open = None

    @precondition(lambda self: self.reply.state is ReplyState.NEEDS_HUMAN)
    @rule()
    def a_human_looks(self) -> None:
        self.now += ATTEMPT_DEADLINE_MS
        is_there = any(attempt.has_landed(self.now) for attempt in self.of_this_part())
        self.reply = resolve(self.reply, "sent" if is_there else "absent", "p1", self.now)
        if not is_there:
            assert next_step(self.reply, self.read_back, self.now).step is Step.SEND

    @invariant()
    def it_is_there_once_at_most(self) -> None:
        if self.read_back is not ReadBack.RECEIVER_DEDUPLICATES:
            landing = [a.part for a in self.attempts if a.lands_at is not None]
            assert len(landing) == len(set(landing))

    @invariant()
    def what_is_settled_is_true_and_stays(self) -> None:
        landed = {attempt.part for attempt in self.attempts if attempt.has_landed(self.now)}
        assert landed >= set(range(self.reply.sent_parts))
        if self.reply.state is ReplyState.SENT:
            assert landed == set(range(max(1, len(self.reply.parts))))
        if self.reply.state is ReplyState.REJECTED:
            own = [attempt for attempt in self.attempts if attempt.part == self.reply.sent_parts]
            assert all(attempt.lands_at is None for attempt in own), "rejected, and it is there"
        if self.reply.is_settled:
            assert next_step(self.reply, self.read_back, self.now).step is Step.STOP

    @invariant()
    def an_attempt_has_its_deadline(self) -> None:
        if self.reply.state is ReplyState.SENDING:
            assert self.reply.attempt_until is not None

    @invariant()
    def what_may_have_been_said_is_not_said_again_before_the_network_was_asked(self) -> None:
        if self.reply.state is not ReplyState.UNKNOWN:
            return
        step = next_step(self.reply, self.read_back, self.now).step
        if self.read_back is not ReadBack.RECEIVER_DEDUPLICATES:
            assert step is not Step.SEND


TestReplyLife = ReplyLife.TestCase
TestReplyLife.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


def test_an_attempt_is_in_flight_until_its_deadline() -> None:
    sending = next_step(REPLY, ReadBack.LOOK_UP, START).reply
    until = START + ATTEMPT_DEADLINE_MS
    waiting = next_step(sending, ReadBack.LOOK_UP, until - 1)
    assert (waiting.step, waiting.wait_ms) == (Step.WAIT, 1)
    asking = next_step(sending, ReadBack.LOOK_UP, until)
    assert (asking.step, asking.reply.state) == (Step.LOOK_UP, ReplyState.UNKNOWN)


def test_absence_proves_nothing_before_the_attempts_deadline() -> None:
    sending = next_step(REPLY, ReadBack.LOOK_UP, START).reply
    outcome = Outcome(Certainty.MAYBE, may_still_arrive=True)
    broken = after_attempt(sending, outcome, START + 100)
    absent = Outcome(Certainty.NOT_ACCEPTED)
    early = after_look_up(broken, absent, START + ATTEMPT_DEADLINE_MS - 1)
    assert early.state is ReplyState.UNKNOWN
    late = after_look_up(broken, absent, START + ATTEMPT_DEADLINE_MS)
    assert late.state is ReplyState.ACCEPTED
    assert next_step(late, ReadBack.LOOK_UP, START + ATTEMPT_DEADLINE_MS).step is Step.SEND


def test_an_answered_error_is_final_so_that_its_absence_is_believed_at_once() -> None:
    sending = next_step(REPLY, ReadBack.LOOK_UP, START).reply
    failed = after_attempt(sending, Outcome(Certainty.MAYBE), START + 100)
    absent = after_look_up(failed, Outcome(Certainty.NOT_ACCEPTED), START + 1_100)
    assert absent.state is ReplyState.ACCEPTED


def test_absence_proves_nothing_while_the_network_may_hide_what_it_accepted() -> None:
    sending = next_step(REPLY, ReadBack.LOOK_UP, START).reply
    absent = Outcome(Certainty.NOT_ACCEPTED, visible_within_ms=30_000)
    failed = after_attempt(sending, Outcome(Certainty.MAYBE), START + 100)
    assert after_look_up(failed, absent, START + 30_099).state is ReplyState.UNKNOWN
    assert after_look_up(failed, absent, START + 30_100).state is ReplyState.ACCEPTED
    until = START + ATTEMPT_DEADLINE_MS
    forgotten = next_step(sending, ReadBack.LOOK_UP, until).reply
    assert after_look_up(forgotten, absent, until + 29_999).state is ReplyState.UNKNOWN
    assert after_look_up(forgotten, absent, until + 30_000).state is ReplyState.ACCEPTED


def test_a_network_that_cannot_be_asked_needs_a_human() -> None:
    unknown = replace(REPLY, state=ReplyState.UNKNOWN, attempts=1)
    step = next_step(unknown, ReadBack.IMPOSSIBLE, START)
    assert (step.step, step.reply.state) == (Step.STOP, ReplyState.NEEDS_HUMAN)


def test_retries_wait_longer_and_longer_and_as_long_as_the_network_says() -> None:
    reply, waits = REPLY, []
    now = START
    for _ in range(10):
        reply = next_step(reply, ReadBack.LOOK_UP, now).reply
        reply = after_attempt(reply, Outcome(Certainty.NOT_ACCEPTED), now)
        assert reply.next_attempt_at is not None
        waits.append(reply.next_attempt_at - now)
        now = reply.next_attempt_at
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1_000, 60_000)
    limited = Outcome(Certainty.NOT_ACCEPTED, retry_after_s=90)
    paused = after_attempt(next_step(reply, ReadBack.LOOK_UP, now).reply, limited, now)
    assert paused.next_attempt_at == now + 90_000


def test_no_network_is_left_alone_for_longer_than_a_day() -> None:
    begun = next_step(REPLY, ReadBack.LOOK_UP, START).reply
    for wanted_s in (1e12, float("inf"), float("nan")):
        limited = Outcome(Certainty.NOT_ACCEPTED, retry_after_s=wanted_s)
        assert after_attempt(begun, limited, START).next_attempt_at == START + 86_400_000


def test_a_day_without_certainty_needs_a_human() -> None:
    unknown = replace(REPLY, state=ReplyState.UNKNOWN, attempts=3)
    day_later = START + 24 * 3_600_000
    assert next_step(unknown, ReadBack.LOOK_UP, day_later).step is Step.LOOK_UP
    step = next_step(unknown, ReadBack.LOOK_UP, day_later + 1)
    assert (step.step, step.reply.state) == (Step.STOP, ReplyState.NEEDS_HUMAN)
