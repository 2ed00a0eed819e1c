"""Brands and people in the ledger: found, created, changed."""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any

from simulated_network.database import Writing
from simulated_network.model import Account, Author, Limit, Refusal

_COLUMNS_OF_PEOPLE = ("name", "followers", "language", "location", "avatar_url")


def account_by_token(db: sqlite3.Connection, token: str) -> Account | None:
    return _account(db.execute("SELECT * FROM accounts WHERE token = ?", (token,)).fetchone())


def account_by_handle(db: sqlite3.Connection, handle: str) -> Account | None:
    return _account(db.execute("SELECT * FROM accounts WHERE handle = ?", (handle,)).fetchone())


def account_by_id(db: sqlite3.Connection, account_id: int) -> Account | None:
    return _account(db.execute("SELECT * FROM accounts WHERE id = ?", (account_id,)).fetchone())


def all_accounts(db: sqlite3.Connection) -> list[Account]:
    rows = db.execute("SELECT * FROM accounts ORDER BY id").fetchall()
    return [account for row in rows if (account := _account(row))]


def known_account(db: sqlite3.Connection, handle: str) -> Account:
    """Return the account of that handle.

    Raises:
        Refusal: there is none.
    """
    account = account_by_handle(db, handle)
    if account is None:
        raise Refusal(404, "unknown_account", f"there is no account @{handle}")
    return account


def author_by_handle(db: sqlite3.Connection, handle: str) -> Author | None:
    return _author(db.execute("SELECT * FROM authors WHERE handle = ?", (handle,)).fetchone())


def author_by_id(db: sqlite3.Connection, author_id: int) -> Author | None:
    return _author(db.execute("SELECT * FROM authors WHERE id = ?", (author_id,)).fetchone())


def people(db: sqlite3.Connection, *, limit: int) -> list[Author]:
    """Return people, those who came last first."""
    rows = db.execute(
        "SELECT *, 'person' AS kind FROM people ORDER BY id DESC LIMIT ?", (limit,)
    ).fetchall()
    return [author for row in rows if (author := _author(row))]


def put_account(writing: Writing, handle: str, wanted: Mapping[str, Any]) -> tuple[Account, bool]:
    """Create the account or change what `wanted` names; says whether it is new."""
    db = writing.db
    existing = account_by_handle(db, handle)
    columns = _columns_of_account(wanted)
    if existing is None:
        _refuse_taken_handle(db, handle, table="people")
        columns = {"name": handle, "token": secrets.token_urlsafe(24)} | columns
        columns |= {"id": writing.ids.take(db, writing.now), "handle": handle}
        _refuse_taken_token(db, columns["token"], but_of=None)
        names = ", ".join(columns)
        marks = ", ".join(f":{name}" for name in columns)
        db.execute(f"INSERT INTO accounts ({names}) VALUES ({marks})", columns)  # noqa: S608
    elif columns:
        _refuse_taken_token(db, columns.get("token"), but_of=existing.id)
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        db.execute(
            f"UPDATE accounts SET {changes} WHERE id = :id",  # noqa: S608
            {**columns, "id": existing.id},
        )
    account = known_account(db, handle)
    # A webhook that begins to exist or changes has to be looked at, also when no post comes.
    writing.touched.add(account.id)
    writing.is_public_page_touched = True
    return account, existing is None


def put_person(writing: Writing, handle: str, wanted: Mapping[str, Any]) -> tuple[Author, bool]:
    """Create the person or change what `wanted` names; says whether it is new."""
    db = writing.db
    _refuse_taken_handle(db, handle, table="accounts")
    columns = {name: wanted[name] for name in _COLUMNS_OF_PEOPLE if name in wanted}
    if columns.get("location") is not None:
        columns["location"] = json.dumps(columns["location"])
    existing = author_by_handle(db, handle)
    if existing is None:
        row = dict.fromkeys(_COLUMNS_OF_PEOPLE) | {"name": handle} | columns
        row |= {"id": writing.ids.take(db, writing.now), "handle": handle}
        db.execute(
            "INSERT INTO people (id, handle, name, followers, language, location, avatar_url)"
            " VALUES (:id, :handle, :name, :followers, :language, :location, :avatar_url)",
            row,
        )
    elif columns:
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        db.execute(
            f"UPDATE people SET {changes} WHERE id = :id",  # noqa: S608
            {**columns, "id": existing.id},
        )
    person = author_by_handle(db, handle)
    if person is None:
        raise LookupError(handle)
    return person, existing is None


def _refuse_taken_handle(db: sqlite3.Connection, handle: str, *, table: str) -> None:
    taken = db.execute(f"SELECT 1 FROM {table} WHERE handle = ?", (handle,)).fetchone()  # noqa: S608
    if taken:
        whose = "an account" if table == "accounts" else "a person"
        raise Refusal(409, "handle_taken", f"@{handle} is {whose}")


def _refuse_taken_token(db: sqlite3.Connection, token: str | None, *, but_of: int | None) -> None:
    if token is None:
        return
    holder = account_by_token(db, token)
    if holder is not None and holder.id != but_of:
        raise Refusal(409, "token_taken", "another account holds this token")


def _columns_of_account(wanted: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: value for name, value in wanted.items() if name not in {"webhook", "limits"}}
    if "limits" in wanted:
        columns["limits"] = json.dumps(wanted["limits"] or {})
    if "webhook" in wanted:
        webhook = wanted["webhook"] or {}
        columns["webhook_url"] = webhook.get("url")
        columns["webhook_secret"] = webhook.get("secret")
        columns["webhook_page_size"] = webhook.get("page_size", 20)
    return columns


def _account(row: sqlite3.Row | None) -> Account | None:
    if row is None:
        return None
    columns = dict(row)
    columns["limits"] = {
        operation: Limit(**limit) for operation, limit in json.loads(columns["limits"]).items()
    }
    for flag in ("deduplicates", "cold_direct_messages", "suspended"):
        columns[flag] = bool(columns[flag])
    return Account(**columns)


def _author(row: sqlite3.Row | None) -> Author | None:
    if row is None:
        return None
    columns = dict(row)
    columns["location"] = json.loads(columns["location"]) if columns["location"] else None
    return Author(**columns)
