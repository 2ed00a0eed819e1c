"""Agents as routing sees them: read for a match, or locked for a change."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select, union_all

from acd.licences import LicenceKind
from acd.model import Agent
from acd.utilization import FULL_PERCENT
from conversations.model import Instant, MediaType, RoutingStatus
from storage.conversation_tables import ConversationRow, FurtherOfferRow
from storage.rows import agent_from
from storage.setup_tables import (
    AgentRow,
    LicenceRow,
    MembershipRow,
    PresenceRow,
    RingMemberRow,
    StationRow,
)

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
FURTHER_OFFERS = FurtherOfferRow.__table__  # type: ignore[attr-defined]
LICENCES = LicenceRow.__table__  # type: ignore[attr-defined]
MEMBERSHIPS = MembershipRow.__table__  # type: ignore[attr-defined]
PRESENCES = PresenceRow.__table__  # type: ignore[attr-defined]
RING_MEMBERS = RingMemberRow.__table__  # type: ignore[attr-defined]
STATIONS = StationRow.__table__  # type: ignore[attr-defined]


def agent_rows() -> Select[tuple[object, ...]]:
    allocations = (
        select(LICENCES.c.allocation)
        .where(LICENCES.c.kind == kind.value)
        .scalar_subquery()
        .label(f"{kind.value}_allocation")
        for kind in LicenceKind
    )
    licensed = STATIONS.c.licensed.label("station_licensed")
    return (
        select(AGENTS, PRESENCES.c.seen_at, licensed, *allocations)
        .outerjoin(PRESENCES, PRESENCES.c.agent_id == AGENTS.c.id)
        .outerjoin(STATIONS, STATIONS.c.id == AGENTS.c.station_id)
    )


def members_of(workgroup_ids: Collection[str]) -> ColumnElement[bool]:
    theirs = select(MEMBERSHIPS.c.agent_id).where(
        MEMBERSHIPS.c.workgroup_id.in_(sorted(workgroup_ids))
    )
    is_member: ColumnElement[bool] = AGENTS.c.id.in_(theirs)
    return is_member


def locked_agents(
    connection: Connection,
    agent_ids: Collection[str],
    now: Instant,
    *,
    skip_locked: bool = False,
) -> dict[str, Agent]:
    """Lock agents in the order of their ids and return those who exist (and could be locked)."""
    if not agent_ids:
        return {}
    query = (
        agent_rows()
        .where(AGENTS.c.id.in_(sorted(agent_ids)))
        .order_by(AGENTS.c.id)
        .with_for_update(of=AGENTS, skip_locked=skip_locked)
    )
    rows = connection.execute(query).mappings().all()
    found = [row["id"] for row in rows]
    workgroups = _workgroups_of(connection, found)
    counts = _load_counts(connection, found)
    return {
        row["id"]: agent_from(row, now, workgroups[row["id"]], counts[row["id"]]) for row in rows
    }


def agents_named(connection: Connection, agent_ids: Collection[str], now: Instant) -> list[Agent]:
    """Return agents by their ids, unlocked, sorted by id."""
    if not agent_ids:
        return []
    query = agent_rows().where(AGENTS.c.id.in_(sorted(agent_ids))).order_by(AGENTS.c.id)
    return _read(connection, query, now)


def agents_on_queue(
    connection: Connection, workgroup_ids: Collection[str], now: Instant
) -> list[Agent]:
    """Return the workgroups' agents on queue, room or not, unlocked, sorted by id."""
    return _read(connection, _on_queue(workgroup_ids), now)


def _on_queue(workgroup_ids: Collection[str]) -> Select[tuple[object, ...]]:
    is_on_queue = AGENTS.c.routing_status == RoutingStatus.ON_QUEUE.value
    return agent_rows().where(members_of(workgroup_ids), is_on_queue).order_by(AGENTS.c.id)


def _read(connection: Connection, query: Select[tuple[object, ...]], now: Instant) -> list[Agent]:
    return agents_from(connection, connection.execute(query).mappings().all(), now)


def agents_from(
    connection: Connection,
    rows: Sequence[RowMapping],
    now: Instant,
    *,
    counting: bool = True,
    workgroups: Mapping[str, frozenset[str]] | None = None,
) -> list[Agent]:
    """Read rows of `agent_rows` as agents, with their workgroups and what they carry.

    Only maximum counts need the counting; the workgroups are read unless they are known.
    """
    found = [row["id"] for row in rows]
    counts = _load_counts(connection, found if counting else [])
    if workgroups is None:
        workgroups = _workgroups_of(connection, found)
    return [agent_from(row, now, workgroups[row["id"]], counts[row["id"]]) for row in rows]


def has_maximum(rows: Sequence[RowMapping]) -> bool:
    """Whether any of the agents has a maximum count of his own."""
    levels = (level for row in rows for level in row["own_utilization"].values())
    return any(level.get("max") is not None for level in levels)


def has_room(connection: Connection, workgroup_id: str) -> bool:
    """Whether anybody who may be asked is on queue and not full; a look before a match."""
    added = select(RING_MEMBERS.c.added_workgroup_id).where(
        RING_MEMBERS.c.workgroup_id == workgroup_id
    )
    in_reach = (MEMBERSHIPS.c.workgroup_id == workgroup_id) | (
        MEMBERSHIPS.c.workgroup_id.in_(added)
    )
    query = (
        select(AGENTS.c.id)
        .join(MEMBERSHIPS, MEMBERSHIPS.c.agent_id == AGENTS.c.id)
        .where(
            in_reach,
            AGENTS.c.routing_status == RoutingStatus.ON_QUEUE.value,
            AGENTS.c.utilization < FULL_PERCENT,
        )
    )
    return connection.execute(query.limit(1)).first() is not None


def _workgroups_of(connection: Connection, agent_ids: list[str]) -> dict[str, frozenset[str]]:
    query = select(MEMBERSHIPS).where(MEMBERSHIPS.c.agent_id.in_(agent_ids))
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in connection.execute(query):
        found[row.agent_id].add(row.workgroup_id)
    return {agent_id: frozenset(found[agent_id]) for agent_id in agent_ids}


def _load_counts(connection: Connection, agent_ids: list[str]) -> dict[str, dict[MediaType, int]]:
    counts: defaultdict[str, dict[MediaType, int]] = defaultdict(dict)
    if not agent_ids:
        return counts
    firsts = select(
        CONVERSATIONS.c.holder_agent_id.label("agent_id"), CONVERSATIONS.c.media_type
    ).where(CONVERSATIONS.c.holder_agent_id.in_(agent_ids))
    further = select(FURTHER_OFFERS.c.agent_id, FURTHER_OFFERS.c.media_type).where(
        FURTHER_OFFERS.c.agent_id.in_(agent_ids)
    )
    carried = union_all(firsts, further).subquery()
    columns = (carried.c.agent_id, carried.c.media_type)
    for agent_id, media_type, count in connection.execute(
        select(*columns, func.count()).group_by(*columns)
    ):
        counts[agent_id][MediaType(media_type)] = count
    return counts
