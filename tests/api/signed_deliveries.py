"""How each network signs what it brings: one entry a network that has a door for deliveries."""

import base64
import hashlib
import hmac
import importlib
import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from connectors import standard_webhooks
from connectors.base import BaseConnector

Json = dict[str, Any]
SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0cw=="
WRITTEN_AT = "2026-01-02T03:04:05.678Z"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Signing:
    """A network's account, a delivery of one post, and the headers that prove a body."""

    connector: tuple[str, str]
    settings: Json
    secret_name: str
    delivery: Callable[[int], bytes]
    headers: Callable[[str, bytes, str, int], dict[str, str]]
    content_type: str = "application/json"
    has_time: bool = False
    """Whether the moment is signed, too: then an old delivery is refused as such."""
    signs_body: bool = True
    """Telegram's header only shows a secret: whoever knows it may say anything."""

    @property
    def connector_class(self) -> type[BaseConnector]:
        module, name = self.connector
        found: type[BaseConnector] = getattr(importlib.import_module(module), name)
        return found

    @property
    def is_there(self) -> bool:
        return importlib.util.find_spec(self.connector[0]) is not None


def _webhook(number: int) -> bytes:
    author = {"external_id": "c-1", "handle": "customer"}
    post = {"external_id": f"p-{number}", "author": author, "text": f"hello {number}"}
    return json.dumps({"posts": [post]}).encode()


def _simulated(number: int) -> bytes:
    post = {
        "id": str(number),
        "author": {"id": "9", "handle": "customer_1", "kind": "person"},
        "text": f"hello {number}",
        "visibility": "public",
        "created_at": WRITTEN_AT,
    }
    return json.dumps({"account": "acme", "posts": [post]}).encode()


def _x(number: int) -> bytes:
    payload = {
        "id": f"208076581357819{number:04}",
        "text": f"@acme hello {number}",
        "author_id": "55",
        "created_at": "2026-01-02T03:04:05.000Z",
        "conversation_id": f"208076581357819{number:04}",
        "entities": {"mentions": [{"username": "acme", "id": "44"}]},
    }
    told = {"event_uuid": "1", "filter": {"user_id": "44"}, "event_type": "post.mention.create"}
    return json.dumps({"data": {**told, "payload": payload}}).encode()


def _facebook(number: int) -> bytes:
    value = {
        "from": {"id": "55", "name": "customer"},
        "item": "comment",
        "verb": "add",
        "post_id": "44_2",
        "comment_id": f"2_{number}",
        "parent_id": "44_2",
        "message": f"hello {number}",
        "created_time": 1_767_000_000,
    }
    change = {"field": "feed", "value": value}
    entry = {"id": "44", "time": 1_767_000_100, "changes": [change]}
    return json.dumps({"object": "page", "entry": [entry]}).encode()


def _instagram(number: int) -> bytes:
    author = {"id": "55", "username": "customer"}
    value = {"id": f"9{number}", "from": author, "text": f"hello {number}"}
    change = {"field": "comments", "value": value}
    entry = {"id": "44", "time": 1_767_000_100, "changes": [change]}
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


def _sms(number: int) -> bytes:
    form = {
        "MessageSid": f"SM{number:032}",
        "AccountSid": "AC1",
        "From": "+15557654321",
        "To": "+15551234567",
        "Body": f"hello {number}",
        "NumMedia": "0",
    }
    return urlencode(form).encode()


def _telegram(number: int) -> bytes:
    chat = {"id": 55, "type": "private", "first_name": "customer"}
    sender = {"id": 55, "is_bot": False, "first_name": "customer", "username": "customer"}
    message = {"message_id": number, "date": 1_767_000_000, "chat": chat, "from": sender}
    message["text"] = f"hello {number}"
    return json.dumps({"update_id": number, "message": message}).encode()


def _slack(number: int) -> bytes:
    event = {
        "type": "message",
        "channel": "C1",
        "channel_type": "channel",
        "user": "U55",
        "text": f"hello {number}",
        "ts": f"1767000000.{number:06}",
    }
    told = {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{number}"}
    return json.dumps({**told, "event": event}).encode()


def _standard(secret: str, body: bytes, url: str, at_s: int) -> dict[str, str]:
    del url
    return standard_webhooks.headers(secret, "wh_1", at_s, body)


def _of_x(secret: str, body: bytes, url: str, at_s: int) -> dict[str, str]:
    del url, at_s
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"x-twitter-webhooks-signature": f"sha256={base64.b64encode(digest).decode()}"}


def _of_meta(secret: str, body: bytes, url: str, at_s: int) -> dict[str, str]:
    del url, at_s
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={digest}"}


def _of_twilio(secret: str, body: bytes, url: str, at_s: int) -> dict[str, str]:
    del at_s
    pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
    signed = url + "".join(name + value for name, value in sorted(pairs))
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha1).digest()
    return {"x-twilio-signature": base64.b64encode(digest).decode()}


def _of_telegram(secret: str, body: bytes, url: str, at_s: int) -> dict[str, str]:
    del body, url, at_s
    return {"x-telegram-bot-api-secret-token": secret}


def _of_slack(secret: str, body: bytes, url: str, at_s: int) -> dict[str, str]:
    del url
    signed = f"v0:{at_s}:".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": str(at_s), "x-slack-signature": f"v0={digest}"}


_META = {"url": "http://127.0.0.1:9"}
_URL = "http://127.0.0.1:9"
SIGNED: dict[str, Signing] = {
    "webhook": Signing(
        ("connectors.webhook", "WebhookConnector"),
        {"reply_url": _URL},
        "secret",
        _webhook,
        _standard,
        has_time=True,
    ),
    "simulated": Signing(
        ("connectors.simulated", "SimulatedConnector"),
        {"url": _URL, "handle": "acme", "delivery": "webhook"},
        "webhook_secret",
        _simulated,
        _standard,
        has_time=True,
    ),
    "x": Signing(
        ("connectors.x.connector", "XConnector"),
        {"user_id": "44", "handle": "acme", "delivery": "webhook", "base_url": _URL},
        "consumer_secret",
        _x,
        _of_x,
    ),
    "facebook": Signing(
        ("connectors.facebook.connector", "FacebookConnector"),
        {"page_id": "44", **_META},
        "app_secret",
        _facebook,
        _of_meta,
    ),
    "instagram": Signing(
        ("connectors.instagram.connector", "InstagramConnector"),
        {"instagram_id": "44", "username": "acme", **_META},
        "app_secret",
        _instagram,
        _of_meta,
    ),
    "sms": Signing(
        ("connectors.sms.connector", "SmsConnector"),
        {"account_sid": "AC1", "number": "+15551234567", "url": _URL},
        "auth_token",
        _sms,
        _of_twilio,
        content_type=FORM,
    ),
    "telegram": Signing(
        ("connectors.telegram.connector", "TelegramConnector"),
        {"delivery": "webhook", "url": _URL},
        "webhook_secret",
        _telegram,
        _of_telegram,
        signs_body=False,
    ),
    "slack": Signing(
        ("connectors.slack.connector", "SlackConnector"),
        {"bot_user_id": "U1", "channel_ids": ["C1"], "delivery": "webhook", "url": _URL},
        "signing_secret",
        _slack,
        _of_slack,
        has_time=True,
    ),
}
