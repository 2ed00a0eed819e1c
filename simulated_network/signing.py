"""Standard Webhooks: who sent a page, unchanged and just now, shown by an HMAC."""

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
_SHORTEST_BYTES = 16


def key_of(secret: str) -> bytes:
    """Return the key that a `whsec_` secret carries.

    Raises:
        ValueError: the secret has another form or fewer than 16 bytes.
    """
    if not secret.startswith(PREFIX):
        raise ValueError(f"a webhook secret starts with {PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("what follows whsec_ is not base64") from error
    if len(key) < _SHORTEST_BYTES:
        raise ValueError(f"a webhook secret carries at least {_SHORTEST_BYTES} bytes")
    return key


def headers(secret: str, *, webhook_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the three headers that sign the body's very bytes."""
    signed = b".".join((webhook_id.encode(), str(timestamp_s).encode(), body))
    digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
