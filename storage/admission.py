"""Where a conversation that comes into a workgroup is to wait: there, or where it overflows to.

Called after the routing rules, at the arrival and at a transfer to a workgroup. Whatever leaves a
workgroup here was in its queue for no time, and is counted there as flowed out.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import RowMapping

from acd.estimates import estimated_wait_ms, is_too_long
from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import decide
from conversations.model import Conversation, ConversationState
from storage import reply_rows
from storage.calendars import is_closed
from storage.ids import new_id
from storage.journal import Journal
from storage.queues import recent_answers
from storage.rows import policy_from


class Cause(StrEnum):
    """Why a conversation does not wait where it came to."""

    CLOSED = "closed"
    OVERFLOW = "overflow"


class WhenClosed(StrEnum):
    """What a closed workgroup does with what comes."""

    QUEUE = "queue"
    OVERFLOW = "overflow"
    AUTOMATIC_REPLY = "automatic_reply"


@dataclass(frozen=True, slots=True)
class Hop:
    """One step to another workgroup."""

    workgroup_id: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Way:
    """The steps to the queue in which it is to wait, and what the customer is told meanwhile."""

    hops: tuple[Hop, ...] = ()
    automatic_reply: str | None = None


@dataclass(slots=True)
class Admission:
    """Admits conversations in one transaction; its replies are written after their posts."""

    journal: Journal
    _estimates: dict[str, int | None] = field(default_factory=dict)
    _answered: list[tuple[Conversation, str, str]] = field(default_factory=list)

    def where_to(self, workgroup_id: str) -> Way:
        """Say where a conversation goes that comes into the workgroup now.

        A circle cannot be set up; if one is there all the same, it is gone round only once.
        """
        hops: list[Hop] = []
        seen = {workgroup_id}
        workgroup = self.journal.workgroup(workgroup_id)
        while (hop := self._hop_from(workgroup)) is not None and hop.workgroup_id not in seen:
            hops.append(hop)
            seen.add(hop.workgroup_id)
            workgroup = self.journal.workgroup(hop.workgroup_id)
        return Way(tuple(hops), self._automatic_reply_of(workgroup))

    def _hop_from(self, workgroup: RowMapping) -> Hop | None:
        if is_closed(workgroup, self.journal.now):
            hours = workgroup["business_hours"]
            if hours["when_closed"] != WhenClosed.OVERFLOW:
                return None
            return Hop(hours["overflow_workgroup_id"], Cause.CLOSED)
        overflow = workgroup["overflow"]
        if not overflow:
            return None
        limit_s = overflow["when_estimate_exceeds_s"]
        if not is_too_long(self._estimated_wait_ms(workgroup["id"]), limit_s):
            return None
        return Hop(overflow["workgroup_id"], Cause.OVERFLOW)

    def _estimated_wait_ms(self, workgroup_id: str) -> int | None:
        if workgroup_id not in self._estimates:
            journal = self.journal
            answers = recent_answers(journal.connection, workgroup_id, journal.now)
            self._estimates[workgroup_id] = estimated_wait_ms(answers, 0)
        return self._estimates[workgroup_id]

    def _automatic_reply_of(self, workgroup: RowMapping) -> str | None:
        hours = workgroup["business_hours"]
        if not is_closed(workgroup, self.journal.now):
            return None
        is_automatic = hours["when_closed"] == WhenClosed.AUTOMATIC_REPLY
        return str(hours["automatic_reply_text"]) if is_automatic else None

    def admit(self, conversation: Conversation, bell_event: str) -> Conversation:
        """Send a queued conversation on to where it is to wait, and answer for who is closed.

        One that a rule discarded, or gave to somebody, waits nowhere.
        """
        if conversation.state is not ConversationState.QUEUED:
            return conversation
        way = self.where_to(conversation.workgroup_id)
        for hop in way.hops:
            entered_policy = policy_from(self.journal.workgroup(hop.workgroup_id))
            overflow = c.Overflow(hop.workgroup_id, hop.cause.value)
            facts = c.Facts(entered_policy, entered_policy=entered_policy)
            conversation = self._decide(conversation, overflow, facts, bell_event)
        if way.automatic_reply is None:
            return conversation
        if reply_rows.has_automatic_one(self.journal.connection, conversation.id):
            return conversation
        reply_id = new_id("re")
        facts = c.Facts(policy_from(self.journal.workgroup(conversation.workgroup_id)))
        answered = self._decide(conversation, c.AnswerByItself(reply_id), facts, bell_event)
        self._answered.append((answered, reply_id, way.automatic_reply))
        return answered

    def _decide(
        self, conversation: Conversation, command: c.Command, facts: c.Facts, bell_event: str
    ) -> Conversation:
        decision = decide(conversation, command, facts, self.journal.now)
        if isinstance(decision, ConversationError):
            raise decision
        return self.journal.record(conversation, decision, bell_event)

    def write_replies(self) -> None:
        """Write the automatic replies; they answer no post, so each still waits for an agent."""
        for conversation, reply_id, text in self._answered:
            wording = reply_rows.Wording(reply_id, text, covers=0)
            reply_rows.write(self.journal.connection, conversation, wording)
