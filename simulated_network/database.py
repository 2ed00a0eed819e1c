"""The ledger's tables, and the two connections that reach them: one writes, one reads."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from simulated_network import times
from simulated_network.ids import IdSource
from simulated_network.model import Instant

Result = TypeVar("Result")

_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (
    id INTEGER PRIMARY KEY,
    handle TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    webhook_url TEXT,
    webhook_secret TEXT,
    webhook_page_size INTEGER NOT NULL DEFAULT 20,
    webhook_cursor INTEGER NOT NULL DEFAULT 0,
    limits TEXT NOT NULL DEFAULT '{}',
    deduplicates INTEGER NOT NULL DEFAULT 0,
    visibility_delay_ms INTEGER NOT NULL DEFAULT 0,
    cold_direct_messages INTEGER NOT NULL DEFAULT 0,
    suspended INTEGER NOT NULL DEFAULT 0,
    text_limit INTEGER NOT NULL DEFAULT 5000
) STRICT;
CREATE TABLE IF NOT EXISTS people (
    id INTEGER PRIMARY KEY,
    handle TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL,
    followers INTEGER,
    language TEXT,
    location TEXT,
    avatar_url TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS posts (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id INTEGER NOT NULL UNIQUE,
    id_generated INTEGER NOT NULL,
    author_id INTEGER NOT NULL,
    text TEXT NOT NULL,
    visibility TEXT NOT NULL CHECK (visibility IN ('public', 'private')),
    created_at INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    revealed INTEGER NOT NULL,
    reply_to INTEGER,
    root INTEGER NOT NULL,
    recipient_id INTEGER CHECK ((visibility = 'private') = (recipient_id IS NOT NULL)),
    mentions TEXT NOT NULL,
    media TEXT NOT NULL,
    language TEXT,
    location TEXT,
    reference TEXT,
    source_application TEXT,
    overrides TEXT NOT NULL,
    omitted TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS posts_by_root ON posts (root, place);
CREATE INDEX IF NOT EXISTS posts_by_reference ON posts (author_id, reference)
    WHERE reference IS NOT NULL;
CREATE INDEX IF NOT EXISTS posts_hidden ON posts (visible_at) WHERE revealed = 0;
CREATE INDEX IF NOT EXISTS posts_private ON posts (author_id, recipient_id)
    WHERE visibility = 'private';
CREATE INDEX IF NOT EXISTS posts_generated ON posts (id) WHERE id_generated;
CREATE TABLE IF NOT EXISTS inbox (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL,
    post_id INTEGER NOT NULL,
    visibility TEXT NOT NULL,
    UNIQUE (account_id, post_id)
) STRICT;
CREATE INDEX IF NOT EXISTS inbox_by_account ON inbox (account_id, place);
CREATE TABLE IF NOT EXISTS publishes (
    call INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL,
    post_id INTEGER NOT NULL,
    reference TEXT,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    created_post INTEGER NOT NULL,
    fault TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS publishes_by_reference ON publishes (account_id, reference);
CREATE TABLE IF NOT EXISTS changes (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    post_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('edited', 'deleted')),
    at INTEGER NOT NULL,
    text TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS changes_by_post ON changes (post_id, kind);
CREATE TABLE IF NOT EXISTS uploads (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    content BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS scripts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id INTEGER NOT NULL,
    account_id INTEGER,
    answers TEXT NOT NULL,
    delay_ms INTEGER NOT NULL,
    at_most INTEGER NOT NULL,
    pick TEXT NOT NULL CHECK (pick IN ('in_turn', 'random')),
    given INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS answers_due (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    reply_to INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS answers_by_time ON answers_due (due_at);
CREATE VIEW IF NOT EXISTS authors AS
    SELECT id, handle, name, 'account' AS kind, NULL AS followers, NULL AS language,
        NULL AS location, NULL AS avatar_url FROM accounts
    UNION ALL
    SELECT id, handle, name, 'person', followers, language, location, avatar_url FROM people;
"""


@dataclass(slots=True)
class Writing:
    """One write transaction: what it may use, and whose readers have to be woken after it."""

    db: sqlite3.Connection
    ids: IdSource
    chance: random.Random
    now: Instant
    touched: set[int] = field(default_factory=set)
    """Accounts whose inbox grew."""
    is_public_page_touched: bool = False
    is_clock_touched: bool = False
    """Something falls due that the clock does not know yet."""


class Database:
    """The SQLite file: one thread writes, one reads; what is committed is on the disk."""

    def __init__(self, path: Path, *, chance: random.Random) -> None:
        self._chance = chance
        self._ids = IdSource()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ledger-writer")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="ledger-reader")
        self._writing_db = _open(path)
        self._writing_db.executescript(_TABLES)
        self._reading_db = _open(path)
        self._reading_db.execute("PRAGMA query_only = ON")

    async def read(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        """Answer a question from one consistent view of what is committed."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, self._read, question)

    async def write(self, change: Callable[[Writing], Result]) -> tuple[Result, Writing]:
        """Make a change in one transaction; when this returns it survives kill -9."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer, self._write, change)

    def close(self) -> None:
        self._writer.shutdown()
        self._reader.shutdown()
        self._reading_db.close()
        self._writing_db.close()

    def _read(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        self._reading_db.execute("BEGIN")
        try:
            return question(self._reading_db)
        finally:
            self._reading_db.execute("COMMIT")

    def _write(self, change: Callable[[Writing], Result]) -> tuple[Result, Writing]:
        db = self._writing_db
        db.execute("BEGIN IMMEDIATE")
        writing = Writing(db, self._ids, self._chance, times.now())
        try:
            result = change(writing)
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
        return result, writing


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA busy_timeout = 5000")
    return db
