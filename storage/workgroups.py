"""Workgroups and their members."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    RowMapping,
    and_,
    delete,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from acd.model import ScoreWeights
from acd.priority import MS_PER_POINT, STRICT_STEP
from storage import clock, overflow, policy_history, setup, skills
from storage.agent_changes import note_agents
from storage.conversation_tables import ConversationRow
from storage.desk_tables import CannedReplyWorkgroupRow, DispositionWorkgroupRow
from storage.ids import new_id
from storage.log_tables import PolicyHistoryRow
from storage.pages import Page, Window, page
from storage.setup_tables import (
    AgentRow,
    ChannelRow,
    MembershipRow,
    RingMemberRow,
    RuleWorkgroupRow,
    WorkgroupRow,
)

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CANNED_REPLY_WORKGROUPS = CannedReplyWorkgroupRow.__table__  # type: ignore[attr-defined]
CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]
DISPOSITION_WORKGROUPS = DispositionWorkgroupRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
MEMBERSHIPS = MembershipRow.__table__  # type: ignore[attr-defined]
RING_MEMBERS = RingMemberRow.__table__  # type: ignore[attr-defined]
RULE_WORKGROUPS = RuleWorkgroupRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

POLICIES = PolicyHistoryRow.__table__  # type: ignore[attr-defined]

KIND = "workgroup"
LATELY_MS = 60_000
"""Longer than any transaction runs."""


class RingOfItself(setup.UnknownReference):
    """A ring widens the circle; the workgroup itself is in it from the start."""

    def __init__(self, number: int, workgroup_id: str) -> None:
        super().__init__(f"rings.{number}", workgroup_id)
        self.args = (f"ring {number} adds the workgroup whose ring it is",)


def create(connection: Connection, values: Mapping[str, Any]) -> str:
    """Create a workgroup and return its id.

    Raises:
        NameTaken: another one has the name.
    """
    workgroup_id = new_id("wg")
    setup.require_free(WORKGROUPS.c.name, connection, KIND, values["name"], workgroup_id)
    _require_skills(connection, values)
    overflow.require_sound(connection, workgroup_id, values)
    given = {**values, "id": workgroup_id, "created_at": clock.now(connection)}
    setup.add(connection, WORKGROUPS, given)
    _write_ring_members(connection, workgroup_id, values["rings"])
    policy_history.note(connection, workgroup_id)
    return workgroup_id


def _require_skills(connection: Connection, values: Mapping[str, Any]) -> None:
    """Let required and preferred skills exist; what a ring drops or lowers has to exist already."""
    skills.ensure(connection, skills.asked_by(values))
    for number, ring in enumerate(values["rings"]):
        named = {*ring["drop_skills"], *skills.named_in(ring["lower_skills"])}
        skills.require_known(connection, f"rings.{number}", named)


def _write_ring_members(
    connection: Connection, workgroup_id: str, rings: Sequence[Mapping[str, Any]]
) -> None:
    """Remember whose freed agents may serve this workgroup.

    Raises:
        UnknownReference: a ring names a workgroup that does not exist.
        RingOfItself: a ring adds the workgroup whose ring it is.
    """
    for number, ring in enumerate(rings):
        setup.require_known(connection, WORKGROUPS, f"rings.{number}", ring["workgroups"])
        if workgroup_id in ring["workgroups"]:
            raise RingOfItself(number, workgroup_id)
    connection.execute(delete(RING_MEMBERS).where(RING_MEMBERS.c.workgroup_id == workgroup_id))
    added = {added for ring in rings for added in ring["workgroups"]}
    rows = [{"workgroup_id": workgroup_id, "added_workgroup_id": one} for one in sorted(added)]
    if rows:
        connection.execute(insert(RING_MEMBERS), rows)


def get(connection: Connection, workgroup_id: str) -> RowMapping | None:
    return setup.find(connection, WORKGROUPS, workgroup_id)


def lock(connection: Connection, workgroup_id: str) -> RowMapping | None:
    """Return the workgroup's row, locked for a change; conversations may still come into it.

    Whoever brings one has locked others that a new order of the queue waits for.
    """
    query = select(WORKGROUPS).where(WORKGROUPS.c.id == workgroup_id)
    locked = connection.execute(query.with_for_update(key_share=True))
    return locked.mappings().one_or_none()


def listed(connection: Connection, window: Window) -> Page:
    order = (WORKGROUPS.c.created_at, WORKGROUPS.c.id)
    return page(connection, select(WORKGROUPS), order, window)


def change(connection: Connection, row: RowMapping, values: Mapping[str, Any]) -> None:
    """Write a locked workgroup's new values.

    Raises:
        NameTaken: another one has the name.
    """
    setup.require_free(WORKGROUPS.c.name, connection, KIND, values["name"], row["id"])
    _require_skills(connection, values)
    overflow.require_sound(connection, row["id"], values)
    setup.change(connection, WORKGROUPS, row, values)
    _write_ring_members(connection, row["id"], values["rings"])
    policy_history.note(connection, row["id"])
    if any(row[name] != values[name] for name in ("score_weights", "strict_priority")):
        _rank_again(connection, row["id"], values)


def _rank_again(connection: Connection, workgroup_id: str, values: Mapping[str, Any]) -> None:
    """Give every open conversation its place in the new order: `acd.priority.queue_rank`."""
    weights = ScoreWeights(**values["score_weights"])
    since = (
        weights.time_in_queue * CONVERSATIONS.c.queued_at
        + weights.time_in_system * CONVERSATIONS.c.created_at
    )
    step = STRICT_STEP if values["strict_priority"] else weights.priority * MS_PER_POINT
    rank = since - CONVERSATIONS.c.priority * literal(step, BigInteger)
    is_theirs = and_(
        CONVERSATIONS.c.workgroup_id == workgroup_id,
        CONVERSATIONS.c.ended_at.is_(None),
        CONVERSATIONS.c.queue_rank != rank,
    )
    in_common_order = select(CONVERSATIONS.c.id).where(is_theirs).order_by(CONVERSATIONS.c.id)
    connection.execute(
        update(CONVERSATIONS)
        .where(CONVERSATIONS.c.id.in_(in_common_order.with_for_update(key_share=True)))
        .values(queue_rank=rank)
    )


def lately_changed(connection: Connection) -> list[str]:
    """Return the workgroups whose settings were changed within the last minute."""
    since = clock.now(connection) - LATELY_MS
    query = select(POLICIES.c.workgroup_id).where(POLICIES.c.at >= since, POLICIES.c.version > 1)
    return sorted(set(connection.execute(query).scalars()))


def rank_again(connection: Connection, workgroup_id: str) -> None:
    """Rank whom a transaction that began before a change of the order ranked by the old one."""
    row = lock(connection, workgroup_id)
    if row is not None:
        _rank_again(connection, workgroup_id, dict(row))


def remove(connection: Connection, workgroup_id: str) -> None:
    """Delete a workgroup that nothing refers to.

    Raises:
        InUse: channels, members, conversations, rings, rules, canned replies or dispositions do.
    """
    users = (
        ("channels", CHANNELS.c.workgroup_id),
        ("members", MEMBERSHIPS.c.workgroup_id),
        ("conversations", CONVERSATIONS.c.workgroup_id),
        ("rings", RING_MEMBERS.c.added_workgroup_id),
        ("routing rules", RULE_WORKGROUPS.c.workgroup_id),
        ("canned replies", CANNED_REPLY_WORKGROUPS.c.workgroup_id),
        ("dispositions", DISPOSITION_WORKGROUPS.c.workgroup_id),
    )
    for by, column in users:
        if setup.is_referred_to(connection, column, workgroup_id):
            raise setup.InUse(KIND, workgroup_id, by)
    if overflow.is_target(connection, workgroup_id):
        raise setup.InUse(KIND, workgroup_id, "workgroups that overflow to it")
    connection.execute(delete(RING_MEMBERS).where(RING_MEMBERS.c.workgroup_id == workgroup_id))
    setup.remove(connection, WORKGROUPS, KIND, workgroup_id)


def add_member(connection: Connection, workgroup_id: str, agent_id: str) -> frozenset[str] | None:
    """Make the agent a member and return all workgroups of the agent, whose row was locked.

    None when one of the two does not exist.
    """
    known = (
        setup.find(connection, WORKGROUPS, workgroup_id),
        setup.lock(connection, AGENTS, agent_id),
    )
    if None in known:
        return None
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    joined = dialect.insert(MEMBERSHIPS).on_conflict_do_nothing()
    connection.execute(joined, {"workgroup_id": workgroup_id, "agent_id": agent_id})
    note_agents(connection, [agent_id], clock.now(connection))
    return served_by(connection, of_agents(connection, [agent_id])[agent_id])


def remove_member(
    connection: Connection, workgroup_id: str, agent_id: str
) -> frozenset[str] | None:
    """End a membership and return the workgroups that are left; None when there was none."""
    setup.lock(connection, AGENTS, agent_id)
    one = (MEMBERSHIPS.c.workgroup_id == workgroup_id, MEMBERSHIPS.c.agent_id == agent_id)
    if connection.execute(delete(MEMBERSHIPS).where(*one)).rowcount != 1:
        return None
    note_agents(connection, [agent_id], clock.now(connection))
    return served_by(connection, of_agents(connection, [agent_id])[agent_id])


def served_by(connection: Connection, workgroup_ids: Collection[str]) -> frozenset[str]:
    """Return the workgroups that their members may serve: these, and those whose rings add them."""
    helped = select(RING_MEMBERS.c.workgroup_id).where(
        RING_MEMBERS.c.added_workgroup_id.in_(sorted(workgroup_ids))
    )
    return frozenset(workgroup_ids).union(connection.execute(helped).scalars())


def of_agents(connection: Connection, agent_ids: Collection[str]) -> dict[str, list[str]]:
    """Return the ids of each agent's workgroups, sorted."""
    query = select(MEMBERSHIPS).where(MEMBERSHIPS.c.agent_id.in_(sorted(agent_ids)))
    found: dict[str, list[str]] = {agent_id: [] for agent_id in agent_ids}
    for row in connection.execute(query.order_by(MEMBERSHIPS.c.workgroup_id)):
        found[row.agent_id].append(row.workgroup_id)
    return found
