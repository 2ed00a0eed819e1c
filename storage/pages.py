"""One page of a list: keyset by moment and id, so that it stays stable while rows change."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_
from sqlalchemy.engine import RowMapping


@dataclass(frozen=True, slots=True)
class Place:
    """The last entry of a page: the next one begins behind it."""

    at: int
    id: str


@dataclass(frozen=True, slots=True)
class Window:
    """Which page is asked for."""

    limit: int
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[RowMapping]
    next: Place | None


def page(
    connection: Connection,
    query: Select[Any],
    order: tuple[ColumnElement[Any], ColumnElement[Any]],
    window: Window,
    *,
    newest_first: bool = False,
) -> Page:
    """Return one page of the query, ordered by a moment, then an id."""
    at, row_id = order
    if window.after is not None:
        query = query.where(_behind(at, row_id, window.after, newest_first=newest_first))
    ordering = (at.desc(), row_id.desc()) if newest_first else (at, row_id)
    found = connection.execute(query.order_by(*ordering).limit(window.limit + 1))
    rows = list(found.mappings())
    if len(rows) <= window.limit:
        return Page(rows, None)
    rows = rows[: window.limit]
    return Page(rows, Place(rows[-1][at.name], rows[-1][row_id.name]))


def _behind(
    at: ColumnElement[Any], row_id: ColumnElement[Any], place: Place, *, newest_first: bool
) -> ColumnElement[bool]:
    if newest_first:
        return or_(at < place.at, and_(at == place.at, row_id < place.id))
    return or_(at > place.at, and_(at == place.at, row_id > place.id))
