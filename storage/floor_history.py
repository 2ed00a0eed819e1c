"""How every agent was at every moment: written with each change, read to evaluate again."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    select,
)

from acd.model import Agent, Utilization
from conversations.model import Instant, Location, MediaType, RoutingStatus
from storage.log_tables import AgentHistoryRow

HISTORY = AgentHistoryRow.__table__  # type: ignore[attr-defined]


def note(connection: Connection, agents: Iterable[Agent], now: Instant) -> None:
    """Write down how agents are after a change of this transaction."""
    written_by: ColumnElement[Any] = null()
    if connection.dialect.name == "postgresql":
        written_by = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
    rows = [{"agent_id": agent.id, "at": now, "state": state_of(agent)} for agent in agents]
    if rows:
        connection.execute(insert(HISTORY).values(written_by=written_by), rows)


FIELDS = tuple(each.name for each in fields(Agent))


def state_of(agent: Agent) -> dict[str, Any]:
    """Return an agent as plain values in a fixed order."""
    return {name: getattr(agent, name) for name in FIELDS} | {
        "workgroup_ids": sorted(agent.workgroup_ids),
        "may_get": sorted(agent.may_get),
        "utilization": {m: asdict(level) for m, level in agent.utilization.items()},
        "location": asdict(agent.location) if agent.location else None,
    }


def agent_from_state(state: dict[str, Any]) -> Agent:
    known = dict(state)
    return Agent(
        id=known.pop("id"),
        routing_status=RoutingStatus(known.pop("routing_status")),
        workgroup_ids=frozenset(known.pop("workgroup_ids")),
        may_get=frozenset(MediaType(m) for m in known.pop("may_get")),
        utilization={
            MediaType(m): Utilization(**level) for m, level in known.pop("utilization").items()
        },
        load_count={MediaType(m): count for m, count in known.pop("load_count").items()},
        location=Location(**place) if (place := known.pop("location")) else None,
        **known,
    )


def as_of(dialect: str) -> ColumnElement[str]:
    """Return an expression that names what the statement around it sees.

    PostgreSQL: the statement's snapshot. SQLite, with its one writer: the newest change.
    """
    if dialect == "postgresql":
        return cast(func.pg_current_snapshot(), Text)
    newest = select(func.coalesce(func.max(HISTORY.c.id), 0)).scalar_subquery()
    return literal("row:").concat(cast(newest, Text))


@dataclass(frozen=True, slots=True)
class View:
    """Which changes a statement saw."""

    newest_row: int | None
    first_running: int = 0
    first_unborn: int = 0
    running: frozenset[int] = frozenset()

    def shows(self, row_id: int, written_by: int | None) -> bool:
        if self.newest_row is not None or written_by is None:
            return self.newest_row is None or row_id <= self.newest_row
        if written_by < self.first_running:
            return True
        return written_by < self.first_unborn and written_by not in self.running


def view(named: str) -> View:
    """Read what `as_of` named: `row:N`, or a snapshot `xmin:xmax:running,…`."""
    if named.startswith("row:"):
        return View(int(named.removeprefix("row:")))
    first_running, first_unborn, running = named.split(":")
    ids = frozenset(int(xid) for xid in running.split(",") if xid)
    return View(None, int(first_running), int(first_unborn), ids)


SLACK_MS = 60_000
"""Rows of transactions that were committed out of order are looked for so far back and ahead."""


def floor(connection: Connection, named: str, at: Instant) -> dict[str, Agent]:
    """Return every agent as the statement saw them, by id."""
    seen = view(named)
    newest = select(func.max(HISTORY.c.id)).where(HISTORY.c.at < at - SLACK_MS)
    old = select(HISTORY).where(HISTORY.c.id.in_(newest.group_by(HISTORY.c.agent_id)))
    recent = select(HISTORY).where(HISTORY.c.at.between(at - SLACK_MS, at + SLACK_MS))
    states: dict[str, dict[str, Any]] = {}
    for query in (old, recent.order_by(HISTORY.c.id)):
        for row in connection.execute(query).mappings():
            if seen.shows(row["id"], row["written_by"]):
                states[row["agent_id"]] = row["state"]
    return {agent_id: agent_from_state(state) for agent_id, state in states.items()}


def forget_before(connection: Connection, moment: Instant, batch: int) -> int:
    """Delete what no decision of the moment or later was made from.

    That is all from before it but each agent's last row. A decision may not have seen what
    others committed shortly before: hence the slack.
    """
    is_old = HISTORY.c.at < moment - SLACK_MS
    last = select(func.max(HISTORY.c.id)).where(is_old).group_by(HISTORY.c.agent_id)
    old = select(HISTORY.c.id).where(is_old, HISTORY.c.id.not_in(last)).limit(batch)
    return connection.execute(delete(HISTORY).where(HISTORY.c.id.in_(old))).rowcount
