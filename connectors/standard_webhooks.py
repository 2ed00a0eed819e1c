"""Signatures of Standard Webhooks: github.com/standard-webhooks, specification v1."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping

from conversations.networks import BadSignature

PREFIX = "whsec_"
TOLERANCE_S = 300
_SECONDS = re.compile("[0-9]{1,12}")


def signature(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the `webhook-signature` of a delivery."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def headers(secret: str, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the three headers that prove a delivery."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": signature(secret, message_id, timestamp_s, body),
    }


def verify(secret: str, given: Mapping[str, str], body: bytes, now_s: int) -> str:
    """Return the delivery's id when one of its signatures holds over the raw body.

    Raises:
        BadSignature: a header is missing, the moment is more than 5 minutes off, none holds, or
            the secret is none: what is signed with nothing could be anybody's.
    """
    if not _key(secret):
        raise BadSignature("the secret is empty, so nothing can be signed with it")
    message_id, timestamp = given.get("webhook-id"), given.get("webhook-timestamp", "")
    if not message_id or not _SECONDS.fullmatch(timestamp):
        raise BadSignature("webhook-id or webhook-timestamp is missing")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise BadSignature("webhook-timestamp is more than 5 minutes off")
    wanted = signature(secret, message_id, int(timestamp), body)
    offered = given.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in offered):
        raise BadSignature("no signature in webhook-signature holds")
    return message_id


def _key(secret: str) -> bytes:
    """Return the key of `whsec_…`; a secret of another form is taken as it is."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()
