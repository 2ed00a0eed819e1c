"""What the fake Mastodon instance knows: accounts, statuses, notifications, streams.

A fake, written from https://docs.joinmastodon.org (methods, entities, streaming; 4.5) and from
what `app/services/post_status_service.rb` does about idempotency keys; nobody's code is in it.
"""

import html
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.connectors.peer import ShownFile

KEY_KEPT_S = 3_600.0
_MENTION = re.compile(r"(?<![\w@/])@([\w]+(?:@[\w.\-:]*\w)?)")
_TAG = re.compile(r"(?<![\w&/])#(\w+)")
_LINK = re.compile(r"https?://[^\s<]+")
_MARK = re.compile(f"{_LINK.pattern}|{_MENTION.pattern}|{_TAG.pattern}")


@dataclass
class Status:
    id: str
    account_id: str
    text: str
    visibility: str
    in_reply_to_id: str | None
    created_at_ms: int
    visible_at_s: float
    spoiler_text: str = ""
    edited_at_ms: int | None = None
    media: list[dict[str, Any]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    application: str | None = None
    language: str | None = "en"


@dataclass
class Subscriber:
    account_id: str
    tag: str | None
    put: Callable[[str], None]


@dataclass
class MastodonLedger:
    """An instance's whole state; methods are called by tests and by its API alike."""

    host: str = "fake.example"
    max_characters: int = 500
    calls_per_window: int = 1_000_000
    visibility_delay_s: float = 0.0
    creation_delay_s: float = 0.0
    clock_offset_s: float = 0.0
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    deleted: list[Status] = field(default_factory=list)
    notifications: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    media: dict[str, ShownFile] = field(default_factory=dict)
    working: dict[str, int] = field(default_factory=dict)
    """How often a medium is still worked on when it is asked for."""
    work_on_media: int = 0
    keys: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)
    calls_left: dict[str, int] = field(default_factory=dict)
    subscribers: list[Subscriber] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def now_s(self) -> float:
        return time.time() + self.clock_offset_s

    def sign_up(self, acct: str, token: str | None = None, **more: Any) -> str:
        """Make an account; one with a domain lives on another instance."""
        with self.lock:
            number = str(1_000 + next(self._numbers))
            domain = acct.partition("@")[2] or self.host
            self.accounts[number] = {
                "id": number,
                "username": acct.partition("@")[0],
                "acct": acct,
                "display_name": acct.title(),
                "locked": False,
                "bot": False,
                "discoverable": True,
                "indexable": True,
                "group": False,
                "created_at": "2022-08-27T00:00:00.000Z",
                "note": "",
                "url": f"https://{domain}/@{acct.partition('@')[0]}",
                "uri": f"https://{domain}/users/{acct.partition('@')[0]}",
                "avatar": f"https://{domain}/avatar.png",
                "avatar_static": f"https://{domain}/avatar.png",
                "header": f"https://{domain}/header.png",
                "header_static": f"https://{domain}/header.png",
                "followers_count": 42,
                "following_count": 7,
                "statuses_count": 0,
                "last_status_at": None,
                "emojis": [],
                "fields": [],
            } | more
            if token:
                self.tokens[token] = number
            return number

    def id_of(self, acct: str) -> str:
        return next(k for k, one in self.accounts.items() if one["acct"] == acct)

    def post(
        self,
        account_id: str,
        text: str,
        *,
        visibility: str = "public",
        in_reply_to_id: str | None = None,
        **more: Any,
    ) -> Status:
        """Publish a status; who is named in it is told."""
        with self.lock:
            at_ms = more.pop("created_at_ms", int(self.now_s() * 1_000))
            status = Status(
                id=str((int(self.now_s() * 1_000) << 16) + next(self._numbers) % 65_536),
                account_id=account_id,
                text=text.strip(),
                visibility=visibility,
                in_reply_to_id=in_reply_to_id,
                created_at_ms=at_ms,
                visible_at_s=time.monotonic() + self.visibility_delay_s,
                **more,
            )
            self.statuses[status.id] = status
            named = self._named(status.text)
            for other in named:
                self._notify(other, "mention", account_id, status)
            for subscriber in self.subscribers:
                if self._is_shown_to(subscriber, status):
                    subscriber.put(sse("update", self.status_json(status)))
            return status

    def upload(self, file: ShownFile) -> str:
        """Keep a file; a film is worked on for a while before a status may show it."""
        with self.lock:
            media_id = str(next(self._numbers))
            self.media[media_id] = file
            self.working[media_id] = self.work_on_media
            return media_id

    def media_json(self, media_id: str) -> dict[str, Any]:
        file = self.media[media_id]
        kind = file.media_type.partition("/")[0]
        url = None if self.working[media_id] else f"https://{self.host}/media/{media_id}"
        return {"id": media_id, "type": kind, "url": url, "description": file.alt_text}

    def point(self, kind: str, account_id: str, status_id: str) -> None:
        """Let somebody favourite or reblog a status."""
        with self.lock:
            status = self.statuses[status_id]
            self._notify(status.account_id, kind, account_id, status)

    def edit(self, status_id: str, text: str) -> Status:
        with self.lock:
            status = self.statuses[status_id]
            status.text, status.edited_at_ms = text.strip(), int(self.now_s() * 1_000)
            for subscriber in self.subscribers:
                if self._is_shown_to(subscriber, status):
                    subscriber.put(sse("status.update", self.status_json(status)))
            return status

    def delete(self, status_id: str) -> Status:
        with self.lock:
            status = self.statuses.pop(status_id)
            self.deleted.append(status)
            for told in self.notifications.values():
                told[:] = [one for one in told if one["status"] != status_id]
            for subscriber in self.subscribers:
                subscriber.put(f"event: delete\ndata: {status_id}\n\n")
            return status

    def _named(self, text: str) -> list[str]:
        accts = {acct.removesuffix(f"@{self.host}") for acct in _MENTION.findall(text)}
        return [k for k, one in self.accounts.items() if one["acct"] in accts]

    def _notify(self, account_id: str, kind: str, by: str, status: Status) -> None:
        if account_id == by:
            return
        told = {
            "id": str(next(self._numbers)),
            "type": kind,
            "at_ms": int(self.now_s() * 1_000),
            "by": by,
            "status": status.id,
        }
        self.notifications.setdefault(account_id, []).append(told)
        for subscriber in self.subscribers:
            if subscriber.account_id == account_id and subscriber.tag is None:
                subscriber.put(sse("notification", self.notification_json(told)))

    def _is_shown_to(self, subscriber: Subscriber, status: Status) -> bool:
        if subscriber.tag is not None:
            tags = {tag.casefold() for tag in _TAG.findall(status.text)}
            return status.visibility == "public" and subscriber.tag.casefold() in tags
        return subscriber.account_id == status.account_id

    def can_see(self, account_id: str | None, status: Status) -> bool:
        if time.monotonic() < status.visible_at_s:
            return False
        if status.visibility in ("public", "unlisted") or account_id == status.account_id:
            return True
        return account_id in self._named(status.text)

    def notification_json(self, told: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": told["id"],
            "type": told["type"],
            "created_at": stamp(told["at_ms"]),
            "group_key": f"ungrouped-{told['id']}",
            "account": self.accounts[told["by"]],
            "status": self.status_json(self.statuses[told["status"]]),
        }

    def status_json(self, status: Status) -> dict[str, Any]:
        parent = self.statuses.get(status.in_reply_to_id or "")
        account = self.accounts[status.account_id]
        url = f"https://{self.host}/@{account['acct']}/{status.id}"
        shown = {
            "id": status.id,
            "created_at": stamp(status.created_at_ms),
            "in_reply_to_id": status.in_reply_to_id,
            "in_reply_to_account_id": parent.account_id if parent else None,
            "sensitive": bool(status.spoiler_text),
            "spoiler_text": status.spoiler_text,
            "visibility": status.visibility,
            "language": status.language,
            "uri": url,
            "url": url,
            "replies_count": sum(s.in_reply_to_id == status.id for s in self.statuses.values()),
            "reblogs_count": 0,
            "favourites_count": 0,
            "edited_at": stamp(status.edited_at_ms) if status.edited_at_ms else None,
            "favourited": False,
            "reblogged": False,
            "muted": False,
            "bookmarked": False,
            "content": self._content(status.text),
            "reblog": None,
            "account": account,
            "media_attachments": status.media,
            "mentions": [
                {k: self.accounts[n][k] for k in ("id", "username", "url", "acct")}
                for n in self._named(status.text)
            ],
            "tags": [
                {"name": tag.lower(), "url": f"https://{self.host}/tags/{tag.lower()}"}
                for tag in _TAG.findall(status.text)
            ],
            "emojis": [],
            "card": None,
            "poll": None,
        }
        if status.application:
            shown["application"] = {"name": status.application, "website": None}
        return shown | status.extra

    def _content(self, text: str) -> str:
        """Render as Mastodon does: paragraphs, short mentions, links with invisible parts."""
        paragraphs = []
        for paragraph in re.split(r"\n{2,}", text):
            out, at = "", 0
            for mark in _MARK.finditer(paragraph):
                out += html.escape(paragraph[at : mark.start()]) + self._marked(mark.group())
                at = mark.end()
            out += html.escape(paragraph[at:])
            paragraphs.append("<p>" + out.replace("\n", "<br />") + "</p>")
        return "".join(paragraphs) if text else ""

    def _marked(self, word: str) -> str:
        if word.startswith("@"):
            found = self._named(word)
            if not found:
                return html.escape(word)
            account = self.accounts[found[0]]
            inner = f"@<span>{account['username']}</span>"
            link = f'<a href="{account["url"]}" class="u-url mention">{inner}</a>'
            return f'<span class="h-card" translate="no">{link}</span>'
        if word.startswith("#"):
            url = f"https://{self.host}/tags/{word[1:].lower()}"
            return f'<a href="{url}" class="mention hashtag" rel="tag">#<span>{word[1:]}</span></a>'
        scheme, _, rest = word.partition("://")
        shown = f'<span class="invisible">{scheme}://</span><span class="">{rest}</span>'
        return f'<a href="{word}" rel="nofollow noopener" target="_blank">{shown}</a>'


def stamp(at_ms: int) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms // 1_000))
    return f"{whole}.{at_ms % 1_000:03}Z"


def sse(name: str, payload: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(payload)}\n\n"
