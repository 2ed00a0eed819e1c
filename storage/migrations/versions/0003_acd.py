"""Routing: rings, several offers at once, scores, rules, stations, licences, merging.

Revision ID: 0003
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import (
    JSON,
    MOMENT,
    NUMBER,
    NUMBERED,
    TEXT,
    TRUTH,
    always,
    index,
    maybe,
    references,
)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "agent_history",
    "policy_history",
    "matches",
    "post_moves",
    "queue_entries",
    "rule_workgroups",
    "rule_agents",
    "rule_set_versions",
    "rule_sets",
    "licences",
    "stations",
    "further_offers",
    "ring_members",
)
"""Those that refer to others first, so that they can be dropped in this order."""


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    _history()
    _what_history_starts_from()
    _offers()
    _stations_and_licences()
    _rules()
    _queue_entries()
    _post_moves()
    _automatic_replies(are_possible=True)


def downgrade() -> None:
    op.drop_index("decisions_by_moment", table_name="decisions")
    op.drop_index("ix_agents_station_id", "agents")
    op.drop_index("conversations_by_target", "conversations")
    _automatic_replies(are_possible=False)
    for table in TABLES:
        op.drop_table(table)
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name)


def _history() -> None:
    op.create_table(
        "agent_history",
        sa.Column("id", NUMBERED, nullable=False, autoincrement=True),
        *always(TEXT, "agent_id"),
        *always(MOMENT, "at"),
        *maybe(MOMENT, "written_by"),
        *always(JSON, "state"),
        sa.PrimaryKeyConstraint("id", name="agent_history_pkey"),
    )
    index("agent_history", "history_of_an_agent", "agent_id", "at", "id")
    index("agent_history", "history_by_moment", "at", "id")
    op.create_table(
        "policy_history",
        *always(TEXT, "workgroup_id"),
        *always(NUMBER, "version"),
        *always(MOMENT, "at"),
        *always(JSON, "settings"),
        sa.PrimaryKeyConstraint("workgroup_id", "version", name="policy_history_pkey"),
    )
    op.create_table(
        "matches",
        *always(TEXT, "id", "workgroup_id"),
        *always(MOMENT, "at"),
        *always(JSON, "taken"),
        sa.PrimaryKeyConstraint("id", name="matches_pkey"),
    )
    index("matches", "matches_by_moment", "at", "id")
    index("decisions", "decisions_by_moment", "at")


def _what_history_starts_from() -> None:
    """Write down the agents that are there already; workgroups are when they change."""
    connection = op.get_bind()
    agents = sa.table("agents", *(sa.column(name) for name in ("id", "since")))
    states = _states(connection)
    moments = {row.id: row.since for row in connection.execute(sa.select(agents))}
    history = sa.table(
        "agent_history",
        *(sa.column(name) for name in ("agent_id", "at")),
        sa.column("state", JSON),
    )
    rows = [{"agent_id": i, "at": moments[i], "state": state} for i, state in states.items()]
    if rows:
        connection.execute(sa.insert(history), rows)


def _states(connection: sa.Connection) -> dict[str, dict[str, Any]]:
    told = ("id", "routing_status", "licensed", "enabled", "roles", "skills", "own_utilization")
    numbers = ("utilization", "idle_since")
    json = {"roles", "skills", "own_utilization"}
    agents = sa.table(
        "agents", *(sa.column(name, JSON if name in json else None) for name in (*told, *numbers))
    )
    memberships = sa.table("memberships", sa.column("agent_id"), sa.column("workgroup_id"))
    member_of: dict[str, list[str]] = {}
    for row in connection.execute(sa.select(memberships)):
        member_of.setdefault(row.agent_id, []).append(row.workgroup_id)
    return {row.id: _state(row, member_of) for row in connection.execute(sa.select(agents))}


def _state(row: sa.Row[Any], member_of: dict[str, list[str]]) -> dict[str, Any]:
    media_types = ["social_conversation", "social_direct_message"]
    return {
        "id": row.id,
        "routing_status": row.routing_status,
        "is_present": True,
        "is_licensed": bool(row.licensed),
        "is_enabled": bool(row.enabled),
        "workgroup_ids": sorted(member_of.get(row.id, [])),
        "skills": row.skills,
        "load_percent": row.utilization,
        "idle_since": row.idle_since,
        "utilization": {
            media_type: {"percent": level["percent"], "max_count": level.get("max")}
            for media_type, level in row.own_utilization.items()
        },
        "load_count": {},
        "may_get": media_types if "agent" in row.roles else [],
        "offered_at": 0,
        "signs_off_at": None,
        "location": None,
    }


def _offers() -> None:
    op.create_table(
        "further_offers",
        *always(TEXT, "agent_id", "conversation_id", "media_type"),
        sa.PrimaryKeyConstraint("agent_id", "conversation_id", name="further_offers_pkey"),
        *references("further_offers", agent_id="agents", conversation_id="conversations"),
    )
    index("further_offers", "ix_further_offers_conversation_id", "conversation_id")
    op.create_table(
        "ring_members",
        *always(TEXT, "workgroup_id", "added_workgroup_id"),
        sa.PrimaryKeyConstraint("workgroup_id", "added_workgroup_id", name="ring_members_pkey"),
        *references("ring_members", workgroup_id="workgroups", added_workgroup_id="workgroups"),
    )
    index("ring_members", "ix_ring_members_added_workgroup_id", "added_workgroup_id")


def _stations_and_licences() -> None:
    op.create_table(
        "stations",
        *always(TEXT, "id", "name"),
        *always(TRUTH, "licensed"),
        *always(NUMBER, "version"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="stations_pkey"),
        sa.UniqueConstraint("name", name="stations_name_key"),
    )
    op.create_table(
        "licences",
        *always(TEXT, "kind", "allocation"),
        *maybe(NUMBER, "count"),
        *always(NUMBER, "version"),
        sa.PrimaryKeyConstraint("kind", name="licences_pkey"),
    )
    index("agents", "ix_agents_station_id", "station_id", unique=True)
    kinds = sa.table("licences", sa.column("kind"), sa.column("allocation"), sa.column("version"))
    unlimited = {"allocation": "assigned", "version": 1}
    op.bulk_insert(kinds, [{"kind": "station", **unlimited}, {"kind": "user", **unlimited}])


def _rules() -> None:
    op.create_table(
        "rule_sets",
        *always(TEXT, "id", "trigger"),
        *maybe(TEXT, "name"),
        *always(NUMBER, "position"),
        *always(JSON, "rules"),
        *always(TRUTH, "enabled"),
        *always(NUMBER, "version"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="rule_sets_pkey"),
    )
    op.create_table(
        "rule_set_versions",
        *always(TEXT, "rule_set_id"),
        *always(NUMBER, "version"),
        *always(TEXT, "trigger"),
        *always(JSON, "rules"),
        *always(TRUTH, "enabled"),
        *always(MOMENT, "at"),
        sa.PrimaryKeyConstraint("rule_set_id", "version", name="rule_set_versions_pkey"),
    )
    for table, column, target in (
        ("rule_workgroups", "workgroup_id", "workgroups"),
        ("rule_agents", "agent_id", "agents"),
    ):
        op.create_table(
            table,
            *always(TEXT, "rule_set_id", column),
            sa.PrimaryKeyConstraint("rule_set_id", column, name=f"{table}_pkey"),
            *references(table, rule_set_id="rule_sets", **{column: target}),
        )
        index(table, f"ix_{table}_{column}", column)


def _queue_entries() -> None:
    op.create_table(
        "queue_entries",
        *always(TEXT, "id", "conversation_id", "workgroup_id", "media_type"),
        *always(MOMENT, "entered_at"),
        *maybe(MOMENT, "left_at"),
        *maybe(TEXT, "outcome", "agent_id"),
        *maybe(MOMENT, "waited_ms"),
        sa.PrimaryKeyConstraint("id", name="queue_entries_pkey"),
        *references("queue_entries", conversation_id="conversations"),
    )
    index(
        "queue_entries",
        "one_open_wait_per_conversation",
        "conversation_id",
        where="left_at IS NULL",
        unique=True,
    )
    index("queue_entries", "waits_in_a_queue", "workgroup_id", "left_at")
    index("queue_entries", "waits_by_their_end", "left_at")


def _automatic_replies(*, are_possible: bool) -> None:
    """Let replies be nobody's; where they may not be, those that are go."""
    if not are_possible:
        op.execute("DELETE FROM replies WHERE agent_id IS NULL")
    with op.batch_alter_table("replies") as replies:
        replies.alter_column("agent_id", existing_type=TEXT, nullable=are_possible)


def _post_moves() -> None:
    op.create_table(
        "post_moves",
        sa.Column("id", NUMBERED, nullable=False, autoincrement=True),
        *always(TEXT, "post_id", "from_conversation_id", "to_conversation_id", "cause"),
        *maybe(TEXT, "by"),
        *always(MOMENT, "at"),
        sa.PrimaryKeyConstraint("id", name="post_moves_pkey"),
        *references(
            "post_moves",
            post_id="posts",
            from_conversation_id="conversations",
            to_conversation_id="conversations",
        ),
    )
    index("post_moves", "moves_of_a_post", "post_id", "id")
    index("post_moves", "moves_between_conversations", "from_conversation_id", "to_conversation_id")
    index(
        "conversations",
        "conversations_by_target",
        "merged_into",
        where="merged_into IS NOT NULL",
    )


def _added() -> dict[str, tuple[sa.Column[Any], ...]]:
    """Return what existing tables get; rows that are there get the default."""
    return {
        "workgroups": (
            sa.Column("rings", JSON, nullable=False, server_default="[]"),
            sa.Column("preferred_skills", JSON, nullable=False, server_default="[]"),
            sa.Column("score_weights", JSON, nullable=False, server_default="{}"),
            sa.Column("strict_priority", TRUTH, nullable=False, server_default=sa.false()),
            sa.Column("auto_accept", TRUTH, nullable=False, server_default=sa.false()),
            sa.Column("offers_at_once", NUMBER, nullable=False, server_default="1"),
            sa.Column(
                "offer_timeout_action", TEXT, nullable=False, server_default="not_responding"
            ),
            sa.Column("age_on_transfer", TEXT, nullable=False, server_default="keep"),
            *maybe(JSON, "business_hours", "overflow", "location"),
        ),
        "agents": (
            sa.Column(
                "media_types",
                JSON,
                nullable=False,
                server_default='["social_conversation", "social_direct_message"]',
            ),
            sa.Column("override_percent", NUMBER, nullable=False, server_default="0"),
            sa.Column("offered_at", MOMENT, nullable=False, server_default="0"),
            *maybe(TEXT, "station_id", "held_licence"),
            *maybe(MOMENT, "sign_off_at"),
            *maybe(JSON, "place"),
        ),
        "channels": (sa.Column("preferred_skills", JSON, nullable=False, server_default="[]"),),
        "customers": (
            sa.Column("tags", JSON, nullable=False, server_default="[]"),
            *maybe(TEXT, "own_agent_id"),
        ),
        "conversations": (
            sa.Column("preferred_skills", JSON, nullable=False, server_default="[]"),
            sa.Column("tags", JSON, nullable=False, server_default="[]"),
            sa.Column("offers", JSON, nullable=False, server_default="[]"),
            sa.Column("is_override", TRUTH, nullable=False, server_default=sa.false()),
            sa.Column("ring", NUMBER, nullable=False, server_default="0"),
            *maybe(JSON, "location"),
            *maybe(MOMENT, "ring_since", "ring_until"),
            *maybe(TEXT, "consulted_agent_id", "merged_into"),
            *maybe(MOMENT, "reopened_at"),
        ),
    }
