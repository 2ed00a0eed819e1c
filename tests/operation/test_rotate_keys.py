"""`rotate-keys` as an operator sees it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from operation.rotate_keys import rotate_keys
from storage import accounts
from storage.affinity_key import AffinityKey
from storage.database import open_database
from storage.secrets import Seal
from tests.floor import Floor

OLD, NEW = "the old secret key of the tests, long", "the new secret key of the tests, long"


async def prepared(url: str, *keys: str) -> list[str]:
    """Seal an account with each key; return their ids."""
    database = open_database(url)
    floor = Floor(database)
    await database.write(AffinityKey(keys[0]))
    ids = []
    for key in keys:
        account_id = accounts.new_account_id()
        values: dict[str, Any] = {
            "network": "webhook",
            "name": "brand",
            "settings": {},
            "secrets": Seal(key).close(account_id, {"token": "canary-token"}),
        }
        await database.write(lambda k, i=account_id, v=values: accounts.create(k, i, v))  # type: ignore[misc]
        ids.append(account_id)
    await floor.following.close()
    await database.close()
    return ids


@pytest.fixture
def rotating(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Let the environment be that of a rotation; the old key is named by a file."""
    (tmp_path / "old.key").write_text(f"{OLD}\n")
    monkeypatch.setenv("PARLEY_SECRET_KEY", NEW)
    monkeypatch.setenv("PARLEY_SECRET_KEY_PREVIOUS_FILE", str(tmp_path / "old.key"))
    monkeypatch.setenv("PARLEY_DATABASE_URL", sqlite_url)
    return sqlite_url


async def run(*, forgets_lost: bool = False) -> int:

    return await asyncio.to_thread(rotate_keys, Path("/nowhere"), forgets_lost=forgets_lost)


async def test_it_tells_its_progress_and_may_be_repeated(
    rotating: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = await prepared(rotating, OLD, OLD)

    assert await run() == 0
    told = capsys.readouterr().out
    assert f"1 of 2  {first} 'brand': wrapped anew" in told
    assert f"2 of 2  {second} 'brand': wrapped anew" in told
    assert "affinity key: wrapped anew" in told

    assert await run() == 0
    again = capsys.readouterr().out
    assert "2 had the newest key" in again
    assert "affinity key: was wrapped with it" in again
    for secret in (OLD, NEW, "canary-token"):
        assert secret not in told + again


async def test_what_no_key_opens_is_named_and_the_others_are_done(
    rotating: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, lost, _ = await prepared(rotating, OLD, "a key that nobody has any more", OLD)

    assert await run() == 1
    told = capsys.readouterr()
    assert f"{lost} 'brand': unreadable: the secrets of {lost} cannot be opened" in told.err
    assert "PARLEY_SECRET_KEY_PREVIOUS" in told.err
    assert "2 wrapped anew" in told.out

    assert await run(forgets_lost=True) == 0
    assert f"{lost} 'brand': forgotten: enter its credentials again" in capsys.readouterr().out


async def test_a_short_key_among_the_previous_ones_is_refused(
    rotating: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del rotating
    monkeypatch.delenv("PARLEY_SECRET_KEY_PREVIOUS_FILE")
    monkeypatch.setenv("PARLEY_SECRET_KEY_PREVIOUS", f"{OLD}\nshort")

    assert await run() == 1
    told = capsys.readouterr().err
    assert "PARLEY_SECRET_KEY_PREVIOUS: each line needs at least 32 characters" in told
    assert "short" not in told.replace("shorter", "")


async def test_the_key_that_up_made_is_found_in_its_folder(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PARLEY_SECRET_KEY", raising=False)
    monkeypatch.setenv("PARLEY_SECRET_KEY_FILE", "")
    monkeypatch.delenv("PARLEY_DATA_DIR", raising=False)
    monkeypatch.setenv("PARLEY_DATABASE_URL", sqlite_url)
    (tmp_path / "secret.key").write_text(NEW)
    await prepared(sqlite_url, NEW)

    assert await asyncio.to_thread(rotate_keys, tmp_path) == 0
