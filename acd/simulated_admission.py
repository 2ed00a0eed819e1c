"""Where a simulated conversation is to wait: where it came to, or where it overflows to."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from acd.calendar import BusinessHours, is_open
from acd.estimates import RecentAnswers, estimated_wait_ms, is_too_long, since
from acd.service_level import waited_ms
from acd.simulated_people import Bystander
from conversations.model import Conversation, ConversationState, Instant

_WAITING = frozenset({ConversationState.QUEUED, ConversationState.ALERTING})


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """When a workgroup's conversations wait elsewhere, and where: closed, or too long a wait."""

    hours: BusinessHours | None = None
    when_closed_to: str | None = None
    limit_s: int | None = None
    when_too_long_to: str | None = None
    stopping: BusinessHours | None = None
    """Outside of these hours waits do not grow."""


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """An answer from before the period: the first estimates stand on these."""

    workgroup_id: str
    at: Instant
    waited_ms: int


@dataclass(frozen=True, slots=True)
class Hop:
    workgroup_id: str
    cause: str


@dataclass(slots=True)
class Admission(Bystander):
    """Remembers recent waits, as production's queue entries do, and says where to wait."""

    elsewhere: Mapping[str, Elsewhere]
    sent_on: int = 0
    _answers: defaultdict[str, deque[tuple[Instant, int]]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    _entered: dict[str, tuple[str, Instant]] = field(default_factory=dict)

    def remember(self, answers: Iterable[RecordedAnswer]) -> None:
        for answer in sorted(answers, key=lambda one: one.at):
            self._answers[answer.workgroup_id].append((answer.at, answer.waited_ms))

    def changed(self, _: Conversation | None, after: Conversation, now: Instant) -> None:
        waits = after.workgroup_id if after.state in _WAITING else None
        was = self._entered.get(after.id)
        if was is not None and was[0] == waits:
            return
        if was is not None:
            del self._entered[after.id]
            if after.state is ConversationState.CONNECTED:
                self._note_answer(was[0], was[1], now)
        if waits is not None:
            self._entered[after.id] = (waits, now)

    def _note_answer(self, workgroup_id: str, entered_at: Instant, now: Instant) -> None:
        stopping = self.elsewhere.get(workgroup_id, Elsewhere()).stopping
        self._answers[workgroup_id].append((now, waited_ms(entered_at, now, stopping)))

    def where_to(self, workgroup_id: str, now: Instant) -> list[Hop]:
        """Return the steps to the queue in which to wait; a circle is gone round only once."""
        hops: list[Hop] = []
        seen = {workgroup_id}
        while (hop := self._hop_from(workgroup_id, now)) and hop.workgroup_id not in seen:
            hops.append(hop)
            workgroup_id = hop.workgroup_id
            seen.add(workgroup_id)
        self.sent_on += len(hops)
        return hops

    def _hop_from(self, workgroup_id: str, now: Instant) -> Hop | None:
        elsewhere = self.elsewhere.get(workgroup_id, Elsewhere())
        if elsewhere.hours is not None and not is_open(elsewhere.hours, now):
            to = elsewhere.when_closed_to
            return Hop(to, "closed") if to is not None else None
        to = elsewhere.when_too_long_to
        if to is None or not is_too_long(self._estimate_ms(workgroup_id, now), elsewhere.limit_s):
            return None
        return Hop(to, "overflow")

    def _estimate_ms(self, workgroup_id: str, now: Instant) -> int | None:
        answers = self._answers[workgroup_id]
        while answers and answers[0][0] < since(now):
            answers.popleft()
        waited = sum(waited_ms for _, waited_ms in answers)
        return estimated_wait_ms(RecentAnswers(len(answers), waited), 0)
