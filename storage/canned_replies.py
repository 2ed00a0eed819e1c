"""Canned replies: texts that a workgroup, or everybody, says again and again."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from conversations.canned_replies import folded, place_of, words_of
from storage import clock, setup
from storage.desk_tables import CannedReplyRow, CannedReplyWorkgroupRow
from storage.ids import new_id
from storage.pages import Page, Window, page
from storage.setup_tables import WorkgroupRow

CANNED_REPLIES = CannedReplyRow.__table__  # type: ignore[attr-defined]
THEIRS = CannedReplyWorkgroupRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

KIND = "canned reply"


@dataclass(frozen=True, slots=True)
class Sought:
    """Which ones are asked for; `seen_by` None: all workgroups' are."""

    q: str = ""
    workgroup_id: str | None = None
    language: str | None = None
    seen_by: Collection[str] | None = None


def create(connection: Connection, values: Mapping[str, Any], workgroup_ids: list[str]) -> str:
    """Create a canned reply and return its id.

    Raises:
        NameTaken: another one has the shortcut in that language.
        UnknownReference: one of the workgroups does not exist.
    """
    canned_reply_id = new_id("cr")
    _require_known(connection, workgroup_ids)
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    given = {**_compared(values), "id": canned_reply_id, "created_at": clock.now(connection)}
    written = dialect.insert(CANNED_REPLIES).values(**given, version=1).on_conflict_do_nothing()
    if not connection.execute(written).rowcount:
        raise setup.NameTaken(KIND, values["shortcut"])
    _give(connection, canned_reply_id, workgroup_ids)
    return canned_reply_id


def _compared(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with what they are found by; each word has a space before it."""
    words = "".join(f" {word}" for word in words_of(values["text"]))
    place = place_of(values["shortcut"], values["language"])
    return {**values, "place": place, "words": words}


def _require_known(connection: Connection, workgroup_ids: list[str]) -> None:
    setup.require_known(connection, WORKGROUPS, "workgroups", workgroup_ids)


def _give(connection: Connection, canned_reply_id: str, workgroup_ids: list[str]) -> None:
    rows = [
        {"canned_reply_id": canned_reply_id, "workgroup_id": one}
        for one in sorted(set(workgroup_ids))
    ]
    if rows:
        connection.execute(insert(THEIRS), rows)


def get(
    connection: Connection, canned_reply_id: str, seen_by: Collection[str] | None = None
) -> RowMapping | None:
    """Return one, if it is of those workgroups or everybody's; all are with `seen_by` None."""
    query = select(CANNED_REPLIES).where(CANNED_REPLIES.c.id == canned_reply_id)
    if seen_by is not None:
        query = query.where(_is_of(seen_by))
    return connection.execute(query).mappings().one_or_none()


def lock(connection: Connection, canned_reply_id: str) -> RowMapping | None:
    return setup.lock(connection, CANNED_REPLIES, canned_reply_id)


def _is_of(workgroup_ids: Collection[str]) -> ColumnElement[bool]:
    """Whether one of the workgroups has it, or everybody."""
    given = exists().where(THEIRS.c.canned_reply_id == CANNED_REPLIES.c.id)
    return or_(given.where(THEIRS.c.workgroup_id.in_(sorted(workgroup_ids))), ~given)


def listed(connection: Connection, sought: Sought, window: Window) -> Page:
    """Return those whose shortcut or words begin with what is sought, by shortcut.

    Those that the shortcut finds come first.
    """
    begins_so = CANNED_REPLIES.c.place.startswith(folded(sought.q), autoescape=True)
    rank = case((begins_so, literal(0)), else_=literal(1)).label("rank")
    query = select(CANNED_REPLIES, rank)
    words = words_of(sought.q)
    if sought.q.strip():
        said = [CANNED_REPLIES.c.words.contains(f" {word}", autoescape=True) for word in words]
        query = query.where(or_(begins_so, and_(*said)) if said else begins_so)
    for seen_by in (sought.seen_by, sought.workgroup_id and [sought.workgroup_id]):
        if seen_by is not None:
            query = query.where(_is_of(seen_by))
    if sought.language is not None:
        theirs = func.lower(CANNED_REPLIES.c.language) == sought.language.lower()
        query = query.where(or_(theirs, CANNED_REPLIES.c.language.is_(None)))
    return page(connection, query, (rank, CANNED_REPLIES.c.place), window)


def workgroups_of(
    connection: Connection, canned_reply_ids: Collection[str]
) -> Mapping[str, list[str]]:
    """Return whose each of them is; one that nobody in particular has is not named."""
    query = select(THEIRS).where(THEIRS.c.canned_reply_id.in_(sorted(canned_reply_ids)))
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in connection.execute(query.order_by(THEIRS.c.workgroup_id)):
        found[row.canned_reply_id].append(row.workgroup_id)
    return found


def change(
    connection: Connection, row: RowMapping, values: Mapping[str, Any], workgroup_ids: list[str]
) -> None:
    """Write a locked canned reply's new values.

    Raises:
        NameTaken: another one has the shortcut in that language.
        UnknownReference: one of the workgroups does not exist.
    """
    _require_known(connection, workgroup_ids)
    try:
        setup.change(connection, CANNED_REPLIES, row, _compared(values))
    except IntegrityError as error:
        raise setup.NameTaken(KIND, values["shortcut"]) from error
    connection.execute(delete(THEIRS).where(THEIRS.c.canned_reply_id == row["id"]))
    _give(connection, row["id"], workgroup_ids)


def remove(connection: Connection, canned_reply_id: str) -> None:
    """Delete a locked canned reply; replies that were made from it stay what they are."""
    connection.execute(delete(THEIRS).where(THEIRS.c.canned_reply_id == canned_reply_id))
    setup.remove(connection, CANNED_REPLIES, KIND, canned_reply_id)
