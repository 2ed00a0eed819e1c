import sqlite3
from pathlib import Path

from operation.schema_check import VERSIONS, is_surely_at_head
from storage.schema import HEAD, upgrade


def test_a_migrated_database_is_known_at_a_glance(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'parley.db'}"
    assert not is_surely_at_head(url)

    upgrade(url)

    assert is_surely_at_head(url)


def test_in_doubt_the_schema_is_asked_properly(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    url = f"sqlite:///{path}"
    assert not is_surely_at_head("postgresql://db/parley")

    path.write_bytes(b"no database at all, whatever its name says" * 100)
    assert not is_surely_at_head(url)

    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('0000')")
    connection.close()
    assert not is_surely_at_head(url)


def test_both_read_the_newest_revision_from_the_same_place() -> None:
    assert max(path.name for path in VERSIONS.glob("0*.py")).startswith(HEAD)
