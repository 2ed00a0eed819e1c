"""Edits and deletions of customers' posts: done to what is there, kept for what is to come."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, RowMapping, delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations import commands as c
from conversations.model import Instant, PostChange, PostChangeKind
from conversations.post_changes import (
    POSTS_DELETED,
    EarlierText,
    Wording,
    by_our_clock,
    changed,
    is_pointless,
    newest,
)
from storage import clock, conversations
from storage.conversation_tables import PostChangeRow, PostRow
from storage.journal import Aftermath

CHANGES = PostChangeRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]

KEPT_MS = 7 * 24 * 3_600_000
"""A change waits so long for its post."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of changes: how many changed a post, how many wait for one; then the aftermath."""

    applied: int = 0
    waiting: int = 0
    aftermath: Aftermath = field(default_factory=Aftermath)


def follow(connection: Connection, account_id: str, changes: Sequence[PostChange]) -> Followed:
    """Do to an account's posts what their authors did; what says nothing new changes nothing."""
    _exclude_ingest(connection, account_id)
    now = clock.now(connection)
    changes = [by_our_clock(change, now) for change in changes]
    wanted: dict[str, PostChange] = {}
    for change in changes:
        wanted[change.external_id] = newest(wanted.get(change.external_id), change)
    query = (
        select(POSTS)
        .where(POSTS.c.account_id == account_id, POSTS.c.external_id.in_(sorted(wanted)))
        .order_by(POSTS.c.conversation_id, POSTS.c.created_at, POSTS.c.external_id)
    )
    rows = connection.execute(query).mappings().all()
    early = [wanted[i] for i in sorted(set(wanted) - {row["external_id"] for row in rows})]
    _keep(connection, account_id, early)
    applied, aftermath = 0, Aftermath()
    for row in rows:
        each = [change for change in changes if change.external_id == row["external_id"]]
        kind = _change(connection, row, each)
        if kind is not None:
            applied += 1
            aftermath |= _tell(connection, row, kind)
    return Followed(applied, len(early), aftermath)


def _exclude_ingest(connection: Connection, account_id: str) -> None:
    """Let no page of the account be taken in meanwhile: it could miss a change, and we its post."""
    if connection.dialect.name != "postgresql":
        return
    turn = text("SELECT pg_advisory_xact_lock(hashtextextended(:account_id, 4))")
    connection.execute(turn, {"account_id": account_id})


def _keep(connection: Connection, account_id: str, changes: Sequence[PostChange]) -> None:
    """Keep changes of posts that are not there (yet)."""
    if not changes:
        return
    ids = [change.external_id for change in changes]
    query = select(CHANGES).where(
        CHANGES.c.account_id == account_id, CHANGES.c.external_id.in_(ids)
    )
    known = {row["external_id"]: change_from(row) for row in connection.execute(query).mappings()}
    now = clock.now(connection)
    rows = [
        {
            "account_id": account_id,
            "external_id": change.external_id,
            "kind": change.kind.value,
            "text": change.text,
            "at": change.at,
            "received_at": now,
        }
        for change in (newest(known.get(one.external_id), one) for one in changes)
    ]
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    kept = dialect.insert(CHANGES).values(rows)
    newer = {name: kept.excluded[name] for name in ("kind", "text", "at", "received_at")}
    key = [CHANGES.c.account_id, CHANGES.c.external_id]
    connection.execute(kept.on_conflict_do_update(index_elements=key, set_=newer))


def change_from(row: RowMapping) -> PostChange:
    return PostChange(row["external_id"], PostChangeKind(row["kind"]), row["at"], row["text"])


def _change(
    connection: Connection, row: RowMapping, changes: Sequence[PostChange]
) -> PostChangeKind | None:
    """Write what the changes make of a post; return what they did, None when nothing."""
    earlier = tuple(EarlierText(**each) for each in row["earlier_texts"])
    before = Wording(row["text"], earlier, row["edited_at"], row["deleted_at"])
    after = before
    for change in sorted(changes, key=lambda one: one.at):
        after = changed(after, change)
    if after == before:
        return None
    is_deleted = after.deleted_at is not None
    values = {**wording_values(after), **({"media": [], "location": None} if is_deleted else {})}
    connection.execute(update(POSTS).where(POSTS.c.id == row["id"]).values(**values))
    return PostChangeKind.DELETED if is_deleted else PostChangeKind.EDITED


def wording_values(wording: Wording) -> dict[str, object]:
    return {
        "text": wording.text,
        "earlier_texts": [asdict(each) for each in wording.earlier_texts],
        "edited_at": wording.edited_at,
        "deleted_at": wording.deleted_at,
    }


def _tell(connection: Connection, row: RowMapping, kind: PostChangeKind) -> Aftermath:
    """Let the conversation know; one that nobody has and that is all deleted ends."""
    conversation_id = row["conversation_id"]
    note = c.NotePostChange(row["id"], kind.value)
    outcome = conversations.carry_out(connection, conversation_id, lambda *_: note)
    conversation = outcome.conversation
    if kind is PostChangeKind.EDITED or conversation is None:
        return outcome.aftermath
    if not is_pointless(conversation, _posts_left(connection, conversation_id)):
        return outcome.aftermath
    abandon = c.Abandon(POSTS_DELETED)
    ended = conversations.carry_out(connection, conversation_id, lambda *_: abandon)
    return outcome.aftermath | ended.aftermath


def _posts_left(connection: Connection, conversation_id: str) -> int:
    left = select(func.count()).where(
        POSTS.c.conversation_id == conversation_id, POSTS.c.deleted_at.is_(None)
    )
    return int(connection.execute(left).scalar_one())


def forget_before(connection: Connection, moment: Instant, limit: int) -> int:
    """Forget changes whose posts never came."""
    old = select(CHANGES.c.account_id, CHANGES.c.external_id).where(CHANGES.c.received_at < moment)
    rows: Collection[tuple[str, str]] = [
        (row.account_id, row.external_id) for row in connection.execute(old.limit(limit))
    ]
    for account_id, external_id in rows:
        this = (CHANGES.c.account_id == account_id) & (CHANGES.c.external_id == external_id)
        connection.execute(delete(CHANGES).where(this))
    return len(rows)
