"""Where a conversation that comes into a workgroup is to wait: there, or where it overflows to.

Called after the routing rules, at the arrival and at a transfer to a workgroup. Whatever leaves a
workgroup here was in its queue for no time, and is counted there as flowed out.
"""

from dataclasses import dataclass, field

from acd.admission import Way, way_from
from acd.estimates import estimated_wait_ms
from conversations import commands as c
from conversations.errors import ConversationError
from conversations.lifecycle import decide
from conversations.model import Conversation, ConversationState
from storage import reply_rows
from storage.calendars import entrance_from
from storage.ids import new_id
from storage.journal import Journal
from storage.queues import recent_answers
from storage.rows import policy_from


@dataclass(slots=True)
class Admission:
    """Admits conversations in one transaction; its replies are written after their posts."""

    journal: Journal
    _ways: dict[str, Way] = field(default_factory=dict)
    _estimates: dict[str, int | None] = field(default_factory=dict)
    _answered: list[tuple[Conversation, str, str]] = field(default_factory=list)

    def where_to(self, workgroup_id: str) -> Way:
        """Say where a conversation goes that comes into the workgroup now; found out once."""
        if workgroup_id not in self._ways:
            self._ways[workgroup_id] = way_from(
                workgroup_id,
                lambda one: entrance_from(self.journal.workgroup(one)),
                self._estimated_wait_ms,
                self.journal.now,
            )
        return self._ways[workgroup_id]

    def _estimated_wait_ms(self, workgroup_id: str) -> int | None:
        if workgroup_id not in self._estimates:
            journal = self.journal
            answers = recent_answers(journal.connection, workgroup_id, journal.now)
            self._estimates[workgroup_id] = estimated_wait_ms(answers, 0)
        return self._estimates[workgroup_id]

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
