"""People who do in a simulation what they did in the record, as far as it still makes sense."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from acd.recorded_day import Answer, AnsweredOffer, Deed, Script, Stint
from acd.simulated_people import Act
from conversations import commands as c
from conversations.model import Conversation, ConversationState, Instant, Offer

_MOVING = (
    c.Hold,
    c.Resume,
    c.Park,
    c.Unpark,
    c.TransferToWorkgroup,
    c.TransferToAgent,
    c.Release,
    c.Discard,
    c.Disconnect,
    c.FinishWrapUp,
)
"""After these the conversation is in another state: what follows is planned from there."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How long people take where the record does not tell of this case: its medians."""

    pick_up_ms: int = 5_000
    handle_ms: int = 120_000
    wrap_up_ms: int = 30_000
    not_responding_ms: int = 60_000


def habits_of(scripts: Iterable[Script], absences_ms: Sequence[int]) -> Habits:
    """Read people's habits from what they did."""
    pick_ups, handles, wrap_ups = [], [], []
    for script in scripts:
        pick_ups += [o.after_ms for o in script.offers if o.answer is Answer.PICKED_UP]
        for stint in script.stints:
            ended_ms = None
            for deed in stint.deeds:
                if isinstance(deed.command, c.Disconnect):
                    ended_ms = deed.after_ms
                    handles.append(ended_ms)
                elif isinstance(deed.command, c.FinishWrapUp) and ended_ms is not None:
                    wrap_ups.append(deed.after_ms - ended_ms)
    usual = Habits()
    return Habits(
        _median([ms for ms in pick_ups if ms], usual.pick_up_ms),
        _median(handles, usual.handle_ms),
        _median(wrap_ups, usual.wrap_up_ms),
        _median(absences_ms, usual.not_responding_ms),
    )


def _median(values_ms: Sequence[int], otherwise_ms: int) -> int:
    return int(median(values_ms)) if values_ms else otherwise_ms


@dataclass(slots=True)
class _Progress:
    """How far a conversation has come in its script."""

    script: Script
    offers: list[AnsweredOffer]
    stint: int = -1
    since: Instant = 0
    deed: int = 0
    state: ConversationState | None = None

    @property
    def current(self) -> Stint | None:
        stints = self.script.stints
        return stints[self.stint] if 0 <= self.stint < len(stints) else None


@dataclass(slots=True)
class RecordedPeople:
    """Repeats what was recorded: an offer is answered, and a conversation handled, as it was."""

    scripts: Mapping[str, Script]
    habits: Habits
    returns: Mapping[str, Sequence[Instant]] = field(default_factory=dict)
    """When each agent came back on queue by himself after he had not responded."""
    _progress: dict[str, _Progress] = field(default_factory=dict)

    def acts(self, conversation: Conversation, now: Instant) -> Sequence[Act]:
        progress = self._progress.get(conversation.id)
        if progress is None:
            script = self.scripts.get(conversation.id, Script())
            progress = _Progress(script, list(script.offers))
            self._progress[conversation.id] = progress
        was, progress.state = progress.state, conversation.state
        match conversation.state:
            case ConversationState.QUEUED:
                return ()
            case ConversationState.ALERTING:
                offers = conversation.offers
                return [act for offer in offers for act in self._answer(progress, offer, now)]
            case ConversationState.CONNECTED if was is not ConversationState.HELD:
                self._begin_stint(progress, now)
            case _ if was is None:
                self._begin_stint(progress, now)
        return self._next_acts(progress, conversation, now)

    def _begin_stint(self, progress: _Progress, now: Instant) -> None:
        progress.stint += 1
        progress.since, progress.deed = now, 0

    def _answer(self, progress: _Progress, offer: Offer, now: Instant) -> Sequence[Act]:
        answered = self._take_answer(progress, offer.agent_id)
        actor = c.Actor(offer.agent_id)
        if answered is None or answered.answer is Answer.UNKNOWN:
            waited_ms = answered.after_ms if answered else 0
            at = now + waited_ms + self.habits.pick_up_ms
            return [Act(at, c.PickUp(actor, offer.id, at))]
        at = now + answered.after_ms
        match answered.answer:
            case Answer.PICKED_UP:
                return [Act(at, c.PickUp(actor, offer.id, at))]
            case Answer.DECLINED:
                return [Act(at, c.Decline(actor, offer.id, None))]
            case _:
                return ()

    def _take_answer(self, progress: _Progress, agent_id: str) -> AnsweredOffer | None:
        """Take this agent's recorded answer, else the next one, whoever gave it."""
        if not progress.offers:
            return None
        own = (i for i, answered in enumerate(progress.offers) if answered.agent_id == agent_id)
        return progress.offers.pop(next(own, 0))

    def _next_acts(
        self, progress: _Progress, conversation: Conversation, now: Instant
    ) -> Sequence[Act]:
        """Plan the recorded deeds up to the next that moves the conversation on."""
        stint = progress.current
        if stint is None:
            return self._usual(conversation, now)
        acts: list[Act] = []
        for deed in stint.deeds[progress.deed :]:
            progress.deed += 1
            at = max(now, progress.since + deed.after_ms)
            acts += self._acts_of(deed, conversation, at, progress.since)
            if isinstance(deed.command, _MOVING):
                return acts
        if acts or stint.is_cut_off or conversation.state is ConversationState.CONNECTED:
            return acts
        return self._usual(conversation, now)

    def _usual(self, conversation: Conversation, now: Instant) -> Sequence[Act]:
        """Do what people usually do, where the record has no example."""
        owner = c.Actor(conversation.agent_id, is_supervisor=True)
        match conversation.state:
            case ConversationState.CONNECTED:
                return [Act(now + self.habits.handle_ms, c.Disconnect(owner, None))]
            case ConversationState.WRAPUP:
                finish = c.FinishWrapUp(owner, conversation.wrap_up_code, done=True)
                return [Act(now + self.habits.wrap_up_ms, finish)]
            case _:
                return ()

    def _acts_of(
        self, deed: Deed, conversation: Conversation, at: Instant, since: Instant
    ) -> Sequence[Act]:
        owner = c.Actor(conversation.agent_id, is_supervisor=True)
        match deed.command:
            case c.Park(until=until) if until is not None:
                return [Act(at, c.Park(owner, until + since, None))]
            case c.TransferToAgent() as named:
                offer_id = f"of-{conversation.id}-{at}"
                to_queue = c.TransferToWorkgroup(owner, conversation.workgroup_id, None)
                given = replace(named, actor=owner, offer_id=offer_id)
                return [Act(at, given), Act(at + 1, to_queue)]
            case command:
                return [Act(at, as_done_by(owner, command))]

    def comes_back_at(self, agent_id: str, now: Instant) -> Instant | None:
        """Say when he is back: as recorded, if he was missing at this moment then too."""
        for returned_at in self.returns.get(agent_id, ()):
            if now <= returned_at <= now + 10 * self.habits.not_responding_ms:
                return None
        return now + self.habits.not_responding_ms


def as_done_by(owner: c.Actor, command: c.Command) -> c.Command:
    """Return a recorded command as that of whoever has the conversation now."""
    match command:
        case c.Hold() | c.Resume() | c.Park() | c.Unpark() | c.TransferToWorkgroup():
            return replace(command, actor=owner)
        case c.SendReply() | c.Discard() | c.Release() | c.Disconnect() | c.FinishWrapUp():
            return replace(command, actor=owner)
        case _:
            return command
