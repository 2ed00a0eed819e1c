"""Customers found by handle, name or id; what a page looks at is bounded, and it says how far."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, or_, select

from storage.conversation_tables import ConversationRow, CustomerRow, IdentityRow
from storage.pages import Page, Window, page
from storage.reading import Viewer, visible_to
from storage.searching import MOST_WORDS, contains

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
CUSTOMERS = CustomerRow.__table__  # type: ignore[attr-defined]
IDENTITIES = IdentityRow.__table__  # type: ignore[attr-defined]

SEARCHED = 2_000
"""So many customers a page looks at: an index of all names would cost every new face."""

NAMESAKES = 20
"""So many customers of one handle, on different networks, come on the first page."""

CREATION = (CUSTOMERS.c.created_at, CUSTOMERS.c.id)


def found(connection: Connection, q: str, viewer: Viewer, window: Window) -> Page:
    """Return those of the next `SEARCHED` customers that have every word, the newest first.

    A page may hold fewer than were asked for, or none, and lead to another all the same. Whose
    whole handle or id was given comes first, however long ago we met.
    """
    words = q.split()[:MOST_WORDS]
    if not words and viewer.workgroup_ids is None:
        return page(connection, _visible(viewer), CREATION, window, newest_first=True)
    query = _visible(viewer).where(*(_has(word) for word in words))
    if len(words) != 1:
        return _looked_through(connection, query, window)
    is_named = CUSTOMERS.c.id.in_(_ids_named(words[0]))
    others = _looked_through(connection, query.where(~is_named), window)
    if window.after is not None:
        return others
    named = _visible(viewer).where(is_named)
    first = page(connection, named, CREATION, Window(NAMESAKES), newest_first=True)
    return Page([*first.rows, *others.rows], others.next)


def _looked_through(connection: Connection, query: Select[Any], window: Window) -> Page:
    looked_at = select(*CREATION)
    end = page(
        connection, looked_at, CREATION, Window(SEARCHED, window.after), newest_first=True
    ).next
    if end is not None:
        at, row_id = CREATION
        query = query.where(or_(at > end.at, (at == end.at) & (row_id >= end.id)))
    hits = page(connection, query, CREATION, window, newest_first=True)
    return Page(hits.rows, hits.next or end)


def _visible(viewer: Viewer) -> Select[Any]:
    """Return the customers of whom the viewer sees a conversation; whoever sees all, all."""
    condition = visible_to(viewer)
    query = select(CUSTOMERS)
    if condition is None:
        return query
    return query.where(exists().where(CONVERSATIONS.c.customer_id == CUSTOMERS.c.id, condition))


def _ids_named(word: str) -> Select[Any]:
    """Return whose handle the word is, as it is written or in small letters, or whose id."""
    bare = word.removeprefix("@") or word
    forms = sorted({word, bare, word.lower(), bare.lower()})
    handles = select(IDENTITIES.c.customer_id).where(IDENTITIES.c.handle.in_(forms))
    ids = select(CUSTOMERS.c.id).where(CUSTOMERS.c.id == word)
    return select(handles.union(ids).subquery())


def _has(word: str) -> ColumnElement[bool]:
    handle = word.removeprefix("@") or word
    face = exists().where(
        IDENTITIES.c.customer_id == CUSTOMERS.c.id,
        or_(contains(IDENTITIES.c.handle, handle), contains(IDENTITIES.c.name, word)),
    )
    return or_(contains(CUSTOMERS.c.name, word), face)
