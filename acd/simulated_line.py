"""Agents in line for conversations that ask for no skill, so that a large floor costs no more."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from acd.model import Agent, OrderKey, RoutingPolicy
from acd.order import ranked, wanted_skills
from conversations.model import Conversation, ConversationState, MediaType

_ANYBODY = Conversation(
    id="",
    state=ConversationState.QUEUED,
    media_type=MediaType.SOCIAL_CONVERSATION,
    network="",
    account_id="",
    channel_id="",
    workgroup_id="",
    customer_id="",
    affinity_key="",
    affinity_window_s=0,
    priority=0,
    created_at=0,
    queued_at=0,
    last_post_at=0,
    affinity_until=0,
)
"""Asks for nothing and prefers nobody: agents stand before it as before all of its like."""

Key = tuple[float | str, ...]


class Line:
    """A workgroup's agents with room, in their order for whoever asks for nothing."""

    def __init__(self, policy: RoutingPolicy) -> None:
        self._policy = policy
        self._is_kept = OrderKey.NEAREST not in policy.agent_order
        self._keys: dict[str, Key] = {}
        self._places: list[Key] = []

    def put(self, agent: Agent) -> None:
        """Place an agent, or place him anew."""
        if self._is_kept:
            self.take(agent.id)
            key = ranked(_ANYBODY, agent, self._policy).key
            self._keys[agent.id] = key
            insort(self._places, key)

    def take(self, agent_id: str) -> None:
        key = self._keys.pop(agent_id, None)
        if key is not None:
            del self._places[bisect_left(self._places, key)]

    def serves(self, conversation: Conversation) -> bool:
        """Whether the conversation sees the agents in this order: it asks for no skill."""
        return self._is_kept and not wanted_skills(conversation, self._policy)

    def first(self, most: int) -> Iterator[str]:
        """Return the ids of the first agents."""
        return (str(key[-1]) for key in self._places[:most])
