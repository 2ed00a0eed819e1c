"""What all set-up resources have in common: rows with a version, and why a change is refused."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError


class SetUpRefusal(Exception):
    """A change of a set-up resource that is understood and refused; nothing was written."""

    @property
    def code(self) -> str:
        """The class name in snake_case; clients may rely on it."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class NameTaken(SetUpRefusal):
    """Another resource of the kind has the name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"another {kind} has the name {name}")


class InUse(SetUpRefusal):
    """Something still refers to the resource."""

    def __init__(self, kind: str, row_id: str, by: str) -> None:
        super().__init__(f"{kind} {row_id} is in use: {by} refer to it")


class VersionMismatch(SetUpRefusal):
    """The resource was changed since the caller read it."""

    def __init__(self, expected: str, version: int) -> None:
        super().__init__(
            f"the change was meant for version {expected}, the present one is {version}"
        )


class UnknownReference(SetUpRefusal):
    """A field names a resource that does not exist."""

    def __init__(self, field: str, row_id: str) -> None:
        super().__init__(f"{field} names {row_id}, which does not exist")
        self.field = field


class NeverChanges(SetUpRefusal):
    """A field that is fixed when the resource is created."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is fixed at the creation and never changes")
        self.field = field


def find(connection: Connection, table: Table, row_id: str) -> RowMapping | None:
    query = select(table).where(table.c.id == row_id)
    return connection.execute(query).mappings().one_or_none()


def lock(connection: Connection, table: Table, row_id: str) -> RowMapping | None:
    """Return the row, locked for a change."""
    query = select(table).where(table.c.id == row_id).with_for_update()
    return connection.execute(query).mappings().one_or_none()


def add(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    connection.execute(insert(table).values(**values))


def change(
    connection: Connection, table: Table, row: RowMapping, values: Mapping[str, Any]
) -> None:
    """Write the values of a locked row under its next version."""
    changed = update(table).where(table.c.id == row["id"])
    connection.execute(changed.values(**values, version=row["version"] + 1))


def remove(connection: Connection, table: Table, kind: str, row_id: str) -> None:
    """Delete the row.

    Raises:
        InUse: a reference to it came while we looked.
    """
    try:
        connection.execute(delete(table).where(table.c.id == row_id))
    except IntegrityError as error:
        raise InUse(kind, row_id, "other rows") from error


def require_free(
    column: ColumnElement[Any], connection: Connection, kind: str, name: str, own_id: str
) -> None:
    """Refuse a name that another row has.

    Raises:
        NameTaken: it has.
    """
    table: Any = column.table
    query = select(table.c.id).where(column == name, table.c.id != own_id)
    if connection.execute(query.limit(1)).first() is not None:
        raise NameTaken(kind, name)


def require_known(connection: Connection, table: Table, field: str, row_ids: Iterable[str]) -> None:
    """Refuse ids of rows that do not exist.

    Raises:
        UnknownReference: one of them does not.
    """
    wanted = sorted(set(row_ids))
    if not wanted:
        return
    query = select(table.c.id).where(table.c.id.in_(wanted))
    known = set(connection.execute(query).scalars())
    for row_id in wanted:
        if row_id not in known:
            raise UnknownReference(field, row_id)


def is_referred_to(connection: Connection, column: ColumnElement[Any], row_id: str) -> bool:
    return connection.execute(select(column).where(column == row_id).limit(1)).first() is not None
