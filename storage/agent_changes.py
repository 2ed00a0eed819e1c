"""What one transaction changes of agents: loads, idleness, status; and their history."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Update, bindparam, update

from acd.model import Agent
from conversations.model import Conversation, Holder, Instant, MediaType, RoutingStatus, holders
from storage import floor_history
from storage.candidates import agents_named
from storage.setup_tables import AgentRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]


LOGGED_OFF: dict[str, Any] = {"station_id": None, "held_licence": None, "sign_off_at": None}
"""What a log-in took and a log-off gives back."""

DRAINED = "drained"


@dataclass(slots=True)
class _Change:
    load_delta: int = 0
    override_delta: int = 0
    counts: Counter[MediaType] = field(default_factory=Counter)
    status: RoutingStatus | None = None
    reason: str | None = None

    @property
    def moves_load(self) -> bool:
        return bool(self.load_delta or self.override_delta)

    @property
    def is_relief(self) -> bool:
        return self.load_delta + self.override_delta < 0


@dataclass(slots=True)
class AgentChanges:
    """Collects the changes of locked agents and writes them in the order of their ids."""

    connection: Connection
    now: Instant
    locked: dict[str, Agent] = field(default_factory=dict)
    _changes: dict[str, _Change] = field(default_factory=dict)

    @property
    def touched(self) -> set[str]:
        """Whom this transaction hid from a match that ran beside it."""
        return {*self.locked, *self._changes}

    def are_locked(self, agents: Mapping[str, Agent]) -> None:
        self.locked.update(agents)

    def move_load(self, before: Conversation | None, after: Conversation) -> None:
        gave = set(holders(before) if before else ())
        took = set(holders(after))
        for holder in gave - took:
            self._add(holder, -1)
        for holder in took - gave:
            self._add(holder, 1)

    def _add(self, holder: Holder, sign: int) -> None:
        change = self._of(holder.agent_id)
        change.counts[holder.media_type] += sign
        if holder.is_override:
            change.override_delta += sign * holder.weight_percent
        else:
            change.load_delta += sign * holder.weight_percent

    def set_status(self, agent_id: str, status: RoutingStatus, reason: str | None) -> None:
        change = self._of(agent_id)
        change.status, change.reason = status, reason

    def _of(self, agent_id: str) -> _Change:
        return self._changes.setdefault(agent_id, _Change())

    def write(self) -> list[str]:
        """Write loads, several agents in one statement; a status is rare and goes by itself.

        Returns who was draining and is done, and so is off the queue.
        """
        loads: list[tuple[str, _Change]] = [
            (agent_id, change)
            for agent_id, change in sorted(self._changes.items())
            if change.moves_load
        ]
        for is_relief in (True, False):
            moved = [
                {"row_id": i, "delta": c.load_delta, "override_delta": c.override_delta}
                for i, c in loads
                if c.is_relief is is_relief
            ]
            if moved:
                self.connection.execute(self._load_update(is_relief=is_relief), moved)
        for agent_id, change in sorted(self._changes.items()):
            if change.status is not None:
                self._write_status(agent_id, change.status, change.reason)
        return self._log_drained_off()

    def _log_drained_off(self) -> list[str]:
        """Log off whoever was draining and has nothing left, in the commit that took it."""
        may_be_done = sorted(i for i, c in self._changes.items() if self._may_be_drained(i, c))
        if not may_be_done:
            return []
        done = update(AGENTS).where(
            AGENTS.c.id.in_(may_be_done),
            AGENTS.c.routing_status == RoutingStatus.DRAINING.value,
            AGENTS.c.utilization == 0,
            AGENTS.c.override_percent == 0,
        )
        done = done.values(
            routing_status=RoutingStatus.OFF_QUEUE.value,
            reason=DRAINED,
            since=self.now,
            **LOGGED_OFF,
        )
        drained = list(self.connection.execute(done.returning(AGENTS.c.id)).scalars())
        for agent_id in drained:
            self.set_status(agent_id, RoutingStatus.OFF_QUEUE, DRAINED)
        return drained

    def _may_be_drained(self, agent_id: str, change: _Change) -> bool:
        if change.status is not None:
            return change.status is RoutingStatus.DRAINING
        locked = self.locked.get(agent_id)
        was_draining = locked is None or locked.routing_status is RoutingStatus.DRAINING
        return change.is_relief and was_draining

    def _load_update(self, *, is_relief: bool) -> Update:
        moved = update(AGENTS).where(AGENTS.c.id == bindparam("row_id"))
        moved = moved.values(
            utilization=AGENTS.c.utilization + bindparam("delta"),
            override_percent=AGENTS.c.override_percent + bindparam("override_delta"),
        )
        return moved.values({"idle_since" if is_relief else "offered_at": self.now})

    def _write_status(self, agent_id: str, status: RoutingStatus, reason: str | None) -> None:
        values: dict[str, Any] = {
            "routing_status": status.value,
            "reason": reason,
            "since": self.now,
        }
        if status is RoutingStatus.ON_QUEUE:
            values["idle_since"] = self.now
        if status is RoutingStatus.OFF_QUEUE:
            values |= LOGGED_OFF
        self.connection.execute(update(AGENTS).where(AGENTS.c.id == agent_id).values(values))

    def note_history(self) -> None:
        """Write down the agents as they are now; those of whom more changed are read again.

        What they carry is counted from the conversations: these have to be written by then.
        """
        read_again = sorted(
            i for i, c in self._changes.items() if c.status is not None or i not in self.locked
        )
        now = {
            i: self._moved(self.locked[i], c)
            for i, c in self._changes.items()
            if c.moves_load and i not in read_again
        }
        now |= {agent.id: agent for agent in agents_named(self.connection, read_again, self.now)}
        floor_history.note(self.connection, (now[i] for i in sorted(now)), self.now)

    def _moved(self, agent: Agent, change: _Change) -> Agent:
        counts = {m: agent.load_count.get(m, 0) + change.counts[m] for m in MediaType}
        idle_since, offered_at = agent.idle_since, agent.offered_at
        return replace(
            agent,
            load_percent=agent.load_percent + change.load_delta,
            load_count={m: count for m, count in counts.items() if count},
            idle_since=self.now if change.is_relief else idle_since,
            offered_at=offered_at if change.is_relief else self.now,
        )


def note_agents(connection: Connection, agent_ids: Iterable[str], now: Instant) -> None:
    """Write down agents after a change of their settings, station or membership."""
    floor_history.note(connection, agents_named(connection, sorted(set(agent_ids)), now), now)
