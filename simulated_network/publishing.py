"""A brand says something: the one transaction, and the customers who answer by script."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from simulated_network import accounts, posts
from simulated_network.database import Writing
from simulated_network.model import Account, Author, Draft, Instant, Post, Refusal


@dataclass(frozen=True, slots=True)
class Published:
    """The post an accepted call led to, and whether this call made it."""

    post: Post
    is_new: bool


@dataclass(frozen=True, slots=True)
class Script:
    """How a customer answers back: with one of these texts, so much later, so often at most."""

    customer: str
    account: str | None
    answers: tuple[str, ...]
    delay_ms: int
    at_most: int
    pick: Literal["in_turn", "random"]


def publish(writing: Writing, account: Account, draft: Draft, *, fault: str | None) -> Published:
    """Accept a brand's post and write the accepted call into the ledger, in one commit.

    A reference that was used before makes a second post, unless the account deduplicates.
    """
    if len(draft.text) > account.text_limit:
        raise Refusal(
            422,
            "text_too_long",
            f"{len(draft.text)} characters, this account may write {account.text_limit}",
        )
    author = Author(account.id, account.handle, account.name, "account")
    already = _already_published(writing.db, account, draft)
    if already is None:
        _refuse_cold_direct_message(writing.db, account, author, draft)
        post = posts.write(writing, author, draft, visible_in_ms=account.visibility_delay_ms)
        _let_customers_answer(writing, post)
    else:
        post = already
    writing.db.execute(
        "INSERT INTO publishes (account_id, post_id, reference, text, at, created_post, fault)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (account.id, post.id, draft.reference, draft.text, writing.now, already is None, fault),
    )
    return Published(post, already is None)


def add_script(writing: Writing, script: Script) -> int:
    """Let a customer answer from now on; returns the script's id."""
    person, _ = accounts.put_person(writing, script.customer, {})
    account_id = accounts.known_account(writing.db, script.account).id if script.account else None
    inserted = writing.db.execute(
        "INSERT INTO scripts (person_id, account_id, answers, delay_ms, at_most, pick)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            person.id,
            account_id,
            json.dumps(script.answers),
            script.delay_ms,
            script.at_most,
            script.pick,
        ),
    )
    return int(inserted.lastrowid or 0)


def scripts(db: sqlite3.Connection) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT s.id, p.handle AS customer, a.handle AS account, s.answers, s.delay_ms,"
        " s.at_most, s.pick, s.given FROM scripts s JOIN people p ON p.id = s.person_id"
        " LEFT JOIN accounts a ON a.id = s.account_id ORDER BY s.id"
    ).fetchall()
    return [{**dict(row), "answers": json.loads(row["answers"])} for row in rows]


def remove_scripts(writing: Writing) -> None:
    writing.db.execute("DELETE FROM scripts")
    writing.db.execute("DELETE FROM answers_due")


def catch_up(writing: Writing) -> Instant | None:
    """Let what is due happen: posts become visible, customers answer. Returns what is next."""
    db = writing.db
    hidden = db.execute(
        "SELECT id FROM posts WHERE revealed = 0 AND visible_at <= ? ORDER BY visible_at, place",
        (writing.now,),
    ).fetchall()
    for row in hidden:
        posts.reveal(writing, row["id"])
    due = db.execute(
        "SELECT * FROM answers_due WHERE due_at <= ? ORDER BY due_at, id", (writing.now,)
    ).fetchall()
    for row in due:
        _answer(writing, row)
    return next_due_at(db)


def next_due_at(db: sqlite3.Connection) -> Instant | None:
    row = db.execute(
        "SELECT min(at) AS at FROM (SELECT min(visible_at) AS at FROM posts WHERE revealed = 0"
        " UNION ALL SELECT min(due_at) FROM answers_due)"
    ).fetchone()
    return None if row["at"] is None else int(row["at"])


def _already_published(db: sqlite3.Connection, account: Account, draft: Draft) -> Post | None:
    if not account.deduplicates or draft.reference is None:
        return None
    already = posts.first_with_reference(db, account, draft.reference, also_hidden=True)
    if already is not None and already.text != draft.text:
        raise Refusal(422, "reference_reused", "this reference stands for other words")
    return already


def _refuse_cold_direct_message(
    db: sqlite3.Connection, account: Account, author: Author, draft: Draft
) -> None:
    recipient = posts.recipient_of(db, author, draft)
    if recipient is None or account.cold_direct_messages:
        return
    wrote = db.execute(
        "SELECT 1 FROM posts WHERE visibility = 'private' AND author_id = ? AND recipient_id = ?",
        (recipient.id, account.id),
    ).fetchone()
    if wrote is None:
        raise Refusal(
            403,
            "cannot_initiate_direct_message",
            f"@{recipient.handle} never wrote to @{account.handle} in private",
        )


def _let_customers_answer(writing: Writing, post: Post) -> None:
    """Note an answer for each script whose customer this post speaks to, while it has any left."""
    spoken_to = _spoken_to(writing.db, post)
    rows = writing.db.execute(
        "SELECT * FROM scripts WHERE given < at_most AND (account_id IS NULL OR account_id = ?)"
        " ORDER BY id",
        (post.author.id,),
    ).fetchall()
    for row in rows:
        if row["person_id"] not in spoken_to:
            continue
        answers = json.loads(row["answers"])
        in_turn = answers[row["given"] % len(answers)]
        text = in_turn if row["pick"] == "in_turn" else writing.chance.choice(answers)
        writing.db.execute("UPDATE scripts SET given = given + 1 WHERE id = ?", (row["id"],))
        writing.db.execute(
            "INSERT INTO answers_due (due_at, person_id, reply_to, text) VALUES (?, ?, ?, ?)",
            (post.visible_at + row["delay_ms"], row["person_id"], post.id, text),
        )
        writing.is_clock_touched = True


def _spoken_to(db: sqlite3.Connection, post: Post) -> set[int]:
    if post.recipient:
        return {post.recipient.id}
    answered = posts.post_by_id(db, post.reply_to) if post.reply_to else None
    if answered is not None:
        return {answered.author.id}
    named = (accounts.author_by_handle(db, handle) for handle in post.mentions)
    return {one.id for one in named if one is not None}


def _answer(writing: Writing, due: sqlite3.Row) -> None:
    writing.db.execute("DELETE FROM answers_due WHERE id = ?", (due["id"],))
    person = accounts.author_by_id(writing.db, due["person_id"])
    answered = posts.post_by_id(writing.db, due["reply_to"])
    if person is None or answered is None:
        return
    draft = Draft(
        text=due["text"],
        visibility=answered.visibility,
        reply_to=answered.id,
        to=answered.author.handle if answered.visibility == "private" else None,
        mentions=(answered.author.handle,),
        language=person.language,
        location=person.location,
    )
    posts.write(writing, person, draft)
