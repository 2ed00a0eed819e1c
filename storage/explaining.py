"""Decisions evaluated again: from the floor as it was, by the rules as they are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from acd.eligibility import reasons_against
from acd.matching import Explanation, Shortlist, choose_agent, with_one_more
from acd.model import Agent, RoutingPolicy
from acd.order import Ranked, ranked
from acd.shortlist import FURTHER_BACK, shortlist
from conversations.model import (
    Conversation,
    ConversationState,
    Instant,
    MediaType,
    PassedOver,
    RequiredSkill,
)
from storage import floor_history, policy_history
from storage.decisions import explanation_values
from storage.log_tables import MatchRow
from storage.rows import location_from

MATCHES = MatchRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class AgentToldOf:
    """What a decision meant for one agent: `outcome` in a word, the reasons against, his place."""

    agent_id: str
    outcome: str
    reasons: tuple[str, ...]
    placed: Ranked | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A decision made again: what comes out, and every agent of the floor it was made from."""

    why: Explanation
    conversation: Conversation
    policy: RoutingPolicy
    floor: dict[str, Agent]

    def tell_of(self, agent_id: str) -> AgentToldOf:
        """Say what the decision meant for one agent, whoever he is."""
        agent = self.floor.get(agent_id)
        if agent is None:
            return AgentToldOf(agent_id, "not_there", (), None)
        reasons = reasons_against(self.conversation, agent, self.policy, self.why.at)
        placed = None if reasons else ranked(self.conversation, agent, self.policy)
        told = tuple(reason.value for reason in reasons)
        return AgentToldOf(agent_id, self._outcome(agent_id, told), told, placed)

    def _outcome(self, agent_id: str, reasons: tuple[str, ...]) -> str:
        if self.why.chosen is not None and agent_id == self.why.chosen.agent_id:
            return "chosen"
        if any(agent_id == also.agent_id for also in self.why.also_offered):
            return "also_offered"
        if agent_id == self.why.waits_for_agent_id:
            return "waited_for"
        if reasons:
            return "not_eligible"
        if any(agent_id == other.agent_id for other in self.why.runners_up):
            return "runner_up"
        return FURTHER_BACK


def evaluate(connection: Connection, record: Mapping[str, Any]) -> Evaluated | None:
    """Make a recorded decision again; None when what it was made from is not kept (any more)."""
    given = record.get("input")
    if given is None or given["place"] is None:
        return None
    policy = policy_history.policy(connection, record["workgroup_id"], record["policy_version"])
    if policy is None:
        return None
    conversation = _conversation(record, given["conversation"])
    at: Instant = record["at"]
    floor = floor_history.floor(connection, given["as_of"], at)
    absent = set(given["not_present"])
    floor = {i: replace(agent, is_present=i not in absent) for i, agent in floor.items()}
    looked_at = shortlist(conversation, tuple(floor.values()), policy, given["most"])
    now = _after_others(connection, floor, given, at)
    agents = tuple(now[agent.id] for agent in looked_at.agents)
    again = Shortlist(agents, looked_at.stopped_before)
    return Evaluated(choose_agent(conversation, again, policy, at), conversation, policy, now)


def is_reproduced(record: Mapping[str, Any], evaluated: Evaluated) -> bool:
    """Whether the decision comes out as it was recorded, byte for byte."""
    recorded = {name: value for name, value in record.items() if name != "input"}
    return canonical(recorded) == canonical(explanation_values(evaluated.why))


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _conversation(record: Mapping[str, Any], asked: Mapping[str, Any]) -> Conversation:
    """Return the conversation as the match saw it; what no choice depends on is left empty."""
    known = dict(asked)
    return Conversation(
        id=record["conversation_id"],
        workgroup_id=record["workgroup_id"],
        state=ConversationState.QUEUED,
        media_type=MediaType(known.pop("media_type")),
        required_skills=tuple(RequiredSkill(**s) for s in known.pop("required_skills")),
        preferred_skills=tuple(RequiredSkill(**s) for s in known.pop("preferred_skills")),
        passed_over=tuple(PassedOver(**p) for p in known.pop("passed_over")),
        location=location_from(known.pop("location")),
        network="",
        account_id="",
        channel_id="",
        customer_id="",
        affinity_key="",
        affinity_window_s=0,
        last_post_at=0,
        affinity_until=0,
        **known,
    )


def _after_others(
    connection: Connection, floor: dict[str, Agent], given: Mapping[str, Any], at: Instant
) -> dict[str, Agent]:
    """Return the floor after the choices that the same pass made before."""
    if not given["match_id"]:
        return floor
    query = select(MATCHES.c.taken).where(MATCHES.c.id == given["match_id"])
    taken = connection.execute(query).scalar_one()
    now = dict(floor)
    for agent_id, media_type, percent in taken[: given["place"]]:
        now[agent_id] = with_one_more(now[agent_id], MediaType(media_type), percent, at)
    return now
