"""The client that connectors get in tests: it reaches the servers beside it."""

import httpx

from connectors.calls import new_client
from connectors.guard import Guard

LOOPBACK = Guard.allowing(("127.0.0.0/8", "::1/128"))


def loopback_client() -> httpx.AsyncClient:
    """Return the guarded client, for which the loopback is allowed."""
    return new_client(LOOPBACK)
