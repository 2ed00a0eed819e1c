"""Speaks on Mastodon: one idempotency key for every attempt, and a look at what is there."""

import re
from collections import OrderedDict
from typing import Any
from urllib.parse import quote

import httpx

from connectors.calls import HTTP_SERVER_ERROR, HTTP_TOO_MANY, Answer, outcome_of_failure
from connectors.fields import instant, mapping, words
from connectors.mastodon.calls import FORBIDDEN, MastodonCalls, parsed, pause_s
from connectors.mastodon.uploads import kept_media, media_ids
from connectors.mastodon.wire import status_id_of
from connectors.patience import Busy
from connectors.uploading import NotUploaded
from conversations.model import Instant, Visibility
from conversations.networks import Account, NetworkTrouble
from conversations.replies import Certainty, Outcome, Reply

DEDUPLICATED_FOR_MS = 50 * 60_000
"""The network forgets a key after an hour: from here on it is asked instead."""

ACCESS_PAUSE_S = 30.0
CLOCK_SKEW_MS = 60_000
VISIBLE_WITHIN_MS = 30_000
MOST_OWN_PAGES = 5
MOST_CANDIDATES = 10
MOST_REMEMBERED = 2_000
_PAGE = 40
_GONE = frozenset({404, 410})
_REQUEST_TIMEOUT, _UNAVAILABLE = 408, 503


class MastodonReplies:
    """Publishes, finds, edits and deletes the brand's statuses."""

    def __init__(self, calls: MastodonCalls) -> None:
        self._calls = calls
        self._sent: OrderedDict[str, str] = OrderedDict()

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        """Make one attempt; a repeated one that is refused says nothing about those before it."""
        try:
            form = await self._form(account, reply)
            headers = {"idempotency-key": reply.id}
            path = "/api/v1/statuses"
            request = self._calls.request(account, "POST", path, json=form, headers=headers)
        except NotUploaded as missing:
            return missing.outcome
        except Busy as busy:
            return Outcome(
                Certainty.NOT_ACCEPTED, reason=str(busy), retry_after_s=busy.retry_after_s
            )
        except NetworkTrouble as trouble:
            return Outcome(
                Certainty.NOT_ACCEPTED, reason=str(trouble), retry_after_s=ACCESS_PAUSE_S
            )
        outcome = await self._sent_by(account, request)
        if outcome.certainty is Certainty.REJECTED and reply.is_in_doubt:
            # What is answered may have gone since an attempt that nobody answered.
            found = await self.look_up(account, reply)
            return outcome if found.certainty is Certainty.NOT_ACCEPTED else found
        if outcome.external_id is not None:
            self._remember(outcome.external_id, reply.id)
        return outcome

    async def _form(self, account: Account, reply: Reply) -> dict[str, Any]:
        is_private = reply.visibility is Visibility.PRIVATE
        handle = (reply.to_handle or "").removeprefix("@")
        if is_private and not handle:
            handle = await self._handle_of(account, reply.to_external_id)
        public = account.settings.get("reply_visibility")
        visibility = "unlisted" if public == "unlisted" else "public"
        form: dict[str, Any] = {
            "status": naming(handle, reply.text),
            "visibility": "direct" if is_private else visibility,
        }
        if reply.attachments:
            form["media_ids"] = await media_ids(self._calls, account, reply)
        if parent := status_id_of(reply.in_reply_to):
            form["in_reply_to_id"] = parent
        return form

    async def _handle_of(self, account: Account, account_id: str) -> str:
        path = f"/api/v1/accounts/{quote(account_id, safe='')}"
        handle = words(mapping(await self._calls.read(account, path)).get("acct"), 500)
        if handle is None:
            raise NetworkTrouble("the customer's name there is not known")
        return handle

    async def _sent_by(self, account: Account, request: httpx.Request) -> Outcome:
        try:
            answer = await self._calls.send(account, request)
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        return _outcome(answer)

    def _remember(self, status_id: str, reply_id: str) -> None:
        self._sent[status_id] = reply_id
        while len(self._sent) > MOST_REMEMBERED:
            self._sent.popitem(last=False)

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        """Look through what the account said since the first attempt, by parent and words."""
        try:
            ours = await self._calls.ourselves(account)
            since = reply.tried_since - CLOCK_SKEW_MS
            handle = (reply.to_handle or "").removeprefix("@")
            candidates, is_complete = await self._own_since(account, ours.id, since)
            for status in candidates:
                status_id = words(status.get("id"), 64)
                if status_id and await self._is_the_reply(account, status, reply, handle):
                    self._remember(status_id, reply.id)
                    return _found(status_id, status)
        except Busy as busy:
            return Outcome(Certainty.MAYBE, reason=str(busy), retry_after_s=busy.retry_after_s)
        except NetworkTrouble as trouble:
            return Outcome(Certainty.MAYBE, reason=f"look-up failed: {trouble}")
        if not is_complete:
            reason = "the account said too much since to look through"
            return Outcome(Certainty.MAYBE, reason=reason)
        return Outcome(
            Certainty.NOT_ACCEPTED,
            reason="the network does not have it",
            visible_within_ms=VISIBLE_WITHIN_MS,
        )

    async def _own_since(
        self, account: Account, own_id: str, since: Instant
    ) -> tuple[list[dict[str, Any]], bool]:
        """Return the account's statuses since a moment, and whether these are all."""
        path = f"/api/v1/accounts/{quote(own_id, safe='')}/statuses"
        found: list[dict[str, Any]] = []
        bound: dict[str, str] = {}
        for _ in range(MOST_OWN_PAGES):
            page = await self._calls.read(
                account, path, limit=_PAGE, exclude_reblogs="true", **bound
            )
            if not isinstance(page, list):
                raise NetworkTrouble(f"{path} gave no list")
            statuses = [mapping(one) for one in page]
            times = [instant(one.get("created_at")) for one in statuses]
            found += [
                one for one, at in zip(statuses, times, strict=True) if at is None or at >= since
            ]
            known = [at for at in times if at is not None]
            last_id = words(statuses[-1].get("id"), 64) if statuses else None
            if len(page) < _PAGE or last_id is None or (known and min(known) < since):
                return found, True
            bound = {"max_id": last_id}
        return found, False

    async def _is_the_reply(
        self, account: Account, status: dict[str, Any], reply: Reply, handle: str
    ) -> bool:
        status_id = words(status.get("id"), 64) or ""
        if self._sent.get(status_id, reply.id) != reply.id:
            return False  # another reply of the same words
        if words(status.get("in_reply_to_id"), 64) != status_id_of(reply.in_reply_to):
            return False
        is_direct = status.get("visibility") in ("direct", "private")
        if is_direct != (reply.visibility is Visibility.PRIVATE):
            return False
        source = await self._calls.read(
            account, f"/api/v1/statuses/{quote(status_id, safe='')}/source"
        )
        text = mapping(source).get("text")
        wanted = {naming(handle, reply.text).strip(), reply.text.strip()}
        is_named = not handle and isinstance(text, str) and text.endswith(reply.text.strip())
        return text in wanted or is_named

    async def edit(self, account: Account, reply: Reply, text: str) -> Outcome:
        status_id = reply.external_id
        if status_id is None:
            return Outcome(Certainty.REJECTED, reason="the network has no such post")
        form: dict[str, Any] = {"status": naming((reply.to_handle or "").removeprefix("@"), text)}
        try:
            if reply.attachments:
                form["media_ids"] = await kept_media(self._calls, account, status_id)
        except (Busy, NetworkTrouble) as trouble:
            pause_s = getattr(trouble, "retry_after_s", None)
            return Outcome(Certainty.NOT_ACCEPTED, reason=str(trouble), retry_after_s=pause_s)
        return await self._changed(account, "PUT", status_id, json=form)

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        if reply.external_id is None:
            return Outcome(Certainty.REJECTED, reason="the network has no such post")
        outcome = await self._changed(account, "DELETE", reply.external_id)
        is_gone = outcome.certainty is Certainty.REJECTED and outcome.reason == _NOT_THERE
        return Outcome(Certainty.SENT, reply.external_id) if is_gone else outcome

    async def _changed(
        self,
        account: Account,
        method: str,
        status_id: str,
        **what: Any,  # noqa: ANN401
    ) -> Outcome:
        path = f"/api/v1/statuses/{quote(status_id, safe='')}"
        try:
            request = self._calls.request(account, method, path, **what)
        except NetworkTrouble as trouble:
            return Outcome(
                Certainty.NOT_ACCEPTED, reason=str(trouble), retry_after_s=ACCESS_PAUSE_S
            )
        try:
            answer = await self._calls.send(account, request)
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        if answer.status in _GONE:
            return Outcome(Certainty.REJECTED, reason=_NOT_THERE)
        return _outcome(answer)


_NOT_THERE = "the post is not there any more"


def naming(handle: str, text: str) -> str:
    """Put the customer's name before the text: whom a status does not name is not told of it."""
    if not handle:
        return text
    is_named = re.search(rf"(?<![\w@/])@{re.escape(handle)}(?![\w@]|[.-]\w)", text, re.IGNORECASE)
    return text if is_named else f"@{handle} {text}"


def is_key_forgotten(reply: Reply, now: Instant) -> bool:
    """Whether the network may not know the key of the first attempt any more."""
    return now - reply.tried_since >= DEDUPLICATED_FOR_MS


def _outcome(answer: Answer) -> Outcome:
    status = answer.status
    if status // 100 == 2:  # noqa: PLR2004 - the class of success
        return _success(answer)
    reason = f"the network answered {status}"
    if status == HTTP_TOO_MANY:
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=pause_s(answer))
    if status in FORBIDDEN or status == _UNAVAILABLE:
        pause = ACCESS_PAUSE_S if status in FORBIDDEN else answer.retry_after_s
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=pause)
    if 400 <= status < HTTP_SERVER_ERROR and status != _REQUEST_TIMEOUT:  # noqa: PLR2004
        said = words(answer.json.get("error"), 500)
        return Outcome(Certainty.REJECTED, reason=f"{reason}: {said}" if said else reason)
    return Outcome(Certainty.MAYBE, reason=reason, retry_after_s=answer.retry_after_s)


def _success(answer: Answer) -> Outcome:
    """Take the named post for proof; anything else says nothing."""
    try:
        told = mapping(parsed(answer, "the network"))
    except NetworkTrouble as trouble:
        return Outcome(Certainty.MAYBE, reason=str(trouble))
    status_id = words(told.get("id"), 64)
    if status_id is None:
        return Outcome(Certainty.MAYBE, reason="the network named no post")
    return _found(status_id, told)


def _found(status_id: str, status: dict[str, Any]) -> Outcome:
    return Outcome(Certainty.SENT, status_id, words(status.get("url"), 2_000))
