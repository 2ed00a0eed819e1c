"""`acd.shortlist` in the database: the first agents in the order, and counts of all others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
)

from acd.eligibility import reasons_against
from acd.matching import Asks, Shortlist, asks_of
from acd.model import DEFAULT_WEIGHT_PERCENT, OrderKey, RoutingPolicy
from acd.order import wanted_skills
from acd.rings import asked_skills, workgroups_in_reach
from acd.shortlist import FURTHER_BACK, Coarse, most_to_look_at
from acd.utilization import FULL_PERCENT
from conversations.model import (
    Conversation,
    Instant,
    MediaType,
    RequiredSkill,
    RoutingStatus,
)
from storage import floor_history
from storage.candidates import agent_rows, agents_from, has_maximum, members_of
from storage.setup_tables import AgentRow, MembershipRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
MEMBERSHIPS = MembershipRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the floor saw, and what it takes to look the same way again.

    `not_present` are agents among those looked at whose presence had run out; no history keeps
    that. `as_of` names the statement's view of the floor.
    """

    shortlist: Shortlist
    as_of: str
    most: int | None
    not_present: tuple[str, ...]


@dataclass(slots=True)
class Looks:
    """The looks that one match takes at the floor, one for all who ask for the same."""

    connection: Connection
    policy: RoutingPolicy
    now: Instant
    waiting: int
    _taken: dict[Asks, Look] = field(default_factory=dict)

    def shortlist(self, conversation: Conversation) -> Shortlist:
        asks = asks_of(conversation, self.policy)
        if asks not in self._taken:
            self._taken[asks] = look(
                self.connection, conversation, self.policy, self.now, self.waiting
            )
        return self._taken[asks].shortlist

    def of(self, conversation: Conversation) -> Look:
        """Return the look that was taken for a conversation of this match."""
        return self._taken[asks_of(conversation, self.policy)]


def look(
    connection: Connection,
    conversation: Conversation,
    policy: RoutingPolicy,
    now: Instant,
    waiting: int,
) -> Look:
    """Look at enough agents for a match of so many conversations; at all when it has to be."""
    most = most_to_look_at(conversation, policy, waiting)
    seen = _look(connection, conversation, policy, now, most)
    if most is None or FURTHER_BACK not in seen.shortlist.stopped_before:
        return seen
    eligible = (not reasons_against(conversation, a, policy, now) for a in seen.shortlist.agents)
    if sum(eligible) >= waiting * policy.offers_at_once:
        return seen
    return _look(connection, conversation, policy, now, None)


def _look(
    connection: Connection,
    conversation: Conversation,
    policy: RoutingPolicy,
    now: Instant,
    most: int | None,
) -> Look:
    question = _question(connection.dialect.name, conversation, policy, most)
    found = connection.execute(_statement(question)).mappings().all()
    counts = found[0]
    rows = [row for row in found if row["id"] is not None]
    agents = agents_from(
        connection,
        rows,
        now,
        counting=question.has_maximum or has_maximum(rows),
        workgroups={row["id"]: frozenset((row["member_of"] or "").split()) for row in rows},
    )
    stopped = {reason.value: counts[_counted(reason)] for reason in Coarse}
    stopped[FURTHER_BACK] = counts["looked_at"] - len(agents)
    return Look(
        Shortlist(agents, {reason: count for reason, count in stopped.items() if count}),
        counts["as_of"],
        most,
        tuple(agent.id for agent in agents if not agent.is_present),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """All that the statement depends on, so that alike questions share one."""

    dialect: str
    workgroup_ids: frozenset[str]
    asked: tuple[RequiredSkill, ...]
    wanted: tuple[RequiredSkill, ...]
    media_type: MediaType
    weight_percent: int
    has_maximum: bool
    agent_order: tuple[OrderKey, ...]
    preferred_agent_id: str | None
    is_waited_for: bool
    most: int | None


def _question(
    dialect: str, conversation: Conversation, policy: RoutingPolicy, most: int | None
) -> _Question:
    of_workgroup = policy.utilization.get(conversation.media_type)
    preferred = conversation.preferred_agent_id
    return _Question(
        dialect=dialect,
        workgroup_ids=workgroups_in_reach(conversation, policy),
        asked=asked_skills(conversation, policy),
        wanted=wanted_skills(conversation, policy),
        media_type=conversation.media_type,
        weight_percent=of_workgroup.percent if of_workgroup else DEFAULT_WEIGHT_PERCENT,
        has_maximum=of_workgroup is not None and of_workgroup.max_count is not None,
        agent_order=policy.agent_order,
        preferred_agent_id=preferred,
        is_waited_for=preferred is not None and conversation.preferred_until is not None,
        most=most,
    )


def _counted(reason: Coarse) -> str:
    return f"stopped_{reason.value}"


@lru_cache(maxsize=512)
def _statement(question: _Question) -> Select[Any]:
    """Return one statement, so that agents and counts are of one view of the floor.

    Putting it together costs as much as running it: hence the cache.
    """
    members = (
        select(AGENTS.c.id, _stopped_by(question).label("stopped_by"))
        .where(members_of(question.workgroup_ids))
        .cte("members")
    )
    counts = (
        select(
            *(
                func.count().filter(members.c.stopped_by == reason.value).label(_counted(reason))
                for reason in Coarse
            ),
            func.count().filter(members.c.stopped_by.is_(None)).label("looked_at"),
            floor_history.as_of(question.dialect).label("as_of"),
        )
        .select_from(members)
        .subquery("counts")
    )
    order = _order(question)
    first = (
        agent_rows()
        .add_columns(_member_of(question.dialect).label("member_of"))
        .add_columns(func.row_number().over(order_by=order).label("standing"))
        .join(members, members.c.id == AGENTS.c.id)
        .where(members.c.stopped_by.is_(None))
        .order_by(*order)
        .limit(question.most)
        .subquery("first")
    )
    return select(counts, first).outerjoin(first, true()).order_by(first.c.standing)


def _member_of(dialect: str) -> ColumnElement[str | None]:
    """Return the ids of an agent's workgroups, joined, in the look's own view of the floor."""
    joined = func.string_agg if dialect == "postgresql" else func.group_concat
    memberships = select(joined(MEMBERSHIPS.c.workgroup_id, " "))
    ids: ColumnElement[str | None] = memberships.where(
        MEMBERSHIPS.c.agent_id == AGENTS.c.id
    ).scalar_subquery()
    return ids


def _stopped_by(question: _Question) -> ColumnElement[str | None]:
    """Say as `acd.shortlist.ruled_out_by` what rules an agent out at once."""
    may_be_asked = _has_room(question)
    if question.is_waited_for:
        may_be_asked = or_(may_be_asked, AGENTS.c.id == question.preferred_agent_id)
    return case(
        (AGENTS.c.enabled.is_(False), Coarse.DISABLED.value),
        (AGENTS.c.routing_status != RoutingStatus.ON_QUEUE.value, Coarse.NOT_ON_QUEUE.value),
        (~_has_skills(question.asked), Coarse.MISSING_SKILL.value),
        (~may_be_asked, Coarse.CAPACITY.value),
        else_=None,
    )


def _has_skills(asked: Sequence[RequiredSkill]) -> ColumnElement[bool]:
    return and_(
        true(), *(func.coalesce(_level(one.skill), -1) >= one.min_proficiency for one in asked)
    )


def _level(skill: str) -> ColumnElement[Any]:
    level: ColumnElement[Any] = AGENTS.c.skills[skill].as_integer()
    return level


def _has_room(question: _Question) -> ColumnElement[bool]:
    own = AGENTS.c.own_utilization[(question.media_type.value, "percent")].as_integer()
    weight = func.coalesce(own, question.weight_percent)
    has_room: ColumnElement[bool] = AGENTS.c.utilization + weight <= FULL_PERCENT
    return has_room


def _order(question: _Question) -> list[ColumnElement[Any]]:
    """Return the keys of `acd.order` as columns; the nearest are found among all."""
    keys = [_KEYS[key](question) for key in question.agent_order if key in _KEYS]
    if question.is_waited_for:
        keys.insert(0, _not_preferred(question))
    return [*keys, AGENTS.c.id]


def _not_preferred(question: _Question) -> ColumnElement[Any]:
    if question.preferred_agent_id is None:
        return literal(0)
    return case((AGENTS.c.id == question.preferred_agent_id, 0), else_=1)


def _lacking_skill(question: _Question) -> ColumnElement[Any]:
    lacking: ColumnElement[Any] = literal(0)
    for wanted in question.wanted:
        level = func.coalesce(_level(wanted.skill), 0)
        lacking -= case((level >= wanted.min_proficiency, level), else_=0)
    return lacking


_KEYS: dict[OrderKey, Callable[[_Question], ColumnElement[Any]]] = {
    OrderKey.PREFERRED_AGENT: _not_preferred,
    OrderKey.SKILL_FIT: _lacking_skill,
    OrderKey.LOWEST_UTILIZATION: lambda _: AGENTS.c.utilization,
    OrderKey.LONGEST_IDLE: lambda _: AGENTS.c.idle_since,
    OrderKey.ROUND_ROBIN: lambda _: AGENTS.c.offered_at,
}
