"""The simulated network: polled, streamed or brought by webhook, and answered."""

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any

import httpx

from connectors import standard_webhooks
from connectors.base import BaseConnector
from connectors.calls import (
    HTTP_SERVER_ERROR,
    HTTP_TOO_MANY,
    Answer,
    call,
    outcome_of_failure,
)
from connectors.fields import shown
from connectors.json_pages import NotAPage
from connectors.looking_up import looked_up
from connectors.simulated_lines import pages_of_lines
from connectors.simulated_wire import WirePage, body_of, medium_from, page_from
from connectors.uploading import NotUploaded, all_uploaded, require_uploaded
from conversations.attachments import KNOWN, Attachment, AttachmentRule
from conversations.capabilities import Capabilities, Delivery, LengthRule
from conversations.connector import Setting
from conversations.model import Post, Unreadable, Visibility
from conversations.networks import (
    Account,
    BadSignature,
    Delivered,
    DeliveryRequest,
    ListenedChannel,
    NetworkTrouble,
    Page,
    Trouble,
)
from conversations.replies import Certainty, Outcome, ReadBack, Reply

LARGEST_PAGE = 16 * 1024 * 1024
MOST_POSTS = 500
ACCESS_PAUSE_S = 30.0
"""A revoked token or a suspended account is tried again so much later."""

NO_ACCESS = "the account has no valid url or token"
_FIRST = "0"
_PUBLIC, _PRIVATE = "/api/mentions", "/api/direct_messages"
_ACCESS_TROUBLE = {"unknown_token", "account_suspended"}
_HTTP_UNAUTHORISED = 401
_HTTP_NOT_FOUND = 404
_HTTP_REQUEST_TIMEOUT = 408


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the public and the private posts were read, and what became of posts."""

    public: str = _FIRST
    private: str = _FIRST
    changes: str = _FIRST

    @property
    def text(self) -> str:
        return f"{self.public} {self.private} {self.changes}"


def cursor_from(text: str | None) -> Cursor:
    """Read a cursor; a foreign one begins anew, and what is known is not taken twice."""
    parts = (text or "").split(" ")
    is_ours = all(part.isascii() and part.isdecimal() for part in parts)
    return Cursor(*parts) if is_ours and len(parts) in (2, 3) else Cursor()


CAPABILITIES = Capabilities(
    deliveries=frozenset(Delivery),
    visibilities=frozenset(Visibility),
    length=LengthRule(most=5_000),
    can_edit=True,
    can_delete=True,
    read_back=ReadBack.LOOK_UP,
    attachments=AttachmentRule(most=4, media_types=KNOWN, longest_alt_text=5_000),
)


class SimulatedConnector(BaseConnector):
    """Speaks and hears on the simulated network; a reply's id is its reference there."""

    network = "simulated"
    signing_setting = "webhook_secret"
    settings = (
        Setting("url", "where the simulated network runs"),
        Setting("handle", "the account's name there"),
        Setting("delivery", "poll, stream or webhook", is_required=False),
        Setting("token", "the account's key", is_secret=True),
        Setting(
            "webhook_secret", "what deliveries are signed with", is_secret=True, is_required=False
        ),
    )

    def capabilities(self, account: Account) -> Capabilities:
        del account
        return CAPABILITIES

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        body = body_of(reply)
        try:
            if reply.attachments:
                body["media"] = await self._media(account, reply)
            answer = await self._post(account, body)
            if _code(answer) == "visibility_differs":
                # Surely refused. Without the post it answers it reaches the customer by name.
                del body["reply_to"]
                if reply.to_handle and "to" not in body:
                    body["text"] = f"@{reply.to_handle.removeprefix('@')} {body['text']}"
                answer = await self._post(account, body)
            return _outcome_of_publishing(answer)
        except NotUploaded as missing:
            return missing.outcome
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except (KeyError, httpx.InvalidURL):
            return Outcome(Certainty.NOT_ACCEPTED, reason=NO_ACCESS)

    async def _media(self, account: Account, reply: Reply) -> list[dict[str, Any]]:
        """Bring the files; what an attempt brought before is brought again, and shown by nobody."""

        async def upload(one: Attachment) -> dict[str, Any]:
            wanted = self._request(account, "POST", "/api/media", content=one.content)
            wanted.headers["content-type"] = one.media_type
            answer = await call(self._client, wanted)
            require_uploaded(answer, one, _code(answer))
            return {**medium_from(answer.json), "alt_text": one.alt_text}

        return await all_uploaded(reply.attachments, upload)

    async def _post(self, account: Account, body: dict[str, Any]) -> Answer:
        return await call(self._client, self._request(account, "POST", "/api/posts", json=body))

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        return await looked_up(self._look_up(account, reply), NO_ACCESS)

    async def _look_up(self, account: Account, reply: Reply) -> Outcome:
        wanted = self._request(account, "GET", "/api/posts", params={"reference": reply.id})
        answer = await call(self._client, wanted)
        if (found := _published(answer)) is not None:
            return found
        reason = f"the look-up was answered {answer.status}"
        if answer.status != _HTTP_NOT_FOUND or _code(answer) != "unknown_post":
            return Outcome(Certainty.MAYBE, reason=reason, retry_after_s=answer.retry_after_s)
        me = await call(self._client, self._request(account, "GET", "/api/accounts/me"))
        delay_ms = me.json.get("visibility_delay_ms")
        if type(delay_ms) is not int:
            return Outcome(Certainty.MAYBE, reason="the network does not say how long it hides")
        reason = "the network does not have it"
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, visible_within_ms=delay_ms)

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return what is new, public and private, as one page.

        Raises:
            NetworkTrouble: the network did not answer, or refused the credentials.
        """
        account, limit = channel.account, channel.post_limit
        since = cursor_from(channel.cursor)
        public = await self._page(account, _PUBLIC, since, limit)
        if isinstance(public, float):
            return Page(retry_after_s=public)
        private = await self._page(account, _PRIVATE, since, limit)
        reached = Cursor(
            public.next_since_id or since.public,
            since.private,
            public.next_changes_since or since.changes,
        )
        if isinstance(private, float):
            return replace(_merged(reached, public), retry_after_s=private)
        reached = replace(reached, private=private.next_since_id or since.private)
        return _merged(reached, public, private)

    async def _page(
        self, account: Account, path: str, since: Cursor, limit: int
    ) -> WirePage | float:
        """Return a page, or after how many seconds the network takes the next call.

        A page that is too long to be read is asked for again with fewer posts.
        """
        asked = {"since_id": since.public, "changes_since": since.changes}
        if path == _PRIVATE:
            asked = {"since_id": since.private}
        most = max(1, min(limit, MOST_POSTS))
        while True:
            answer = await self._ask(account, path, **asked, limit=most)
            if answer.status == HTTP_TOO_MANY:
                return answer.retry_after_s if answer.retry_after_s is not None else 1.0
            if answer.is_whole or most == 1:
                return _wire_page(answer, account, path)
            most = max(1, most // 4)

    async def _ask(self, account: Account, path: str, **params: Any) -> Answer:  # noqa: ANN401
        try:
            wanted = self._request(account, "GET", path, params=params)
            return await call(self._client, wanted, largest=LARGEST_PAGE)
        except httpx.HTTPError as error:
            raise NetworkTrouble(f"{path} did not answer: {type(error).__name__}") from error
        except (KeyError, httpx.InvalidURL) as error:
            raise NetworkTrouble(NO_ACCESS, Trouble.UNAUTHORISED) from error

    async def stream(self, channel: ListenedChannel) -> AsyncGenerator[Page, None]:
        """Yield pages as posts come, and empty ones at once and while the line is kept alive.

        They move no cursor: lines may come in any order, so only a poll knows how far it has read.

        Raises:
            NetworkTrouble: the line broke, or could not be opened.
        """
        account = channel.account
        try:
            wanted = self._request(account, "GET", "/api/stream")
            async for page in pages_of_lines(self._client, wanted, account):
                yield page
        except httpx.HTTPError as error:
            raise NetworkTrouble(f"the stream broke: {type(error).__name__}") from error
        except (KeyError, httpx.InvalidURL) as error:
            raise NetworkTrouble(NO_ACCESS, Trouble.UNAUTHORISED) from error

    async def edit(self, account: Account, reply: Reply, text: str) -> Outcome:
        answer = await self._change(account, "PATCH", reply, json={"text": text})
        if isinstance(answer, Outcome):
            return answer
        if answer.status == 404:  # noqa: PLR2004
            return Outcome(Certainty.REJECTED, reason="the post is not there any more")
        return _outcome_of_publishing(answer)

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        answer = await self._change(account, "DELETE", reply)
        if isinstance(answer, Outcome):
            return answer
        is_gone = answer.status == 204 or _code(answer) == "unknown_post"  # noqa: PLR2004
        return Outcome(Certainty.SENT) if is_gone else _outcome_of_publishing(answer)

    async def _change(
        self, account: Account, method: str, reply: Reply, json: dict[str, str] | None = None
    ) -> Answer | Outcome:
        try:
            path = f"/api/posts/{reply.external_id}"
            return await call(self._client, self._request(account, method, path, json=json))
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except (KeyError, httpx.InvalidURL):
            return Outcome(Certainty.NOT_ACCEPTED, reason=NO_ACCESS)

    def receive(self, account: Account, request: DeliveryRequest) -> Delivered:
        """Return the posts of a delivery.

        Raises:
            BadSignature: the network did not sign these bytes just now.
        """
        secret = account.credentials.get("webhook_secret")
        if not secret or not isinstance(secret, str):
            raise BadSignature("the account has no webhook_secret, so nothing can be signed for it")
        standard_webhooks.verify(secret, request.headers, request.body, int(time.time()))
        return Delivered({None: _delivered_page(account, request.body)})

    def _request(self, account: Account, method: str, path: str, **what: Any) -> httpx.Request:  # noqa: ANN401
        token = account.credentials["token"]
        headers = {"authorization": f"Bearer {token}"}
        url = str(account.settings["url"]).rstrip("/") + path
        return self._client.build_request(method, url, headers=headers, **what)


def _delivered_page(account: Account, raw_body: bytes) -> Page:
    """Return the posts of a webhook's delivery; one that is signed and no page is quarantined."""
    try:
        return _merged(None, page_from(raw_body, account))
    except NotAPage as reason:
        raw = shown(raw_body.decode("utf-8", "replace"))
        return Page(unreadable=(Unreadable("not_a_page", str(reason), raw),))


def _merged(cursor: Cursor | None, *pages: WirePage) -> Page:
    posts = sorted((post for page in pages for post in page.posts), key=_in_time)
    return Page(
        posts=posts,
        unreadable=[piece for page in pages for piece in page.unreadable],
        changes=[change for page in pages for change in page.changes],
        cursor=cursor.text if cursor else None,
        goes_on=any(page.has_more for page in pages),
    )


def _in_time(post: Post) -> tuple[int, int, str]:
    return post.created_at, len(post.external_id), post.external_id


def _wire_page(answer: Answer, account: Account, path: str) -> WirePage:
    if answer.status != 200:  # noqa: PLR2004
        code = _code(answer)
        trouble = Trouble.UNAUTHORISED if _is_refused_access(answer) else Trouble.DOWN
        raise NetworkTrouble(f"{path} was answered {answer.status} {code}".rstrip(), trouble)
    try:
        page = page_from(answer.body, account)
    except NotAPage as reason:
        raise NetworkTrouble(f"{path} gave no page: {reason}") from reason
    if page.next_since_id is None:
        raise NetworkTrouble(f"{path} gave a page without next_since_id")
    return page


def _outcome_of_publishing(answer: Answer) -> Outcome:
    if (published := _published(answer)) is not None:
        return published
    code = _code(answer)
    reason = f"the network answered {answer.status} {code}".rstrip()
    if answer.status == HTTP_TOO_MANY:
        pause_s = answer.retry_after_s
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=pause_s)
    if _is_refused_access(answer):
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=ACCESS_PAUSE_S)
    is_refusal = 400 <= answer.status < HTTP_SERVER_ERROR  # noqa: PLR2004
    if is_refusal and answer.status != _HTTP_REQUEST_TIMEOUT:
        detail = answer.json.get("detail")
        words = f"{reason}: {detail[:500]}" if isinstance(detail, str) else reason
        return Outcome(Certainty.REJECTED, reason=words)
    return Outcome(Certainty.MAYBE, reason=reason, retry_after_s=answer.retry_after_s)


def _published(answer: Answer) -> Outcome | None:
    """Return that it is there, when the answer is a post; anything else says nothing."""
    if answer.status // 100 != 2:  # noqa: PLR2004 - the class of success
        return None
    external_id, url = answer.json.get("id"), answer.json.get("url")
    if not isinstance(external_id, str) or not external_id:
        return None
    return Outcome(Certainty.SENT, external_id, url if isinstance(url, str) else None)


def _is_refused_access(answer: Answer) -> bool:
    return answer.status == _HTTP_UNAUTHORISED or _code(answer) in _ACCESS_TROUBLE


def _code(answer: Answer) -> str:
    code = answer.json.get("code")
    return code if isinstance(code, str) else ""
