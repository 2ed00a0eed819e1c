"""The generic webhook: any network whose replies are POSTed to an address of the brand's choice."""

import base64
import json
import time

import httpx

from connectors.base import BaseConnector
from connectors.calls import (
    HTTP_SERVER_ERROR,
    HTTP_TOO_MANY,
    Answer,
    call,
    outcome_of_failure,
)
from connectors.looking_up import looked_up
from connectors.standard_webhooks import headers, verify
from connectors.webhook_wire import page_from
from conversations.attachments import KNOWN, Attachment, AttachmentRule
from conversations.capabilities import Capabilities, Delivery
from conversations.connector import Setting
from conversations.model import Instant, Visibility
from conversations.networks import Account, BadSignature, Delivered, DeliveryRequest
from conversations.replies import Certainty, Outcome, ReadBack, Reply

HTTP_REQUEST_TIMEOUT = 408
HTTP_CONFLICT = 409
HTTP_TOO_EARLY = 425
HTTP_NOT_FOUND = 404
_RETRIED_REFUSALS = {HTTP_REQUEST_TIMEOUT, HTTP_CONFLICT, HTTP_TOO_EARLY, HTTP_TOO_MANY}


MOST_FILE_BYTES = 2 * 1024 * 1024
"""Files travel inside the signed body, a third larger than they are."""

CAPABILITIES = Capabilities(
    deliveries=frozenset({Delivery.WEBHOOK}),
    visibilities=frozenset(Visibility),
    is_threaded=False,
    has_idempotency=True,
    read_back=ReadBack.RECEIVER_DEDUPLICATES,
    attachments=AttachmentRule(
        most=4, media_types=KNOWN, most_bytes=MOST_FILE_BYTES, longest_alt_text=5_000
    ),
)


class WebhookConnector(BaseConnector):
    """Publishes by signed POST.

    With `lookup_url` a reply is said exactly once. Without it each repetition has the same
    `webhook-id`: once if the receiver deduplicates by it, at least once if it does not.
    """

    network = "webhook"
    signing_setting = "secret"
    settings = (
        Setting("reply_url", "where replies are POSTed"),
        Setting("secret", "what they are signed with (Standard Webhooks)", is_secret=True),
        Setting("lookup_url", "where it can be asked what arrived", is_required=False),
    )

    def capabilities(self, account: Account) -> Capabilities:
        del account
        return CAPABILITIES

    def read_back(self, account: Account, reply: Reply, now: Instant) -> ReadBack:
        del reply, now
        if account.settings.get("lookup_url"):
            return ReadBack.LOOK_UP
        return ReadBack.RECEIVER_DEDUPLICATES

    def receive(self, account: Account, request: DeliveryRequest) -> Delivered:
        """Read posts in the form of the generic door, signed as replies are.

        Raises:
            BadSignature: they were not signed with the account's secret just now.
        """
        secret = account.credentials.get("secret")
        if not secret or not isinstance(secret, str):
            raise BadSignature("the account has no secret, so nothing can be signed for it")
        verify(secret, request.headers, request.body, int(time.time()))
        return Delivered({None: page_from(request.body)})

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        body = json.dumps(_delivery(reply), ensure_ascii=False).encode()
        signed = headers(account.credentials.get("secret", ""), reply.id, int(time.time()), body)
        try:
            request = self._client.build_request(
                "POST",
                account.settings["reply_url"],
                content=body,
                headers={**signed, "content-type": "application/json"},
            )
            return _outcome_of_publishing(await call(self._client, request))
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except (KeyError, httpx.InvalidURL):
            reason = "the account's settings have no valid reply_url"
            return Outcome(Certainty.NOT_ACCEPTED, reason=reason)

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        asking = self._look_up(account, reply)
        return await looked_up(asking, "the account's lookup_url is not valid")

    async def _look_up(self, account: Account, reply: Reply) -> Outcome:
        address = httpx.URL(account.settings["lookup_url"])
        url = address.copy_merge_params({"reply_id": reply.id})
        return _outcome_of_look_up(await call(self._client, self._client.build_request("GET", url)))


def _delivery(reply: Reply) -> dict[str, object]:
    files = [_file(one) for one in reply.attachments]
    with_files = {"attachments": files} if files else {}
    return {
        "reply_id": reply.id,
        "conversation_id": reply.conversation_id,
        "channel_id": reply.channel_id,
        "to": {"external_id": reply.to_external_id, "handle": reply.to_handle},
        "in_reply_to": reply.in_reply_to,
        "visibility": reply.visibility.value,
        "text": reply.text,
        **with_files,
    }


def _file(attachment: Attachment) -> dict[str, object]:
    return {
        "name": attachment.name,
        "media_type": attachment.media_type,
        "alt_text": attachment.alt_text,
        "content_base64": base64.b64encode(attachment.content).decode(),
    }


def _outcome_of_publishing(answer: Answer) -> Outcome:
    external_id, url = _text(answer, "external_id"), _text(answer, "url")
    if answer.status // 100 == 2:  # noqa: PLR2004 - the class of success
        return Outcome(Certainty.SENT, external_id, url)
    if answer.status == HTTP_CONFLICT and external_id is not None:
        return Outcome(Certainty.SENT, external_id, url)
    reason = f"the receiver answered {answer.status}"
    if answer.status in {HTTP_TOO_MANY, HTTP_TOO_EARLY}:
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=answer.retry_after_s)
    is_refusal = 400 <= answer.status < HTTP_SERVER_ERROR  # noqa: PLR2004
    if is_refusal and answer.status not in _RETRIED_REFUSALS:
        return Outcome(Certainty.REJECTED, reason=_refusal(answer))
    return Outcome(Certainty.MAYBE, reason=reason, retry_after_s=answer.retry_after_s)


def _outcome_of_look_up(answer: Answer) -> Outcome:
    external_id = _text(answer, "external_id")
    if answer.status == 200 and external_id is not None:  # noqa: PLR2004
        return Outcome(Certainty.SENT, external_id, _text(answer, "url"))
    if answer.status == HTTP_NOT_FOUND:
        return Outcome(Certainty.NOT_ACCEPTED, reason="the receiver does not have it")
    return Outcome(Certainty.MAYBE, reason=f"the look-up was answered {answer.status}")


def _refusal(answer: Answer) -> str:
    """Return why the receiver refused, in its own words when it has any."""
    words = _text(answer, "detail") or _text(answer, "reason") or _text(answer, "error")
    return f"the receiver refused ({answer.status})" + (f": {words[:500]}" if words else "")


def _text(answer: Answer, name: str) -> str | None:
    value = answer.json.get(name)
    return value if isinstance(value, str) and value else None
