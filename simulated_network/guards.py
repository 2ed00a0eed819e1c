"""What a request has to be before anything looks at it: small enough, local, from this site."""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulated_network.model import Refusal
from simulated_network.wire import refusal_response

LARGEST_BODY_BYTES: Final = 1024 * 1024
LARGEST_UPLOAD_BYTES: Final = 8 * 1024 * 1024
LARGEST_CONTROL_BODY_BYTES: Final = 16 * 1024 * 1024
"""A bulk of 500 posts, among them some that are unreasonably large on purpose."""

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_SECURITY_HEADERS = [
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
            b" img-src 'self';"
            b" base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


class Guards:
    """Refuses what is too large, comes from elsewhere, or is not HTTP; dresses every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_SECURITY_HEADERS]
            await send(message)

        try:
            _check(scope)
        except Refusal as refusal:
            await refusal_response(refusal)(scope, receive, send_dressed)
            return
        await self._app(scope, receive, send_dressed)


def _check(scope: Scope) -> None:
    headers = Headers(scope=scope)
    is_control = scope["path"].startswith("/control")
    if is_control:
        _refuse_strangers(scope, headers)
    if not scope["path"].startswith("/api/"):
        _refuse_other_sites(headers)
    is_upload = scope["path"] == "/api/media"
    usual = LARGEST_UPLOAD_BYTES if is_upload else LARGEST_BODY_BYTES
    _refuse_large_bodies(headers, most_bytes=LARGEST_CONTROL_BODY_BYTES if is_control else usual)


def _refuse_strangers(scope: Scope, headers: Headers) -> None:
    client = scope.get("client")
    host = urlsplit(f"//{headers.get('host', '')}").hostname
    # The Host is checked too: a page elsewhere may have had its name resolved to this machine.
    if client is None or client[0] not in _LOOPBACK or host not in _LOOPBACK:
        raise Refusal(403, "loopback_only", "/control answers to this machine only")


def _refuse_other_sites(headers: Headers) -> None:
    if headers.get("sec-fetch-site", "none") in {"cross-site", "same-site"}:
        raise Refusal(403, "other_site", "a page of another site may not speak here")
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        raise Refusal(403, "other_site", "a page of another site may not speak here")


def _refuse_large_bodies(headers: Headers, *, most_bytes: int) -> None:
    if "transfer-encoding" in headers:
        raise Refusal(411, "length_required", "a body needs a Content-Length")
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise Refusal(400, "bad_content_length", "Content-Length is a number of bytes")
    if int(length) > most_bytes:
        raise Refusal(413, "body_too_large", f"a body may have {most_bytes} bytes")
