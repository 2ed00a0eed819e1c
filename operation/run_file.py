"""The small private files in the data folder: run.json, keys.json and the secret key."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

PRIVATE = 0o600
SECRET_KEY_BYTES = 48
ADMIN_KEY_BYTES = 32

Json = dict[str, Any]


def write_privately(path: Path, text: str) -> None:
    """Write for the owner's eyes only; a reader sees the old file or the new one, whole."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def write_run(folder: Path, run: Json) -> None:
    write_privately(folder / "run.json", json.dumps(run, indent=2) + "\n")


def forget_run(folder: Path) -> None:
    """Remove run.json: nothing is ready."""
    (folder / "run.json").unlink(missing_ok=True)


def read_keys(folder: Path) -> Json:
    """Read keys.json, made with an administrator's key on first use."""
    path = folder / "keys.json"
    if not path.exists():
        write_keys(folder, {"admin": secrets.token_urlsafe(ADMIN_KEY_BYTES)})
    keys: Json = json.loads(path.read_text(encoding="utf-8"))
    return keys


def write_keys(folder: Path, keys: Json) -> None:
    write_privately(folder / "keys.json", json.dumps(keys, indent=2) + "\n")


def secret_key_file(folder: Path) -> Path:
    """Name the file with the folder's secret key, made on first use."""
    path = folder / "secret.key"
    if not path.exists():
        write_privately(path, secrets.token_urlsafe(SECRET_KEY_BYTES) + "\n")
    return path
