"""Agents, policies and waiting conversations for the routing rules."""

from dataclasses import replace
from typing import Any

from acd.model import Agent, RoutingPolicy, Utilization
from conversations.model import Conversation, MediaType, RoutingStatus
from tests.conversations.samples import NOW, QUEUED

PUBLIC = MediaType.SOCIAL_CONVERSATION
PRIVATE = MediaType.SOCIAL_DIRECT_MESSAGE
POLICY = RoutingPolicy("workgroup-1", 3)
AGENT = Agent(
    id="agent-1",
    routing_status=RoutingStatus.ON_QUEUE,
    is_present=True,
    is_licensed=True,
    is_enabled=True,
    workgroup_ids=frozenset({"workgroup-1"}),
    skills={},
    load_percent=0,
    idle_since=NOW - 1_000,
)


def agent(number: int = 1, **fields: Any) -> Agent:
    return replace(AGENT, id=f"agent-{number}", **fields)


def waiting(number: int = 1, **fields: Any) -> Conversation:
    return replace(QUEUED, id=f"cv-{number}", **fields)


def weighing(percent: int, maximum: int | None = None) -> RoutingPolicy:
    return replace(POLICY, utilization={PUBLIC: Utilization(percent, maximum)})
