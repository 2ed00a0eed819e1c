"""Twilio's signature of a webhook: HMAC-SHA1 over the address and the sorted parameters."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

import httpx

from conversations.networks import BadSignature, DeliveryRequest

HEADER = "x-twilio-signature"
MOST_FIELDS = 200
_PORTS = {"https": 443, "http": 80}


def signature(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """Return the `X-Twilio-Signature` of a call to the address with these parameters."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(auth_token.encode(), signed.encode("utf-8", "replace"), hashlib.sha1)
    return base64.b64encode(digest.digest()).decode()


def verified_form(auth_token: str, request: DeliveryRequest) -> dict[str, str]:
    """Return the parameters of a call that Twilio signed.

    Raises:
        BadSignature: it did not sign this.
    """
    form, offered = _form(request.body), request.headers.get(HEADER, "").encode("utf-8", "replace")
    if not offered:
        raise BadSignature("X-Twilio-Signature is missing")
    matches = [
        hmac.compare_digest(signature(auth_token, url, form).encode(), offered)
        for url in _addresses(request.url)
    ]
    if not any(matches):
        raise BadSignature("X-Twilio-Signature does not hold for this address and these words")
    return form


def _form(body: bytes) -> dict[str, str]:
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadSignature("the body is no form") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise BadSignature("a parameter came twice, which is signed in no known way")
    return form


def _addresses(url: str) -> Iterator[str]:
    """Yield the ways in which Twilio may have written the address: with and without its port."""
    yield url
    try:
        parsed = httpx.URL(url)
        port = _PORTS.get(parsed.scheme)
        host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    except httpx.InvalidURL:
        return
    written = url.partition("://")[2].partition("/")[0]
    rest = url.partition("://")[2].removeprefix(written)
    if written != host:
        yield f"{parsed.scheme}://{host}{rest}"
    elif port is not None:
        yield f"{parsed.scheme}://{host}:{port}{rest}"
