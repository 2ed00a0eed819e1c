"""Decision records: why a conversation was offered to whom, or to nobody."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select

from acd.matching import Explanation
from acd.model import Agent, RoutingPolicy
from acd.order import Ranked, ranked
from acd.priority import score
from conversations.model import Conversation, Instant
from storage import floor_history
from storage.ids import new_id
from storage.log_tables import DecisionRow, MatchRow
from storage.rows import plain
from storage.shortlists import Look

DECISIONS = DecisionRow.__table__  # type: ignore[attr-defined]
MATCHES = MatchRow.__table__  # type: ignore[attr-defined]

Taken = tuple[str, str, int]
"""An agent's id, the media type and the percent that were taken of him."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A choice, and what it was made from: enough to make it again.

    `look` is None for an agent whom a human named. `match_id` and `place` say after how many
    other offers of the same pass it was made.
    """

    decision_id: str
    offer_id: str | None
    why: Explanation
    conversation: Conversation
    look: Look | None = None
    match_id: str | None = None
    place: int = 0


def record(connection: Connection, decided: Sequence[Decided]) -> None:
    """Write decision records."""
    if decided:
        connection.execute(insert(DECISIONS), [_values(each) for each in decided])


def record_match(
    connection: Connection, match_id: str, workgroup_id: str, taken: list[Taken], now: Instant
) -> None:
    """Write what one pass gave away, for whoever evaluates its later choices again."""
    row = {"id": match_id, "workgroup_id": workgroup_id, "at": now, "taken": taken}
    connection.execute(insert(MATCHES), [row])


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
    record(connection, [Decided(new_id("de"), offer_id, why, conversation)])


def changed(connection: Connection, failed: Sequence[Decided]) -> list[Decided]:
    """Return those whose counts are not what their conversation's newest record says."""
    last = _last_counts(connection, [each.why.conversation_id for each in failed])
    return [
        d for d in failed if _counts(explanation_values(d.why)) != last.get(d.why.conversation_id)
    ]


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


def _values(decided: Decided) -> dict[str, Any]:
    why = decided.why
    return {
        "id": decided.decision_id,
        "conversation_id": why.conversation_id,
        "offer_id": decided.offer_id,
        "agent_id": why.chosen.agent_id if why.chosen else None,
        "at": why.at,
        "record": explanation_values(why) | {"input": _input(decided)},
    }


EXPLAINED = tuple(each.name for each in fields(Explanation))


def explanation_values(why: Explanation) -> dict[str, Any]:
    """Return an explanation as a record keeps it."""
    return {name: _ranked(getattr(why, name)) for name in EXPLAINED}


def _ranked(value: Any) -> Any:  # noqa: ANN401 - whatever an explanation's field holds
    if isinstance(value, Ranked):
        return {"agent_id": value.agent_id, "order": value.order}
    return [_ranked(each) for each in value] if isinstance(value, tuple) else value


def _input(decided: Decided) -> dict[str, Any] | None:
    """Return what the choice was made from; the floor is named, not copied."""
    look = decided.look
    if look is None:
        return None
    return {
        "as_of": look.as_of,
        "most": look.most,
        "not_present": list(look.not_present),
        "match_id": decided.match_id,
        "place": decided.place,
        "conversation": _asked(decided.conversation),
    }


ASKED = (
    "media_type",
    "priority",
    "queued_at",
    "created_at",
    "ring",
    "required_skills",
    "preferred_skills",
    "preferred_agent_id",
    "preferred_until",
    "passed_over",
    "location",
)
"""What a choice depends on of a conversation."""


def _asked(conversation: Conversation) -> dict[str, Any]:
    """Return the conversation as the match saw it."""
    return {name: plain(getattr(conversation, name)) for name in ASKED}


def _counts(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a failed match is about; a record of routing rules has none of it."""
    return tuple(record.get(name) for name in ("candidates", "filtered", "waits_for_agent_id"))


def _last_counts(
    connection: Connection, conversation_ids: Sequence[str]
) -> dict[str, tuple[Any, ...]]:
    """Return what each conversation's newest record counts."""
    if not conversation_ids:
        return {}
    newest_first = func.row_number().over(
        partition_by=DECISIONS.c.conversation_id,
        order_by=(DECISIONS.c.at.desc(), DECISIONS.c.id.desc()),
    )
    told = (
        select(DECISIONS.c.conversation_id, DECISIONS.c.record, newest_first.label("age"))
        .where(DECISIONS.c.conversation_id.in_(sorted(conversation_ids)))
        .subquery()
    )
    newest = select(told.c.conversation_id, told.c.record).where(told.c.age == 1)
    return {row.conversation_id: _counts(row.record) for row in connection.execute(newest)}


def forget_before(connection: Connection, moment: Instant, batch: int) -> int:
    """Delete records of before the moment, a bounded number; then what they were made from.

    As long as an old record is left, it still comes out as it was.
    """
    forgotten = _forget(connection, DECISIONS, moment, batch)
    if forgotten == batch:
        return forgotten
    forgotten += _forget(connection, MATCHES, moment, batch)
    return forgotten + floor_history.forget_before(connection, moment, batch)


def _forget(connection: Connection, table: Table, moment: Instant, batch: int) -> int:
    old = select(table.c.id).where(table.c.at < moment).order_by(table.c.at).limit(batch)
    return connection.execute(delete(table).where(table.c.id.in_(old))).rowcount
