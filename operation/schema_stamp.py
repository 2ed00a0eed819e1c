"""Remember which schema the embedded database is at, so that a second start need not ask alembic.

Asking costs a second of imports. The stamp holds only while both sides are as they were: the
migrations in the code (by hash) and the revision in the database.
"""

import hashlib
import json
import sqlite3
from pathlib import Path

SQLITE_PREFIX = "sqlite:///"


def is_current(stamp: Path, *, database_url: str, migrations: Path) -> bool:
    """Tell whether the database was brought to the code's schema and is still there."""
    current = _facts(database_url, migrations)
    if current is None:
        return False
    try:
        return bool(json.loads(stamp.read_text(encoding="utf-8")) == current)
    except (OSError, ValueError):
        return False


def put(stamp: Path, *, database_url: str, migrations: Path) -> None:
    """Remember the present state, right after a migration."""
    current = _facts(database_url, migrations)
    if current is not None:
        stamp.write_text(json.dumps(current), encoding="utf-8")


def _facts(database_url: str, migrations: Path) -> dict[str, str] | None:
    if not database_url.startswith(SQLITE_PREFIX):
        return None
    revision = _revision(Path(database_url.removeprefix(SQLITE_PREFIX)))
    if revision is None:
        return None
    digest = hashlib.sha256()
    for path in sorted(migrations.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return {"revision": revision, "migrations": digest.hexdigest()}


def _revision(database: Path) -> str | None:
    if not database.exists():
        return None
    try:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return None
    return str(row[0]) if row else None
