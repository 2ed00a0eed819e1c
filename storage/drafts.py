"""What agents have typed and not sent: kept here, read by nobody else, told to nobody."""

from dataclasses import asdict, dataclass, replace

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations.attachments import Attachment
from conversations.model import Instant
from storage import clock
from storage.conversation_tables import ConversationRow
from storage.database import ConcurrentChange
from storage.desk_tables import DraftRow
from storage.rows import attachment_value

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
DRAFTS = DraftRow.__table__  # type: ignore[attr-defined]

LEFT_LIFE_MS = 7 * 24 * 3_600_000
"""So long a draft is kept after its conversation went to somebody else, or ended."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as its agent left it; `version` 0: there is none."""

    text: str = ""
    visibility: str | None = None
    in_reply_to: str | None = None
    updated_at: Instant | None = None
    version: int = 0
    attachments: tuple[Attachment, ...] = ()


def get(connection: Connection, agent_id: str, conversation_id: str) -> Draft:
    """Return the agent's draft in the conversation, an empty one where there is none."""
    query = select(DRAFTS).where(_is(agent_id, conversation_id))
    return _draft_from(connection.execute(query).mappings().one_or_none())


def lock(connection: Connection, agent_id: str, conversation_id: str) -> Draft:
    query = select(DRAFTS).where(_is(agent_id, conversation_id)).with_for_update()
    return _draft_from(connection.execute(query).mappings().one_or_none())


def _is(agent_id: str, conversation_id: str) -> ColumnElement[bool]:
    is_it: ColumnElement[bool] = (DRAFTS.c.agent_id == agent_id) & (
        DRAFTS.c.conversation_id == conversation_id
    )
    return is_it


def _draft_from(row: RowMapping | None) -> Draft:
    if row is None:
        return Draft()
    return Draft(
        row["text"],
        row["visibility"],
        row["in_reply_to"],
        row["updated_at"],
        row["version"],
        tuple(Attachment(**one) for one in row["attachments"]),
    )


def put(
    connection: Connection, agent_id: str, conversation_id: str, before: Draft, wanted: Draft
) -> Draft:
    """Write the words of a draft whose row, if there is one, was locked; return it as it is now.

    A version is never used again, also not by a draft that begins after another was deleted: who
    still has an older one in his hands does not bring back what was sent meanwhile.

    Raises:
        ConcurrentChange: the agent began the same draft elsewhere; the transaction is run again.
    """
    now = clock.now(connection)
    version = max(before.version + 1, now)
    after = replace(wanted, updated_at=now, version=version)
    files = [attachment_value(one) for one in after.attachments]
    values = {**asdict(after), "attachments": files, "left_at": None}
    if before.version:
        connection.execute(update(DRAFTS).where(_is(agent_id, conversation_id)).values(values))
        return after
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(DRAFTS).values(
        agent_id=agent_id, conversation_id=conversation_id, **values
    )
    if not connection.execute(first.on_conflict_do_nothing()).rowcount:
        raise ConcurrentChange(conversation_id)
    return after


def remove(connection: Connection, agent_id: str, conversation_id: str) -> None:
    """Delete the draft, if there is one."""
    connection.execute(delete(DRAFTS).where(_is(agent_id, conversation_id)))


def remove_of_agent(connection: Connection, agent_id: str) -> None:
    connection.execute(delete(DRAFTS).where(DRAFTS.c.agent_id == agent_id))


def forget_left(connection: Connection, now: Instant) -> int:
    """Delete drafts whose conversation has long been somebody else's, or over; return how many.

    Since when is noted by the first call that finds it so; it is taken back when the conversation
    has come back by a later one.
    """
    is_at_hand = exists().where(
        CONVERSATIONS.c.id == DRAFTS.c.conversation_id,
        CONVERSATIONS.c.agent_id == DRAFTS.c.agent_id,
        CONVERSATIONS.c.ended_at.is_(None),
    )
    came_back = update(DRAFTS).where(DRAFTS.c.left_at.is_not(None), is_at_hand)
    connection.execute(came_back.values(left_at=None))
    left = update(DRAFTS).where(DRAFTS.c.left_at.is_(None), ~is_at_hand)
    connection.execute(left.values(left_at=now))
    old = delete(DRAFTS).where(DRAFTS.c.left_at < now - LEFT_LIFE_MS)
    return connection.execute(old).rowcount
