"""Posts in the ledger: written once, put into the inboxes of the accounts they concern, read."""

import json
import re
import sqlite3
from collections.abc import Iterable
from typing import Any

from simulated_network import accounts
from simulated_network.database import Writing
from simulated_network.ids import LARGEST_ID
from simulated_network.model import Account, Author, Draft, Post, Refusal

_MENTION = re.compile(r"(?<![A-Za-z0-9_])@([A-Za-z0-9_]{1,30})")

_LONGEST_ID_DIGITS = 19

_NOT_DELETED = (
    "NOT EXISTS (SELECT 1 FROM changes c WHERE c.post_id = {post} AND c.kind = 'deleted')"
)
_STANDS = _NOT_DELETED.format(post="p.id")
_STANDS_IN_INBOX = _NOT_DELETED.format(post="inbox.post_id")

_SEEN = """
SELECT p.*, coalesce(ap.handle, ab.handle) AS a_handle, coalesce(ap.name, ab.name) AS a_name,
    ap.followers AS a_followers, ap.language AS a_language, ap.location AS a_location,
    ap.avatar_url AS a_avatar_url, iif(ab.id IS NULL, 'person', 'account') AS a_kind,
    coalesce(rp.handle, rb.handle) AS r_handle, coalesce(rp.name, rb.name) AS r_name,
    iif(rb.id IS NULL, 'person', 'account') AS r_kind
FROM posts p
    LEFT JOIN people ap ON ap.id = p.author_id LEFT JOIN accounts ab ON ab.id = p.author_id
    LEFT JOIN people rp ON rp.id = p.recipient_id LEFT JOIN accounts rb ON rb.id = p.recipient_id
"""


def write(writing: Writing, author: Author, draft: Draft, *, visible_in_ms: int = 0) -> Post:
    """Write one post; it reaches the inboxes in the same transaction, or once it is visible."""
    db, now = writing.db, writing.now
    recipient = recipient_of(db, author, draft)
    answered = _answered(db, author, draft, recipient)
    post_id = draft.id if draft.id is not None else writing.ids.take(db, now)
    row = {
        "id": post_id,
        "id_generated": draft.id is None,
        "author_id": author.id,
        "text": draft.text,
        "visibility": draft.visibility,
        "created_at": now if draft.created_at is None else draft.created_at,
        "accepted_at": now,
        "visible_at": now + visible_in_ms,
        "revealed": 0,
        "reply_to": draft.reply_to,
        "root": _root(db, author, recipient, answered) or post_id,
        "recipient_id": recipient.id if recipient else None,
        "mentions": json.dumps(_mentions(author, draft, answered)),
        "media": json.dumps(draft.media),
        "language": draft.language,
        "location": json.dumps(draft.location) if draft.location is not None else None,
        "reference": draft.reference,
        "source_application": draft.source_application,
        "overrides": json.dumps(draft.overrides),
        "omitted": json.dumps(draft.omitted),
    }
    names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO posts ({names}) VALUES ({marks})", row)  # noqa: S608
    if visible_in_ms:
        writing.is_clock_touched = True
    else:
        reveal(writing, post_id)
    return known_post(db, post_id)


def write_as_person(writing: Writing, handle: str, draft: Draft) -> tuple[Post, bool]:
    """Write a customer's post; the same id with the same words again changes nothing."""
    person, _ = accounts.put_person(writing, handle, {})
    if draft.id is not None:
        already = post_by_id(writing.db, draft.id)
        if already is not None:
            return _refuse_other_words(already, person, draft), False
    return write(writing, person, draft), True


def reveal(writing: Writing, post_id: int) -> None:
    """Make the post visible: its page shows it, and the inboxes it belongs to have it."""
    post = known_post(writing.db, post_id)
    writing.db.execute("UPDATE posts SET revealed = 1 WHERE id = ?", (post_id,))
    for account_id in sorted(_concerned(writing.db, post)):
        writing.db.execute(
            "INSERT OR IGNORE INTO inbox (account_id, post_id, visibility) VALUES (?, ?, ?)",
            (account_id, post_id, post.visibility),
        )
        writing.touched.add(account_id)
    writing.is_public_page_touched = True


def post_by_id(db: sqlite3.Connection, post_id: int) -> Post | None:
    row = db.execute(f"{_SEEN} WHERE p.id = ?", (post_id,)).fetchone()
    return _post(row) if row else None


def known_post(db: sqlite3.Connection, post_id: int) -> Post:
    """Return the post of that id.

    Raises:
        LookupError: there is none, although the caller knows that there is.
    """
    post = post_by_id(db, post_id)
    if post is None:
        raise LookupError(post_id)
    return post


def visible_post(db: sqlite3.Connection, account: Account, post_id: int) -> Post | None:
    """Return the post if the account may see it by now."""
    post = post_by_id(db, post_id)
    if post is None or not _is_revealed(db, post_id):
        return None
    parties = {post.author.id, post.recipient.id if post.recipient else None}
    return post if post.visibility == "public" or account.id in parties else None


def first_with_reference(
    db: sqlite3.Connection, account: Account, reference: str, *, also_hidden: bool = False
) -> Post | None:
    """Return the account's earliest post with that reference."""
    row = db.execute(
        f"{_SEEN} WHERE p.author_id = ? AND p.reference = ? AND p.revealed >= ?"
        f" AND {_STANDS} ORDER BY p.place LIMIT 1",
        (account.id, reference, 0 if also_hidden else 1),
    ).fetchone()
    return _post(row) if row else None


def inbox_place(db: sqlite3.Connection, account: Account, since_id: int) -> int:
    """Return the place in the account's inbox behind which everything newer than a post lies.

    A post that the inbox holds has a place of its own, so ids that do not rise (recorded posts keep
    theirs) skip nothing. Of a foreign id everything with a larger id counts as newer.
    """
    row = db.execute(
        "SELECT place FROM inbox WHERE account_id = ? AND post_id = ?", (account.id, since_id)
    ).fetchone()
    if row:
        return int(row["place"])
    row = db.execute(
        "SELECT min(place) AS place FROM inbox WHERE account_id = ? AND post_id > ?",
        (account.id, since_id),
    ).fetchone()
    return inbox_end(db, account.id) if row["place"] is None else int(row["place"]) - 1


def inbox_end(db: sqlite3.Connection, account_id: int) -> int:
    row = db.execute(
        "SELECT coalesce(max(place), 0) AS place FROM inbox WHERE account_id = ?", (account_id,)
    ).fetchone()
    return int(row["place"])


def inbox_after(
    db: sqlite3.Connection,
    account: Account,
    place: int,
    *,
    limit: int,
    visibility: str | None = None,
) -> list[tuple[int, Post]]:
    """Return the next posts of the account's inbox with their places, oldest first."""
    rows = db.execute(
        "SELECT place, post_id FROM inbox WHERE account_id = :account AND place > :place"  # noqa: S608
        " AND (:visibility IS NULL OR visibility = :visibility)"
        f" AND {_STANDS_IN_INBOX} ORDER BY place LIMIT :limit",
        {"account": account.id, "place": place, "visibility": visibility, "limit": limit},
    ).fetchall()
    return [(row["place"], known_post(db, row["post_id"])) for row in rows]


def in_threads(db: sqlite3.Connection, roots: Iterable[int], *, limit: int) -> list[Post]:
    """Return the visible posts of these threads in the order of arrival."""
    wanted = list(roots)
    marks = ", ".join("?" * len(wanted))
    rows = db.execute(
        f"{_SEEN} WHERE p.root IN ({marks}) AND p.revealed = 1 AND {_STANDS}"
        " ORDER BY p.place LIMIT ?",
        (*wanted, limit),
    ).fetchall()
    return [_post(row) for row in rows]


def all_after(db: sqlite3.Connection, place: int, *, limit: int) -> list[Post]:
    """Return every post ever made, hidden ones too, in the order of arrival."""
    rows = db.execute(
        f"{_SEEN} WHERE p.place > ? ORDER BY p.place LIMIT ?", (place, limit)
    ).fetchall()
    return [_post(row) for row in rows]


def recipient_of(db: sqlite3.Connection, author: Author, draft: Draft) -> Author | None:
    """Return whom a private post goes to: named by handle or id, or the other side it answers."""
    if draft.visibility == "public":
        if draft.to is not None:
            raise Refusal(422, "public_post_has_no_recipient", "`to` is for private posts only")
        return None
    wanted = draft.to or (draft.mentions[0] if draft.mentions else None)
    if wanted is None:
        return _other_side(db, author, draft)
    recipient = accounts.author_by_handle(db, wanted.removeprefix("@"))
    if recipient is None and wanted.isdecimal() and len(wanted) <= _LONGEST_ID_DIGITS:
        recipient = accounts.author_by_id(db, min(int(wanted), LARGEST_ID))
    if recipient is None:
        raise Refusal(422, "unknown_recipient", f"nobody here is called {wanted[:60]!r}")
    if recipient.id == author.id:
        raise Refusal(422, "recipient_is_author", "nobody writes to themselves")
    return recipient


def _other_side(db: sqlite3.Connection, author: Author, draft: Draft) -> Author:
    answered = post_by_id(db, draft.reply_to) if draft.reply_to is not None else None
    if answered is None or answered.recipient is None:
        raise Refusal(422, "recipient_missing", "a private post needs `to`")
    return answered.recipient if answered.author.id == author.id else answered.author


def _answered(
    db: sqlite3.Connection, author: Author, draft: Draft, recipient: Author | None
) -> Post | None:
    if draft.reply_to is None:
        return None
    answered = post_by_id(db, draft.reply_to)
    if answered is None:
        raise Refusal(422, "unknown_reply_to", f"there is no post {draft.reply_to} to answer")
    if answered.visibility != draft.visibility:
        raise Refusal(
            422,
            "visibility_differs",
            f"post {draft.reply_to} is {answered.visibility}, the answer {draft.visibility}",
        )
    if answered.recipient and recipient:
        parties = {answered.author.id, answered.recipient.id}
        if parties != {author.id, recipient.id}:
            raise Refusal(422, "unknown_reply_to", f"post {draft.reply_to} is between others")
    return answered


def _root(
    db: sqlite3.Connection, author: Author, recipient: Author | None, answered: Post | None
) -> int | None:
    if answered is not None:
        return answered.root
    if recipient is None:
        return None
    row = db.execute(
        "SELECT root FROM posts WHERE visibility = 'private' AND"
        " (author_id, recipient_id) IN (VALUES (:one, :two), (:two, :one))"
        " ORDER BY place LIMIT 1",
        {"one": author.id, "two": recipient.id},
    ).fetchone()
    return int(row["root"]) if row else None


def _mentions(author: Author, draft: Draft, answered: Post | None) -> list[str]:
    """Return whom the post names, in the text or beside it; an answer names whom it answers."""
    named = [*draft.mentions, *_MENTION.findall(draft.text)]
    if answered is not None and answered.author.id != author.id:
        named.append(answered.author.handle)
    first: dict[str, str] = {}
    for handle in named:
        bare = handle.removeprefix("@")
        first.setdefault(bare.casefold(), bare)
    return list(first.values())


def _concerned(db: sqlite3.Connection, post: Post) -> set[int]:
    candidates = {post.author.id}
    if post.recipient:
        candidates.add(post.recipient.id)
    concerned = {
        account.id for one in candidates if (account := accounts.account_by_id(db, one)) is not None
    }
    if post.visibility == "private":
        return concerned
    named = {handle.casefold() for handle in post.mentions}
    rows = db.execute("SELECT id, handle FROM accounts").fetchall()
    return concerned | {row["id"] for row in rows if row["handle"].casefold() in named}


def _refuse_other_words(already: Post, person: Author, draft: Draft) -> Post:
    if already.author.id != person.id or already.text != draft.text:
        raise Refusal(409, "id_taken", f"post {already.id} exists and says something else")
    return already


def _is_revealed(db: sqlite3.Connection, post_id: int) -> bool:
    row = db.execute(
        f"SELECT p.revealed AND {_STANDS} AS stands FROM posts p WHERE p.id = ?",  # noqa: S608
        (post_id,),
    ).fetchone()
    return bool(row["stands"])


def _post(row: sqlite3.Row) -> Post:
    recipient = None
    if row["recipient_id"] is not None:
        recipient = Author(row["recipient_id"], row["r_handle"], row["r_name"], row["r_kind"])
    author = Author(
        id=row["author_id"],
        handle=row["a_handle"],
        name=row["a_name"],
        kind=row["a_kind"],
        followers=row["a_followers"],
        language=row["a_language"],
        location=_json(row["a_location"]),
        avatar_url=row["a_avatar_url"],
    )
    same = ("place", "id", "text", "visibility", "created_at", "accepted_at", "visible_at")
    also = ("reply_to", "root", "language", "reference", "source_application")
    return Post(
        **{name: row[name] for name in (*same, *also)},
        author=author,
        recipient=recipient,
        mentions=json.loads(row["mentions"]),
        media=json.loads(row["media"]),
        location=_json(row["location"]),
        overrides=json.loads(row["overrides"]),
        omitted=json.loads(row["omitted"]),
    )


def _json(text: str | None) -> Any:  # noqa: ANN401 - whatever was stored
    return None if text is None else json.loads(text)
