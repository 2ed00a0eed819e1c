"""The ledger of a fake Graph API: pages, accounts, comments, conversations, on a movable clock."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

WINDOW_MS = 24 * 3_600_000
HUMAN_AGENT_MS = 7 * WINDOW_MS
PRIVATE_REPLY_MS = 7 * WINDOW_MS
SECOND_MS = 1_000


@dataclass
class Place:
    """A page, or a professional account; `token` speaks for it."""

    id: str
    name: str
    token: str
    platform: str
    may_answer_as_human: bool = False

    @property
    def object_name(self) -> str:
        return "page" if self.platform == "messenger" else "instagram"


@dataclass
class Said:
    """A post, a picture or a comment."""

    id: str
    kind: str
    place_id: str
    author_id: str
    author_name: str
    text: str
    at: int
    visible_at: int
    updated_at: int
    root_id: str | None = None
    parent_id: str | None = None
    was_answered_privately: bool = False


@dataclass
class Message:
    id: str
    author_id: str
    text: str
    at: int
    visible_at: int
    metadata: str | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Thread:
    """What one person and one place wrote each other."""

    id: str
    place_id: str
    person_id: str
    messages: list[Message] = field(default_factory=list)

    @property
    def updated_at(self) -> int:
        return max((message.at for message in self.messages), default=0)

    @property
    def last_from_person(self) -> int:
        own = [m.at for m in self.messages if m.author_id == self.person_id]
        return max(own, default=-HUMAN_AGENT_MS)


@dataclass(frozen=True)
class PlannedError:
    """What the next call is answered with, instead of being carried out or (`after`) besides."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False


@dataclass(frozen=True)
class Happening:
    """One thing that a webhook tells: a change of a place, or an event of a conversation."""

    place: Place
    list_name: str
    content: dict[str, Any]
    at: int


class GraphLedger:
    """Everything that is true on the fake network; its methods are what people do there."""

    def __init__(self, app_secret: str = "app-secret-of-parley") -> None:  # noqa: S107
        self.app_secret = app_secret
        self.lock = threading.RLock()
        self.places: dict[str, Place] = {}
        self.said: dict[str, Said] = {}
        self.threads: dict[tuple[str, str], Thread] = {}
        self.people: dict[str, str] = {}
        self.planned: deque[PlannedError] = deque()
        self.happened: list[Happening] = []
        self.skew_ms = 0
        self.delay_ms = 0
        self.is_proof_required = True
        self.page_size = 25
        self._numbers = itertools.count(10_001)

    @property
    def now(self) -> int:
        return time.time_ns() // 1_000_000 + self.skew_ms

    def move_clock(self, ms: int) -> None:
        self.skew_ms += ms

    def number(self) -> str:
        return f"17{next(self._numbers):013d}"

    def place(self, name: str, token: str, platform: str = "messenger") -> Place:
        place = Place(self.number(), name, token, platform)
        self.places[place.id] = place
        return place

    def person(self, name: str) -> str:
        person_id = self.number()
        self.people[person_id] = name
        return person_id

    def name_of(self, author_id: str) -> str:
        place = self.places.get(author_id)
        return place.name if place else self.people.get(author_id, "somebody")

    def post(self, place: Place, author_id: str, text: str, *, is_tagged: bool = False) -> Said:
        """Let somebody write on a page, tag it, or publish a picture."""
        number = self.number()
        is_picture = place.platform == "instagram"
        kind = "tagged" if is_tagged else "post"
        external_id = number if is_picture else f"{place.id}_{number}"
        with self.lock:
            said = self._new(external_id, kind, place, author_id, text)
        if not is_picture:
            self.tell(place, "changes", self._feed(said, "status", "add"), said.at)
        return said

    def comment(self, target_id: str, author_id: str, text: str) -> Said:
        """Let somebody answer a post, a picture or a comment."""
        with self.lock:
            target = self.said[target_id]
            place = self.places[target.place_id]
            root_id = target.root_id or target.id
            external_id = self.number()
            if place.platform == "messenger":
                external_id = f"{root_id.split('_')[-1]}_{external_id}"
            said = self._new(external_id, "comment", place, author_id, text)
            said.root_id = root_id
            if target.kind == "comment":
                is_deep = place.platform == "messenger"
                said.parent_id = target.id if is_deep else (target.parent_id or target.id)
            self.said[root_id].updated_at = said.at
        self.tell(place, "changes", self._commented(said, "add"), said.at)
        return said

    def edit(self, external_id: str, text: str) -> None:
        with self.lock:
            said = self.said[external_id]
            said.text = text
        place = self.places[said.place_id]
        if place.platform == "messenger":
            self.tell(place, "changes", self._commented(said, "edited"), self.now)

    def remove(self, external_id: str) -> None:
        with self.lock:
            said = self.said.pop(external_id)
        place = self.places[said.place_id]
        if place.platform == "messenger":
            self.tell(place, "changes", self._commented(said, "remove"), self.now)

    def react(self, target_id: str, author_id: str, verb: str = "add") -> None:
        target = self.said[target_id]
        value = {
            "from": {"id": author_id, "name": self.name_of(author_id)},
            "item": "reaction",
            "reaction_type": "love",
            "verb": verb,
            "post_id": target.root_id or target.id,
            "created_time": self.now // SECOND_MS,
        }
        if target.kind == "comment":
            value["comment_id"] = target.id
        place = self.places[target.place_id]
        self.tell(place, "changes", {"field": "feed", "value": value}, self.now)

    def message(
        self,
        place: Place,
        author_id: str,
        text: str,
        *,
        to: str | None = None,
        metadata: str | None = None,
        **more: Any,
    ) -> Message:
        """Let a person write to a place, or the place to the person `to`."""
        person_id = to or author_id
        with self.lock:
            thread = self.thread(place, person_id)
            at = self.now
            mid = f"m_{self.number()}" if place.platform == "messenger" else f"aWdf{self.number()}"
            message = Message(mid, author_id, text, at, at + self.delay_ms, metadata)
            message.attachments = more.pop("attachments", [])
            thread.messages.append(message)
        brought = {"mid": mid, "text": text} | more
        if message.attachments:
            brought["attachments"] = message.attachments
        if author_id == place.id:
            brought |= {"is_echo": True, "app_id": 1_517_776_481_860_111}
            brought |= {"metadata": metadata} if metadata else {}
        self.tell_event(place, author_id, person_id, {"message": brought}, at)
        return message

    def thread(self, place: Place, person_id: str) -> Thread:
        key = (place.id, person_id)
        if key not in self.threads:
            self.threads[key] = Thread(f"t_{self.number()}", place.id, person_id)
        return self.threads[key]

    def edit_message(self, place: Place, person_id: str, mid: str, text: str) -> None:
        edit = {"mid": mid, "text": text, "num_edit": 1}
        self.tell_event(place, person_id, person_id, {"message_edit": edit}, self.now)

    def unsend_message(self, place: Place, person_id: str, mid: str) -> None:
        gone = {"message": {"mid": mid, "is_deleted": True}}
        self.tell_event(place, person_id, person_id, gone, self.now)

    def tell_event(
        self, place: Place, author_id: str, person_id: str, event: dict[str, Any], at: int
    ) -> None:
        other = person_id if author_id == place.id else place.id
        whole = {"sender": {"id": author_id}, "recipient": {"id": other}, "timestamp": at}
        self.tell(place, "messaging", whole | event, at)

    def tell(self, place: Place, list_name: str, content: dict[str, Any], at: int) -> None:
        with self.lock:
            self.happened.append(Happening(place, list_name, content, at))

    def visible(self, wanted: Callable[[Said], bool]) -> list[Said]:
        """Return what can be seen now, the newest first."""
        with self.lock:
            now = self.now
            seen = [s for s in self.said.values() if s.visible_at <= now and wanted(s)]
            return seen[::-1]

    def _new(self, external_id: str, kind: str, place: Place, author_id: str, text: str) -> Said:
        at = self.now
        name = self.name_of(author_id)
        said = Said(external_id, kind, place.id, author_id, name, text, at, at + self.delay_ms, at)
        self.said[external_id] = said
        return said

    def _feed(self, said: Said, item: str, verb: str) -> dict[str, Any]:
        value = {
            "from": {"id": said.author_id, "name": said.author_name},
            "message": said.text,
            "item": item,
            "verb": verb,
            "post_id": said.root_id or said.id,
            "created_time": said.at // SECOND_MS,
        }
        return {"field": "feed", "value": value}

    def _commented(self, said: Said, verb: str) -> dict[str, Any]:
        if self.places[said.place_id].platform == "instagram":
            value = {
                "id": said.id,
                "from": {"id": said.author_id, "username": said.author_name},
                "media": {"id": said.root_id, "media_product_type": "FEED"},
                "text": said.text,
            }
            value |= {"parent_id": said.parent_id} if said.parent_id else {}
            return {"field": "comments", "value": value}
        if said.kind != "comment":
            return self._feed(said, "status", verb)
        change = self._feed(said, "comment", verb)
        change["value"] |= {"comment_id": said.id, "parent_id": said.parent_id or said.root_id}
        return change
