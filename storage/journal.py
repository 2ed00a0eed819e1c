"""What one transaction changes, collected and written in one order that cannot deadlock."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    bindparam,
    delete,
    insert,
    select,
    union,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from acd.model import Agent
from acd.utilization import FULL_PERCENT
from conversations.lifecycle import Decision
from conversations.messages import Bell, Shown
from conversations.model import (
    Conversation,
    ConversationState,
    Instant,
    RoutingStatus,
    holders,
)
from storage import bells, events
from storage.agent_changes import DRAINED, AgentChanges
from storage.conversation_tables import ConversationRow, FurtherOfferRow, InvolvementRow
from storage.database import ConcurrentChange
from storage.ended_offers import EndedOffers
from storage.events import Happening
from storage.handlings import Handlings
from storage.queue_entries import QueueMoves
from storage.rows import conversation_values, plain, queue_order_from
from storage.setup_tables import AgentRow, MembershipRow, RingMemberRow, WorkgroupRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
FURTHER_OFFERS = FurtherOfferRow.__table__  # type: ignore[attr-defined]
INVOLVEMENTS = InvolvementRow.__table__  # type: ignore[attr-defined]
MEMBERSHIPS = MembershipRow.__table__  # type: ignore[attr-defined]
RING_MEMBERS = RingMemberRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What has to follow a commit: bells to ring, workgroups to ask, offers to take back."""

    bells: tuple[Bell, ...] = ()
    asks: frozenset[str] = frozenset()
    leavers: frozenset[str] = frozenset()

    def __or__(self, other: "Aftermath") -> "Aftermath":
        return Aftermath(
            self.bells + other.bells, self.asks | other.asks, self.leavers | other.leavers
        )


@dataclass(slots=True)
class Journal:
    """The changes of one transaction; `flush` writes them, `aftermath` says what follows.

    Every row that is recorded here was locked before by the same transaction, conversations
    before agents, each sorted by id.
    """

    connection: Connection
    now: Instant
    _first: dict[str, Conversation | None] = field(default_factory=dict)
    _last: dict[str, Conversation] = field(default_factory=dict)
    _bell_events: dict[str, str] = field(default_factory=dict)
    _urgent: set[str] = field(default_factory=set)
    _happenings: list[Happening] = field(default_factory=list)
    _involved: set[tuple[str, str]] = field(default_factory=set)
    _leavers: set[str] = field(default_factory=set)
    _asks: set[str] = field(default_factory=set)
    _workgroups: dict[str, RowMapping] = field(default_factory=dict)
    _queue_moves: QueueMoves = field(init=False)
    _handlings: Handlings = field(init=False)
    _ended_offers: EndedOffers = field(init=False)
    _agents: AgentChanges = field(init=False)

    def __post_init__(self) -> None:
        self._queue_moves = QueueMoves(self.now)
        self._handlings = Handlings(self.now)
        self._ended_offers = EndedOffers(self.now)
        self._agents = AgentChanges(self.connection, self.now)

    def agents_are_locked(self, agents: Mapping[str, Agent]) -> None:
        """Remember whom this transaction hid from a match that ran beside it."""
        self._agents.are_locked(agents)

    def conversation_is_locked(self, conversation: Conversation) -> None:
        """Remember a queued conversation that this transaction hid from a match beside it."""
        if conversation.state is ConversationState.QUEUED:
            self._asks.add(conversation.workgroup_id)

    def record(
        self, before: Conversation | None, decision: Decision, bell_event: str
    ) -> Conversation:
        """Take a decision over: its conversation, whose load it moves, and what it tells."""
        after = decision.conversation
        self._first.setdefault(after.id, before)
        self._last[after.id] = after
        self._bell_events[after.id] = bell_event
        self._agents.move_load(before, after)
        self._involved |= {(holder.agent_id, after.id) for holder in holders(after)}
        if after.consulted_agent_id is not None:
            self._involved.add((after.consulted_agent_id, after.id))
        self._queue_moves.note(before, after)
        self._handlings.note(before, after)
        self._ended_offers.note(before, after, decision.events)
        if any(event.type == "reply.accepted" for event in decision.events):
            self._urgent.add(after.id)
        snapshot = conversation_snapshot(after)
        for event in decision.events:
            self._happenings.append(
                Happening(
                    event.type, after.workgroup_id, event.agent_id, after.id, event.detail, snapshot
                )
            )
        for agent_id in decision.not_responding_agent_ids:
            self.set_status(agent_id, RoutingStatus.NOT_RESPONDING, "offer not taken")
        return after

    def workgroup_is_read(self, workgroup: RowMapping) -> None:
        self._workgroups[workgroup["id"]] = workgroup

    def workgroup(self, workgroup_id: str) -> RowMapping:
        """Return a workgroup's row, read once in a transaction."""
        if workgroup_id not in self._workgroups:
            query = select(WORKGROUPS).where(WORKGROUPS.c.id == workgroup_id)
            self._workgroups[workgroup_id] = self.connection.execute(query).mappings().one()
        return self._workgroups[workgroup_id]

    def set_status(self, agent_id: str, status: RoutingStatus, reason: str | None) -> None:
        """Change an agent's routing status; whoever leaves the queue loses his other offers."""
        self._agents.set_status(agent_id, status, reason)
        self._tell_status(agent_id, status, reason)
        if status is not RoutingStatus.ON_QUEUE:
            self._leavers.add(agent_id)

    def _tell_status(self, agent_id: str, status: RoutingStatus, reason: str | None) -> None:
        detail = {"routing_status": status.value, "reason": reason}
        self.tell(Happening("agent.status_changed", None, agent_id, None, detail))

    def tell(self, happening: Happening) -> None:
        """Add an event that belongs to no change of a conversation."""
        self._happenings.append(happening)

    def flush(self) -> None:
        """Write everything: agents, conversations, involvements, bells, events."""
        for agent_id in self._agents.write():
            self._tell_status(agent_id, RoutingStatus.OFF_QUEUE, DRAINED)
        self._write_conversations()
        self._write_further_offers()
        self._agents.note_history()
        self._write_involvements()
        self._queue_moves.write(self.connection, self.workgroup)
        self._handlings.write(self.connection)
        self._ended_offers.write(self.connection)
        changed = ((c.id, c.network, c.version) for c in self._last.values())
        new_ids = {i for i, before in self._first.items() if before is None}
        bells.note_changed(self.connection, changed, new_ids, self.now)
        events.append(self.connection, self._happenings, self.now)

    def _write_conversations(self) -> None:
        """Write the old before the new: one that lapsed makes room for its affinity key."""
        self._update_conversations()
        new = [c for i, c in sorted(self._last.items()) if self._first[i] is None]
        if new:
            self.connection.execute(insert(CONVERSATIONS), [self._values(c) for c in new])

    def _values(self, conversation: Conversation) -> dict[str, Any]:
        order = queue_order_from(self.workgroup(conversation.workgroup_id))
        return conversation_values(conversation, order)

    def _write_further_offers(self) -> None:
        """Write whom a conversation alerts beside the first; rare, so row by row."""
        for conversation_id, after in self._last.items():
            before = self._first[conversation_id]
            had = {offer.agent_id for offer in before.offers[1:]} if before else set()
            has = {offer.agent_id for offer in after.offers[1:]}
            if had == has:
                continue
            ours = FURTHER_OFFERS.c.conversation_id == conversation_id
            self.connection.execute(delete(FURTHER_OFFERS).where(ours))
            rows = [
                {"agent_id": a, "conversation_id": after.id, "media_type": after.media_type.value}
                for a in sorted(has)
            ]
            if rows:
                self.connection.execute(insert(FURTHER_OFFERS), rows)

    def _update_conversations(self) -> None:
        """Write what changed; conversations in which the same columns changed go together."""
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for conversation_id, after in sorted(self._last.items()):
            before = self._first[conversation_id]
            if before is None:
                continue
            old, new = self._values(before), self._values(after)
            changed = {name: value for name, value in new.items() if value != old[name]}
            row = {"row_id": after.id, "old_version": before.version}
            row |= {f"new_{name}": value for name, value in changed.items()}
            alike.setdefault(tuple(changed), []).append(row)
        for columns, rows in alike.items():
            self._update_alike(columns, rows)

    def _update_alike(self, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
        guarded = update(CONVERSATIONS).where(
            CONVERSATIONS.c.id == bindparam("row_id"),
            CONVERSATIONS.c.version == bindparam("old_version"),
        )
        values = {
            name: bindparam(f"new_{name}", type_=CONVERSATIONS.c[name].type) for name in columns
        }
        written = self.connection.execute(guarded.values(values), rows)
        if written.rowcount == -1:
            self._require_written(rows)
        elif written.rowcount != len(rows):
            raise ConcurrentChange(rows[0]["row_id"])

    def _require_written(self, rows: list[dict[str, Any]]) -> None:
        """Look whether all were written: asyncpg counts no rows for several sets of parameters."""
        ids = [row["row_id"] for row in rows]
        query = select(CONVERSATIONS.c.id, CONVERSATIONS.c.version).where(
            CONVERSATIONS.c.id.in_(ids)
        )
        versions = {row.id: row.version for row in self.connection.execute(query)}
        for row in rows:
            if versions.get(row["row_id"]) != row["new_version"]:
                raise ConcurrentChange(row["row_id"])

    def _write_involvements(self) -> None:
        if not self._involved:
            return
        dialect = sqlite if self.connection.dialect.name == "sqlite" else postgresql
        rows = [{"agent_id": a, "conversation_id": c} for a, c in sorted(self._involved)]
        self.connection.execute(dialect.insert(INVOLVEMENTS).on_conflict_do_nothing(), rows)

    def aftermath(self) -> Aftermath:
        """Say what follows the commit.

        Asked are the workgroups of every conversation left in a queue, and all workgroups of
        every agent who was locked here and has room: a match that ran meanwhile skipped them.
        Also those of whoever left the queue: nobody has to wait for a preferred agent any more.
        """
        rung = tuple(
            Bell(
                c.id,
                c.network,
                self._bell_events[c.id],
                c.version,
                c.id in self._urgent,
                shown(c),
                is_reopened=c.reopened_at is not None,
            )
            for c in self._last.values()
        )
        waiting = {
            c.workgroup_id for c in self._last.values() if c.state is ConversationState.QUEUED
        }
        asks = self._asks | waiting | self._workgroups_with_room()
        return Aftermath(rung, frozenset(asks), frozenset(self._leavers))

    def _workgroups_with_room(self) -> set[str]:
        agent_ids = sorted(self._agents.touched)
        if not agent_ids:
            return set()
        theirs = (
            select(MEMBERSHIPS.c.workgroup_id)
            .join(AGENTS, AGENTS.c.id == MEMBERSHIPS.c.agent_id)
            .where(
                AGENTS.c.id.in_(agent_ids),
                AGENTS.c.id.in_(sorted(self._leavers))
                | (
                    (AGENTS.c.routing_status == RoutingStatus.ON_QUEUE.value)
                    & (AGENTS.c.utilization < FULL_PERCENT)
                ),
            )
        )
        helped = select(RING_MEMBERS.c.workgroup_id).where(
            RING_MEMBERS.c.added_workgroup_id.in_(theirs)
        )
        return set(self.connection.execute(union(theirs, helped)).scalars())


def shown(conversation: Conversation) -> Shown:
    """Return what operators see in Temporal: the agent is the one alerted, else the owner."""
    offer = conversation.offer
    agent_id = offer.agent_id if offer else conversation.agent_id
    return Shown(conversation.state.value, conversation.workgroup_id, agent_id)


FIELDS = tuple(each.name for each in fields(Conversation))


def conversation_snapshot(conversation: Conversation) -> dict[str, Any]:
    """Return the conversation as an event keeps it: plain values, moments in milliseconds."""
    snapshot = {name: plain(getattr(conversation, name)) for name in FIELDS}
    snapshot["unanswered_count"] = conversation.unanswered_count
    snapshot["offer"] = asdict(conversation.offer) if conversation.offer else None
    return snapshot
