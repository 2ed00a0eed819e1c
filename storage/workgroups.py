"""Workgroups and their members."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from storage import clock, setup, skills
from storage.conversation_tables import ConversationRow
from storage.ids import new_id
from storage.pages import Page, Window, page
from storage.setup_tables import AgentRow, ChannelRow, MembershipRow, WorkgroupRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
MEMBERSHIPS = MembershipRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

KIND = "workgroup"


def create(connection: Connection, values: Mapping[str, Any]) -> str:
    """Create a workgroup and return its id.

    Raises:
        NameTaken: another one has the name.
    """
    workgroup_id = new_id("wg")
    setup.require_free(WORKGROUPS.c.name, connection, KIND, values["name"], workgroup_id)
    skills.ensure(connection, skills.named_in(values["required_skills"]))
    given = {**values, "id": workgroup_id, "created_at": clock.now(connection)}
    setup.add(connection, WORKGROUPS, given)
    return workgroup_id


def get(connection: Connection, workgroup_id: str) -> RowMapping | None:
    return setup.find(connection, WORKGROUPS, workgroup_id)


def lock(connection: Connection, workgroup_id: str) -> RowMapping | None:
    return setup.lock(connection, WORKGROUPS, workgroup_id)


def listed(connection: Connection, window: Window) -> Page:
    order = (WORKGROUPS.c.created_at, WORKGROUPS.c.id)
    return page(connection, select(WORKGROUPS), order, window)


def change(connection: Connection, row: RowMapping, values: Mapping[str, Any]) -> None:
    """Write a locked workgroup's new values.

    Raises:
        NameTaken: another one has the name.
    """
    setup.require_free(WORKGROUPS.c.name, connection, KIND, values["name"], row["id"])
    skills.ensure(connection, skills.named_in(values["required_skills"]))
    setup.change(connection, WORKGROUPS, row, values)


def remove(connection: Connection, workgroup_id: str) -> None:
    """Delete a workgroup that nothing refers to.

    Raises:
        InUse: channels, members or conversations do.
    """
    users = (
        ("channels", CHANNELS.c.workgroup_id),
        ("members", MEMBERSHIPS.c.workgroup_id),
        ("conversations", CONVERSATIONS.c.workgroup_id),
    )
    for by, column in users:
        if setup.is_referred_to(connection, column, workgroup_id):
            raise setup.InUse(KIND, workgroup_id, by)
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
    return frozenset(of_agents(connection, [agent_id])[agent_id])


def remove_member(
    connection: Connection, workgroup_id: str, agent_id: str
) -> frozenset[str] | None:
    """End a membership and return the workgroups that are left; None when there was none."""
    setup.lock(connection, AGENTS, agent_id)
    one = (MEMBERSHIPS.c.workgroup_id == workgroup_id, MEMBERSHIPS.c.agent_id == agent_id)
    if connection.execute(delete(MEMBERSHIPS).where(*one)).rowcount != 1:
        return None
    return frozenset(of_agents(connection, [agent_id])[agent_id])


def of_agents(connection: Connection, agent_ids: Collection[str]) -> dict[str, list[str]]:
    """Return the ids of each agent's workgroups, sorted."""
    query = select(MEMBERSHIPS).where(MEMBERSHIPS.c.agent_id.in_(sorted(agent_ids)))
    found: dict[str, list[str]] = {agent_id: [] for agent_id in agent_ids}
    for row in connection.execute(query.order_by(MEMBERSHIPS.c.workgroup_id)):
        found[row.agent_id].append(row.workgroup_id)
    return found
