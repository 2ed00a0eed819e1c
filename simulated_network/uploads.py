"""Files that brands bring before the post that shows them."""

import sqlite3
from typing import Any

from simulated_network.database import Writing
from simulated_network.model import Account, Refusal

KINDS = {
    "image/jpeg": "image",
    "image/png": "image",
    "image/gif": "image",
    "image/webp": "image",
    "video/mp4": "video",
    "application/pdf": "document",
}
"""What the network takes, and what it calls it."""


def keep(
    writing: Writing, account: Account, media_type: str, content: bytes, *, base_url: str
) -> dict[str, Any]:
    """Keep a file and return the medium that a post can name.

    Raises:
        Refusal: it is empty, or of a kind that the network does not take.
    """
    if media_type not in KINDS:
        taken = ", ".join(sorted(KINDS))
        raise Refusal(415, "unsupported_media_type", f"{media_type} is none of {taken}")
    if not content:
        raise Refusal(422, "empty_upload", "the file has no bytes")
    upload_id = writing.ids.take(writing.db, writing.now)
    writing.db.execute(
        "INSERT INTO uploads (id, account_id, media_type, content) VALUES (?, ?, ?, ?)",
        (upload_id, account.id, media_type, content),
    )
    url = f"{base_url}/media/{upload_id}"
    return {"kind": KINDS[media_type], "url": url, "mime_type": media_type}


def find(db: sqlite3.Connection, upload_id: int) -> tuple[str, bytes] | None:
    """Return a file's media type and bytes."""
    query = "SELECT media_type, content FROM uploads WHERE id = ?"
    row = db.execute(query, (upload_id,)).fetchone()
    return None if row is None else (row["media_type"], row["content"])
