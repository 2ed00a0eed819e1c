"""Effectively once: the states of a reply, and what its sender may do next."""

from dataclasses import dataclass, replace
from enum import StrEnum

from conversations.model import Instant, ReplyState, Visibility

ATTEMPT_DEADLINE_MS = 15_000
"""An attempt without outcome is in flight so long; only then it is *maybe* accepted."""

FIRST_RETRY_MS = 500
LONGEST_RETRY_MS = 60_000
GIVE_UP_AFTER_MS = 24 * 3_600_000
"""A reply that could not be settled in a day needs a human."""


class Certainty(StrEnum):
    """What is known after an attempt."""

    SENT = "sent"
    REJECTED = "rejected"
    NOT_ACCEPTED = "not_accepted"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A network's answer to an attempt or to a look-up, in Parley's own words.

    `may_still_arrive` says that no answer came, so that the request can still be on its way.
    `visible_within_ms` comes with a look-up: what was accepted is seen there after so long at most.
    """

    certainty: Certainty
    external_id: str | None = None
    url: str | None = None
    reason: str | None = None
    retry_after_s: float | None = None
    may_still_arrive: bool = False
    visible_within_ms: int = 0


class ReadBack(StrEnum):
    """How a connector can find out whether a maybe-accepted reply is there."""

    LOOK_UP = "look_up"
    RECEIVER_DEDUPLICATES = "receiver_deduplicates"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer on its way to a customer; `attempts` fences: an older attempt settles nothing.

    An automatic one has no agent. `attempt_until` is the newest attempt's deadline, or its end
    when an error was answered, kept while its outcome is unknown: until then it may have been
    accepted.
    """

    id: str
    conversation_id: str
    account_id: str
    channel_id: str
    network: str
    agent_id: str | None
    text: str
    visibility: Visibility
    to_external_id: str
    to_handle: str | None
    in_reply_to: str | None
    state: ReplyState
    covers: int
    created_at: Instant
    tried_since: Instant
    attempts: int = 0
    attempt_until: Instant | None = None
    next_attempt_at: Instant | None = None
    external_id: str | None = None
    url: str | None = None
    reason: str | None = None
    sent_at: Instant | None = None
    thread_root: str | None = None
    """The root of the thread that the answered post is in, where its network said so."""

    @property
    def is_settled(self) -> bool:
        return self.state in (ReplyState.SENT, ReplyState.REJECTED)


class Step(StrEnum):
    """What the sender may do now."""

    SEND = "send"
    LOOK_UP = "look_up"
    WAIT = "wait"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class NextStep:
    step: Step
    reply: Reply
    wait_ms: int = 0


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether and how the sender may go on, under which epoch of the account's lease."""

    next_step: NextStep
    epoch: int


def next_step(reply: Reply, read_back: ReadBack, now: Instant) -> NextStep:
    """Say what may be done about an unsettled reply; the returned reply is to be stored first.

    An attempt whose outcome never came counts as *maybe* when its deadline has passed.
    """
    if reply.is_settled or reply.state is ReplyState.NEEDS_HUMAN:
        return NextStep(Step.STOP, reply)
    if _is_in_flight(reply, now):
        return NextStep(Step.WAIT, reply, (reply.attempt_until or now) - now)
    if reply.state is ReplyState.SENDING:
        reply = replace(reply, state=ReplyState.UNKNOWN, next_attempt_at=None)
    return _next_of_idle(reply, read_back, now)


def _is_in_flight(reply: Reply, now: Instant) -> bool:
    is_sending = reply.state is ReplyState.SENDING
    return is_sending and reply.attempt_until is not None and now < reply.attempt_until


def _next_of_idle(reply: Reply, read_back: ReadBack, now: Instant) -> NextStep:
    if now - reply.tried_since > GIVE_UP_AFTER_MS:
        return NextStep(Step.STOP, replace(reply, state=ReplyState.NEEDS_HUMAN))
    if reply.next_attempt_at is not None and now < reply.next_attempt_at:
        return NextStep(Step.WAIT, reply, reply.next_attempt_at - now)
    if reply.state is ReplyState.ACCEPTED or read_back is ReadBack.RECEIVER_DEDUPLICATES:
        return NextStep(Step.SEND, _attempt(reply, now))
    if read_back is ReadBack.LOOK_UP:
        return NextStep(Step.LOOK_UP, reply)
    return NextStep(Step.STOP, replace(reply, state=ReplyState.NEEDS_HUMAN))


def _attempt(reply: Reply, now: Instant) -> Reply:
    return replace(
        reply,
        state=ReplyState.SENDING,
        attempts=reply.attempts + 1,
        attempt_until=now + ATTEMPT_DEADLINE_MS,
        next_attempt_at=None,
    )


def after_attempt(reply: Reply, outcome: Outcome, now: Instant) -> Reply:
    """Return the reply after the network answered an attempt to send it."""
    match outcome.certainty:
        case Certainty.SENT:
            return _sent(reply, outcome, now)
        case Certainty.REJECTED:
            return replace(
                reply, state=ReplyState.REJECTED, attempt_until=None, reason=outcome.reason
            )
        case Certainty.NOT_ACCEPTED:
            refused = replace(reply, attempt_until=None)
            return _again(refused, ReplyState.ACCEPTED, outcome, now)
        case Certainty.MAYBE:
            attempt_until = reply.attempt_until if outcome.may_still_arrive else now
            unknown = replace(reply, attempt_until=attempt_until)
            return _again(unknown, ReplyState.UNKNOWN, outcome, now)


def after_look_up(reply: Reply, outcome: Outcome, now: Instant) -> Reply:
    """Return the reply after a look-up: found, surely absent and to go again, or still unknown.

    What is not there before the attempt's deadline may still be on its way, and what the network
    does not show yet may be hidden.
    """
    match outcome.certainty:
        case Certainty.SENT:
            return _sent(reply, outcome, now)
        case Certainty.NOT_ACCEPTED if now >= _visible_at(reply, outcome):
            absent = replace(reply, state=ReplyState.ACCEPTED, attempt_until=None)
            return replace(absent, next_attempt_at=None, reason=outcome.reason)
        case _:
            return _again(reply, ReplyState.UNKNOWN, outcome, now)


def _visible_at(reply: Reply, outcome: Outcome) -> Instant:
    """Return when everything that was accepted of the newest attempt is to be seen."""
    return (reply.attempt_until or reply.created_at) + outcome.visible_within_ms


def _sent(reply: Reply, outcome: Outcome, now: Instant) -> Reply:
    return replace(
        reply,
        state=ReplyState.SENT,
        attempt_until=None,
        next_attempt_at=None,
        external_id=outcome.external_id or reply.external_id,
        url=outcome.url or reply.url,
        reason=None,
        sent_at=now,
    )


def _again(reply: Reply, state: ReplyState, outcome: Outcome, now: Instant) -> Reply:
    """Wait twice as long after each attempt, and a quarter of its age after each look-up."""
    patience_ms = max(FIRST_RETRY_MS * 2 ** min(reply.attempts, 10), (now - reply.tried_since) // 4)
    delay_ms = min(LONGEST_RETRY_MS, patience_ms)
    if outcome.retry_after_s is not None:
        delay_ms = max(delay_ms, int(outcome.retry_after_s * 1000))
    return replace(
        reply,
        state=state,
        next_attempt_at=now + delay_ms,
        reason=outcome.reason,
    )


def resolve(reply: Reply, outcome: str, external_id: str | None, now: Instant) -> Reply:
    """Return the reply after a human looked: `sent`, or `absent` and to be sent again."""
    if outcome == "sent":
        return _sent(reply, Outcome(Certainty.SENT, external_id), now)
    return replace(
        reply, state=ReplyState.ACCEPTED, attempt_until=None, next_attempt_at=None, tried_since=now
    )
