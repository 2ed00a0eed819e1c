"""Agents as an administrator sets them up and as everybody reads them."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from acd.licences import LicenceKind
from conversations.model import ConversationState, RoutingStatus
from storage import clock, drafts, licences, principals, setup, skills, workgroups
from storage.agent_changes import note_agents
from storage.conversation_tables import (
    ConversationRow,
    CustomerRow,
    InvolvementRow,
    NoteRow,
    ReplyRow,
)
from storage.ids import new_id
from storage.pages import Page, Window, page
from storage.setup_tables import (
    AgentRow,
    MembershipRow,
    PresenceRow,
    RuleAgentRow,
    WorkgroupRow,
)

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
CUSTOMERS = CustomerRow.__table__  # type: ignore[attr-defined]
INVOLVEMENTS = InvolvementRow.__table__  # type: ignore[attr-defined]
MEMBERSHIPS = MembershipRow.__table__  # type: ignore[attr-defined]
NOTES = NoteRow.__table__  # type: ignore[attr-defined]
PRESENCES = PresenceRow.__table__  # type: ignore[attr-defined]
REPLIES = ReplyRow.__table__  # type: ignore[attr-defined]
RULE_AGENTS = RuleAgentRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

KIND = "agent"


def create(connection: Connection, values: Mapping[str, Any], workgroup_ids: list[str]) -> str:
    """Create an agent with its principal and return the agent's id.

    Raises:
        NameTaken: another agent has the username.
        UnknownReference: one of the workgroups does not exist.
        LicencesExhausted: the agent is to be licensed and no licence is left.
    """
    agent_id, now = new_id("ag"), clock.now(connection)
    setup.require_free(AGENTS.c.username, connection, KIND, values["username"], agent_id)
    if values["licensed"]:
        licences.require_assignable(connection, LicenceKind.USER)
    skills.ensure(connection, values["skills"])
    moments = {"created_at": now, "since": now, "idle_since": now}
    setup.add(connection, AGENTS, {**values, "id": agent_id, **moments})
    _join(connection, agent_id, workgroup_ids)
    principals.add(connection, values["name"], values["roles"], agent_id)
    note_agents(connection, [agent_id], now)
    return agent_id


def _join(connection: Connection, agent_id: str, workgroup_ids: list[str]) -> None:
    setup.require_known(connection, WORKGROUPS, "workgroups", workgroup_ids)
    rows = [{"workgroup_id": w, "agent_id": agent_id} for w in sorted(set(workgroup_ids))]
    if rows:
        connection.execute(insert(MEMBERSHIPS), rows)


def get(connection: Connection, agent_id: str) -> RowMapping | None:
    return setup.find(connection, AGENTS, agent_id)


def lock(connection: Connection, agent_id: str) -> RowMapping | None:
    return setup.lock(connection, AGENTS, agent_id)


def listed(connection: Connection, window: Window) -> Page:
    return page(connection, select(AGENTS), (AGENTS.c.created_at, AGENTS.c.id), window)


def change(
    connection: Connection, row: RowMapping, values: Mapping[str, Any], workgroup_ids: list[str]
) -> list[str]:
    """Write a locked agent's new values; return all workgroups, old and new, to be asked.

    Raises:
        NameTaken: another agent has the username.
        UnknownReference: one of the workgroups does not exist.
        LicencesExhausted: the agent is to be licensed and no licence is left.
        NoLicenceFree: a logged-in agent is to be licensed and no concurrent licence is free.
    """
    setup.require_free(AGENTS.c.username, connection, KIND, values["username"], row["id"])
    before = workgroups.of_agents(connection, [row["id"]])[row["id"]]
    if set(before) != set(workgroup_ids):
        setup.require_known(connection, WORKGROUPS, "workgroups", workgroup_ids)
        connection.execute(delete(MEMBERSHIPS).where(MEMBERSHIPS.c.agent_id == row["id"]))
        _join(connection, row["id"], workgroup_ids)
    skills.ensure(connection, values["skills"])
    is_gain = values["licensed"] and not row["licensed"]
    if is_gain:
        licences.require_assignable(connection, LicenceKind.USER)
    setup.change(connection, AGENTS, row, values)
    if row["routing_status"] != RoutingStatus.OFF_QUEUE.value:
        licences.settle(connection, row["id"], refuses=is_gain)
    principals.rename(connection, row["id"], values["name"], values["roles"])
    note_agents(connection, [row["id"]], clock.now(connection))
    return sorted(workgroups.served_by(connection, {*before, *workgroup_ids}))


def remove(connection: Connection, agent_id: str) -> None:
    """Delete an agent who never worked, with principal, keys and memberships.

    Raises:
        InUse: conversations, replies, notes or routing rules name the agent.
    """
    users = (
        ("conversations", INVOLVEMENTS.c.agent_id),
        ("conversations", CONVERSATIONS.c.holder_agent_id),
        ("replies", REPLIES.c.agent_id),
        ("notes", NOTES.c.agent_id),
        ("customers", CUSTOMERS.c.own_agent_id),
        ("routing rules", RULE_AGENTS.c.agent_id),
    )
    for by, column in users:
        if setup.is_referred_to(connection, column, agent_id):
            raise setup.InUse(KIND, agent_id, by)
    principals.remove_of_agent(connection, agent_id)
    drafts.remove_of_agent(connection, agent_id)
    connection.execute(delete(MEMBERSHIPS).where(MEMBERSHIPS.c.agent_id == agent_id))
    connection.execute(delete(PRESENCES).where(PRESENCES.c.agent_id == agent_id))
    setup.remove(connection, AGENTS, KIND, agent_id)


def conversation_counts(
    connection: Connection, agent_ids: Collection[str]
) -> dict[str, dict[str, int]]:
    """Count what each agent has at hand, by state: offers, conversations, wrap-ups, parked ones."""
    wanted = sorted(agent_ids)
    carried = (
        select(CONVERSATIONS.c.holder_agent_id, CONVERSATIONS.c.state, func.count())
        .where(CONVERSATIONS.c.holder_agent_id.in_(wanted))
        .group_by(CONVERSATIONS.c.holder_agent_id, CONVERSATIONS.c.state)
    )
    parked = (
        select(CONVERSATIONS.c.agent_id, CONVERSATIONS.c.state, func.count())
        .where(
            CONVERSATIONS.c.state == ConversationState.PARKED.value,
            CONVERSATIONS.c.agent_id.in_(wanted),
        )
        .group_by(CONVERSATIONS.c.agent_id, CONVERSATIONS.c.state)
    )
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for query in (carried, parked):
        for agent_id, state, count in connection.execute(query):
            found[agent_id][state] = count
    return found


def involved_in(
    connection: Connection, conversation_ids: Collection[str]
) -> dict[str, frozenset[str]]:
    """Return who was ever involved in each of the conversations."""
    query = select(INVOLVEMENTS).where(INVOLVEMENTS.c.conversation_id.in_(sorted(conversation_ids)))
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in connection.execute(query):
        found[row.conversation_id].add(row.agent_id)
    return {conversation_id: frozenset(agent_ids) for conversation_id, agent_ids in found.items()}
