"""Conversations found by words: what a page looks at is bounded, and it says how far it came."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, or_

from conversations.model import Instant
from storage.conversation_tables import ConversationRow, CustomerRow, IdentityRow, PostRow
from storage.pages import Place, Window, page
from storage.reading import ConversationFilters, ConversationPage, Viewer, narrowed
from storage.rows import conversation_from

CONVERSATIONS = ConversationRow.__table__  # type: ignore[attr-defined]
CUSTOMERS = CustomerRow.__table__  # type: ignore[attr-defined]
IDENTITIES = IdentityRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]

SEARCHED = 2_000
"""So many conversations a page looks at: an index of all words would cost every post that comes."""

MOST_WORDS = 5

CREATION = (CONVERSATIONS.c.created_at, CONVERSATIONS.c.id)


def is_search(filters: ConversationFilters) -> bool:
    """Whether something is asked that no index answers."""
    return filters.network is not None or bool(filters.q.strip())


def found(
    connection: Connection, filters: ConversationFilters, viewer: Viewer, window: Window
) -> ConversationPage:
    """Return those of the next `SEARCHED` conversations that have every word.

    A page may hold fewer than were asked for, or none, and lead to another all the same.
    """
    looked_at = narrowed(filters, viewer).with_only_columns(*CREATION)
    end = _end(connection, looked_at, filters, window)
    query = narrowed(filters, viewer).where(*_conditions(filters))
    if end is not None:
        query = query.where(_not_behind(end, newest_first=filters.newest_first))
    rows = page(connection, query, CREATION, window, newest_first=filters.newest_first)
    shown = [conversation_from(row) for row in rows.rows]
    last = rows.next or end
    return ConversationPage(shown, last, _moment(last))


def _end(
    connection: Connection, looked_at: Select[Any], filters: ConversationFilters, window: Window
) -> Place | None:
    """Return the last conversation that this page looks at; None when it comes to the end."""
    ids_only = Window(SEARCHED, window.after)
    return page(connection, looked_at, CREATION, ids_only, newest_first=filters.newest_first).next


def _not_behind(place: Place, *, newest_first: bool) -> ColumnElement[bool]:
    at, row_id = CREATION
    if newest_first:
        return or_(at > place.at, (at == place.at) & (row_id >= place.id))
    return or_(at < place.at, (at == place.at) & (row_id <= place.id))


def _moment(place: Place | None) -> Instant | None:
    return None if place is None else place.at


def _conditions(filters: ConversationFilters) -> list[ColumnElement[bool]]:
    conditions = [_has(word) for word in filters.q.split()[:MOST_WORDS]]
    if filters.network is not None:
        conditions.append(CONVERSATIONS.c.network == filters.network)
    return conditions


def _has(word: str) -> ColumnElement[bool]:
    """Whether the conversation's id is the word, or handle, name or a post has it in it."""
    said = exists().where(
        POSTS.c.conversation_id == CONVERSATIONS.c.id, contains(POSTS.c.text, word)
    )
    handle = word.removeprefix("@") or word
    named = exists().where(
        IDENTITIES.c.customer_id == CONVERSATIONS.c.customer_id,
        IDENTITIES.c.network == CONVERSATIONS.c.network,
        contains(IDENTITIES.c.handle, handle),
    )
    called = exists().where(
        CUSTOMERS.c.id == CONVERSATIONS.c.customer_id, contains(CUSTOMERS.c.name, word)
    )
    return or_(CONVERSATIONS.c.id == word, named, called, said)


def contains(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """Whether the text has the word, in the cases that people write it in.

    SQLite folds the letters of ASCII only, so the word is looked for in its usual cases.
    """
    cases = dict.fromkeys((word, word.lower(), word.upper(), word.capitalize()))
    some = cases if not word.isascii() else {word: None}
    return or_(*(column.icontains(one, autoescape=True) for one in some))
