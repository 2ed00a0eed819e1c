"""Calls to Bluesky's servers: XRPC under a session that is renewed when its token expires."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx

from connectors.bluesky.wire import Ourselves, author_from
from connectors.calls import HTTP_SERVER_ERROR, HTTP_TOO_MANY, Answer, call
from connectors.fields import NotUnderstood, mapping, sequence, web_address, words
from connectors.patience import Busy
from conversations.model import Author, Post
from conversations.networks import Account, NetworkTrouble, Trouble

DEFAULT_URL = "https://bsky.social"
LARGEST_PAGE = 16 * 1024 * 1024
CHAT_SERVICE = "did:web:api.bsky.chat#bsky_chat"
NO_ACCESS = "the account has no valid handle or app_password"
RATE_WINDOW_S = 300.0
PROFILES_A_CALL = 25
PROFILE_KEPT_S = 3_600.0
MOST_PROFILES = 5_000

_UNAUTHORISED = frozenset({401, 403})
_SOON_S = 5.0
_CREATE, _REFRESH = "com.atproto.server.createSession", "com.atproto.server.refreshSession"


@dataclass(frozen=True, slots=True)
class Session:
    """Who we are, and what opens the doors; tokens stay in memory."""

    base: str
    ours: Ourselves
    access: str
    refresh: str


class BlueskyCalls:
    """Speaks XRPC for all accounts."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._sessions: dict[tuple[str, str, str, str], Session] = {}
        self._locks: dict[tuple[str, str, str, str], asyncio.Lock] = {}
        self._profiles: OrderedDict[str, tuple[float, Author]] = OrderedDict()

    async def session(self, account: Account) -> Session:
        """Return the account's session, a new one if there is none.

        Raises:
            Busy, NetworkTrouble: none could be had.
        """
        return self._sessions.get(_key(account)) or await self._renewed(account, None)

    async def send(
        self,
        account: Account,
        method: str,
        name: str,
        *,
        is_chat: bool = False,
        **what: Any,  # noqa: ANN401
    ) -> Answer:
        """Make one call; once more with a new session when its token has expired.

        Raises:
            httpx.HTTPError: the line broke during the call itself.
            Busy, NetworkTrouble: there is no session, and surely nothing was done.
        """
        session = await self.session(account)
        answer = await self._with(session, method, name, is_chat=is_chat, **what)
        if not _is_expired(answer):
            return answer
        session = await self._renewed(account, session)
        answer = await self._with(session, method, name, is_chat=is_chat, **what)
        if answer.status == 401:  # noqa: PLR2004
            raise NetworkTrouble(f"{name} was refused", Trouble.UNAUTHORISED)
        return answer

    async def read(
        self,
        account: Account,
        name: str,
        *,
        is_chat: bool = False,
        **params: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Return what a query answers.

        Raises:
            Busy: too many calls.
            NetworkTrouble: no answer, or one that makes no sense.
        """
        return read_from(await self.answer(account, name, is_chat=is_chat, **params), name)

    async def answer(
        self,
        account: Account,
        name: str,
        *,
        is_chat: bool = False,
        **params: Any,  # noqa: ANN401
    ) -> Answer:
        """Return a query's answer if it is 200.

        Raises:
            Busy, NetworkTrouble: as `read`.
        """
        try:
            answer = await self.send(account, "GET", name, is_chat=is_chat, params=params)
        except httpx.HTTPError as error:
            raise NetworkTrouble(f"{name} did not answer: {type(error).__name__}") from error
        if answer.status == HTTP_TOO_MANY:
            raise Busy(pause_s(answer))
        if answer.status != 200:  # noqa: PLR2004
            trouble = Trouble.UNAUTHORISED if answer.status in _UNAUTHORISED else Trouble.DOWN
            raise NetworkTrouble(f"{name} was answered {told(answer)}", trouble)
        if not answer.is_whole:
            raise NetworkTrouble(f"{name} gave more than {LARGEST_PAGE} bytes")
        return answer

    async def _with(
        self,
        session: Session,
        method: str,
        name: str,
        *,
        is_chat: bool,
        **what: Any,  # noqa: ANN401
    ) -> Answer:
        headers = {"authorization": f"Bearer {session.access}", **what.pop("headers", {})}
        if is_chat:
            headers["atproto-proxy"] = CHAT_SERVICE
        url = f"{session.base}/xrpc/{name}"
        request = self._client.build_request(method, url, headers=headers, **what)
        return await call(self._client, request, largest=LARGEST_PAGE)

    async def _renewed(self, account: Account, stale: Session | None) -> Session:
        """Refresh the session, or create one; of several that ask at once only one does it.

        Sessions are scarce (300 creations a day): a refresh is tried first.
        """
        key = _key(account)
        async with self._locks.setdefault(key, asyncio.Lock()):
            current = self._sessions.get(key)
            if current is not None and (stale is None or current.access != stale.access):
                return current
            session = await self._refreshed(account, stale) if stale else None
            session = session or await self._created(account)
            self._sessions[key] = session
            return session

    async def _refreshed(self, account: Account, stale: Session) -> Session | None:
        headers = {"authorization": f"Bearer {stale.refresh}"}
        answer = await self._open(account, _REFRESH, headers=headers)
        if 400 <= answer.status < HTTP_SERVER_ERROR:  # noqa: PLR2004
            self._sessions.pop(_key(account), None)
            return None
        return replace(_session_from(account, answer), base=stale.base)

    async def _created(self, account: Account) -> Session:
        _, _, identifier, password = _key(account)
        if not identifier or not password:
            raise NetworkTrouble(NO_ACCESS, Trouble.UNAUTHORISED)
        body = {"identifier": identifier, "password": password}
        answer = await self._open(account, _CREATE, json=body)
        if 400 <= answer.status < HTTP_SERVER_ERROR:  # noqa: PLR2004
            raise NetworkTrouble(f"no session: {told(answer)}", Trouble.UNAUTHORISED)
        return _session_from(account, answer)

    async def _open(self, account: Account, name: str, **what: Any) -> Answer:  # noqa: ANN401
        try:
            url = f"{base_url(account)}/xrpc/{name}"
            request = self._client.build_request("POST", url, **what)
            answer = await call(self._client, request)
        except httpx.HTTPError as error:
            raise NetworkTrouble(f"{name} did not answer: {type(error).__name__}") from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise NetworkTrouble("the account's url is none", Trouble.UNAUTHORISED) from error
        if answer.status == HTTP_TOO_MANY:
            raise Busy(pause_s(answer))
        if answer.status >= HTTP_SERVER_ERROR:
            raise NetworkTrouble(f"{name} was answered {told(answer)}")
        return answer

    async def named(self, account: Account, posts: Sequence[Post]) -> list[Post]:
        """Return the posts with what is known of their authors: followers, age, names."""
        dids = dict.fromkeys(post.author.external_id for post in posts)
        oldest = time.monotonic() - PROFILE_KEPT_S
        unknown = [did for did in dids if self._profiles.get(did, (0.0, None))[0] <= oldest]
        for start in range(0, len(unknown), PROFILES_A_CALL):
            await self._learn(account, unknown[start : start + PROFILES_A_CALL])
        known = {did: self._profiles[did][1] for did in dids if did in self._profiles}
        return [
            replace(post, author=known.get(post.author.external_id, post.author)) for post in posts
        ]

    async def _learn(self, account: Account, dids: Sequence[str]) -> None:
        """Ask for profiles; without them a post is worth as much."""
        try:
            page = await self.read(account, "app.bsky.actor.getProfiles", actors=list(dids))
        except (NetworkTrouble, Busy):
            return
        for profile in sequence(page.get("profiles")):
            try:
                author = author_from(profile)
            except NotUnderstood:
                continue
            self._profiles[author.external_id] = (time.monotonic(), author)
            self._profiles.move_to_end(author.external_id)
        while len(self._profiles) > MOST_PROFILES:
            self._profiles.popitem(last=False)


def base_url(account: Account) -> str:
    url = str(account.settings.get("url") or DEFAULT_URL).strip().rstrip("/")
    return url if "://" in url else f"https://{url}"


def is_elsewhere(account: Account) -> bool:
    """Whether the account lives on a server of its own, named in its settings."""
    return base_url(account) != DEFAULT_URL


def _key(account: Account) -> tuple[str, str, str, str]:
    """Return what a session is for: a changed password begins anew."""
    handle = str(account.settings.get("handle") or "").strip().removeprefix("@")
    password = str(account.credentials.get("app_password") or "")
    return account.id, base_url(account), handle, password


def _session_from(account: Account, answer: Answer) -> Session:
    body = answer.json
    did, handle = words(body.get("did"), 255), words(body.get("handle"), 253)
    access, refresh = words(body.get("accessJwt"), 8_000), words(body.get("refreshJwt"), 8_000)
    if answer.status != 200 or not did or not handle or not access or not refresh:  # noqa: PLR2004
        raise NetworkTrouble("the session that came makes no sense")
    base, blobs_at = base_url(account), None
    if is_elsewhere(account):
        blobs_at = base
    else:
        base = _own_server(body) or base
    return Session(base, Ourselves(did, handle, blobs_at), access, refresh)


def _own_server(body: dict[str, Any]) -> str | None:
    """Return the server that keeps the account: bsky.social is only the entrance."""
    for service in map(mapping, sequence(mapping(body.get("didDoc")).get("service"), 20)):
        endpoint = web_address(service.get("serviceEndpoint"))
        if str(service.get("id")).endswith("#atproto_pds") and endpoint:
            return endpoint.rstrip("/") if endpoint.startswith("https://") else None
    return None


def read_from(answer: Answer, name: str) -> dict[str, Any]:
    """Return the object that was answered.

    Raises:
        NetworkTrouble: it is none.
    """
    body = answer.json
    if not body:
        raise NetworkTrouble(f"{name} gave no JSON")
    return body


def told(answer: Answer) -> str:
    """Return an answer's status and the error that it names."""
    error = words(answer.json.get("error"), 100)
    return f"{answer.status} {error}" if error else str(answer.status)


def pause_s(answer: Answer) -> float:
    """Return how long to stay away after 429, by `RateLimit-Reset`: a second of 1970's count."""
    if answer.retry_after_s is not None:
        return answer.retry_after_s
    resets_at = answer.headers.get("ratelimit-reset", "")
    if not (resets_at.isascii() and resets_at.isdecimal()):
        return _SOON_S
    return min(RATE_WINDOW_S, max(1.0, int(resets_at) - time.time()))


def _is_expired(answer: Answer) -> bool:
    if answer.status == 401:  # noqa: PLR2004
        return True
    return answer.status == 400 and answer.json.get("error") == "ExpiredToken"  # noqa: PLR2004
