"""How the floor was in a period: agents from their history, settings as they were at its start."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from acd.model import Agent
from acd.simulated_people import AgentState
from conversations.model import Instant, RoutingStatus
from storage.floor_history import agent_from_state
from storage.log_tables import AgentHistoryRow, PolicyHistoryRow
from storage.setup_tables import WorkgroupRow
from storage.traffic import PAGE, Period

HISTORY = AgentHistoryRow.__table__  # type: ignore[attr-defined]
POLICIES = PolicyHistoryRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

Place = tuple[Instant, int]


def agents_at(connection: Connection, at: Instant) -> list[Agent]:
    """Return every agent as of a moment; those who never changed before it are not known."""
    newest = select(func.max(HISTORY.c.id)).where(HISTORY.c.at <= at).group_by(HISTORY.c.agent_id)
    rows = connection.execute(select(HISTORY.c.state).where(HISTORY.c.id.in_(newest)))
    return [agent_from_state(state) for state in rows.scalars()]


def page_of_history(
    connection: Connection, period: Period, after: Place
) -> tuple[list[tuple[Instant, Agent]], Place | None]:
    """Return changes of agents, and from where the next page goes on; None at the end."""
    at, row_id = after
    query = (
        select(HISTORY.c.id, HISTORY.c.at, HISTORY.c.state)
        .where(
            HISTORY.c.at <= period.until,
            or_(HISTORY.c.at > at, and_(HISTORY.c.at == at, HISTORY.c.id > row_id)),
            HISTORY.c.at > period.start,
        )
        .order_by(HISTORY.c.at, HISTORY.c.id)
        .limit(PAGE)
    )
    rows = connection.execute(query).all()
    changes = [(row.at, agent_from_state(row.state)) for row in rows]
    return changes, (rows[-1].at, rows[-1].id) if len(rows) == PAGE else None


@dataclass(slots=True)
class FloorReading:
    """Agents' states in a period, without what the rules will do by themselves.

    That an agent did not respond follows from his offers; what he carries, from conversations.
    """

    states: list[AgentState] = field(default_factory=list)
    returns: defaultdict[str, list[Instant]] = field(default_factory=lambda: defaultdict(list))
    absences_ms: list[int] = field(default_factory=list)
    _last: dict[str, Agent] = field(default_factory=dict)
    _missing_since: dict[str, Instant] = field(default_factory=dict)

    def begin(self, agents: Iterable[Agent], at: Instant) -> None:
        for agent in agents:
            self._keep(agent, at)

    def take(self, changes: Iterable[tuple[Instant, Agent]]) -> None:
        for at, agent in changes:
            if agent.routing_status is RoutingStatus.NOT_RESPONDING:
                self._missing_since.setdefault(agent.id, at)
                continue
            missing_since = self._missing_since.pop(agent.id, None)
            if missing_since is not None:
                self.returns[agent.id].append(at)
                self.absences_ms.append(at - missing_since)
            if missing_since is not None or self._last.get(agent.id) != _plain(agent):
                self._keep(agent, at)

    def _keep(self, agent: Agent, at: Instant) -> None:
        self._last[agent.id] = _plain(agent)
        self.states.append(AgentState(at, replace(agent, is_present=True)))


def _plain(agent: Agent) -> Agent:
    """Return the agent without what changes with every conversation and heartbeat."""
    return replace(
        agent, is_present=True, load_percent=0, load_count={}, idle_since=0, offered_at=0
    )


def workgroups_at(connection: Connection, at: Instant) -> dict[str, dict[str, Any]]:
    """Return every workgroup's settings as they were at a moment, else as they are now."""
    now = connection.execute(select(WORKGROUPS)).mappings()
    found: dict[str, dict[str, Any]] = {row["id"]: dict(row) for row in now}
    versions = (
        select(POLICIES.c.workgroup_id, func.max(POLICIES.c.version).label("version"))
        .where(POLICIES.c.at <= at)
        .group_by(POLICIES.c.workgroup_id)
        .subquery()
    )
    query = select(POLICIES.c.workgroup_id, POLICIES.c.settings).join(
        versions,
        and_(
            POLICIES.c.workgroup_id == versions.c.workgroup_id,
            POLICIES.c.version == versions.c.version,
        ),
    )
    for row in connection.execute(query):
        if row.workgroup_id in found:
            found[row.workgroup_id] |= _known(row.settings, found[row.workgroup_id])
    return found


def _known(settings: Mapping[str, Any], columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name in columns}
