"""What happened on a floor in some period, in the form in which a simulation can repeat it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from conversations import commands as c
from conversations.model import Conversation, ConversationState, Instant, Visibility

NOBODY = c.Actor()
"""Stands where the simulated owner acts, whoever that turns out to be."""


class Answer(StrEnum):
    """What an agent did about an offer; unknown when it was taken back before he did anything."""

    PICKED_UP = "picked_up"
    DECLINED = "declined"
    MISSED = "missed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AnsweredOffer:
    agent_id: str
    after_ms: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Deed:
    """What an owner did, so long after he got the conversation; parked until so long after, too."""

    after_ms: int
    command: c.Command


@dataclass(frozen=True, slots=True)
class Stint:
    """One owner's time with a conversation; cut off when the period ended before it did."""

    deeds: tuple[Deed, ...] = ()
    is_cut_off: bool = False


@dataclass(frozen=True, slots=True)
class Interruption:
    """What happened at its own time, whoever had the conversation: posts, supervisors, pulls."""

    at: Instant
    conversation_id: str
    command: c.Command


@dataclass(frozen=True, slots=True)
class Script:
    """One conversation's part in the record."""

    offers: tuple[AnsweredOffer, ...] = ()
    stints: tuple[Stint, ...] = ()
    interruptions: tuple[Interruption, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the record keeps it, with what the conversation was after it."""

    at: Instant
    type: str
    agent_id: str | None
    detail: dict[str, object]
    state: ConversationState
    wrap_up_code: str | None = None
    answered_count: int = 0
    parked_until: Instant | None = None
    wrap_up_until: Instant | None = None
    routed: Conversation | None = None
    """What rules made of it, where they routed it anew."""


_OWNED = frozenset({ConversationState.CONNECTED, ConversationState.HELD, ConversationState.PARKED})
_IN_A_STINT = _OWNED | {ConversationState.WRAPUP}
_WITH_OWNER = frozenset({ConversationState.CONNECTED, ConversationState.HELD})


_PLAIN: dict[str, c.Command] = {
    "held": c.Hold(NOBODY),
    "resumed": c.Resume(NOBODY),
    "released": c.Release(NOBODY, ""),
    "discarded": c.Discard(NOBODY, ""),
}


@dataclass(slots=True)
class _Reading:
    """A conversation's events on their way into a script."""

    conversation_id: str
    state: ConversationState
    since: Instant
    parked_until: Instant | None = None
    wrap_up_until: Instant | None = None
    offers: list[AnsweredOffer] = field(default_factory=list)
    open_offers: dict[object, tuple[str, Instant]] = field(default_factory=dict)
    stints: list[list[Deed]] = field(default_factory=list)
    interruptions: list[Interruption] = field(default_factory=list)
    posts_at: Instant | None = None

    def read(self, event: RecordedEvent) -> None:
        """Take one event; what it was before decides whose doing it was."""
        kind = event.type.removeprefix("conversation.")
        self._read_offer(event, kind)
        if kind == "post_received":
            self.posts_at = event.at
            posts = tuple(str(post_id) for post_id in _list(event.detail.get("post_ids")))
            self._interrupt(event, c.ReceivePosts(posts, event.at))
        elif self.state in _IN_A_STINT:
            self._read_deed(event, kind)
        else:
            self._read_intervention(event, kind)
        if event.state is ConversationState.CONNECTED and self.state not in _WITH_OWNER:
            self.stints.append([])
            self.since = event.at
        self.state = event.state
        self.parked_until, self.wrap_up_until = event.parked_until, event.wrap_up_until

    def _interrupt(self, event: RecordedEvent, command: c.Command) -> None:
        self.interruptions.append(Interruption(event.at, self.conversation_id, command))

    def _do(self, event: RecordedEvent, command: c.Command) -> None:
        self.stints[-1].append(Deed(event.at - self.since, command))

    def _read_offer(self, event: RecordedEvent, kind: str) -> None:
        offer_id = event.detail.get("offer_id")
        match kind:
            case "offered" if event.agent_id is not None:
                self.open_offers[offer_id] = (event.agent_id, event.at)
            case "declined":
                self._answer(offer_id, event, Answer.DECLINED)
            case "offer_expired":
                is_missed = event.detail.get("reason") == "not_taken"
                self._answer(offer_id, event, Answer.MISSED if is_missed else Answer.UNKNOWN)
            case "connected":
                self._read_pick_up(event)

    def _answer(self, offer_id: object, event: RecordedEvent, answer: Answer) -> None:
        agent_id, offered_at = self.open_offers.pop(offer_id, (None, event.at))
        if agent_id is not None:
            self.offers.append(AnsweredOffer(agent_id, event.at - offered_at, answer))

    def _read_pick_up(self, event: RecordedEvent) -> None:
        taken = next((i for i, (a, _) in self.open_offers.items() if a == event.agent_id), None)
        if taken is not None:
            self._answer(taken, event, Answer.PICKED_UP)
        elif self.state is ConversationState.QUEUED:
            self._interrupt(event, c.PickUp(c.Actor(event.agent_id), None, event.at))

    def _read_deed(self, event: RecordedEvent, kind: str) -> None:
        command = self._deed(event, kind)
        if command is not None:
            self._do(event, command)

    def _deed(self, event: RecordedEvent, kind: str) -> c.Command | None:
        """Return what the owner did; None for what the rules do by themselves."""
        if kind in _PLAIN:
            return _PLAIN[kind]
        match kind:
            case "parked":
                until = event.detail.get("until")
                after_ms = until - self.since if isinstance(until, int) else None
                return c.Park(NOBODY, after_ms, None)
            case "unparked":
                return None if self._unparks_itself(event) else c.Unpark(NOBODY)
            case "transferred":
                return _transfer(event)
            case _:
                return self._end_or_reply(event, kind)

    def _unparks_itself(self, event: RecordedEvent) -> bool:
        is_due = self.parked_until is not None and event.at >= self.parked_until
        return is_due or self.posts_at == event.at

    def _end_or_reply(self, event: RecordedEvent, kind: str) -> c.Command | None:
        reply_id = str(event.detail.get("reply_id"))
        match kind:
            case "disconnected":
                return _disconnect(event)
            case "completed" if self.state is ConversationState.WRAPUP:
                is_due = self.wrap_up_until is not None and event.at >= self.wrap_up_until
                code = event.wrap_up_code
                return None if is_due else c.FinishWrapUp(NOBODY, code, done=True)
            case "reply.accepted":
                return c.SendReply(NOBODY, reply_id, Visibility.PUBLIC, confirm_public=True)
            case "reply.sent" | "reply.rejected":
                sent = kind == "reply.sent"
                return c.SettleReply(reply_id, sent=sent, covers=event.answered_count)
            case _:
                return None

    def _read_intervention(self, event: RecordedEvent, kind: str) -> None:
        """Note what was done to a conversation that waited."""
        match kind:
            case "transferred":
                command = _transfer(event)
                if command is not None:
                    self._interrupt(event, command)
            case "discarded":
                ended_by = str(event.detail.get("ended_by"))
                self._interrupt(event, c.Discard(NOBODY, "", cause=ended_by))
            case "rerouted" if event.routed is not None:
                self._interrupt(event, _reroute(event.routed))
            case "disconnected" | "merged":
                self._interrupt(event, c.EndByOperator(kind))

    def script(self) -> Script:
        still_open = self.state in _IN_A_STINT
        last = len(self.stints) - 1
        return Script(
            tuple(self.offers),
            tuple(
                Stint(tuple(deeds), is_cut_off=still_open and number == last)
                for number, deeds in enumerate(self.stints)
            ),
            tuple(self.interruptions),
        )


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _transfer(event: RecordedEvent) -> c.Command | None:
    """Return the transfer as somebody's command; None for one that the rules made."""
    detail = event.detail
    workgroup_id, agent_id = detail.get("to_workgroup_id"), detail.get("to_agent_id")
    if detail.get("cause") is not None:
        return None
    if isinstance(workgroup_id, str):
        return c.TransferToWorkgroup(NOBODY, workgroup_id, None)
    if isinstance(agent_id, str):
        override = bool(detail.get("override_capacity"))
        return c.TransferToAgent(NOBODY, agent_id, "", None, override_capacity=override)
    return None


def _reroute(routed: Conversation) -> c.Reroute:
    return c.Reroute(
        workgroup_id=routed.workgroup_id,
        priority=routed.priority,
        required_skills=routed.required_skills,
        preferred_skills=routed.preferred_skills,
        preferred_agent_id=routed.preferred_agent_id,
        tags=routed.tags,
        rules=(),
    )


def _disconnect(event: RecordedEvent) -> c.Command | None:
    if event.detail.get("ended_by") == "affinity_window":
        return None
    return c.Disconnect(NOBODY, event.wrap_up_code)


def script_of(
    conversation: Conversation, since: Instant, events: Iterable[RecordedEvent]
) -> Script:
    """Read what happened to a conversation from a moment on, at which it was as given."""
    reading = _Reading(
        conversation.id,
        conversation.state,
        since,
        conversation.parked_until,
        conversation.wrap_up_until,
    )
    if conversation.state in _IN_A_STINT:
        reading.stints.append([])
    for offer in conversation.offers:
        reading.open_offers[offer.id] = (offer.agent_id, since)
    for event in events:
        reading.read(event)
    return reading.script()
