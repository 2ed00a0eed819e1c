"""What became of posts later: other words, or taken back; the first words stay in the ledger."""

import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from simulated_network import posts
from simulated_network.database import Writing
from simulated_network.model import Account, Post, Refusal
from simulated_network.times import rfc3339

Kind = Literal["edited", "deleted"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change as accounts are told of it; `place` is its place in the order of all changes."""

    place: int
    post_id: int
    kind: Kind
    at: int
    text: str | None


def edit(writing: Writing, post: Post, text: str) -> Post:
    """Give a post other words; the same words again change nothing."""
    if post.text != text:
        writing.db.execute("UPDATE posts SET text = ? WHERE id = ?", (text, post.id))
        _note(writing, post, "edited", text)
    return posts.known_post(writing.db, post.id)


def delete(writing: Writing, post: Post) -> None:
    """Take a post back: from now on nobody sees it."""
    _note(writing, post, "deleted", None)


def own_post(db: sqlite3.Connection, account: Account, post_id: int) -> Post:
    """Return a post that the account wrote and did not take back.

    Raises:
        Refusal: 404, or 403 when another wrote it.
    """
    post = posts.post_by_id(db, post_id)
    if post is None or is_deleted(db, post_id):
        raise Refusal(404, "unknown_post", "there is no such post, or not any more")
    if post.author.id != account.id:
        raise Refusal(403, "not_your_post", "only its author changes a post")
    return post


def is_deleted(db: sqlite3.Connection, post_id: int) -> bool:
    query = "SELECT 1 FROM changes WHERE post_id = ? AND kind = 'deleted'"
    return db.execute(query, (post_id,)).fetchone() is not None


def after(db: sqlite3.Connection, account: Account, place: int, *, limit: int) -> list[Change]:
    """Return later changes of posts that others wrote into the account's inbox, in order."""
    rows = db.execute(
        "SELECT c.* FROM changes c JOIN inbox i ON i.post_id = c.post_id AND i.account_id = ?"
        " JOIN posts p ON p.id = c.post_id"
        " WHERE c.place > ? AND p.author_id <> ? ORDER BY c.place LIMIT ?",
        (account.id, place, account.id, limit),
    ).fetchall()
    return [
        Change(row["place"], row["post_id"], row["kind"], row["at"], row["text"]) for row in rows
    ]


def deleted_ids(db: sqlite3.Connection) -> list[str]:
    rows = db.execute("SELECT post_id FROM changes WHERE kind = 'deleted' ORDER BY place")
    return [str(row["post_id"]) for row in rows.fetchall()]


def change_json(change: Change) -> dict[str, Any]:
    return {
        "post_id": str(change.post_id),
        "kind": change.kind,
        "at": rfc3339(change.at),
        "text": change.text,
    }


def _note(writing: Writing, post: Post, kind: Kind, text: str | None) -> None:
    writing.db.execute(
        "INSERT INTO changes (post_id, kind, at, text) VALUES (?, ?, ?, ?)",
        (post.id, kind, writing.now, text),
    )
    rows = writing.db.execute("SELECT account_id FROM inbox WHERE post_id = ?", (post.id,))
    writing.touched |= {row["account_id"] for row in rows.fetchall()}
    writing.is_public_page_touched = True
