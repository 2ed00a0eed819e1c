"""Reads a Slack workspace: what was said in the app's channels, and in their threads."""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import httpx

from connectors.fields import mapping, words
from connectors.slack.calls import asked
from connectors.slack.wire import Chat, instant_of, people_in, ts_of, visibility_of
from conversations.model import Visibility
from conversations.networks import Account, ListenedChannel, NetworkTrouble

THREADS_FOLLOWED_MS = 3 * 24 * 3_600_000
"""Answers are looked for below messages that are no older: a safety net beside the events."""
CHATS_KEPT_S = 60.0
MOST_NAMES = 5_000
PAGE = "200"
MOST_PAGES = 100
_TYPES = "public_channel,private_channel,mpim,im"


@dataclass(frozen=True, slots=True)
class Said:
    """One message as Slack gave it; `place` is its channel, or its channel and thread."""

    ts: str
    chat: str
    place: str
    raw: object


@dataclass(frozen=True, slots=True)
class Reached:
    """The last message that was handed out of each channel, and of each thread."""

    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return json.dumps({"places": dict(self.places)}, separators=(",", ":"))

    def past(self, given: list[Said]) -> "Reached":
        """Return how far it is read when these were handed out, without threads long silent."""
        places = dict(self.places) | {one.place: one.ts for one in given}
        newest = max((instant_of(ts) or 0 for ts in places.values()), default=0)
        oldest = ts_of(max(0, newest - 2 * THREADS_FOLLOWED_MS))
        return Reached(
            {place: ts for place, ts in places.items() if ":" not in place or _is_past(ts, oldest)}
        )


def reached_from(cursor: str | None) -> Reached:
    """Read a cursor; a foreign one begins anew."""
    try:
        read = mapping(json.loads(cursor or ""))
    except (ValueError, RecursionError):
        return Reached()
    places = mapping(read.get("places"))
    return Reached({place: ts for place, ts in places.items() if instant_of(ts) is not None})


class SlackReader:
    """Knows what people are called and which channels everybody can see; asks seldom."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._names: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._chats: dict[str, tuple[float, list[Chat]]] = {}
        self._seen_by: dict[tuple[str, str], Visibility] = {}

    async def following(self, channel: ListenedChannel, reached: Reached) -> list[Said]:
        """Return what was said after the cursor, oldest first.

        Raises:
            Busy: the network takes no calls for a while.
            NetworkTrouble: it refused, or gave something else.
        """
        found: list[Said] = []
        begins = ts_of(channel.since)
        for chat in await self.chats(channel.account):
            found += await self._of_chat(channel.account, chat, reached, begins)
        return sorted(found, key=lambda one: _order(one.ts))

    async def _of_chat(
        self, account: Account, chat: Chat, reached: Reached, begins: str
    ) -> list[Said]:
        last = reached.places.get(chat.id)
        now = time.time_ns() // 1_000_000
        looked_at_from = ts_of(now - THREADS_FOLLOWED_MS)
        bound = min(last or begins, looked_at_from, key=_order)
        found: list[Said] = []
        form = {"channel": chat.id, "oldest": bound}
        for message in await self.listed(account, "conversations.history", form):
            ts = str(message.get("ts"))
            if _is_past(ts, last or begins, is_exclusive=last is not None):
                found.append(Said(ts, chat.id, chat.id, message))
            found += await self._of_thread(account, chat, message, reached, begins)
        return found

    async def _of_thread(
        self,
        account: Account,
        chat: Chat,
        root: dict[str, object],
        reached: Reached,
        begins: str,
    ) -> list[Said]:
        if not root.get("reply_count"):
            return []
        ts, latest = str(root.get("ts")), root.get("latest_reply")
        place = f"{chat.id}:{ts}"
        last = reached.places.get(place)
        if last and isinstance(latest, str) and not _is_past(latest, last, is_exclusive=True):
            return []
        form = {"channel": chat.id, "ts": ts, "oldest": last or begins}
        return [
            Said(str(one.get("ts")), chat.id, place, one)
            for one in await self.listed(account, "conversations.replies", form)
            if one.get("ts") != ts
            and _is_past(str(one.get("ts")), last or begins, is_exclusive=last is not None)
        ]

    async def listed(
        self, account: Account, method: str, form: Mapping[str, str]
    ) -> list[dict[str, object]]:
        """Return all messages of a list, page by page; the network may not know `oldest`."""
        found: list[dict[str, object]] = []
        wanted = {"limit": PAGE, "include_all_metadata": "true", "inclusive": "true"} | dict(form)
        for _ in range(MOST_PAGES):
            answer = await asked(self._client, account, method, wanted)
            page = answer.get("messages")
            if not isinstance(page, list):
                raise NetworkTrouble(f"{method} gave no messages")
            messages = [mapping(one) for one in page]
            found += messages
            following = words(mapping(answer.get("response_metadata")).get("next_cursor"), 1_000)
            is_enough = (
                method == "conversations.history"
                and messages
                and not _is_past(str(messages[-1].get("ts")), form.get("oldest", "0"))
            )
            if following is None or is_enough:
                break
            wanted["cursor"] = following
        return found

    async def chats(self, account: Account) -> list[Chat]:
        """Return the channels that the app is in, as they were a minute ago at most."""
        kept_until, kept = self._chats.get(account.id, (0.0, []))
        if time.monotonic() < kept_until:
            return kept
        chosen = account.settings.get("channel_ids")
        found: list[Chat] = []
        form = {"types": _TYPES, "exclude_archived": "true", "limit": PAGE}
        for _ in range(MOST_PAGES):
            answer = await asked(self._client, account, "conversations.list", form)
            page = answer.get("channels")
            if not isinstance(page, list):
                raise NetworkTrouble("conversations.list gave no channels")
            found += [
                self._chat(account, one)
                for one in map(mapping, page)
                if _is_listened_to(one, chosen)
            ]
            following = words(mapping(answer.get("response_metadata")).get("next_cursor"), 1_000)
            if following is None:
                break
            form["cursor"] = following
        self._chats[account.id] = (time.monotonic() + CHATS_KEPT_S, found)
        return found

    def _chat(self, account: Account, one: Mapping[str, object]) -> Chat:
        chat = str(one.get("id"))
        is_open = not (one.get("is_im") or one.get("is_mpim") or one.get("is_private"))
        seen_by = Visibility.PUBLIC if is_open else Visibility.PRIVATE
        self._seen_by[account.id, chat] = seen_by
        return Chat(chat, seen_by, str(account.settings["bot_user_id"]), {})

    async def visibility(self, account: Account, chat: str) -> Visibility:
        """Return whether everybody in the workspace can see the channel."""
        if (account.id, chat) not in self._seen_by:
            answer = await asked(self._client, account, "conversations.info", {"channel": chat})
            self._chat(account, mapping(answer.get("channel")) | {"id": chat})
        return self._seen_by[account.id, chat]

    async def place_of(self, account: Account, one: Said) -> Chat:
        """Return the channel of a message, with the names of whom it is about."""
        seen_by = await self.visibility(account, one.chat)
        people = people_in(one.raw)
        await asyncio.gather(*(self._learn_name(account, user) for user in sorted(people)))
        us = str(account.settings["bot_user_id"])
        return Chat(one.chat, seen_by, us, self.names(account, people))

    def names(self, account: Account, people: set[str]) -> dict[str, str]:
        """Return what is known of what these people are called."""
        known = ((user, self._names.get((account.id, user))) for user in people)
        return {user: name for user, name in known if name}

    async def _learn_name(self, account: Account, user: str) -> None:
        """Ask once what somebody is called; who is not found has no name."""
        if (account.id, user) in self._names:
            return
        try:
            answer = await asked(self._client, account, "users.info", {"user": user})
        except NetworkTrouble:
            answer = {}
        person = mapping(answer.get("user"))
        profile = mapping(person.get("profile"))
        names = (profile.get("display_name"), profile.get("real_name"), person.get("name"))
        name = next((one for one in names if words(one, 200)), "")
        self._names[account.id, user] = str(name)
        while len(self._names) > MOST_NAMES:
            self._names.popitem(last=False)


def delivered_chat(account: Account, event: Mapping[str, object], names: dict[str, str]) -> Chat:
    """Return the channel that an event is from."""
    chat = str(event.get("channel"))
    seen_by = visibility_of(event.get("channel_type"), chat)
    profile = mapping(event.get("user_profile"))
    name, user = words(profile.get("display_name"), 200), words(event.get("user"), 30)
    told = {user: name} if name and user else {}
    return replace(Chat(chat, seen_by, str(account.settings.get("bot_user_id")), names | told))


def _is_listened_to(one: Mapping[str, object], chosen: object) -> bool:
    if isinstance(chosen, list) and chosen:
        return one.get("id") in chosen
    return bool(one.get("is_im") or one.get("is_mpim") or one.get("is_member"))


def _order(ts: str) -> tuple[int, int]:
    seconds, _, fraction = ts.partition(".")
    is_number = seconds.isascii() and seconds.isdecimal() and fraction.isdecimal()
    return (int(seconds), int(fraction)) if is_number else (0, 0)


def _is_past(ts: str, bound: str, *, is_exclusive: bool = False) -> bool:
    if is_exclusive:
        return _order(ts) > _order(bound)
    return _order(ts) >= _order(bound)
