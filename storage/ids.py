"""Ids that sort by their age, so that new rows are neighbours in an index."""

import secrets
import time


def new_id(kind: str) -> str:
    """Return an id such as `cv_0199…`: kind, milliseconds since 1970, 80 random bits."""
    return f"{kind}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
