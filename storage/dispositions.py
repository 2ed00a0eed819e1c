"""Dispositions: the wrap-up codes that agents are offered, a workgroup's own and everybody's."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from conversations.model import Instant
from storage import clock, setup
from storage.conversation_tables import ConversationRow
from storage.desk_tables import DispositionRow, DispositionWorkgroupRow
from storage.ids import new_id
from storage.pages import Page, Window, page
from storage.setup_tables import WorkgroupRow

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
DISPOSITIONS = DispositionRow.__table__  # type: ignore[attr-defined]
THEIRS = DispositionWorkgroupRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

KIND = "disposition"


@dataclass(frozen=True, slots=True)
class Sought:
    """Which ones are asked for; `seen_by` None: all workgroups' are."""

    workgroup_id: str | None = None
    active: bool | None = None
    seen_by: Collection[str] | None = None


def create(connection: Connection, values: Mapping[str, Any], workgroup_ids: list[str]) -> str:
    """Create a disposition and return its id.

    Raises:
        NameTaken: another one has the code.
        UnknownReference: one of the workgroups does not exist.
    """
    disposition_id = new_id("di")
    _require_known(connection, workgroup_ids)
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    given = {**values, "id": disposition_id, "created_at": clock.now(connection), "version": 1}
    written = dialect.insert(DISPOSITIONS).values(**given).on_conflict_do_nothing()
    if not connection.execute(written).rowcount:
        raise setup.NameTaken(KIND, values["code"])
    _give(connection, disposition_id, workgroup_ids)
    return disposition_id


def _require_known(connection: Connection, workgroup_ids: list[str]) -> None:
    setup.require_known(connection, WORKGROUPS, "workgroups", workgroup_ids)


def _give(connection: Connection, disposition_id: str, workgroup_ids: list[str]) -> None:
    rows = [
        {"disposition_id": disposition_id, "workgroup_id": one}
        for one in sorted(set(workgroup_ids))
    ]
    if rows:
        connection.execute(insert(THEIRS), rows)


def get(
    connection: Connection, disposition_id: str, seen_by: Collection[str] | None = None
) -> RowMapping | None:
    """Return one, if it is of those workgroups or everybody's; all are with `seen_by` None."""
    query = select(DISPOSITIONS).where(DISPOSITIONS.c.id == disposition_id)
    if seen_by is not None:
        query = query.where(_is_of(seen_by))
    return connection.execute(query).mappings().one_or_none()


def lock(connection: Connection, disposition_id: str) -> RowMapping | None:
    return setup.lock(connection, DISPOSITIONS, disposition_id)


def _is_of(workgroup_ids: Collection[str]) -> ColumnElement[bool]:
    """Whether one of the workgroups has it, or everybody."""
    given = exists().where(THEIRS.c.disposition_id == DISPOSITIONS.c.id)
    return or_(given.where(THEIRS.c.workgroup_id.in_(sorted(workgroup_ids))), ~given)


def listed(connection: Connection, sought: Sought, window: Window) -> Page:
    """Return them in the order in which agents are offered them."""
    query = select(DISPOSITIONS)
    for seen_by in (sought.seen_by, sought.workgroup_id and [sought.workgroup_id]):
        if seen_by is not None:
            query = query.where(_is_of(seen_by))
    if sought.active is not None:
        query = query.where(DISPOSITIONS.c.active.is_(sought.active))
    return page(connection, query, (DISPOSITIONS.c.position, DISPOSITIONS.c.code), window)


def offered_codes(connection: Connection, workgroup: RowMapping) -> tuple[str, ...]:
    """Return what may be given in a workgroup that takes no other code: its list, then these."""
    query = (
        select(DISPOSITIONS.c.code)
        .where(DISPOSITIONS.c.active, _is_of([workgroup["id"]]))
        .order_by(DISPOSITIONS.c.position, DISPOSITIONS.c.code)
    )
    own = workgroup["wrap_up"].get("codes", ())
    return tuple(dict.fromkeys([*own, *connection.execute(query).scalars()]))


def workgroups_of(
    connection: Connection, disposition_ids: Collection[str]
) -> Mapping[str, list[str]]:
    """Return whose each of them is; one that nobody in particular has is not named."""
    query = select(THEIRS).where(THEIRS.c.disposition_id.in_(sorted(disposition_ids)))
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in connection.execute(query.order_by(THEIRS.c.workgroup_id)):
        found[row.disposition_id].append(row.workgroup_id)
    return found


def change(
    connection: Connection, row: RowMapping, values: Mapping[str, Any], workgroup_ids: list[str]
) -> None:
    """Write a locked disposition's new values.

    Raises:
        NeverChanges: the code; conversations have it.
        UnknownReference: one of the workgroups does not exist.
    """
    if values["code"] != row["code"]:
        raise setup.NeverChanges("code")
    _require_known(connection, workgroup_ids)
    setup.change(connection, DISPOSITIONS, row, values)
    connection.execute(delete(THEIRS).where(THEIRS.c.disposition_id == row["id"]))
    _give(connection, row["id"], workgroup_ids)


def remove(connection: Connection, row: RowMapping) -> None:
    """Delete a locked disposition that no conversation has.

    Raises:
        InUse: conversations ended with its code.
    """
    if setup.is_referred_to(connection, CONVERSATIONS.c.wrap_up_code, row["code"]):
        raise setup.InUse(KIND, row["code"], "conversations that ended with it")
    connection.execute(delete(THEIRS).where(THEIRS.c.disposition_id == row["id"]))
    setup.remove(connection, DISPOSITIONS, KIND, row["id"])


def counted(
    connection: Connection, workgroup_ids: Collection[str], begin: Instant, end: Instant
) -> Mapping[tuple[str, str], int]:
    """Count the conversations that ended in a period, by workgroup and disposition's code.

    The codes are named so that an index answers, however many conversations there are.
    """
    codes = connection.execute(select(DISPOSITIONS.c.code)).scalars().all()
    has_code = CONVERSATIONS.c.wrap_up_code
    query = (
        select(CONVERSATIONS.c.workgroup_id, has_code, func.count().label("conversations"))
        .where(has_code.in_(codes), CONVERSATIONS.c.workgroup_id.in_(sorted(workgroup_ids)))
        .where(CONVERSATIONS.c.ended_at >= begin, CONVERSATIONS.c.ended_at < end)
        .group_by(CONVERSATIONS.c.workgroup_id, has_code)
    )
    return {
        (row.workgroup_id, row.wrap_up_code): row.conversations for row in connection.execute(query)
    }
