"""Slack's signature of a webhook: HMAC-SHA256 over the version, the moment and the raw body."""

import hashlib
import hmac
import re
from collections.abc import Mapping

from conversations.networks import BadSignature

TOLERANCE_S = 300
_SECONDS = re.compile("[0-9]{1,12}")


def signature(secret: str, timestamp_s: int | str, body: bytes) -> str:
    """Return the `X-Slack-Signature` of a delivery."""
    signed = f"v0:{timestamp_s}:".encode() + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def verify(secret: str, headers: Mapping[str, str], body: bytes, now_s: int) -> None:
    """Pass a delivery that Slack signed just now.

    Raises:
        BadSignature: a header is missing, the moment is more than 5 minutes off, or it differs.
    """
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not _SECONDS.fullmatch(timestamp):
        raise BadSignature("X-Slack-Request-Timestamp is missing")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise BadSignature("X-Slack-Request-Timestamp is more than 5 minutes off")
    offered = headers.get("x-slack-signature", "").encode("utf-8", "replace")
    if not hmac.compare_digest(signature(secret, timestamp, body).encode(), offered):
        raise BadSignature("X-Slack-Signature does not hold")
