"""What the public page shows: the latest threads, and one customer's private conversations."""

import sqlite3

from simulated_network import accounts, posts
from simulated_network.model import Author, Post

THREADS_SHOWN = 40
POSTS_SHOWN = 800
PEOPLE_SHOWN = 60


def public_threads(db: sqlite3.Connection) -> list[list[Post]]:
    """Return the threads that somebody wrote in last, newest first, each oldest first."""
    return _threads(
        db,
        "SELECT root FROM posts WHERE visibility = 'public' AND revealed = 1"
        " GROUP BY root ORDER BY max(place) DESC LIMIT :most",
        {"most": THREADS_SHOWN},
    )


def private_threads(db: sqlite3.Connection, handle: str) -> list[list[Post]]:
    """Return the private conversations of one customer, newest first."""
    customer = accounts.author_by_handle(db, handle)
    if customer is None or customer.kind != "person":
        return []
    return _threads(
        db,
        "SELECT root FROM posts WHERE visibility = 'private' AND revealed = 1"
        " AND :customer IN (author_id, recipient_id)"
        " GROUP BY root ORDER BY max(place) DESC LIMIT :most",
        {"most": THREADS_SHOWN, "customer": customer.id},
    )


def one_public_thread(db: sqlite3.Connection, post_id: int) -> list[list[Post]]:
    """Return the thread that a public post belongs to."""
    post = posts.post_by_id(db, post_id)
    if post is None or post.visibility != "public":
        return []
    thread = posts.in_threads(db, [post.root], limit=POSTS_SHOWN)
    return [thread] if thread else []


def brands(db: sqlite3.Connection) -> list[Author]:
    return [
        Author(account.id, account.handle, account.name, "account")
        for account in accounts.all_accounts(db)
    ]


def _threads(db: sqlite3.Connection, question: str, facts: dict[str, int]) -> list[list[Post]]:
    roots = [int(row["root"]) for row in db.execute(question, facts).fetchall()]
    by_root: dict[int, list[Post]] = {root: [] for root in roots}
    for post in posts.in_threads(db, roots, limit=POSTS_SHOWN):
        by_root[post.root].append(post)
    return [thread for thread in by_root.values() if thread]
