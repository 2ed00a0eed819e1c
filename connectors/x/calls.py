"""Calls to X: who makes them, how they fail, how long X asks to wait."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from connectors.calls import HTTP_TOO_MANY, Answer, call
from connectors.fields import mapping, sequence, words
from connectors.x.oauth import Keys, authorization
from conversations.networks import Account, NetworkTrouble, Trouble

HOST = "https://api.x.com"
LARGEST_PAGE = 16 * 1024 * 1024
NO_ACCESS = "the account's user_id, keys or address are missing or make no sense"
DEFAULT_PAUSE_S = 60.0
LONGEST_PAUSE_S = 86_400.0

_WINDOWS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
_UNAUTHORISED = frozenset({401, 403})
_HTTP_OK = 200


class Limited(Exception):
    """X takes no more calls of this kind for so many seconds."""

    def __init__(self, pause_s: float) -> None:
        super().__init__(f"no more calls for {pause_s:.0f} s")
        self.pause_s = pause_s


@dataclass(frozen=True, slots=True)
class Problem:
    """What X says about a call that it did not carry out."""

    detail: str = ""
    type: str = ""
    title: str = ""

    @property
    def name(self) -> str:
        """The last part of the problem's address, its title when it has none."""
        return self.type.rstrip("/").rpartition("/")[2] or self.title


def problem_of(answer: Answer) -> Problem:
    """Read RFC 9457, and the older list of errors."""
    body = answer.json
    first = mapping(next(iter(sequence(body.get("errors"))), None))
    text = [words(one.get("detail"), 2_000) for one in (body, first)]
    text.append(words(first.get("message"), 2_000))
    named = body if body.get("type") else first
    return Problem(
        next(filter(None, text), ""),
        words(named.get("type"), 200) or "",
        words(named.get("title"), 200) or "",
    )


def user_request(
    client: httpx.AsyncClient,
    account: Account,
    method: str,
    path: str,
    **what: Any,  # noqa: ANN401
) -> httpx.Request:
    """Return a call in the account's own name.

    Raises:
        KeyError: a key is missing.
        httpx.InvalidURL: the account's address is none.
    """
    keys = Keys(*(_secret(account, name) for name in _USER_KEYS))
    request = client.build_request(method, _url(account, path), **what)
    request.headers["authorization"] = authorization(method, str(request.url), keys)
    return request


_USER_KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


def app_request(
    client: httpx.AsyncClient,
    account: Account,
    method: str,
    path: str,
    **what: Any,  # noqa: ANN401
) -> httpx.Request:
    """Return a call in the app's name.

    Raises:
        KeyError: there is no bearer token.
        httpx.InvalidURL: the account's address is none.
    """
    headers = {"authorization": f"Bearer {_secret(account, 'bearer_token')}"}
    return client.build_request(method, _url(account, path), headers=headers, **what)


def _secret(account: Account, name: str) -> str:
    """Return a credential that can stand in a header."""
    value = account.credentials[name]
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise KeyError(name)
    return value


def _url(account: Account, path: str) -> str:
    return str(account.settings.get("base_url") or HOST).rstrip("/") + path


async def ask(client: httpx.AsyncClient, request: httpx.Request, what: str) -> Answer:
    """Return an answer that is a JSON object.

    Raises:
        Limited: X takes no more calls for now.
        NetworkTrouble: it did not answer, refused, or what it said makes no sense.
    """
    try:
        answer = await call(client, request, largest=LARGEST_PAGE)
    except httpx.HTTPError as error:
        raise NetworkTrouble(f"{what}: X did not answer: {type(error).__name__}") from error
    if answer.status == HTTP_TOO_MANY:
        raise Limited(pause_s(answer.headers, time.time()))
    if answer.status != _HTTP_OK:
        problem = problem_of(answer)
        said = f"{what}: X answered {answer.status} {problem.name}".rstrip()
        trouble = Trouble.UNAUTHORISED if answer.status in _UNAUTHORISED else Trouble.DOWN
        raise NetworkTrouble(said, trouble)
    if not answer.json:
        raise NetworkTrouble(f"{what}: X's answer is no JSON object")
    return answer


def pause_s(headers: Mapping[str, str], now_s: float) -> float:
    """Say how long to wait after 429: until every window that is used up begins anew."""
    resets = [_reset_s(headers, window) for window in _WINDOWS if _is_used_up(headers, window)]
    until_s = max((reset for reset in resets if reset is not None), default=None)
    if until_s is not None and until_s > now_s:
        return min(until_s - now_s + 1.0, LONGEST_PAUSE_S)
    return _seconds(headers.get("retry-after")) or DEFAULT_PAUSE_S


def _is_used_up(headers: Mapping[str, str], window: str) -> bool:
    return headers.get(f"{window}-remaining", "").strip() == "0"


def _reset_s(headers: Mapping[str, str], window: str) -> float | None:
    return _seconds(headers.get(f"{window}-reset"))


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value < 10**11 else None
