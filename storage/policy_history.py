"""A workgroup's routing policy under each version of its settings."""

from sqlalchemy import Connection, insert, select

from acd.model import RoutingPolicy
from storage import clock
from storage.log_tables import PolicyHistoryRow
from storage.rows import routing_policy_from
from storage.setup_tables import WorkgroupRow

HISTORY = PolicyHistoryRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]


def note(connection: Connection, workgroup_id: str) -> None:
    """Write down a workgroup's settings under their version."""
    query = select(WORKGROUPS).where(WORKGROUPS.c.id == workgroup_id)
    settings = dict(connection.execute(query).mappings().one())
    row = {
        "workgroup_id": workgroup_id,
        "version": settings["version"],
        "at": clock.now(connection),
        "settings": settings,
    }
    connection.execute(insert(HISTORY), [row])


def policy(connection: Connection, workgroup_id: str, version: int) -> RoutingPolicy | None:
    """Return the policy of that version; None when it was not written down."""
    query = select(HISTORY.c.settings).where(
        HISTORY.c.workgroup_id == workgroup_id, HISTORY.c.version == version
    )
    settings = connection.execute(query).scalar_one_or_none()
    return None if settings is None else routing_policy_from(settings)
