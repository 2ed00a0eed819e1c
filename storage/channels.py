"""Channels: what is listened to on accounts, and which workgroup gets it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from storage import clock, setup, skills
from storage.conversation_tables import ConversationRow, PostRow, QuarantineRow
from storage.ids import new_id
from storage.pages import Page, Window, page
from storage.setup_tables import AccountRow, ChannelRow, WorkgroupRow

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]
CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]
QUARANTINE = QuarantineRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

KIND = "channel"
FIXED = ("account_id", "threading")
"""They are part of what makes posts one conversation."""


def create(connection: Connection, values: Mapping[str, Any]) -> str:
    """Create a channel and return its id.

    Raises:
        UnknownReference: its account or its workgroup does not exist.
    """
    channel_id = new_id("ch")
    setup.require_known(connection, ACCOUNTS, "account_id", [values["account_id"]])
    setup.require_known(connection, WORKGROUPS, "workgroup_id", [values["workgroup_id"]])
    skills.ensure(
        connection, skills.named_in([*values["required_skills"], *values["preferred_skills"]])
    )
    given = {**values, "id": channel_id, "created_at": clock.now(connection)}
    setup.add(connection, CHANNELS, given)
    return channel_id


def get(connection: Connection, channel_id: str) -> RowMapping | None:
    return setup.find(connection, CHANNELS, channel_id)


def lock(connection: Connection, channel_id: str) -> RowMapping | None:
    return setup.lock(connection, CHANNELS, channel_id)


def listed(connection: Connection, window: Window) -> Page:
    return page(connection, select(CHANNELS), (CHANNELS.c.created_at, CHANNELS.c.id), window)


def enabled_of(connection: Connection, account_id: str) -> Sequence[str]:
    """Return an account's enabled channels, oldest first."""
    query = select(CHANNELS.c.id).where(CHANNELS.c.account_id == account_id, CHANNELS.c.enabled)
    return connection.execute(query.order_by(CHANNELS.c.created_at, CHANNELS.c.id)).scalars().all()


def change(connection: Connection, row: RowMapping, values: Mapping[str, Any]) -> None:
    """Write a locked channel's new values.

    Raises:
        NeverChanges: account or threading would be another one.
        UnknownReference: the workgroup does not exist.
    """
    for field in FIXED:
        if values[field] != row[field]:
            raise setup.NeverChanges(field)
    setup.require_known(connection, WORKGROUPS, "workgroup_id", [values["workgroup_id"]])
    skills.ensure(
        connection, skills.named_in([*values["required_skills"], *values["preferred_skills"]])
    )
    setup.change(connection, CHANNELS, row, values)


def remove(connection: Connection, channel_id: str) -> None:
    """Delete a channel through which nothing ever came.

    Raises:
        InUse: conversations, posts or quarantined pieces refer to it.
    """
    users = (
        ("conversations", CONVERSATIONS.c.channel_id),
        ("posts", POSTS.c.channel_id),
        ("quarantined posts", QUARANTINE.c.channel_id),
    )
    for by, column in users:
        if setup.is_referred_to(connection, column, channel_id):
            raise setup.InUse(KIND, channel_id, by)
    setup.remove(connection, CHANNELS, KIND, channel_id)
