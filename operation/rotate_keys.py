"""`rotate-keys`: wrap every account's key anew with the newest secret key, while Parley runs."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from operation.check_config import BadSetting, load_settings
from operation.environment import SECRET_KEY_NAMES
from storage.affinity_key import AffinityKey
from storage.database import Database, DatabaseUnavailable, open_database
from storage.rotation import Left, Rotated, rotate_accounts
from storage.secrets import Seal, SecretsUnreadable

SECRET_KEY_FILE = "secret.key"  # noqa: S105 - the file's name


def rotate_keys(folder: Path, *, forgets_lost: bool = False) -> int:
    """Rotate, and say what was done to whom; 1 when something is left that no key opens."""
    _know_the_embedded_key(folder)
    try:
        settings = load_settings()
    except BadSetting as error:
        print(error, file=sys.stderr)
        return 1
    try:
        return asyncio.run(
            _rotate(settings.database_url.get_secret_value(), settings.secret_keys, forgets_lost)
        )
    except DatabaseUnavailable as error:
        print(f"The database does not answer: {error}. Run it again.", file=sys.stderr)
        return 1


def _know_the_embedded_key(folder: Path) -> None:
    """Take the key that `up` made, as `up` does, when no other is named."""
    made = folder / SECRET_KEY_FILE
    if made.exists() and not any(os.environ.get(name) for name in SECRET_KEY_NAMES):
        os.environ["PARLEY_SECRET_KEY_FILE"] = str(made)
        os.environ.setdefault("PARLEY_DATA_DIR", str(folder))


async def _rotate(database_url: str, keys: Sequence[str], forgets_lost: bool) -> int:  # noqa: FBT001 - from the command line
    newest, *previous = keys
    seal, affinity = Seal(newest, previous), AffinityKey(newest, previous)
    database = open_database(database_url)
    try:
        print(f"The newest key is {seal.key_id}; {len(previous)} more open what they sealed.")
        is_whole = await _rotate_affinity(database, affinity, forgets_lost)
        counts = dict.fromkeys(Left, 0)
        async for rotated in rotate_accounts(database, seal, forgets_lost=forgets_lost):
            counts[rotated.left] += 1
            _tell(rotated)
        print(", ".join(f"{count} {left.value}" for left, count in counts.items()) + ".")
        return 0 if is_whole and not counts[Left.UNREADABLE] else 1
    finally:
        await database.close()


async def _rotate_affinity(database: Database, key: AffinityKey, forgets_lost: bool) -> bool:  # noqa: FBT001
    try:
        is_done = await database.write(key.rewrap)
    except SecretsUnreadable as reason:
        if forgets_lost:
            await database.write(key.replace_lost)
            print("affinity key: lost, begun anew; open conversations get no further posts")
            return True
        print(f"affinity key: {reason}", file=sys.stderr)
        return False
    print(f"affinity key: {'wrapped anew' if is_done else 'was wrapped with it'}")
    return True


def _tell(rotated: Rotated) -> None:
    who = f"{rotated.number} of {rotated.total}  {rotated.account_id} {rotated.name!r}"
    detail = f": {rotated.detail}" if rotated.detail else ""
    stream = sys.stderr if rotated.left is Left.UNREADABLE else sys.stdout
    print(f"{who}: {rotated.left.value}{detail}", file=stream)
