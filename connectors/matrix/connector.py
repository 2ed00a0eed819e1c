"""Matrix: rooms of two and of everybody, on any homeserver."""

import hashlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace

import httpx

from connectors.base import BaseConnector
from connectors.calls import Answer, call, outcome_of_failure
from connectors.fields import mapping, sequence, words
from connectors.guard import STRICT, Guard
from connectors.looking_up import looked_up
from connectors.matrix.calls import (
    LARGEST_SYNC,
    NO_ACCESS,
    checked,
    code_of,
    joined_id,
    outcome_of,
    request,
    room_path,
    split_id,
    upload_request,
)
from connectors.matrix.cursor import SyncCursor, cursor_from
from connectors.matrix.reading import Happened, MatrixReader
from connectors.matrix.wire import REPLY_KEY
from connectors.patience import Busy
from connectors.uploading import NotUploaded, all_uploaded, not_uploaded, require_uploaded
from connectors.waiting import Waiting
from conversations.attachments import KNOWN, Attachment, AttachmentRule
from conversations.capabilities import Capabilities, CountingUnit, Delivery, LengthRule
from conversations.connector import Setting
from conversations.model import Post, PostChange, Unreadable, Visibility
from conversations.networks import Account, ListenedChannel, NetworkTrouble, Page, Trouble
from conversations.replies import Certainty, Outcome, ReadBack, Reply

CAPABILITIES = Capabilities(
    deliveries=frozenset({Delivery.POLL, Delivery.STREAM}),
    visibilities=frozenset(Visibility),
    length=LengthRule(unit=CountingUnit.BYTES, most=30_000),
    attachments=AttachmentRule(most=1, media_types=KNOWN),
    can_edit=True,
    can_delete=True,
    has_idempotency=True,
    read_back=ReadBack.LOOK_UP,
)
"""A repeated transaction id is one event only while the access token stays the same, so the room
is asked first; what is absent there is sent with the same id again."""

_KINDS = {"image": "m.image", "video": "m.video"}
LONG_POLL_MS = 30_000
CLOCKS_DIFFER_MS = 60_000
MOST_PAGES_LOOKED_UP = 50


class MatrixConnector(BaseConnector):
    """Listens by sync, speaks by transaction ids; a reply is known again by its id inside."""

    network = "matrix"
    settings = (
        Setting("url", "the homeserver's client address, https://matrix.example.org"),
        Setting("user_id", "the account's name, @care:example.org"),
        Setting("access_token", "the account's key", is_secret=True),
        Setting("invites", "which to accept: direct, all or none", is_required=False),
        Setting("delivery", "poll or stream", is_required=False),
    )

    def __init__(self, client: httpx.AsyncClient, guard: Guard = STRICT) -> None:
        super().__init__(client, guard)
        self._reader = MatrixReader(client)
        self._waiting: Waiting[Happened] = Waiting()
        self._next_batches: dict[str, tuple[str, SyncCursor]] = {}

    def capabilities(self, account: Account) -> Capabilities:
        del account
        return CAPABILITIES

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return what follows the cursor, and accept invitations.

        Raises:
            NetworkTrouble: the homeserver did not answer, or refused the credentials.
        """
        try:
            return await self._fetch(channel)
        except Busy as busy:
            return Page(retry_after_s=busy.retry_after_s)
        except httpx.HTTPError as error:
            reason = f"the homeserver did not answer: {type(error).__name__}"
            raise NetworkTrouble(reason) from error
        except (KeyError, httpx.InvalidURL) as error:
            raise NetworkTrouble(NO_ACCESS, Trouble.UNAUTHORISED) from error

    async def _fetch(self, channel: ListenedChannel) -> Page:
        cursor = cursor_from(channel.cursor)
        waiting = self._waiting.take(channel.id, channel.cursor)
        following = self._next_batches.pop(channel.id, None)
        if waiting and following is not None and following[0] == channel.cursor:
            ahead = following[1]
        else:
            synced = await self._reader.sync(channel.account, cursor, channel.since)
            entered = await self._reader.enter(channel.account, (*synced.invites, *cursor.invited))
            ahead, waiting = replace(entered, since=synced.next_batch), synced.happened
        limit = max(1, channel.post_limit)
        given, rest = waiting[:limit], waiting[limit:]
        if not rest:
            page = _page(given, ahead.text)
            return replace(page, goes_on=bool(ahead.joined))
        handed_out = dict(cursor.given) | {one.room: one.event for one in given}
        reached = replace(cursor, given=handed_out).text
        self._waiting.keep(channel.id, reached, rest)
        self._next_batches[channel.id] = (reached, ahead)
        return replace(_page(given, reached), goes_on=True)

    async def stream(self, channel: ListenedChannel) -> AsyncGenerator[Page, None]:
        """Yield what happens, and an empty page whenever nothing did for half a minute.

        Raises:
            NetworkTrouble: the line broke, or could not be opened.
        """
        account, cursor = channel.account, replace(cursor_from(channel.cursor), given={})
        wait_ms = 0
        while True:
            try:
                synced = await self._reader.sync(account, cursor, channel.since, wait_ms)
            except Busy as busy:
                yield Page(retry_after_s=busy.retry_after_s)
                return
            except httpx.HTTPError as error:
                raise NetworkTrouble(f"the stream broke: {type(error).__name__}") from error
            except (KeyError, httpx.InvalidURL) as error:
                raise NetworkTrouble(NO_ACCESS, Trouble.UNAUTHORISED) from error
            yield _page(synced.happened, None)
            entered = await self._reader.enter(account, synced.invites)
            cursor, wait_ms = replace(entered, since=synced.next_batch), LONG_POLL_MS

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        """Send to the room of the answered post; never what is private to everybody."""
        place = split_id(reply.in_reply_to)
        if place is None:
            return Outcome(
                Certainty.REJECTED, reason="only what was said in a room can be answered"
            )
        try:
            if reply.visibility is Visibility.PRIVATE:
                seen_by = await self._reader.visibility(account, place[0])
                if seen_by is Visibility.PUBLIC:
                    reason = "the room is open to everybody, and the reply is private"
                    return Outcome(Certainty.REJECTED, reason=reason)
        except (httpx.HTTPError, NetworkTrouble, Busy, KeyError, httpx.InvalidURL) as error:
            reason = f"it could not be asked who sees the room: {type(error).__name__}"
            return Outcome(Certainty.NOT_ACCEPTED, reason=reason)
        content = _message(reply, place)
        try:
            if reply.attachments:
                content |= await self._file(account, reply)
        except NotUploaded as missing:
            return missing.outcome
        return await self._send(account, place[0], "m.room.message", reply.id, content)

    async def _file(self, account: Account, reply: Reply) -> dict[str, object]:
        """Bring the file and return what makes the message show it, its text below.

        https://spec.matrix.org/v1.15/client-server-api/#media-captions

        Raises:
            NotUploaded: it did not arrive, or was refused.
        """

        async def upload(one: Attachment) -> dict[str, object]:
            answer = await call(self._client, upload_request(self._client, account, one))
            require_uploaded(answer, one, code_of(answer))
            uri = words(answer.json.get("content_uri"), 500)
            if uri is None or not uri.startswith("mxc://"):
                raise not_uploaded(f"the homeserver named no file for {one.name}")
            info = {"mimetype": one.media_type, "size": one.size_bytes}
            kind = _KINDS.get(one.media_type.partition("/")[0], "m.file")
            return {"msgtype": kind, "filename": one.name, "url": uri, "info": info}

        (shown,) = await all_uploaded(reply.attachments, upload)
        return shown

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        """Read the room back to the first attempt, and look for the reply's id."""
        place = split_id(reply.in_reply_to)
        if place is None:
            return Outcome(Certainty.NOT_ACCEPTED, reason="it was never sent anywhere")
        return await looked_up(self._look_up(account, reply, place[0]), NO_ACCESS)

    async def _look_up(self, account: Account, reply: Reply, room: str) -> Outcome:
        us, oldest = account.settings["user_id"], reply.tried_since - CLOCKS_DIFFER_MS
        params = {"dir": "b", "limit": "100"}
        for _ in range(MOST_PAGES_LOOKED_UP):
            path = room_path(room, "messages")
            wanted = request(self._client, account, "GET", path, params=params)
            answer = checked(await call(self._client, wanted, largest=LARGEST_SYNC))
            events = [mapping(event) for event in sequence(answer.get("chunk"))]
            for event in events:
                content = mapping(event.get("content"))
                if event.get("sender") == us and content.get(REPLY_KEY) == reply.id:
                    return Outcome(Certainty.SENT, joined_id(room, str(event["event_id"])))
            at = events[-1].get("origin_server_ts") if events else None
            is_past = type(at) is int and at < oldest
            if is_past or not isinstance(answer.get("end"), str):
                return Outcome(Certainty.NOT_ACCEPTED, reason="the room does not have it")
            params["from"] = str(answer["end"])
        return Outcome(Certainty.MAYBE, reason="too much was said in the room since")

    async def edit(self, account: Account, reply: Reply, text: str) -> Outcome:
        place = split_id(reply.external_id)
        if place is None:
            return Outcome(Certainty.REJECTED, reason="it is not known where the reply is")
        if reply.attachments:
            reason = "what is written below a file stands: another text would take its place"
            return Outcome(Certainty.REJECTED, reason=reason)
        content: dict[str, object] = {
            "msgtype": "m.text",
            "body": f"* {text}",
            "m.new_content": {"msgtype": "m.text", "body": text, REPLY_KEY: reply.id},
            "m.relates_to": {"rel_type": "m.replace", "event_id": place[1]},
        }
        key = hashlib.sha256(f"{reply.change}{text}".encode()).hexdigest()[:16]
        transaction = f"{reply.id}-edit-{key}"
        outcome = await self._send(account, place[0], "m.room.message", transaction, content)
        return replace(outcome, external_id=reply.external_id)

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        place = split_id(reply.external_id)
        if place is None:
            return Outcome(Certainty.REJECTED, reason="it is not known where the reply is")
        path = room_path(place[0], "redact", place[1], f"{reply.id}-delete")
        answer = await self._put(account, path, {})
        if isinstance(answer, Outcome):
            return answer
        if answer.status == 404 and code_of(answer) == "M_NOT_FOUND":  # noqa: PLR2004
            return Outcome(Certainty.SENT, reply.external_id)
        return replace(outcome_of(answer, None), external_id=reply.external_id)

    async def _send(
        self, account: Account, room: str, kind: str, transaction: str, content: dict[str, object]
    ) -> Outcome:
        answer = await self._put(account, room_path(room, "send", kind, transaction), content)
        return answer if isinstance(answer, Outcome) else outcome_of(answer, room)

    async def _put(
        self, account: Account, path: str, content: Mapping[str, object]
    ) -> Answer | Outcome:
        try:
            wanted = request(self._client, account, "PUT", path, content=content)
            return await call(self._client, wanted)
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except (KeyError, httpx.InvalidURL):
            return Outcome(Certainty.NOT_ACCEPTED, reason=NO_ACCESS)


def _message(reply: Reply, place: tuple[str, str]) -> dict[str, object]:
    room, event = place
    relation: dict[str, object] = {"m.in_reply_to": {"event_id": event}}
    root = split_id(reply.thread_root)
    if root is not None and root[0] == room:
        is_only_for_old_programs = event == root[1]
        relation |= {"rel_type": "m.thread", "event_id": root[1]}
        relation["is_falling_back"] = is_only_for_old_programs
    return {
        "msgtype": "m.text",
        "body": reply.text,
        "m.relates_to": relation,
        "m.mentions": {"user_ids": [reply.to_external_id]},
        REPLY_KEY: reply.id,
    }


def _page(happened: list[Happened], cursor: str | None) -> Page:
    pieces = [one.piece for one in happened]
    return Page(
        posts=[one for one in pieces if isinstance(one, Post)],
        unreadable=[one for one in pieces if isinstance(one, Unreadable)],
        changes=[one for one in pieces if isinstance(one, PostChange)],
        cursor=cursor,
    )
