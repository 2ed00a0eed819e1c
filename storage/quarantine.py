"""What could not be accepted, for a supervisor to look at."""

from sqlalchemy import Connection, select

from storage.conversation_tables import QuarantineRow
from storage.pages import Page, Window, page

QUARANTINE = QuarantineRow.__table__  # type: ignore[attr-defined]


def listed(connection: Connection, channel_id: str | None, window: Window) -> Page:
    """Return what lies in quarantine, newest first."""
    query = select(QUARANTINE)
    if channel_id is not None:
        query = query.where(QUARANTINE.c.channel_id == channel_id)
    order = (QUARANTINE.c.received_at, QUARANTINE.c.id)
    return page(connection, query, order, window, newest_first=True)
