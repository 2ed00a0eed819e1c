"""What the fake Bluesky knows: accounts, records, what the AppView shows, conversations.

A fake, written from the lexicons of https://github.com/bluesky-social/atproto and from what its
own servers did when they were tried (`tests/peers/bluesky.py`); nobody's code is in it.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

POST, LIKE, REPOST = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.repost"
LETTERS = "234567abcdefghijklmnopqrstuvwxyz"


@dataclass
class Person:
    did: str
    handle: str
    password: str
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Record:
    uri: str
    cid: str
    did: str
    value: dict[str, Any]
    indexed_at_ms: int
    visible_at_s: float

    @property
    def collection(self) -> str:
        return self.uri.split("/")[3]


@dataclass
class BlueskyLedger:
    """The network's whole state; methods are called by tests and by its API alike."""

    index_delay_s: float = 0.0
    loses_reply_notifications: bool = False
    calls_left: int | None = None
    people: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    sessions_created: int = 0
    blobs: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    notifications: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    convos: dict[str, tuple[str, str]] = field(default_factory=dict)
    closed_to_strangers: set[str] = field(default_factory=set)
    log: list[dict[str, Any]] = field(default_factory=list)
    listeners: list[Callable[[str], None]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def sign_up(self, name: str, password: str = "", **extra: Any) -> str:
        with self.lock:
            did = f"did:plc:{hashlib.sha256(name.encode()).hexdigest()[:24]}"
            self.people[did] = Person(did, name, password, extra)
            return did

    def open_session(self, did: str) -> dict[str, Any]:
        with self.lock:
            access, refresh = f"access-{next(self._numbers)}", f"refresh-{next(self._numbers)}"
            self.tokens[access] = did
            self.refresh_tokens[refresh] = did
            person = self.people[did]
            shown = {"did": did, "handle": person.handle, "active": True}
            return shown | {"accessJwt": access, "refreshJwt": refresh}

    def now_tid(self) -> str:
        number = (int(time.time() * 1e6) << 10) | next(self._numbers) % 1024
        return "".join(LETTERS[number >> 5 * k & 31] for k in reversed(range(13)))

    def write(
        self, did: str, value: dict[str, Any], key: str | None = None, collection: str = POST
    ) -> Record:
        """Store a record and let the network see it; who is named in it is told."""
        with self.lock:
            uri = f"at://{did}/{collection}/{key or self.now_tid()}"
            value = {"$type": collection, **value}
            is_new = uri not in self.records
            record = Record(
                uri,
                cid_of(value),
                did,
                value,
                now_ms(),
                time.monotonic() + self.index_delay_s,
            )
            self.records[uri] = record
            if is_new:
                self._tell(record)
            self._broadcast(record, "create" if is_new else "update")
            return record

    def say(self, did: str, text: str, *, to: str | None = None, **more: Any) -> Record:
        """Let somebody post; `to` is the post that is answered."""
        with self.lock:
            value: dict[str, Any] = {"text": text, "createdAt": stamp(now_ms()), "langs": ["en"]}
            facets = []
            for person in self.people.values():
                at = text.find(f"@{person.handle}")
                if at >= 0:
                    begin = len(text[:at].encode())
                    index = {"byteStart": begin, "byteEnd": begin + len(person.handle) + 1}
                    feature = {"$type": "app.bsky.richtext.facet#mention", "did": person.did}
                    facets.append({"index": index, "features": [feature]})
            if facets:
                value["facets"] = facets
            if to is not None:
                value["reply"] = self.refs(to)
            return self.write(did, value | more)

    def refs(self, uri: str) -> dict[str, Any]:
        parent = self.records[uri]
        ref = {"uri": parent.uri, "cid": parent.cid}
        return {"root": parent.value.get("reply", {}).get("root", ref), "parent": ref}

    def point(self, did: str, uri: str, collection: str = LIKE) -> Record:
        """Let somebody like or repost a post."""
        subject = {"uri": uri, "cid": self.records[uri].cid}
        value = {"subject": subject, "createdAt": stamp(now_ms())}
        return self.write(did, value, collection=collection)

    def delete(self, uri: str) -> None:
        with self.lock:
            record = self.records.pop(uri, None)
            if record is not None:
                for told in self.notifications.values():
                    told[:] = [one for one in told if one["uri"] != uri]
                self._broadcast(record, "delete")

    def _tell(self, record: Record) -> None:
        value = record.value
        if record.collection != POST:
            subject = value["subject"]["uri"]
            reason = "like" if record.collection == LIKE else "repost"
            self._notify(subject.split("/")[2], reason, record, subject)
            return
        told = {record.did}
        for facet in value.get("facets", []):
            for feature in facet["features"]:
                if (did := feature.get("did")) and did not in told:
                    told.add(did)
                    self._notify(did, "mention", record, None)
        parent = value.get("reply", {}).get("parent", {}).get("uri", "")
        if parent and parent.split("/")[2] not in told and not self.loses_reply_notifications:
            self._notify(parent.split("/")[2], "reply", record, parent)
        quoted = value.get("embed", {}).get("record", {}).get("uri", "")
        if quoted and quoted.split("/")[2] not in told:
            self._notify(quoted.split("/")[2], "quote", record, quoted)

    def _notify(self, did: str, reason: str, record: Record, subject: str | None) -> None:
        if did == record.did:
            return
        told = {"uri": record.uri, "reason": reason, "at_ms": record.indexed_at_ms}
        self.notifications.setdefault(did, []).append(told | {"reasonSubject": subject})

    def _broadcast(self, record: Record, operation: str) -> None:
        _, _, did, collection, key = record.uri.split("/")
        commit: dict[str, Any] = {
            "rev": self.now_tid(),
            "operation": operation,
            "collection": collection,
            "rkey": key,
        }
        if operation != "delete":
            commit |= {"record": record.value, "cid": record.cid}
        event = {"did": did, "time_us": int(time.time() * 1e6), "kind": "commit", "commit": commit}
        for listener in self.listeners:
            listener(json.dumps(event, separators=(",", ":"), ensure_ascii=False))

    def convo_of(self, one: str, other: str) -> str:
        with self.lock:
            pair = (min(one, other), max(one, other))
            for convo_id, members in self.convos.items():
                if members == pair:
                    return convo_id
            convo_id = self.now_tid()
            self.convos[convo_id] = pair
            return convo_id

    def chat(self, convo_id: str, did: str, text: str, **more: Any) -> dict[str, Any]:
        """Let somebody say something in a conversation."""
        with self.lock:
            message = {
                "$type": "chat.bsky.convo.defs#messageView",
                "id": self.now_tid(),
                "rev": self.now_tid(),
                "text": text,
                "sender": {"did": did},
                "sentAt": stamp(now_ms()),
                **more,
            }
            self.log.append(
                {
                    "$type": "chat.bsky.convo.defs#logCreateMessage",
                    "rev": self.now_tid(),
                    "convoId": convo_id,
                    "message": message,
                }
            )
            return message

    def unsay(self, convo_id: str, message_id: str) -> None:
        with self.lock:
            for log in self.log:
                if log["convoId"] == convo_id and log["message"]["id"] == message_id:
                    kept = {k: log["message"][k] for k in ("id", "rev", "sender", "sentAt")}
                    gone = {"$type": "chat.bsky.convo.defs#deletedMessageView", **kept}
                    log["message"] = gone
                    kind = "chat.bsky.convo.defs#logDeleteMessage"
                    self.log.append(log | {"$type": kind, "rev": self.now_tid()})
                    return

    def seen(self) -> list[Record]:
        """Return what the AppView has indexed, in the order of its indexing."""
        with self.lock:
            now = time.monotonic()
            return [one for one in self.records.values() if one.visible_at_s <= now]

    def profile(self, did: str, *, is_detailed: bool = False) -> dict[str, Any]:
        person = self.people[did]
        shown = {
            "did": did,
            "handle": person.handle,
            "displayName": person.handle.partition(".")[0].title(),
            "avatar": f"https://cdn.example/{person.handle}.jpg",
            "createdAt": "2024-02-06T00:00:00.000Z",
        }
        return shown | ({"followersCount": 42} if is_detailed else {}) | person.extra

    def view(self, record: Record) -> dict[str, Any]:
        answers = [
            one
            for one in self.seen()
            if one.value.get("reply", {}).get("parent", {}).get("uri") == record.uri
        ]
        return {
            "uri": record.uri,
            "cid": record.cid,
            "author": self.profile(record.did),
            "record": record.value,
            "replyCount": len(answers),
            "repostCount": 0,
            "likeCount": 0,
            "quoteCount": 0,
            "indexedAt": stamp(record.indexed_at_ms),
        }


def cid_of(value: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    return f"bafyrei{digest[:52]}"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def stamp(at_ms: int) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms // 1_000))
    return f"{whole}.{at_ms % 1_000:03}Z"
