"""Reads a Matrix account: what follows a sync token, room by room, with the gaps filled."""

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass

import httpx

from connectors.calls import call
from connectors.fields import mapping, sequence, words
from connectors.matrix.calls import (
    LARGEST_SYNC,
    checked,
    code_of,
    host_of,
    request,
    room_path,
)
from connectors.matrix.cursor import SyncCursor
from connectors.matrix.wire import TYPES, Piece, Room, piece_of
from conversations.model import Instant, PostChange, PostChangeKind, Unreadable, Visibility
from conversations.networks import Account, NetworkTrouble

PAGE = 100
MOST_PAGES_OF_A_GAP = 200
MOST_ROOMS = 2_000
_NOTHING: dict[str, object] = {"types": []}
_JOIN_RULES, _MEMBER = "m.room.join_rules", "m.room.member"
_INVITES_OF_ALL, _INVITES_OF_NOBODY = "all", "none"
_HTTP_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a room, understood; `order` is its place among those of other rooms."""

    room: str
    event: str
    order: Instant
    piece: Piece | None


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync brought, and the token that follows it."""

    happened: list[Happened]
    next_batch: str
    invites: tuple[str, ...]


def sync_filter(limit: int) -> str:
    """Ask for messages, and for who wrote them; for nothing else."""
    room = {
        "timeline": {"limit": limit, "types": [*TYPES, _JOIN_RULES], "lazy_load_members": True},
        "state": {
            "types": [_MEMBER, _JOIN_RULES],
            "lazy_load_members": True,
            "include_redundant_members": True,
        },
        "ephemeral": _NOTHING,
        "account_data": _NOTHING,
    }
    return json.dumps({"room": room, "presence": _NOTHING, "account_data": _NOTHING})


class MatrixReader:
    """Knows of each room whether everybody may enter it; asks once."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._join_rules: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def sync(
        self, account: Account, cursor: SyncCursor, begins: Instant, wait_ms: int = 0
    ) -> Synced:
        """Return what follows the token, oldest first, back to `begins` when there is none.

        Raises:
            Busy: the homeserver takes no calls for a while.
            NetworkTrouble: it refused, or gave something else.
            httpx.HTTPError: the line broke.
        """
        params = {"timeout": str(wait_ms), "filter": sync_filter(PAGE)}
        if cursor.since is not None:
            params["since"] = cursor.since
        wanted = request(self._client, account, "GET", "/sync", params=params)
        if wait_ms:
            patient = httpx.Timeout(10.0, read=wait_ms / 1000 + 15.0)
            wanted.extensions["timeout"] = patient.as_dict()
        answer = checked(await call(self._client, wanted, largest=LARGEST_SYNC))
        next_batch = words(answer.get("next_batch"), 5_000)
        if next_batch is None:
            raise NetworkTrouble("the homeserver gave a sync without next_batch")
        rooms = mapping(answer.get("rooms"))
        happened: list[Happened] = []
        for room, joined in mapping(rooms.get("join")).items():
            happened += await self._room(account, room, mapping(joined), cursor, begins)
        invites = _wanted_invites(account, mapping(rooms.get("invite")))
        happened.sort(key=lambda one: one.order)
        return Synced(happened, next_batch, invites)

    async def _room(
        self,
        account: Account,
        room: str,
        joined: dict[str, object],
        cursor: SyncCursor,
        begins: Instant,
    ) -> list[Happened]:
        """Return what happened in a room since the token, without what was handed out."""
        timeline = mapping(joined.get("timeline"))
        events = sequence(timeline.get("events"), 10_000)
        state = sequence(mapping(joined.get("state")).get("events"), 10_000)
        since = None if room in cursor.joined else cursor.since
        if timeline.get("limited") is True and (events or since is None):
            before = words(timeline.get("prev_batch"), 5_000)
            earlier, members = await self._gap(account, room, before, since, begins)
            known = {_id(one) for one in events}
            earlier = [one for one in earlier if _id(one) not in known]
            events, state = earlier + events, members + state
        events = _after(events, cursor.given.get(room))
        if since is None:
            events = [one for one in events if _order(one, 0) >= begins]
        if not events:
            return []
        for one in (*state, *events):
            self._learn_rule(account, room, mapping(one))
        place = await self.place(account, room, state)
        return await self._understood(account, place, events)

    async def _gap(
        self, account: Account, room: str, before: str | None, since: str | None, begins: Instant
    ) -> tuple[list[object], list[object]]:
        """Return what a sync left out, oldest first, and who wrote it."""
        newest_first: list[object] = []
        members: list[object] = []
        kinds = json.dumps({"types": list(TYPES), "lazy_load_members": True})
        for _ in range(MOST_PAGES_OF_A_GAP):
            if before is None:
                break
            params = {"dir": "b", "limit": str(PAGE), "from": before, "filter": kinds}
            params |= {"to": since} if since else {}
            path = room_path(room, "messages")
            wanted = request(self._client, account, "GET", path, params=params)
            answer = checked(await call(self._client, wanted, largest=LARGEST_SYNC))
            chunk = sequence(answer.get("chunk"))
            members += sequence(answer.get("state"))
            newest_first += chunk
            before = words(answer.get("end"), 5_000)
            if chunk and since is None and _order(chunk[-1], 0) < begins:
                break
        return newest_first[::-1], members

    async def _understood(
        self, account: Account, place: Room, events: list[object]
    ) -> list[Happened]:
        happened, order = [], 0
        for event in events:
            order = max(order, _order(event, order))
            piece = piece_of(event, place)
            if isinstance(piece, PostChange) and piece.kind is PostChangeKind.EDITED:
                piece = await self._edit_of_its_author(account, place, piece, mapping(event))
            event_id = words(mapping(event).get("event_id")) or ""
            happened.append(Happened(place.id, event_id, order, piece))
        return happened

    async def _edit_of_its_author(
        self, account: Account, place: Room, change: PostChange, event: dict[str, object]
    ) -> Piece | None:
        """Return the edit when the post is its sender's own: anybody may claim to edit anything."""
        edited = change.external_id.removeprefix(f"{place.id}:")
        path = room_path(place.id, "event", edited)
        answer = await call(self._client, request(self._client, account, "GET", path))
        if answer.status == _HTTP_NOT_FOUND:
            return None
        if checked(answer).get("sender") == event.get("sender"):
            return change
        raw, detail = json.dumps(event), "somebody edits what another wrote"
        return Unreadable("foreign_edit", detail, raw, change.external_id)

    async def place(self, account: Account, room: str, state: list[object]) -> Room:
        """Return the room with what is known of it."""
        members = {}
        for event in map(mapping, state):
            user = words(event.get("state_key"))
            if event.get("type") == _MEMBER and user:
                members[user] = mapping(event.get("content"))
        visibility = await self.visibility(account, room)
        us = str(account.settings["user_id"])
        return Room(room, visibility, us, host_of(account), members)

    async def visibility(self, account: Account, room: str) -> Visibility:
        """Return whether everybody may enter the room; what is not known to be so is private."""
        rule = self._join_rules.get((account.id, room))
        if rule is None:
            path = room_path(room, "state", _JOIN_RULES)
            answer = await call(self._client, request(self._client, account, "GET", path))
            is_unset = answer.status == _HTTP_NOT_FOUND and code_of(answer) == "M_NOT_FOUND"
            rule = "invite" if is_unset else str(checked(answer).get("join_rule"))
            self._remember_rule(account, room, rule)
        return Visibility.PUBLIC if rule == "public" else Visibility.PRIVATE

    def _learn_rule(self, account: Account, room: str, event: dict[str, object]) -> None:
        if event.get("type") == _JOIN_RULES:
            rule = str(mapping(event.get("content")).get("join_rule"))
            self._remember_rule(account, room, rule)

    def _remember_rule(self, account: Account, room: str, rule: str) -> None:
        self._join_rules[account.id, room] = rule
        while len(self._join_rules) > MOST_ROOMS:
            self._join_rules.popitem(last=False)

    async def enter(self, account: Account, rooms: tuple[str, ...]) -> SyncCursor:
        """Accept invitations; return which rooms were entered, and which may be later."""
        answers = await asyncio.gather(*(self._enter(account, room) for room in rooms))
        entered = tuple(room for room, status in zip(rooms, answers, strict=True) if status == 200)  # noqa: PLR2004
        later = tuple(
            room
            for room, status in zip(rooms, answers, strict=True)
            if status in {0, 429} or status >= 500  # noqa: PLR2004
        )
        return SyncCursor(joined=entered, invited=later)

    async def _enter(self, account: Account, room: str) -> int:
        wanted = request(self._client, account, "POST", room_path(room, "join"), content={})
        try:
            return (await call(self._client, wanted)).status
        except httpx.HTTPError:
            return 0


def _wanted_invites(account: Account, invites: dict[str, object]) -> tuple[str, ...]:
    """Return the rooms that the account enters: direct ones, if nothing else is set."""
    policy = account.settings.get("invites")
    if policy == _INVITES_OF_NOBODY:
        return ()
    us = account.settings["user_id"]
    return tuple(
        room
        for room, invite in invites.items()
        if policy == _INVITES_OF_ALL or _is_direct(mapping(invite), us)
    )


def _is_direct(invite: dict[str, object], us: object) -> bool:
    events = sequence(mapping(invite.get("invite_state")).get("events"))
    return any(
        event.get("type") == _MEMBER
        and event.get("state_key") == us
        and mapping(event.get("content")).get("is_direct") is True
        for event in map(mapping, events)
    )


def _after(events: list[object], given: str | None) -> list[object]:
    """Return the events behind the one that was handed out last; all when it is not there."""
    for index, event in enumerate(events):
        if given is not None and mapping(event).get("event_id") == given:
            return events[index + 1 :]
    return events


def _id(event: object) -> object:
    return mapping(event).get("event_id")


def _order(event: object, otherwise: Instant) -> Instant:
    at = mapping(event).get("origin_server_ts")
    return at if type(at) is int else otherwise
