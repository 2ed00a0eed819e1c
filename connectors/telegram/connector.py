"""Telegram: the Bot API, by long poll or webhook; a bot cannot ask for what it said."""

import hmac
import json
import re
from typing import Any, Final

import httpx

from connectors.base import BaseConnector
from connectors.calls import HTTP_SERVER_ERROR, HTTP_TOO_MANY, Answer, call, outcome_of_failure
from connectors.fields import mapping, sequence, shown, words
from connectors.telegram.wire import ALLOWED_UPDATES, chat_and_message, external_id, understood
from conversations.attachments import KNOWN, AttachmentRule
from conversations.capabilities import Capabilities, CountingUnit, Delivery, LengthRule
from conversations.connector import Setting
from conversations.model import Post, PostChange, Unreadable, Visibility
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
from conversations.replies import Certainty, Outcome, Reply

HOST: Final = "https://api.telegram.org"
HEADER: Final = "x-telegram-bot-api-secret-token"
MOST_UPDATES: Final = 100
LONGEST_POLL_S: Final = 5
"""A listener's activity has to give a sign of life more often than Telegram would wait."""

LARGEST_ANSWER: Final = 8 * 1024 * 1024
ACCESS_PAUSE_S: Final = 30.0
_TOKEN = re.compile(r"(\d{1,19}):[A-Za-z0-9_-]{3,100}")
_REFUSED: Final = frozenset([401, 404])
"""A token that is none, or was revoked: every method of it is not found."""

_BAD_REQUEST: Final = 400
NO_TOKEN: Final = "the account has no valid token"  # noqa: S105 - that is the point
CAPABILITIES: Final = Capabilities(
    deliveries=frozenset({Delivery.POLL, Delivery.WEBHOOK}),
    visibilities=frozenset(Visibility),
    length=LengthRule(CountingUnit.UTF16_UNITS, 4_096),
    attachments=AttachmentRule(most=1, media_types=KNOWN),
    caption_length=LengthRule(CountingUnit.UTF16_UNITS, 1_024),
    can_edit=True,
    can_delete=True,
)
_SENT_BY: Final = {
    "image/jpeg": ("sendPhoto", "photo"),
    "image/png": ("sendPhoto", "photo"),
    "image/webp": ("sendPhoto", "photo"),
    "image/gif": ("sendAnimation", "animation"),
    "video/mp4": ("sendVideo", "video"),
}
"""Anything else is a document."""


class _NoToken(Exception):
    """There is nothing to call with."""


class TelegramConnector(BaseConnector):
    """Hears and answers as a bot."""

    network = "telegram"
    signing_setting = "webhook_secret"
    settings = (
        Setting("token", "the bot's token, from @BotFather", is_secret=True),
        Setting("webhook_secret", "secret_token of setWebhook", is_secret=True, is_required=False),
        Setting("delivery", "poll or webhook", is_required=False),
        Setting("url", f"where the Bot API is, if not {HOST}", is_required=False),
    )

    def capabilities(self, account: Account) -> Capabilities:
        del account
        return CAPABILITIES

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return the updates after the cursor; asking for them forgets those before it.

        Raises:
            NetworkTrouble: the network did not answer, or refused the token.
        """
        account = channel.account
        if self.delivery(account) is Delivery.WEBHOOK:
            return _page_of(await self._asked(account, "getWebhookInfo", {}), Page())
        limit = max(1, min(channel.post_limit, MOST_UPDATES))
        body: dict[str, Any] = {"limit": limit, "allowed_updates": ALLOWED_UPDATES}
        cursor = channel.cursor or ""
        if cursor.isascii() and cursor.isdecimal():
            body["offset"] = int(cursor) + 1
        is_waiting = channel.poll_interval_ms > 1_000  # noqa: PLR2004 - else it is asked soon
        body["timeout"] = (
            min(LONGEST_POLL_S, channel.poll_interval_ms // 2_000) if is_waiting else 0
        )
        answer = await self._asked(account, "getUpdates", body)
        updates = answer.json.get("result")
        if answer.status == HTTP_TOO_MANY:
            return _page_of(answer, Page(cursor=channel.cursor))
        if not isinstance(updates, list):
            raise NetworkTrouble("getUpdates gave no list of updates")
        page = _understood(updates, account, channel.since)
        reached = [one for each in updates if type(one := mapping(each).get("update_id")) is int]
        return Page(
            page.posts,
            page.unreadable,
            page.changes,
            cursor=str(max(reached)) if reached else channel.cursor,
            goes_on=len(updates) >= limit,
        )

    async def _asked(self, account: Account, method: str, body: dict[str, Any]) -> Answer:
        try:
            answer = await self._call(account, method, body, LARGEST_ANSWER)
        except httpx.HTTPError as error:
            raise NetworkTrouble(f"{method} did not answer: {type(error).__name__}") from error
        except (_NoToken, httpx.InvalidURL) as error:
            raise NetworkTrouble(NO_TOKEN, Trouble.UNAUTHORISED) from error
        if answer.status == HTTP_TOO_MANY or answer.json.get("ok") is True:
            return answer
        trouble = Trouble.UNAUTHORISED if answer.status in _REFUSED else Trouble.DOWN
        raise NetworkTrouble(f"{method} was answered {_reason(answer, account)}", trouble)

    async def _call(
        self,
        account: Account,
        method: str,
        body: dict[str, Any],
        largest: int = 1_048_576,
        files: dict[str, Any] | None = None,
    ) -> Answer:
        token = account.credentials.get("token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise _NoToken
        host = str(account.settings.get("url") or HOST).rstrip("/")
        said: dict[str, Any] = {"json": body} if files is None else {"data": body, "files": files}
        request = self._client.build_request("POST", f"{host}/bot{token}/{method}", **said)
        return await call(self._client, request, largest=largest)

    def receive(self, account: Account, request: DeliveryRequest) -> Delivered:
        """Return what an update says; the header holds a secret, it signs no bytes.

        Raises:
            BadSignature: the secret is not there or another one.
        """
        secret = account.credentials.get("webhook_secret")
        given = request.headers.get(HEADER, "")
        if not isinstance(secret, str) or not secret:
            raise BadSignature("the account has no webhook_secret, so nobody can know it")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()):
            raise BadSignature("the secret token is missing or another one")
        try:
            update = json.loads(request.body)
        except (ValueError, RecursionError):
            raw = shown(request.body.decode("utf-8", "replace"))
            return Delivered({None: Page(unreadable=(Unreadable("not_json", "no JSON", raw),))})
        return Delivered({None: _understood([update], account, 0)})

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        target = _target(reply)
        if isinstance(target, Outcome):
            return target
        answer = await self._said(account, reply, target)
        if isinstance(answer, Outcome):
            return answer
        moved = mapping(answer.json.get("parameters")).get("migrate_to_chat_id")
        if answer.status == _BAD_REQUEST and type(moved) is int:  # the group became a larger one
            answer = await self._said(account, reply, {"chat_id": moved})
            if isinstance(answer, Outcome):
                return answer
        return _published(answer, account)

    async def _said(
        self, account: Account, reply: Reply, target: dict[str, Any]
    ) -> Answer | Outcome:
        """Say it there; a file and what is written below it are one call."""
        if not reply.attachments:
            return await self._changed(account, "sendMessage", {**target, "text": reply.text})
        (one,) = reply.attachments
        method, field = _SENT_BY.get(one.media_type, ("sendDocument", "document"))
        fields = {"caption": reply.text, **target}
        as_text = {n: v if isinstance(v, str) else json.dumps(v) for n, v in fields.items()}
        files = {field: (one.name, one.content, one.media_type)}
        return await self._changed(account, method, as_text, files)

    async def edit(self, account: Account, reply: Reply, text: str) -> Outcome:
        wanted = ("editMessageCaption", {"caption": text})
        if not reply.attachments:
            wanted = ("editMessageText", {"text": text})
        answer = await self._of_ours(account, reply, *wanted)
        if isinstance(answer, Outcome):
            return answer
        is_done = answer.json.get("ok") is True or "not modified" in _description(answer)
        return Outcome(Certainty.SENT) if is_done else _refused(answer, account)

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        answer = await self._of_ours(account, reply, "deleteMessage", {})
        if isinstance(answer, Outcome):
            return answer
        is_gone = answer.json.get("ok") is True or "delete not found" in _description(answer)
        return Outcome(Certainty.SENT) if is_gone else _refused(answer, account)

    async def _of_ours(
        self, account: Account, reply: Reply, method: str, more: dict[str, Any]
    ) -> Answer | Outcome:
        if (found := chat_and_message(reply.external_id)) is None:
            return Outcome(Certainty.REJECTED, reason="the message is not known")
        body = {"chat_id": found[0], "message_id": found[1], **more}
        return await self._changed(account, method, body)

    async def _changed(
        self,
        account: Account,
        method: str,
        body: dict[str, Any],
        files: dict[str, Any] | None = None,
    ) -> Answer | Outcome:
        try:
            return await self._call(account, method, body, files=files)
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except (_NoToken, httpx.InvalidURL):
            return Outcome(Certainty.NOT_ACCEPTED, reason=NO_TOKEN, retry_after_s=ACCESS_PAUSE_S)


def _understood(updates: list[Any], account: Account, since: int) -> Page:
    bot_id = str(account.credentials.get("token") or "").partition(":")[0]
    found = [understood(update, bot_id) for update in sequence(updates)]
    return Page(
        posts=[one for one in found if isinstance(one, Post) and one.created_at >= since],
        unreadable=[one for one in found if isinstance(one, Unreadable)],
        changes=[one for one in found if isinstance(one, PostChange)],
    )


def _page_of(answer: Answer, page: Page) -> Page:
    if answer.status != HTTP_TOO_MANY:
        return page
    return Page(cursor=page.cursor, retry_after_s=_pause_s(answer))


def _target(reply: Reply) -> dict[str, Any] | Outcome:
    """Return where the words go: below the post, or to the person alone."""
    answered = chat_and_message(reply.in_reply_to)
    is_private = reply.visibility is Visibility.PRIVATE
    person = int(reply.to_external_id) if reply.to_external_id.isdecimal() else None
    if answered is not None and (not is_private or answered[0] == person):
        chat_id, message_id = answered
        answers = {"message_id": message_id, "allow_sending_without_reply": True}
        return {"chat_id": chat_id, "reply_parameters": answers}
    if is_private and person is not None:
        return {"chat_id": person}
    return Outcome(Certainty.REJECTED, reason="the post to answer is not known")


def _published(answer: Answer, account: Account) -> Outcome:
    message = mapping(answer.json.get("result"))
    chat_id, message_id = mapping(message.get("chat")).get("id"), message.get("message_id")
    if answer.json.get("ok") is True and type(chat_id) is int and type(message_id) is int:
        return Outcome(Certainty.SENT, external_id(chat_id, message_id))
    return _refused(answer, account)


def _refused(answer: Answer, account: Account) -> Outcome:
    reason = f"Telegram answered {_reason(answer, account)}"
    if answer.status == HTTP_TOO_MANY:
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=_pause_s(answer))
    is_refusal = answer.json.get("ok") is False
    if answer.status in _REFUSED and (is_refusal or not answer.body.strip(b"{} \n")):
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=ACCESS_PAUSE_S)
    if is_refusal and _BAD_REQUEST <= answer.status < HTTP_SERVER_ERROR:
        return Outcome(Certainty.REJECTED, reason=reason)
    return Outcome(Certainty.MAYBE, reason=reason)


def _pause_s(answer: Answer) -> float:
    told = mapping(answer.json.get("parameters")).get("retry_after")
    if isinstance(told, int | float) and not isinstance(told, bool) and told >= 0:
        return float(told)
    return answer.retry_after_s if answer.retry_after_s is not None else 1.0


def _description(answer: Answer) -> str:
    return words(answer.json.get("description"), 300) or ""


def _reason(answer: Answer, account: Account) -> str:
    """Say what was answered, without the token that calls hold."""
    said = f"{answer.status} {_description(answer)}".rstrip()
    token = str(account.credentials.get("token") or "")
    return said.replace(token, "…") if token else said
