"""Sign calls in a user's name: OAuth 1.0a with HMAC-SHA1 (RFC 5849)."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNRESERVED = "-._~"


@dataclass(frozen=True, slots=True)
class Keys:
    """What proves the app and the user; none of it ever expires by itself."""

    consumer_key: str
    consumer_secret: str = field(repr=False)
    token: str
    token_secret: str = field(repr=False)


def authorization(method: str, url: str, keys: Keys) -> str:
    """Return the `Authorization` header of a call whose body is no form."""
    protocol = {
        "oauth_consumer_key": keys.consumer_key,
        "oauth_nonce": secrets.token_hex(16),
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time())),
        "oauth_token": keys.token,
        "oauth_version": "1.0",
    }
    base = base_string(method, url, protocol.items())
    protocol["oauth_signature"] = signature(base, keys.consumer_secret, keys.token_secret)
    written = ", ".join(f'{name}="{escaped(value)}"' for name, value in sorted(protocol.items()))
    return f"OAuth {written}"


def base_string(method: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Return what is signed (§3.4.1): the parameters are those beside the URL's own query."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    pairs = sorted((escaped(name), escaped(value)) for name, value in (*query, *parameters))
    normalized = "&".join(f"{name}={value}" for name, value in pairs)
    address = f"{parts.scheme.lower()}://{_authority(url)}{parts.path or '/'}"
    return "&".join((method.upper(), escaped(address), escaped(normalized)))


def signature(base: str, consumer_secret: str, token_secret: str = "") -> str:
    key = f"{escaped(consumer_secret)}&{escaped(token_secret)}".encode()
    return base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()


def escaped(text: str) -> str:
    """Encode as §3.6 asks: everything but letters, digits and four signs."""
    return quote(text, safe=_UNRESERVED)


def _authority(url: str) -> str:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    is_default = parts.port in (None, _DEFAULT_PORTS.get(parts.scheme.lower()))
    return host if is_default else f"{host}:{parts.port}"
