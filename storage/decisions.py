"""Decision records: why a conversation was offered to whom, or to nobody."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select

from acd.matching import Explanation
from acd.model import Agent, RoutingPolicy
from acd.order import ranked
from acd.priority import score
from conversations.model import Conversation, Instant
from storage.ids import new_id
from storage.log_tables import DecisionRow

DECISIONS = DecisionRow.__table__  # type: ignore[attr-defined]


def record_offers(connection: Connection, offers: Sequence[tuple[str, str, Explanation]]) -> None:
    """Write the records of offers: (decision id, offer id, explanation)."""
    if offers:
        rows = [_values(why, decision_id, offer_id) for decision_id, offer_id, why in offers]
        connection.execute(insert(DECISIONS), rows)


def record_named_agent(
    connection: Connection,
    conversation: Conversation,
    agent: Agent,
    policy: RoutingPolicy,
    *,
    offer_id: str,
    now: Instant,
) -> None:
    """Write the record of an offer to an agent whom a human named: nobody else was looked at."""
    why = Explanation(
        conversation_id=conversation.id,
        workgroup_id=policy.workgroup_id,
        policy_version=policy.version,
        at=now,
        ring=conversation.ring,
        score=round(score(conversation, policy.queue_order, now), 3),
        candidates=1,
        filtered={},
        chosen=ranked(conversation, agent, policy),
        runners_up=(),
    )
    record_offers(connection, [(new_id("de"), offer_id, why)])


def record_failures(connection: Connection, failures: Sequence[Explanation]) -> None:
    """Write why conversations found nobody, but only when the counts have changed."""
    fresh = [why for why in failures if _counts(asdict(why)) != _last_counts(connection, why)]
    if fresh:
        rows = [_values(why, new_id("de"), None) for why in fresh]
        connection.execute(insert(DECISIONS), rows)


def record_rules(
    connection: Connection, verdicts: Sequence[tuple[str, dict[str, Any]]], now: Instant
) -> None:
    """Write what routing rules said: (conversation id, the record of `acd.rule_trace`)."""
    rows: list[dict[str, Any]] = [
        {
            "id": new_id("de"),
            "conversation_id": conversation_id,
            "offer_id": None,
            "agent_id": None,
            "at": now,
            "record": record,
        }
        for conversation_id, record in verdicts
    ]
    if rows:
        connection.execute(insert(DECISIONS), rows)


def _values(why: Explanation, decision_id: str, offer_id: str | None) -> dict[str, Any]:
    return {
        "id": decision_id,
        "conversation_id": why.conversation_id,
        "offer_id": offer_id,
        "agent_id": why.chosen.agent_id if why.chosen else None,
        "at": why.at,
        "record": asdict(why),
    }


def _counts(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a failed match is about; a record of routing rules has none of it."""
    return tuple(record.get(name) for name in ("candidates", "filtered", "waits_for_agent_id"))


def _last_counts(connection: Connection, failure: Explanation) -> tuple[Any, ...] | None:
    query = (
        select(DECISIONS.c.record)
        .where(DECISIONS.c.conversation_id == failure.conversation_id)
        .order_by(DECISIONS.c.at.desc(), DECISIONS.c.id.desc())
        .limit(1)
    )
    record = connection.execute(query).scalar_one_or_none()
    return _counts(record) if record else None
