"""A delivery of Meta's webhooks: batches for many pages, each entry understood by itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connectors.fields import mapping, shown
from connectors.json_pages import NotAPage, read_page
from connectors.meta.messages import Event, Ours, event_from
from connectors.meta.values import identifier
from conversations.model import Post, PostChange, Unreadable
from conversations.networks import Delivered, Page

MOST_EVENTS = 5_000
"""Meta says 1,000; what is over any bound is quarantined, not dropped."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one network's entries are read: `change` has the change, its entry and who we are."""

    object_name: str
    ours: Callable[[str], Ours]
    change: Callable[[dict[str, Any], dict[str, Any], Ours], Event | None]


@dataclass
class _Gathered:
    """What came for one page; what came twice in one delivery is there once."""

    posts: dict[str, Post] = field(default_factory=dict)
    changes: list[PostChange] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    def take(self, event: Event | None) -> None:
        match event:
            case Post():
                self.posts.setdefault(event.external_id, event)
            case PostChange() if event not in self.changes[-50:]:
                self.changes.append(event)
            case Unreadable():
                self.unreadable.append(event)

    @property
    def page(self) -> Page:
        posts = sorted(self.posts.values(), key=lambda post: post.created_at)
        return Page(posts, self.unreadable, self.changes)


def delivered(body: bytes, dialect: Dialect) -> Delivered:
    """Read a signed delivery; what makes no sense is quarantined with its reason."""
    try:
        pieces = read_page(body, "entry")
    except NotAPage as reason:
        return _quarantined("not_a_delivery", str(reason), body.decode("utf-8", "replace"))
    found = pieces.beside.get("object")
    if found != dialect.object_name:
        detail = f"object is not {dialect.object_name}: it has an address of its own"
        return _quarantined("other_object", detail, body.decode("utf-8", "replace"))
    gathered: dict[str | None, _Gathered] = {}
    for entry in pieces.entries:
        key = identifier(mapping(entry).get("id"))
        _read_entry(entry, key, dialect, gathered.setdefault(key, _Gathered()))
    return Delivered({key: one.page for key, one in gathered.items()} or {None: Page()})


def _read_entry(entry: Any, key: str | None, dialect: Dialect, into: _Gathered) -> None:  # noqa: ANN401
    if isinstance(entry, Unreadable):
        into.take(entry)
        return
    whole = mapping(entry)
    lists = {name: whole.get(name) for name in ("changes", "messaging", "standby")}
    if "field" in whole and lists["changes"] is None:
        lists["changes"] = [whole]  # Instagram's own log-in writes a change into its entry
    if key is None or all(value is None for value in lists.values()):
        detail = "an entry has an id, and changes or messaging"
        into.take(Unreadable("entry_unreadable", detail, shown(entry), key))
        return
    ours = dialect.ours(key)
    for name, events in lists.items():
        for event in _bounded(events, into):
            is_change = name == "changes"
            said = _change(event, whole, dialect, ours) if is_change else event_from(event, ours)
            into.take(ours.addressed(said))


def _bounded(events: Any, into: _Gathered) -> list[Any]:  # noqa: ANN401
    if events is None:
        return []
    if not isinstance(events, list):
        into.take(Unreadable("entry_unreadable", "that is no list of events", shown(events)))
        return []
    if len(events) > MOST_EVENTS:
        detail = f"{len(events)} events in one entry, {MOST_EVENTS} are read"
        into.take(Unreadable("too_many_events", detail, shown(events[MOST_EVENTS:])))
    return events[:MOST_EVENTS]


def _change(
    change: Any,  # noqa: ANN401
    entry: dict[str, Any],
    dialect: Dialect,
    ours: Ours,
) -> Event | None:
    if not isinstance(change, dict):
        return Unreadable("not_an_object", "a change is an object", shown(change))
    return dialect.change(change, entry, ours)


def _quarantined(code: str, detail: str, raw: str) -> Delivered:
    return Delivered({None: Page(unreadable=(Unreadable(code, detail, shown(raw)),))})
