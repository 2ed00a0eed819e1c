"""Calls to Meta's Graph API: how an account speaks there, and what its refusals mean."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import httpx

from connectors.calls import HTTP_SERVER_ERROR, HTTP_TOO_MANY, Answer, call
from connectors.fields import mapping, sequence, words
from connectors.json_pages import NotAPage, Pieces, read_page
from conversations.networks import Account, NetworkTrouble, Trouble

DEFAULT_URL = "https://graph.facebook.com"
DEFAULT_VERSION = "v26.0"
LARGEST_PAGE = 16 * 1024 * 1024
NO_ACCESS = "the account has no access token, or no valid url"

DEFAULT_PAUSE_S = 60.0
FULL_PAUSE_S = 300.0
"""When a usage header says that all is used up, and nobody says until when."""
ACCESS_PAUSE_S = 30.0
"""A refused token is tried again so much later."""

_LIMITED = frozenset({4, 17, 32, 613})
_BUSINESS_LIMITED = range(80_000, 80_100)
_ACCESS = frozenset({3, 10, 102, 190})
_PERMISSIONS = range(200, 300)
_TRANSIENT = frozenset({1, 2})
_WINDOW_SUBCODES = frozenset({2_018_065, 2_018_278, 2_534_022})
_GONE_SUBCODE = 33
_UNAVAILABLE_SUBCODE = 1_545_041
_FULL_PERCENT = 100
_HTTP_UNAUTHORISED, _HTTP_FORBIDDEN, _HTTP_UNAVAILABLE = 401, 403, 503
_LONGEST_REASON = 300


class NoAccess(Exception):
    """The account lacks what every call needs."""


class Limited(Exception):
    """The network takes no calls for so many seconds."""

    def __init__(self, pause_s: float) -> None:
        super().__init__(f"the network takes no calls for {pause_s:.0f} s")
        self.pause_s = pause_s


class Refusal(StrEnum):
    """Why a call gave nothing; all but the last two say surely that nothing happened."""

    ACCESS = "access"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"
    WINDOW = "window"
    """The customer's last message is too long ago."""
    PERSON = "person"
    """The person takes no messages from the page."""
    GONE = "gone"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Meaning:
    refusal: Refusal
    code: int | None = None
    reason: str = ""
    pause_s: float | None = None


class Graph:
    """An account at the Graph API; its token is in a header, never in an address."""

    def __init__(self, client: httpx.AsyncClient, account: Account) -> None:
        """Take what every call needs.

        Raises:
            NoAccess: it is not there.
        """
        token = account.credentials.get("token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise NoAccess
        if not token.strip():
            raise NoAccess
        self._client = client
        self._headers = {"authorization": f"Bearer {token}"}
        self._proof = proof_of(token, account.credentials.get("app_secret"))
        url = str(account.settings.get("url") or DEFAULT_URL).rstrip("/")
        version = str(account.settings.get("graph_version") or DEFAULT_VERSION)
        self._base = f"{url}/{quote(version, safe='.')}/"
        self._secrets = (token, str(account.credentials.get("app_secret") or token))

    async def get(self, path: str, **params: str | int) -> Answer:
        return await self._call("GET", path, params=params | self._proof, largest=LARGEST_PAGE)

    async def post(self, path: str, **fields: str) -> Answer:
        return await self._call("POST", path, data=fields | self._proof)

    async def delete(self, path: str) -> Answer:
        return await self._call("DELETE", path, params=self._proof)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        largest: int = LARGEST_PAGE,
        **what: Any,  # noqa: ANN401 - httpx's own
    ) -> Answer:
        try:
            request = self._client.build_request(
                method, self._base + quote(path, safe="/"), headers=self._headers, **what
            )
        except (httpx.InvalidURL, TypeError) as error:
            raise NoAccess from error
        return await call(self._client, request, largest=largest)

    def meaning(self, answer: Answer) -> Meaning:
        """Say what an answer that is not the wanted one means."""
        found = meaning_of(answer)
        reason = found.reason
        for secret in self._secrets:
            reason = reason.replace(secret, "…")
        return Meaning(found.refusal, found.code, reason[:_LONGEST_REASON], found.pause_s)

    async def page(self, path: str, **params: str | int) -> Pieces:
        """Return one page of a list.

        Raises:
            NetworkTrouble: there is none to be had.
            Limited: not now.
        """
        shown_path = path.rpartition("/")[2]
        try:
            answer = await self.get(path, **params)
        except httpx.HTTPError as error:
            name = type(error).__name__
            raise NetworkTrouble(f"{shown_path} did not answer: {name}") from error
        except NoAccess as error:
            raise NetworkTrouble(NO_ACCESS, Trouble.UNAUTHORISED) from error
        if answer.status // 100 == 2:  # noqa: PLR2004 - the class of success
            try:
                return read_page(answer.body, "data")
            except NotAPage as error:
                raise NetworkTrouble(f"{shown_path} gave no page: {error}") from error
        meaning = self.meaning(answer)
        if meaning.refusal is Refusal.LIMITED:
            raise Limited(meaning.pause_s or DEFAULT_PAUSE_S)
        is_access = meaning.refusal is Refusal.ACCESS
        trouble = Trouble.UNAUTHORISED if is_access else Trouble.DOWN
        raise NetworkTrouble(f"{shown_path} was answered {meaning.reason}", trouble)

    async def walk(
        self, path: str, most_pages: int, pause_s: float = 0.0, **params: str | int
    ) -> AsyncIterator[list[Any]]:
        """Yield the pages of a list, so many at most, with a pause before each but the first.

        Raises:
            NetworkTrouble: there is none to be had.
            Limited: not now.
        """
        for number in range(most_pages):
            if number and pause_s:
                await asyncio.sleep(pause_s)
            pieces = await self.page(path, **params)
            yield pieces.entries
            after = after_of(pieces.beside)
            if after is None:
                return
            params = params | {"after": after}


def after_of(beside: object) -> str | None:
    """Return where the next page begins; the address of it is not followed, it has the token."""
    paging = mapping(mapping(beside).get("paging"))
    if not paging.get("next"):
        return None
    return words(mapping(paging.get("cursors")).get("after"), 2_000)


def proof_of(token: str, app_secret: object) -> dict[str, str]:
    """Return the proof that whoever has the token knows the application's secret, too."""
    if not isinstance(app_secret, str) or not app_secret:
        return {}
    digest = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    return {"appsecret_proof": digest}


def meaning_of(answer: Answer) -> Meaning:
    error = mapping(answer.json.get("error"))
    code, subcode = error.get("code"), error.get("error_subcode")
    if type(code) is not int:
        return _meaning_of_status(answer)
    said = words(error.get("message"), 5_000) or ""
    reason = f"{answer.status}, error {code}: {said}".rstrip(": ")
    if code in _LIMITED or code in _BUSINESS_LIMITED:
        return Meaning(Refusal.LIMITED, code, reason, pause_of(answer))
    return Meaning(_refusal(code, subcode, said, error), code, reason)


def _refusal(code: int, subcode: object, said: str, error: dict[str, Any]) -> Refusal:
    if subcode in _WINDOW_SUBCODES or "outside of allowed window" in said:
        return Refusal.WINDOW
    if code == 551 or subcode == _UNAVAILABLE_SUBCODE:  # noqa: PLR2004
        return Refusal.PERSON
    if code in _TRANSIENT or error.get("is_transient") is True:
        return Refusal.UNKNOWN
    if code in _ACCESS or code in _PERMISSIONS:
        return Refusal.ACCESS
    return Refusal.GONE if subcode == _GONE_SUBCODE else Refusal.REFUSED


def _meaning_of_status(answer: Answer) -> Meaning:
    """Judge what did not come from the Graph API itself, but from something before it."""
    reason = str(answer.status)
    if answer.status == HTTP_TOO_MANY:
        return Meaning(Refusal.LIMITED, None, reason, pause_of(answer))
    if answer.status == _HTTP_UNAVAILABLE:
        return Meaning(Refusal.UNAVAILABLE, None, reason, answer.retry_after_s)
    if answer.status in (_HTTP_UNAUTHORISED, _HTTP_FORBIDDEN):
        return Meaning(Refusal.ACCESS, None, reason)
    if answer.status < HTTP_SERVER_ERROR and answer.status // 100 == 2:  # noqa: PLR2004
        reason = f"{answer.status} without sense"
    return Meaning(Refusal.UNKNOWN, None, reason)


def pause_of(answer: Answer) -> float:
    """Return for how long no call is taken, as far as a header says so."""
    if answer.retry_after_s is not None:
        return answer.retry_after_s
    usages = _usages(answer.headers.get("x-business-use-case-usage"))
    minutes = [
        entry["estimated_time_to_regain_access"]
        for usage in usages.values()
        for entry in map(mapping, sequence(usage))
        if type(entry.get("estimated_time_to_regain_access")) is int
    ]
    longest_minutes = int(max(minutes, default=0))
    if longest_minutes > 0:
        return longest_minutes * 60.0
    for name in ("x-app-usage", "x-page-usage"):
        shares = [n for n in _usages(answer.headers.get(name)).values() if type(n) is int]
        if shares and max(shares) >= _FULL_PERCENT:
            return FULL_PAUSE_S
    return DEFAULT_PAUSE_S


def _usages(header: str | None) -> dict[str, Any]:
    try:
        return mapping(json.loads(header or "{}"))
    except (ValueError, RecursionError):
        return {}
