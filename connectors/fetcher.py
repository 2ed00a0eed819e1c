"""Fetches what customers and networks point at: pictures, sounds, films, documents, no pages."""

import asyncio
import ipaddress
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

import httpx

from connectors.cookies import no_cookies
from connectors.guard import Guard
from connectors.guarded_transport import GuardedTransport, RefusedTarget

USUAL_PORTS = frozenset({80, 443})
MOST_REDIRECTS = 3
ANSWERED_WITHIN_S = 10.0
"""From the first look-up to the beginning of the body; no silence in it is longer, either."""

LONGEST_S = 60.0
LARGEST_BYTES = 20 * 1024 * 1024
LONGEST_URL = 2_048
AT_ONCE = 20

_SHOWN = """
image/png image/jpeg image/gif image/webp image/avif
audio/mpeg audio/mp4 audio/aac audio/ogg audio/wav audio/x-wav audio/webm audio/flac audio/x-m4a
video/mp4 video/webm video/ogg video/quicktime video/3gpp
"""
_SAVED = """
application/pdf image/svg+xml image/heic image/heif image/tiff image/bmp audio/amr video/x-matroska
"""
SHOWN = frozenset(_SHOWN.split())
"""What a browser may show on its own page."""

SAVED = frozenset(_SAVED.split())
"""What is only handed out as a file: a drawing may have a script in it."""

_TIMEOUT = httpx.Timeout(ANSWERED_WITHIN_S, connect=5.0)
_LIMITS = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=0)
_HEADERS = {"Accept": "image/*, audio/*, video/*, application/pdf", "Accept-Encoding": "identity"}
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")
_NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")


class Refusal(StrEnum):
    """Why something is not fetched."""

    TARGET = "target_not_allowed"
    KIND = "media_type_not_allowed"
    SIZE = "media_too_large"
    UNAVAILABLE = "media_not_available"


class NotFetched(Exception):
    """Nothing usable is there, or Parley does not go there; the message says which."""

    def __init__(self, refusal: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.refusal = refusal


def _refused(detail: str) -> NotFetched:
    return NotFetched(Refusal.TARGET, detail)


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer that may be passed on; read `pieces` to the end, or `aclose` it."""

    media_type: str
    length_bytes: int | None
    ends_at: float
    _response: httpx.Response

    @property
    def is_shown(self) -> bool:
        """Whether it may be shown where it arrives instead of being saved."""
        return self.media_type in SHOWN

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body, up to the largest size.

        Raises:
            NotFetched: it is larger, takes longer, or the line broke.
        """
        read_bytes = 0
        try:
            async with asyncio.timeout_at(self.ends_at):
                async for piece in self._response.aiter_raw():
                    read_bytes += len(piece)
                    if read_bytes > LARGEST_BYTES:
                        raise NotFetched(Refusal.SIZE, _too_large())
                    yield piece
        except (httpx.HTTPError, TimeoutError) as error:
            detail = f"it broke off: {type(error).__name__}"
            raise NotFetched(Refusal.UNAVAILABLE, detail) from error
        finally:
            await self._response.aclose()

    async def aclose(self) -> None:
        await self._response.aclose()


def _too_large() -> str:
    return f"it is larger than {LARGEST_BYTES} bytes"


class Fetcher:
    """One client for foreign addresses: without credentials, cookies, proxies or memory."""

    def __init__(self, guard: Guard) -> None:
        """Take the guard; what it allows inside may also be reached at other ports."""
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(guard, ports=USUAL_PORTS, limits=_LIMITS),
            timeout=_TIMEOUT,
            headers=_HEADERS,
            cookies=no_cookies(),
            follow_redirects=False,
            trust_env=False,
        )

    async def open(self, address: str) -> Fetched:
        """Ask for what the address names and return its answer, the body not yet read.

        Raises:
            NotFetched: Parley does not go there, or nothing usable is there.
        """
        began_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                response = await self._followed(address)
        except RefusedTarget as reason:
            raise _refused(str(reason)) from reason
        except (httpx.HTTPError, TimeoutError) as error:
            detail = f"it does not answer: {type(error).__name__}"
            raise NotFetched(Refusal.UNAVAILABLE, detail) from error
        try:
            return _judged(response, began_at + LONGEST_S)
        except NotFetched:
            await response.aclose()
            raise

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _followed(self, address: str) -> httpx.Response:
        url = checked(address)
        for _ in range(MOST_REDIRECTS + 1):
            request = self._client.build_request("GET", url)
            response = await self._client.send(request, stream=True)
            if not response.has_redirect_location:
                return response
            await response.aclose()
            url = _next(url, response.headers["location"])
        raise NotFetched(Refusal.UNAVAILABLE, f"it redirects more than {MOST_REDIRECTS} times")


def _next(url: httpx.URL, location: str) -> httpx.URL:
    if _NOT_IN_A_URL.search(location):
        raise _refused("a redirect leads to what is no address of the web")
    try:
        joined = str(url.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise _refused("a redirect leads to what is no address of the web") from error
    return checked(joined)


def checked(address: str) -> httpx.URL:
    """Read an address of the web, in the one form in which everybody reads it alike.

    Raises:
        NotFetched: it is none, or could be read as another one.
    """
    if len(address) > LONGEST_URL or _NOT_IN_A_URL.search(address):
        raise _refused("this is no address of the web")
    try:
        url = httpx.URL(address)
        host = url.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError) as error:
        raise _refused("this is no address of the web") from error
    if url.scheme not in {"http", "https"}:
        raise _refused(f"only http and https are fetched, not {url.scheme!r:.20}")
    if url.userinfo or "@" in url.netloc.decode("ascii", "replace"):
        raise _refused("an address with a user's name in it is not fetched")
    _require_plain(host)
    return url


def _require_plain(host: str) -> None:
    """Refuse hosts that are numbers in another form than the usual one (`127.1`, `0x7f000001`)."""
    if not host or "%" in host:
        raise _refused("the address names no host")
    if ":" not in host and not _NUMERIC_END.search(host):
        return
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise _refused("the host is a number in an odd form") from error


def _judged(response: httpx.Response, ends_at: float) -> Fetched:
    if response.status_code != HTTPStatus.OK:
        raise NotFetched(Refusal.UNAVAILABLE, f"it answers {response.status_code}")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in SHOWN | SAVED:
        raise NotFetched(Refusal.KIND, f"it is {kind or 'of no named type'!r:.80}")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise NotFetched(Refusal.KIND, "it is packed, which nobody asked for")
    announced = response.headers.get("content-length", "")
    length_bytes = int(announced[:20]) if announced.isascii() and announced.isdigit() else None
    if length_bytes is not None and length_bytes > LARGEST_BYTES:
        raise NotFetched(Refusal.SIZE, _too_large())
    return Fetched(kind, length_bytes, ends_at, response)
