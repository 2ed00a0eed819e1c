"""How Meta proves that a delivery is its own, and asks whether an address is ours."""

import hashlib
import hmac
import re
from collections.abc import Mapping

from conversations.networks import BadSignature, WebAnswer

_CHALLENGE = re.compile(r"[A-Za-z0-9_.~-]{1,256}")
_PREFIX = "sha256="


def verify(app_secret: object, headers: Mapping[str, str], body: bytes) -> None:
    """Compare `X-Hub-Signature-256` with the raw bytes.

    Raises:
        BadSignature: it is not theirs, or nobody can tell.
    """
    if not isinstance(app_secret, str) or not app_secret:
        raise BadSignature("the account has no app_secret, so nothing can be signed for it")
    given = headers.get("x-hub-signature-256", "")
    expected = _PREFIX + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    if not _is_same(given, expected):
        raise BadSignature("X-Hub-Signature-256 does not fit the body")


def answer_challenge(verify_token: object, query: Mapping[str, str]) -> WebAnswer:
    """Answer the question that Meta asks when the address is entered there.

    Raises:
        BadSignature: whoever asks does not know the token.
    """
    if not isinstance(verify_token, str) or not verify_token:
        raise BadSignature("the account has no verify_token")
    if query.get("hub.mode") != "subscribe":
        raise BadSignature("hub.mode is not subscribe")
    if not _is_same(query.get("hub.verify_token", ""), verify_token):
        raise BadSignature("hub.verify_token is another one")
    challenge = query.get("hub.challenge", "")
    if not _CHALLENGE.fullmatch(challenge):
        raise BadSignature("hub.challenge is none that would be echoed")
    return WebAnswer(challenge)


def _is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )
