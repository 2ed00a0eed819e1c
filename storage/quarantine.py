"""What could not be accepted: for a supervisor to look at, to try again or to throw away."""

from sqlalchemy import Connection, RowMapping, delete, select

from storage import clock, events, setup
from storage.conversation_tables import QuarantineRow
from storage.events import Happening
from storage.pages import Page, Window, page
from storage.setup_tables import AccountRow, ChannelRow

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]
QUARANTINE = QuarantineRow.__table__  # type: ignore[attr-defined]

TAKEN = "conversation.taken_from_quarantine"
DELETED = "channel.quarantine_deleted"


class StillNotAccepted(setup.SetUpRefusal):
    """What lies in quarantine is not accepted this time either."""

    def __init__(self, quarantined_id: str, code: str, detail: str) -> None:
        super().__init__(f"{quarantined_id} is not accepted now either: {code}, {detail}")


def listed(connection: Connection, channel_id: str | None, window: Window) -> Page:
    """Return what lies in quarantine with where it came from, newest first."""
    query = (
        select(QUARANTINE, ACCOUNTS.c.network, CHANNELS.c.workgroup_id)
        .join(CHANNELS, CHANNELS.c.id == QUARANTINE.c.channel_id)
        .join(ACCOUNTS, ACCOUNTS.c.id == CHANNELS.c.account_id)
    )
    if channel_id is not None:
        query = query.where(QUARANTINE.c.channel_id == channel_id)
    order = (QUARANTINE.c.received_at, QUARANTINE.c.id)
    return page(connection, query, order, window, newest_first=True)


def lock(connection: Connection, quarantined_id: str) -> RowMapping | None:
    return setup.lock(connection, QUARANTINE, quarantined_id)


def settle(
    connection: Connection, row: RowMapping, *, by: str, conversation_id: str | None
) -> None:
    """Take a locked piece out of quarantine: its post is in the conversation now."""
    _forget(connection, row, TAKEN, by, conversation_id)


def remove(connection: Connection, row: RowMapping, *, by: str) -> None:
    """Throw a locked piece away."""
    _forget(connection, row, DELETED, by, None)


def _forget(
    connection: Connection, row: RowMapping, kind: str, by: str, conversation_id: str | None
) -> None:
    """Delete the piece and write down who did that; no word of it is in the event."""
    connection.execute(delete(QUARANTINE).where(QUARANTINE.c.id == row["id"]))
    channel = select(CHANNELS.c.workgroup_id).where(CHANNELS.c.id == row["channel_id"])
    workgroup_id = connection.execute(channel).scalar_one()
    detail = {"by": by, "channel_id": row["channel_id"], "quarantined": row["code"]}
    told = Happening(kind, workgroup_id, None, conversation_id, detail)
    events.append(connection, [told], clock.now(connection))
