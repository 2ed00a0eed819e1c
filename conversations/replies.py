"""Effectively once: the states of a reply, and what its sender may do next."""

from dataclasses import dataclass, replace
from enum import StrEnum

from conversations.attachments import Attachment
from conversations.errors import UndoWindowOver
from conversations.model import Instant, ReplyState, Visibility
from conversations.reply_parts import Change, ChangeState, Part, key_of

ATTEMPT_DEADLINE_MS = 15_000
"""An attempt without outcome is in flight so long; only then it is *maybe* accepted."""

FIRST_RETRY_MS = 500
LONGEST_RETRY_MS = 60_000
GIVE_UP_AFTER_MS = 24 * 3_600_000
"""A reply that could not be settled in a day needs a human."""

LONGEST_WAIT_S = 86_400.0
"""No network is obeyed that wants to be left alone for longer, or for no number of seconds."""

WITHDRAWN = "withdrawn before it was sent"


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

    @property
    def wait_ms(self) -> int:
        """How long the network wants to be left alone, a day at most; 0 when it does not say."""
        if self.retry_after_s is None:
            return 0
        return int(max(0.0, min(LONGEST_WAIT_S, self.retry_after_s)) * 1000)


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
    is_in_doubt: bool = False
    """Whether an attempt for the part whose turn it is may have been accepted."""
    next_attempt_at: Instant | None = None
    external_id: str | None = None
    url: str | None = None
    reason: str | None = None
    sent_at: Instant | None = None
    thread_root: str | None = None
    """The root of the thread that the answered post is in, where its network said so."""
    undo_until: Instant | None = None
    """So long it waits for second thoughts before anything leaves."""
    parts: tuple[Part, ...] = ()
    """The posts that a text too long for one becomes; none when it is one post."""
    change: Change | None = None
    attachments: tuple[Attachment, ...] = ()
    """The files that go with the first of its posts."""

    @property
    def is_settled(self) -> bool:
        return self.state in (ReplyState.SENT, ReplyState.REJECTED)

    @property
    def has_pending_change(self) -> bool:
        return self.change is not None and self.change.state is ChangeState.PENDING

    @property
    def sent_parts(self) -> int:
        """How many of the parts are there; the next one's turn comes when it is not settled."""
        return sum(part.sent_at is not None for part in self.parts)

    @property
    def tries(self) -> int:
        """The attempts for the part whose turn it is."""
        return self.attempts - sum(part.attempts for part in self.parts)


def part_at(reply: Reply, index: int) -> Reply:
    """Return one post of the reply as a connector gets it: a reply with a key of its own.

    A later one answers the one before, in the thread that the first one is in.
    """
    if not reply.parts:
        return reply
    part, earlier = reply.parts[index], reply.parts[:index]
    known = [before.external_id for before in earlier if before.external_id is not None]
    is_later = index > 0
    return replace(
        reply,
        id=key_of(reply.id, index),
        text=part.text,
        in_reply_to=known[-1] if known else reply.in_reply_to,
        thread_root=reply.thread_root or (reply.in_reply_to if is_later else None),
        attempts=part.attempts or reply.tries,
        external_id=part.external_id,
        url=part.url,
        sent_at=part.sent_at,
        parts=(),
        attachments=() if is_later else reply.attachments,
    )


def current_part(reply: Reply) -> Reply:
    """Return the post whose turn it is."""
    return part_at(reply, min(reply.sent_parts, max(0, len(reply.parts) - 1)))


def divided(reply: Reply, texts: tuple[str, ...]) -> Reply:
    """Return a reply that nothing was tried of as these posts; any other stays as it is."""
    is_untried = reply.state is ReplyState.ACCEPTED and reply.attempts == 0 and not reply.parts
    if not is_untried or len(texts) <= 1:
        return reply
    return replace(reply, parts=tuple(Part(text) for text in texts))


class Step(StrEnum):
    """What the sender may do now."""

    SEND = "send"
    LOOK_UP = "look_up"
    EDIT = "edit"
    DELETE = "delete"
    WAIT = "wait"
    STOP = "stop"

    @property
    def is_call(self) -> bool:
        return self not in (Step.WAIT, Step.STOP)


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
    if may_be_withdrawn(reply, now):
        return NextStep(Step.WAIT, reply, (reply.undo_until or now) - now)
    if _is_in_flight(reply, now):
        return NextStep(Step.WAIT, reply, (reply.attempt_until or now) - now)
    if reply.state is ReplyState.SENDING:
        reply = replace(reply, state=ReplyState.UNKNOWN, next_attempt_at=None, is_in_doubt=True)
    return _next_of_idle(reply, read_back, now)


def may_be_withdrawn(reply: Reply, now: Instant) -> bool:
    """Whether nothing has left, and nothing will before the undo window is over."""
    is_untried = reply.state is ReplyState.ACCEPTED and reply.attempts == 0
    return is_untried and reply.undo_until is not None and now < reply.undo_until


def withdraw(reply: Reply, now: Instant) -> Reply:
    """Return the reply taken back before anything left.

    Raises:
        UndoWindowOver: it may have left, or is settled.
    """
    if not may_be_withdrawn(reply, now):
        raise UndoWindowOver(reply.id, reply.state)
    return replace(reply, state=ReplyState.REJECTED, reason=WITHDRAWN)


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
        case Certainty.REJECTED if reply.is_in_doubt:  # nobody but a human can tell any more
            says = f"an earlier attempt may be there; {outcome.reason or 'refused'}"
            return replace(
                reply,
                state=ReplyState.NEEDS_HUMAN,
                attempt_until=None,
                reason=_of_part(reply, says),
            )
        case Certainty.REJECTED:
            reason = _of_part(reply, outcome.reason)
            return replace(reply, state=ReplyState.REJECTED, attempt_until=None, reason=reason)
        case Certainty.NOT_ACCEPTED if reply.is_in_doubt:  # what an earlier attempt did stays open
            refused = replace(reply, attempt_until=now)
            return _again(refused, ReplyState.UNKNOWN, outcome, now)
        case Certainty.NOT_ACCEPTED:
            refused = replace(reply, attempt_until=None)
            return _again(refused, ReplyState.ACCEPTED, outcome, now)
        case Certainty.MAYBE:
            attempt_until = reply.attempt_until if outcome.may_still_arrive else now
            unknown = replace(reply, attempt_until=attempt_until, is_in_doubt=True)
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
            absent = replace(
                reply, state=ReplyState.ACCEPTED, attempt_until=None, is_in_doubt=False
            )
            return replace(absent, next_attempt_at=None, reason=outcome.reason)
        case _:
            return _again(reply, ReplyState.UNKNOWN, outcome, now)


def _visible_at(reply: Reply, outcome: Outcome) -> Instant:
    """Return when everything that was accepted of the newest attempt is to be seen."""
    return (reply.attempt_until or reply.created_at) + outcome.visible_within_ms


def _of_part(reply: Reply, reason: str | None) -> str | None:
    """Let a reason say which of several parts it is about."""
    if not reply.parts:
        return reason
    which = f"part {reply.sent_parts + 1} of {len(reply.parts)}"
    return f"{which}: {reason}" if reason else which


def _sent(reply: Reply, outcome: Outcome, now: Instant) -> Reply:
    if reply.parts:
        return _part_sent(reply, outcome, now)
    return replace(
        reply,
        state=ReplyState.SENT,
        attempt_until=None,
        is_in_doubt=False,
        next_attempt_at=None,
        external_id=outcome.external_id or reply.external_id,
        url=outcome.url or reply.url,
        reason=None,
        sent_at=now,
    )


def _part_sent(reply: Reply, outcome: Outcome, now: Instant) -> Reply:
    """Note that a part is there; the next one's turn comes, or the whole reply is sent."""
    index = reply.sent_parts
    there = replace(
        reply.parts[index],
        external_id=outcome.external_id,
        url=outcome.url,
        sent_at=now,
        attempts=reply.tries,
    )
    parts = (*reply.parts[:index], there, *reply.parts[index + 1 :])
    is_last = index + 1 == len(parts)
    return replace(
        reply,
        parts=parts,
        state=ReplyState.SENT if is_last else ReplyState.ACCEPTED,
        attempt_until=None,
        is_in_doubt=False,
        next_attempt_at=None,
        tried_since=now,
        external_id=parts[0].external_id,
        url=parts[0].url,
        reason=None,
        sent_at=now if is_last else None,
    )


def _again(reply: Reply, state: ReplyState, outcome: Outcome, now: Instant) -> Reply:
    """Wait twice as long after each attempt, and a quarter of its age after each look-up."""
    patience_ms = max(FIRST_RETRY_MS * 2 ** min(reply.tries, 10), (now - reply.tried_since) // 4)
    delay_ms = max(min(LONGEST_RETRY_MS, patience_ms), outcome.wait_ms)
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
        reply,
        state=ReplyState.ACCEPTED,
        attempt_until=None,
        is_in_doubt=False,
        next_attempt_at=None,
        tried_since=now,
    )
