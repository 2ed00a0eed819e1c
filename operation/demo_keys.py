"""The demonstration in containers: keys on a volume, then its content through the API."""

import asyncio
import os
from pathlib import Path

from operation.run_file import read_keys, secret_key_file, write_keys, write_privately


def make_keys(folder: Path) -> int:
    """Make the secret key and the administrator's key, once."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret_key_file(folder)
    write_privately(folder / "admin.key", f"{read_keys(folder)['admin']}\n")
    print(f"The keys are in {folder}.")
    return 0


def prepare_demo(folder: Path, api_url: str, control_url: str | None) -> int:
    """Make the demonstration's principals and posts, once; say where keys and passwords are.

    The network's control side answers its own machine only, so it may have an address of its own.
    """
    from operation.demo import prepare  # noqa: PLC0415  # the keys alone need none of it

    keys = read_keys(folder)
    if "passwords" not in keys:
        network_url = os.environ["PARLEY_SIMULATED_NETWORK_URL"]
        made = asyncio.run(
            prepare(api_url, keys["admin"], network_url, keys, control_url=control_url)
        )
        keys = {**made, "admin": keys["admin"]}
        write_keys(folder, keys)
    print(f"The demonstration is ready. Its keys and passwords: {folder / 'keys.json'}")
    return 0
