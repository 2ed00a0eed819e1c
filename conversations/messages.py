"""What travels through Temporal: ids, versions and deadlines, never a customer's word."""

from dataclasses import dataclass

from conversations.model import Instant


@dataclass(frozen=True, slots=True)
class ConversationStart:
    conversation_id: str
    network: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What operators see of a conversation in Temporal's lists: its search attributes."""

    state: str
    workgroup_id: str
    agent_id: str | None


@dataclass(frozen=True, slots=True)
class Bell:
    """One conversation's workflow is to be told what happened, and at which version.

    An urgent bell is not gathered with others: a reply waits to be sent. A workflow that the bell
    starts shows from its first moment what the conversation was when it rang. That of a
    conversation which was reopened may have to start a workflow after one that completed.
    """

    conversation_id: str
    network: str
    event: str
    version: int
    is_urgent: bool = False
    shown: Shown | None = None
    is_reopened: bool = False


@dataclass(frozen=True, slots=True)
class BellRung:
    """Why the bell rang and at which version; for whoever reads the history."""

    event: str
    version: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the workflow knows of the row: enough to wait, to send and to be looked at."""

    conversation_id: str
    version: int
    read_at: Instant
    state: str
    workgroup_id: str
    network: str
    agent_id: str | None
    alarm_at: Instant | None
    has_replies_to_send: bool
    unsettled_replies: int
    is_final: bool
    ended_by: str | None

    @property
    def shown(self) -> Shown:
        return Shown(self.state, self.workgroup_id, self.agent_id)

    @property
    def is_over(self) -> bool:
        return self.is_final and self.unsettled_replies == 0


@dataclass(frozen=True, slots=True)
class ConversationEnd:
    conversation_id: str
    state: str
    ended_by: str | None
    version: int


@dataclass(frozen=True, slots=True)
class SyncConversation:
    conversation_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class CancelConversation:
    conversation_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class SendReplies:
    conversation_id: str
    network: str


@dataclass(frozen=True, slots=True)
class ListenTo:
    """One channel that is polled or streamed."""

    channel_id: str
    network: str
