"""Posts that went from one conversation to another, and what that makes of the counts."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, literal, select, update

from conversations.joining import Said, Stay, answered_posts
from conversations.joining_commands import MoveKind, Portion
from conversations.model import SETTLED_REPLY_STATES, Instant, ReplyState
from storage.conversation_tables import PostMoveRow, PostRow, ReplyRow

MOVES = PostMoveRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]
REPLIES = ReplyRow.__table__  # type: ignore[attr-defined]

SETTLED = [state.value for state in SETTLED_REPLY_STATES]


class Posts:
    """The posts of one conversation, with where each has been before."""

    def __init__(self, connection: Connection, conversation_id: str) -> None:
        self._connection = connection
        self._conversation_id = conversation_id
        query = (
            select(
                POSTS.c.id,
                POSTS.c.external_id,
                POSTS.c.customer_id,
                POSTS.c.created_at,
                POSTS.c.received_at,
            )
            .where(POSTS.c.conversation_id == conversation_id)
            .order_by(POSTS.c.created_at, POSTS.c.external_id)
        )
        self.rows = connection.execute(query).all()
        self._stays = _stays(connection, conversation_id, self.rows)
        self._sent = self._said(REPLIES.c.state == ReplyState.SENT.value)
        self.answered = answered_posts(self._stays, self._sent)

    def _said(self, condition: ColumnElement[bool]) -> list[Said]:
        places = {stay.conversation_id for stays in self._stays.values() for stay in stays}
        query = select(REPLIES.c.conversation_id, REPLIES.c.created_at).where(
            REPLIES.c.conversation_id.in_(sorted(places)),
            condition,
        )
        return [
            Said(row.conversation_id, row.created_at) for row in self._connection.execute(query)
        ]

    def ids_named(self, names: Iterable[str]) -> dict[str, str | None]:
        """Return, for each name, the id of the post that it names by its id or external id."""
        known = {row.external_id: row.id for row in self.rows} | {
            row.id: row.id for row in self.rows
        }
        return {name: known.get(name) for name in names}

    def portion(self, post_ids: Collection[str]) -> Portion:
        """Return those of the posts as a portion, in the order of platform time."""
        chosen = [row for row in self.rows if row.id in post_ids]
        return Portion(
            tuple(row.id for row in chosen),
            len(self.answered.intersection(row.id for row in chosen)),
            max((row.created_at for row in chosen), default=0),
        )

    def rest_of(self, post_ids: Collection[str]) -> Portion:
        return self.portion({row.id for row in self.rows} - set(post_ids))

    def customer_of(self, post_id: str) -> str:
        return next(str(row.customer_id) for row in self.rows if row.id == post_id)

    def recount_covers(self) -> None:
        """Write what the replies that are on their way will have covered of the posts here."""
        query = select(REPLIES.c.id, REPLIES.c.created_at).where(
            REPLIES.c.conversation_id == self._conversation_id, REPLIES.c.state.not_in(SETTLED)
        )
        rows = [
            {"reply_id": row.id, "now_covers": len(self._answered_with(row.created_at))}
            for row in self._connection.execute(query)
        ]
        covering = update(REPLIES).where(REPLIES.c.id == bindparam("reply_id"))
        if rows:
            self._connection.execute(covering.values(covers=bindparam("now_covers")), rows)

    def _answered_with(self, at: Instant) -> set[str]:
        return answered_posts(self._stays, [*self._sent, Said(self._conversation_id, at)])


def _stays(
    connection: Connection, conversation_id: str, rows: Sequence[Any]
) -> dict[str, list[Stay]]:
    """Return where each post has been, from its arrival on."""
    moves: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    query = (
        select(MOVES)
        .join(POSTS, POSTS.c.id == MOVES.c.post_id)
        .where(POSTS.c.conversation_id == conversation_id)
        .order_by(MOVES.c.id)
    )
    for move in connection.execute(query):
        moves[move.post_id].append(move)
    return {row.id: list(_stays_of(row, moves[row.id], conversation_id)) for row in rows}


def _stays_of(post: Row[Any], moves: list[Row[Any]], here: str) -> Iterable[Stay]:
    since = post.received_at
    for move in moves:
        if move.cause != MoveKind.JOIN:
            yield Stay(move.from_conversation_id, since, move.at)
            since = move.at
    yield Stay(here, since)


@dataclass(frozen=True, slots=True)
class Way:
    """From where to where posts went, why, by whom and when."""

    source_id: str
    target_id: str
    cause: MoveKind
    by: str | None
    at: Instant


def move_all(connection: Connection, way: Way) -> None:
    """Give every post of one conversation to the other."""
    _move(connection, POSTS.c.conversation_id == way.source_id, way)


def move(connection: Connection, post_ids: Collection[str], way: Way) -> None:
    _move(connection, POSTS.c.id.in_(sorted(post_ids)), way)


def _move(connection: Connection, which: ColumnElement[bool], way: Way) -> None:
    _note(connection, which, way)
    connection.execute(update(POSTS).where(which).values(conversation_id=way.target_id))


def note_joined(connection: Connection, post_ids: Collection[str], way: Way) -> None:
    """Write down that new posts joined the target of a merge, and not where their key leads."""
    _note(connection, POSTS.c.id.in_(sorted(post_ids)), way)


def _note(connection: Connection, which: ColumnElement[bool], way: Way) -> None:
    posts = select(
        POSTS.c.id,
        literal(way.source_id),
        literal(way.target_id),
        literal(way.cause.value),
        literal(way.by, MOVES.c.by.type),
        literal(way.at, MOVES.c.at.type),
    ).where(which)
    names = ["post_id", "from_conversation_id", "to_conversation_id", "cause", "by", "at"]
    connection.execute(insert(MOVES).from_select(names, posts.order_by(POSTS.c.id)))


def came_from(connection: Connection, source_id: str, target_id: str, since: Instant) -> list[str]:
    """Return the target's posts that the source's merge or its key brought there."""
    query = (
        select(MOVES.c.post_id)
        .join(POSTS, POSTS.c.id == MOVES.c.post_id)
        .where(
            MOVES.c.from_conversation_id == source_id,
            MOVES.c.to_conversation_id == target_id,
            MOVES.c.cause.in_([MoveKind.MERGE.value, MoveKind.JOIN.value]),
            MOVES.c.at >= since,
            POSTS.c.conversation_id == target_id,
        )
        .distinct()
    )
    return sorted(connection.execute(query).scalars())


def add_to_covers(connection: Connection, conversation_id: str, count: int) -> None:
    """Let the replies on their way cover so many answered posts more, that came with a merge."""
    _change_covers(connection, conversation_id, REPLIES.c.covers + count)


def cover_nothing(connection: Connection, conversation_id: str) -> None:
    """Let the replies on their way cover none of the posts, which are elsewhere now."""
    _change_covers(connection, conversation_id, literal(0))


def _change_covers(
    connection: Connection, conversation_id: str, covers: ColumnElement[int]
) -> None:
    unsettled = update(REPLIES).where(
        REPLIES.c.conversation_id == conversation_id, REPLIES.c.state.not_in(SETTLED)
    )
    connection.execute(unsettled.values(covers=covers))
