"""Calls to a Mastodon instance, and what is remembered of it: who we are, limits, allowance."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from connectors.calls import HTTP_TOO_MANY, Answer, call
from connectors.fields import NotUnderstood, count, instant, mapping, web_address, words
from connectors.mastodon.media import USUAL_ATTACHMENTS, attachments_taken
from connectors.mastodon.wire import Ourselves, ourselves_from
from connectors.patience import Busy
from conversations.attachments import AttachmentRule
from conversations.networks import Account, NetworkTrouble, Trouble

LARGEST_PAGE = 16 * 1024 * 1024
NO_ACCESS = "the account has no valid url or access_token"
DEFAULT_MOST_CHARACTERS = 500
DEFAULT_LINK_LENGTH = 23
KEPT_FOR_REPLIES_PERCENT = 20
RATE_WINDOW_S = 300.0
LEARNED_AGAIN_S = 3_600.0
FORBIDDEN = frozenset({401, 403})

_NOT_FOUND = 404
_SOON_S = 5.0


@dataclass(slots=True)
class Known:
    """What is remembered of an account's instance while the process lives."""

    ours: Ourselves | None = None
    most_characters: int = DEFAULT_MOST_CHARACTERS
    link_length: int = DEFAULT_LINK_LENGTH
    attachments: AttachmentRule = USUAL_ATTACHMENTS
    streaming_url: str | None = None
    calls_left: int | None = None
    calls_per_window: int = 300
    window_ends_at_s: float = 0.0
    learned_at_s: float = 0.0

    def note(self, headers: Mapping[str, str]) -> None:
        """Remember what the answer says of the calls that are left."""
        left, most = headers.get("x-ratelimit-remaining"), headers.get("x-ratelimit-limit")
        if left is None or not left.isdecimal() or not left.isascii():
            return
        self.calls_left = int(left)
        if most and most.isascii() and most.isdecimal() and int(most) > 0:
            self.calls_per_window = int(most)
        self.window_ends_at_s = time.time() + window_rest_s(headers)

    @property
    def poll_pause_s(self) -> float:
        """How long polls wait, so that replies still have calls left."""
        rest_s = self.window_ends_at_s - time.time()
        kept = self.calls_per_window * KEPT_FOR_REPLIES_PERCENT // 100
        if self.calls_left is None or self.calls_left > kept or rest_s <= 0:
            return 0.0
        return rest_s


class MastodonCalls:
    """Speaks HTTP with the instances of all accounts."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._known: dict[tuple[str, str, str], Known] = {}

    def known(self, account: Account) -> Known:
        """Return what is remembered; a changed address or token begins anew."""
        url, token = str(account.settings.get("url")), str(account.credentials.get("access_token"))
        return self._known.setdefault((account.id, url, token), Known())

    def request(
        self,
        account: Account,
        method: str,
        url_or_path: str,
        **what: Any,  # noqa: ANN401
    ) -> httpx.Request:
        """Build a call with the account's token.

        Raises:
            NetworkTrouble: the account has none, or no address.
        """
        try:
            url = f"{base_url(account)}{url_or_path}" if url_or_path[:1] == "/" else url_or_path
            token = account.credentials["access_token"]
            headers = {"authorization": f"Bearer {token}", **what.pop("headers", {})}
            return self._client.build_request(method, url, headers=headers, **what)
        except (KeyError, httpx.InvalidURL, UnicodeError) as error:
            raise NetworkTrouble(NO_ACCESS, Trouble.UNAUTHORISED) from error

    async def send(self, account: Account, request: httpx.Request) -> Answer:
        """Make one call and remember what it says of the calls that are left.

        Raises:
            httpx.HTTPError: the line broke.
        """
        answer = await call(self._client, request, largest=LARGEST_PAGE)
        self.known(account).note(answer.headers)
        return answer

    async def read(self, account: Account, path: str, **params: Any) -> Any:  # noqa: ANN401
        """Return what a path gives, as JSON of any kind, with the answer's headers.

        Raises:
            Busy: too many calls.
            NetworkTrouble: no answer, or one that makes no sense.
        """
        answer = await self.answer(account, path, **params)
        return parsed(answer, path)

    async def answer(self, account: Account, path: str, **params: Any) -> Answer:  # noqa: ANN401
        """Return the whole answer of a path that was there.

        Raises:
            Busy: too many calls.
            NetworkTrouble: no answer, or another one than 200.
        """
        request = self.request(account, "GET", path, params=params)
        try:
            answer = await self.send(account, request)
        except httpx.HTTPError as error:
            raise NetworkTrouble(f"{path} did not answer: {type(error).__name__}") from error
        if answer.status == HTTP_TOO_MANY:
            raise Busy(pause_s(answer))
        if answer.status != 200:  # noqa: PLR2004
            trouble = Trouble.UNAUTHORISED if answer.status in FORBIDDEN else Trouble.DOWN
            raise NetworkTrouble(f"{path} was answered {answer.status}", trouble)
        if not answer.is_whole:
            raise NetworkTrouble(f"{path} gave more than {LARGEST_PAGE} bytes")
        return answer

    async def ourselves(self, account: Account) -> Ourselves:
        """Return who the token's owner is; limits are learned on the way, now and then.

        Raises:
            Busy, NetworkTrouble: as `answer`.
        """
        known = self.known(account)
        if known.ours is None or time.monotonic() - known.learned_at_s > LEARNED_AGAIN_S:
            told = mapping(await self.read(account, "/api/v1/accounts/verify_credentials"))
            try:
                known.ours = ourselves_from(told, base_url(account))
            except NotUnderstood as reason:
                raise NetworkTrouble(f"verify_credentials: {reason.detail}") from reason
            await self._learn_limits(account, known)
            known.learned_at_s = time.monotonic()
        return known.ours

    async def _learn_limits(self, account: Account, known: Known) -> None:
        """Ask the instance what it takes; one that does not say has Mastodon's usual limits."""
        try:
            told = mapping(await self.read(account, "/api/v2/instance"))
        except NetworkTrouble:
            return
        configuration = mapping(told.get("configuration"))
        statuses = mapping(configuration.get("statuses"))
        known.most_characters = count(statuses.get("max_characters")) or DEFAULT_MOST_CHARACTERS
        reserved = count(statuses.get("characters_reserved_per_url"))
        known.link_length = DEFAULT_LINK_LENGTH if reserved is None else reserved
        known.attachments = attachments_taken(configuration)
        streaming = words(mapping(configuration.get("urls")).get("streaming"), 2_000)
        known.streaming_url = web_address(_as_http(streaming)) if streaming else None


def base_url(account: Account) -> str:
    """Return the instance's address; a bare domain is reached by HTTPS."""
    url = str(account.settings["url"]).strip().rstrip("/")
    return url if "://" in url else f"https://{url}"


def parsed(answer: Answer, path: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the body's JSON.

    Raises:
        NetworkTrouble: it is none.
    """
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise NetworkTrouble(f"{path} gave no JSON") from error


def pause_s(answer: Answer) -> float:
    """Return how long to stay away after 429."""
    if answer.retry_after_s is not None:
        return answer.retry_after_s
    return window_rest_s(answer.headers) if "x-ratelimit-reset" in answer.headers else _SOON_S


def window_rest_s(headers: Mapping[str, str]) -> float:
    """Return the seconds until the allowance is new, by `X-RateLimit-Reset`."""
    ends_at = instant(headers.get("x-ratelimit-reset"))
    if ends_at is None:
        return RATE_WINDOW_S
    return min(RATE_WINDOW_S, max(1.0, ends_at / 1_000 - time.time()))


def _as_http(url: str) -> str:
    """`wss:` and `https:` are one door; server-sent events come through the latter."""
    return f"http{url.removeprefix('ws')}" if url.startswith(("ws://", "wss://")) else url
