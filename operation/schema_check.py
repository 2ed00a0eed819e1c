"""Tell by a glance whether the embedded database needs a migration: asking properly costs imports.

SQLAlchemy and the tables take a second to load, of the few that a second start may take.
"""

import sqlite3
from pathlib import Path

SQLITE_PREFIX = "sqlite:///"
VERSIONS = Path(__file__).resolve().parent.parent / "storage" / "migrations" / "versions"


def is_surely_at_head(database_url: str, versions: Path = VERSIONS) -> bool:
    """Compare the file's revision with the newest of ours; in doubt say no."""
    if not database_url.startswith(SQLITE_PREFIX):
        return False
    # The files are named by their revisions' numbers, as storage.schema reads them.
    newest = max((path.name for path in versions.glob("0*.py")), default="").partition("_")[0]
    return bool(newest) and _revision(Path(database_url.removeprefix(SQLITE_PREFIX))) == newest


def _revision(database: Path) -> str | None:
    if not database.exists():
        return None
    try:
        connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return None
    return str(row[0]) if row else None
