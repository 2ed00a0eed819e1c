"""The oracle: what was accepted and what was posted, listed and summed up."""

import sqlite3
from typing import Any

from simulated_network.database import Writing
from simulated_network.times import rfc3339

_TABLES_OF_POSTS = (
    "posts",
    "inbox",
    "publishes",
    "changes",
    "uploads",
    "answers_due",
    "scripts",
    "people",
)


def publishes_after(db: sqlite3.Connection, call: int, *, limit: int) -> list[dict[str, Any]]:
    """Return the accepted publish calls, also those whose caller was told otherwise."""
    rows = db.execute(
        "SELECT p.*, a.handle AS account FROM publishes p JOIN accounts a ON a.id = p.account_id"
        " WHERE p.call > ? ORDER BY p.call LIMIT ?",
        (call, limit),
    ).fetchall()
    return [
        {
            "call": row["call"],
            "account": row["account"],
            "reference": row["reference"],
            "id": str(row["post_id"]),
            "text": row["text"],
            "at": rfc3339(row["at"]),
            "created_post": bool(row["created_post"]),
            "fault": row["fault"],
        }
        for row in rows
    ]


def summary(db: sqlite3.Connection) -> dict[str, Any]:
    """Return the counts a checker asks for first."""
    more_than_once = _published_more_than_once(db)
    return {
        "accounts": _count(db, "accounts"),
        "people": _count(db, "people"),
        "posts": _count(db, "posts"),
        "posts_by_people": _count(db, "posts WHERE author_id IN (SELECT id FROM people)"),
        "posts_by_accounts": _count(db, "posts WHERE author_id IN (SELECT id FROM accounts)"),
        "direct_messages": _count(db, "posts WHERE visibility = 'private'"),
        "hidden_posts": _count(db, "posts WHERE revealed = 0"),
        "publishes": _count(db, "publishes"),
        "publishes_deduplicated": _count(db, "publishes WHERE NOT created_post"),
        "publishes_with_fault": _count(db, "publishes WHERE fault IS NOT NULL"),
        "publishes_without_reference": _count(db, "publishes WHERE reference IS NULL"),
        "references": _count(
            db,
            "(SELECT DISTINCT account_id, reference FROM publishes WHERE reference IS NOT NULL)",
        ),
        "references_published_more_than_once": len(more_than_once),
        "doubled": more_than_once,
        "edits": _count(db, "changes WHERE kind = 'edited'"),
        "deletions": _count(db, "changes WHERE kind = 'deleted'"),
        "answers_due": _count(db, "answers_due"),
        "inboxes": _inboxes(db),
    }


def wipe(writing: Writing, *, keep_accounts: bool) -> None:
    """Empty the ledger; places and ids go on rising, so open streams stay true."""
    writing.touched |= {row["id"] for row in writing.db.execute("SELECT id FROM accounts")}
    for table in _TABLES_OF_POSTS:
        writing.db.execute(f"DELETE FROM {table}")  # noqa: S608
    if not keep_accounts:
        writing.db.execute("DELETE FROM accounts")
    writing.is_public_page_touched = True


def _count(db: sqlite3.Connection, what: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {what}").fetchone()[0])  # noqa: S608


def _published_more_than_once(db: sqlite3.Connection) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT a.handle AS account, p.reference, count(*) AS times,"
        " group_concat(p.id) AS ids FROM posts p JOIN accounts a ON a.id = p.author_id"
        " WHERE p.reference IS NOT NULL GROUP BY p.author_id, p.reference HAVING count(*) > 1"
        " ORDER BY min(p.place)"
    ).fetchall()
    return [
        {
            "account": row["account"],
            "reference": row["reference"],
            "posts": row["times"],
            "ids": row["ids"].split(","),
        }
        for row in rows
    ]


def _inboxes(db: sqlite3.Connection) -> dict[str, dict[str, int]]:
    rows = db.execute(
        "SELECT a.handle, count(i.place) AS posts,"
        " count(i.place) FILTER (WHERE i.place > a.webhook_cursor AND a.webhook_url IS NOT NULL)"
        " AS webhook_pending FROM accounts a LEFT JOIN inbox i ON i.account_id = a.id"
        " GROUP BY a.id ORDER BY a.id"
    ).fetchall()
    return {
        row["handle"]: {"posts": row["posts"], "webhook_pending": row["webhook_pending"]}
        for row in rows
    }
