"""People, networks and customers: what has to be there before anybody writes.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import (
    JSON,
    LONG_TEXT,
    MOMENT,
    NUMBER,
    TEXT,
    TRUTH,
    always,
    index,
    maybe,
    references,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "sessions",
    "quarantine",
    "api_keys",
    "principals",
    "presences",
    "memberships",
    "identities",
    "channels",
    "account_leases",
    "workgroups",
    "skills",
    "customers",
    "commands",
    "agents",
    "accounts",
)
"""Those that refer to others first, so that they can be dropped in this order."""


def upgrade() -> None:
    _routing()
    _agents()
    _access()
    _accounts()
    _channels()
    _customers()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)


def _routing() -> None:
    op.create_table(
        "workgroups",
        *always(TEXT, "id", "name"),
        *always(JSON, "service_level"),
        *always(NUMBER, "offer_timeout_s", "decline_backoff_s", "preferred_agent_wait_s"),
        *always(JSON, "utilization", "wrap_up", "required_skills", "agent_order"),
        *always(NUMBER, "version"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="workgroups_pkey"),
        sa.UniqueConstraint("name", name="workgroups_name_key"),
    )
    op.create_table(
        "skills",
        *always(TEXT, "name"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("name", name="skills_pkey"),
    )


def _agents() -> None:
    op.create_table(
        "agents",
        *always(TEXT, "id", "username", "name"),
        *always(TRUTH, "licensed", "enabled", "presence_lease"),
        *always(JSON, "roles", "skills", "own_utilization"),
        *maybe(TEXT, "location"),
        *always(TEXT, "routing_status"),
        *maybe(TEXT, "reason"),
        *always(MOMENT, "since", "idle_since"),
        *always(NUMBER, "utilization", "version"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="agents_pkey"),
        sa.CheckConstraint(
            "utilization >= 0 AND utilization <= 100", name="capacity_is_never_exceeded"
        ),
        sa.CheckConstraint(
            "routing_status IN ('on_queue', 'off_queue', 'not_responding', 'draining')",
            name="routing_status_is_known",
        ),
        sa.UniqueConstraint("username", name="agents_username_key"),
    )
    op.create_table(
        "memberships",
        *always(TEXT, "workgroup_id", "agent_id"),
        sa.PrimaryKeyConstraint("workgroup_id", "agent_id", name="memberships_pkey"),
        *references("memberships", agent_id="agents", workgroup_id="workgroups"),
    )
    index("memberships", "ix_memberships_agent_id", "agent_id")
    op.create_table(
        "presences",
        *always(TEXT, "agent_id"),
        *always(MOMENT, "seen_at"),
        sa.PrimaryKeyConstraint("agent_id", name="presences_pkey"),
        *references("presences", agent_id="agents"),
    )


def _access() -> None:
    op.create_table(
        "principals",
        *always(TEXT, "id", "name"),
        *always(JSON, "roles"),
        *maybe(TEXT, "agent_id"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="principals_pkey"),
        *references("principals", agent_id="agents"),
    )
    index("principals", "ix_principals_agent_id", "agent_id")
    op.create_table(
        "api_keys",
        *always(TEXT, "id", "principal_id", "key_hash"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="api_keys_pkey"),
        sa.UniqueConstraint("key_hash", name="api_keys_key_hash_key"),
        *references("api_keys", principal_id="principals"),
    )
    index("api_keys", "ix_api_keys_principal_id", "principal_id")
    op.create_table(
        "sessions",
        *always(TEXT, "token_hash", "principal_id"),
        *maybe(TEXT, "key_id"),
        *always(MOMENT, "created_at", "last_used_at", "expires_at"),
        sa.PrimaryKeyConstraint("token_hash", name="sessions_pkey"),
        *references("sessions", principal_id="principals"),
    )
    index("sessions", "ix_sessions_key_id", "key_id")
    index("sessions", "ix_sessions_principal_id", "principal_id")
    op.create_table(
        "commands",
        *always(TEXT, "principal_id", "key", "fingerprint"),
        *maybe(NUMBER, "status"),
        *maybe(JSON, "body"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("principal_id", "key", name="commands_pkey"),
    )
    index("commands", "commands_by_age", "created_at")


def _accounts() -> None:
    op.create_table(
        "accounts",
        *always(TEXT, "id", "network", "name"),
        *always(JSON, "settings"),
        *always(LONG_TEXT, "secrets"),
        *always(NUMBER, "version"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="accounts_pkey"),
    )
    op.create_table(
        "account_leases",
        *always(TEXT, "account_id", "holder"),
        *always(NUMBER, "epoch"),
        *always(MOMENT, "expires_at"),
        *maybe(MOMENT, "paused_until"),
        sa.PrimaryKeyConstraint("account_id", name="account_leases_pkey"),
        *references("account_leases", account_id="accounts"),
    )


def _channels() -> None:
    op.create_table(
        "channels",
        *always(TEXT, "id", "name", "account_id", "workgroup_id"),
        *always(JSON, "handles", "keywords"),
        *always(NUMBER, "poll_interval_ms", "post_limit"),
        *always(TEXT, "threading"),
        *always(NUMBER, "affinity_window_s", "priority"),
        *always(JSON, "required_skills"),
        *always(TRUTH, "enabled"),
        *maybe(TEXT, "cursor"),
        *always(TEXT, "health"),
        *maybe(TEXT, "health_detail"),
        *maybe(MOMENT, "health_since"),
        *always(NUMBER, "version"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="channels_pkey"),
        *references("channels", account_id="accounts", workgroup_id="workgroups"),
    )
    index("channels", "ix_channels_account_id", "account_id")
    index("channels", "ix_channels_workgroup_id", "workgroup_id")
    op.create_table(
        "quarantine",
        *always(TEXT, "id", "channel_id"),
        *maybe(TEXT, "external_id"),
        *always(TEXT, "code"),
        *always(LONG_TEXT, "detail", "raw"),
        *always(MOMENT, "received_at"),
        sa.PrimaryKeyConstraint("id", name="quarantine_pkey"),
        *references("quarantine", channel_id="channels"),
    )
    index("quarantine", "ix_quarantine_channel_id", "channel_id")
    index("quarantine", "quarantine_by_arrival", "received_at", "id")


def _customers() -> None:
    op.create_table(
        "customers",
        *always(TEXT, "id"),
        *maybe(TEXT, "name"),
        *always(MOMENT, "created_at"),
        sa.PrimaryKeyConstraint("id", name="customers_pkey"),
    )
    op.create_table(
        "identities",
        *always(TEXT, "network", "external_id", "customer_id"),
        *maybe(TEXT, "handle", "name", "avatar_url"),
        *maybe(MOMENT, "followers"),
        *maybe(TEXT, "language", "location"),
        *always(TRUTH, "wrote_privately"),
        sa.PrimaryKeyConstraint("network", "external_id", name="identities_pkey"),
        *references("identities", customer_id="customers"),
    )
    index("identities", "ix_identities_customer_id", "customer_id")
