"""Who takes part in a simulation: those who arrive, those who act, and those who take notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from acd.matching import Match
from acd.model import Agent
from acd.simulated_floor import Floor
from conversations import commands as c
from conversations.errors import ConversationError
from conversations.model import Conversation, Instant


@dataclass(frozen=True, slots=True)
class Arrival:
    """A conversation that begins: its first posts came at this moment."""

    at: Instant
    opening: c.Opening


@dataclass(frozen=True, slots=True)
class AgentState:
    """What an agent is from this moment on, but for what he carries."""

    at: Instant
    agent: Agent


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody does to a conversation later, unless it has moved on by then."""

    at: Instant
    command: c.Command


class Behaviour(Protocol):
    """What people do: the only part of a simulation that is not decided by rules."""

    def acts(self, conversation: Conversation, now: Instant) -> Sequence[Act]:
        """Say what follows now that the conversation has come into its state."""
        ...

    def comes_back_at(self, agent_id: str, now: Instant) -> Instant | None:
        """Say when an agent who did not respond is on queue again."""
        ...


class Watcher(Protocol):
    """Whoever takes notes of a simulation."""

    def changed(self, before: Conversation | None, after: Conversation, now: Instant) -> None: ...

    def agent_changed(self, before: Agent | None, after: Agent, now: Instant) -> None: ...

    def offered(self, pair: Match, agents: Sequence[Agent], now: Instant) -> None:
        """See whom a conversation is about to be offered to, as they are before it."""
        ...

    def refused(self, conversation: Conversation, refusal: ConversationError) -> None: ...

    def settled(self, floor: Floor, now: Instant) -> None:
        """See the floor after each step, when nothing more can be matched."""
        ...


class Bystander:
    """A watcher who looks at nothing; subclasses look at what they are for."""

    __slots__ = ()

    def changed(self, before: Conversation | None, after: Conversation, now: Instant) -> None: ...

    def agent_changed(self, before: Agent | None, after: Agent, now: Instant) -> None: ...

    def offered(self, pair: Match, agents: Sequence[Agent], now: Instant) -> None: ...

    def refused(self, conversation: Conversation, refusal: ConversationError) -> None: ...

    def settled(self, floor: Floor, now: Instant) -> None: ...
