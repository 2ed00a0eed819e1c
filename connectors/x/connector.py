"""X: mentions, searches, the filtered stream, direct messages and webhooks in; replies out."""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import httpx

from connectors.base import BaseConnector
from connectors.calls import call, outcome_of_failure
from connectors.fields import rfc_3339
from connectors.guard import STRICT, Guard
from connectors.uploading import NotUploaded
from connectors.x.calls import NO_ACCESS, Limited, user_request
from connectors.x.capabilities import (
    SETTINGS,
    capabilities_of,
    has_messages,
    keeps_reposts,
    message_pause_s,
)
from connectors.x.events import answer_to_challenge, page_of, pages_of, verify
from connectors.x.fields import post_params
from connectors.x.lists import Lists
from connectors.x.pictures import media_ids, shown_by
from connectors.x.queries import queries
from connectors.x.reading import Ask, Batch, Lane, Progress
from connectors.x.refusals import ABSENT, is_absent, outcome_of_refusal
from connectors.x.replies import (
    SHOWN_WITHIN_MS,
    Unanswerable,
    begun_at,
    call_for,
    listing_path,
    outcome_of_success,
    published_among,
)
from connectors.x.stream import Line, Listener
from connectors.x.wire import us_of
from conversations.capabilities import Capabilities
from conversations.model import Instant, Visibility
from conversations.networks import (
    Account,
    Delivered,
    DeliveryRequest,
    ListenedChannel,
    NetworkTrouble,
    Page,
    Trouble,
    WebAnswer,
)
from conversations.replies import Certainty, Outcome, ReadBack, Reply

LOOK_UP_WITHIN_S = 8.0
MOST_LOOKED_THROUGH = 16
MOST_CHANNELS = 2_000
ACCESS_PAUSE_S = 30.0
MENTIONS, MESSAGES = "m", "d"
ALL_MESSAGES = "/2/dm_events"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An account's newest messages, good for so long."""

    until_s: float
    batch: Batch


class XConnector(BaseConnector):
    """Speaks and hears on X as one of its users, who gave the app keys for it."""

    network = "x"
    settings = SETTINGS
    address_setting = "user_id"
    signing_setting = "consumer_secret"

    def __init__(self, client: httpx.AsyncClient, guard: Guard = STRICT) -> None:
        super().__init__(client, guard)
        self._progress: dict[str, Progress] = {}
        self._mailboxes: dict[str, Mailbox] = {}
        self._lines: dict[str, Line] = {}

    def capabilities(self, account: Account) -> Capabilities:
        return capabilities_of(account)

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return what is new of mentions, searches and messages.

        A list that X lets us wait for, or that is in trouble, holds the others up never.

        Raises:
            NetworkTrouble: no list could be read.
        """
        now, progress = _now_ms(), self._progress_of(channel)
        asked = self._lanes(channel, progress, now)
        troubles = await self._fill(channel, progress, asked, now)
        public = [name for name in asked if name != MESSAGES]
        found = progress.hand_out(public, channel.post_limit)
        found += progress.hand_out([MESSAGES], channel.post_limit)
        if not found and troubles:
            raise max(troubles, key=lambda one: one.trouble is Trouble.UNAUTHORISED)
        cursor = progress.close_turn(now, is_empty=not found)
        page = page_of(list(found), cursor)
        return _with_waits(page, progress, [progress.lanes[name] for name in asked])

    def _progress_of(self, channel: ListenedChannel) -> Progress:
        """Return what is known beyond the cursor; another cursor makes it worthless."""
        key = f"{channel.account.id} {channel.id}"
        progress = self._progress.pop(key, None)
        if progress is None or progress.cursor != channel.cursor:
            progress = Progress.from_cursor(channel.cursor)
        self._progress[key] = progress
        while len(self._progress) > MOST_CHANNELS:
            del self._progress[next(iter(self._progress))]
        return progress

    def _lanes(self, channel: ListenedChannel, progress: Progress, now: Instant) -> dict[str, Ask]:
        """Return how each of the channel's lists is asked."""
        lists = Lists(self._client, channel.account)
        asked: dict[str, Ask] = {MENTIONS: lists.mentions}
        for query in _queries(channel):
            name = f"q:{hashlib.sha256(query.encode()).hexdigest()[:8]}"
            asked[name] = _search(lists, query, now)
        if has_messages(channel.account):
            asked[MESSAGES] = lambda _, older: self._messages(lists, older)
        for name in asked:
            progress.lane(name, now)
        progress.forget_lanes(asked)
        return asked

    async def _fill(
        self, channel: ListenedChannel, progress: Progress, asked: dict[str, Ask], now: Instant
    ) -> list[NetworkTrouble]:
        """Read the lists that have nothing waiting; return what went wrong."""
        troubles = []
        for name, ask in asked.items():
            lane, now_s = progress.lanes[name], time.monotonic()
            is_full = bool(lane.waiting) and lane.walk is None
            if is_full or now_s < lane.wait_until_s:
                continue
            floor = progress.floor(lane, channel.since, now)
            try:
                await lane.fill(ask, floor, progress.seen)
            except Limited as limited:
                lane.wait_until_s = now_s + limited.pause_s
            except NetworkTrouble as trouble:
                troubles.append(trouble)
            except (KeyError, httpx.InvalidURL):
                troubles.append(NetworkTrouble(NO_ACCESS, Trouble.UNAUTHORISED))
        return troubles

    async def _messages(self, lists: Lists, older: str | None) -> Batch:
        """Read messages; X's few readings are shared by all channels of an account."""
        if older is not None:
            return await lists.messages(ALL_MESSAGES, older)
        account_id = lists.account.id
        read = self._mailboxes.get(account_id)
        if read is None or time.monotonic() >= read.until_s:
            batch = await lists.messages(ALL_MESSAGES, None)
            until_s = time.monotonic() + message_pause_s(lists.account)
            read = self._mailboxes[account_id] = Mailbox(until_s, batch)
        return read.batch

    async def stream(self, channel: ListenedChannel) -> AsyncGenerator[Page, None]:
        """Yield what the filtered stream brings; messages are polled beside it.

        Raises:
            NetworkTrouble: the line broke, or could not be opened.
        """
        account = channel.account
        asked = _queries(channel, is_streamed=True)
        if not asked:
            raise NetworkTrouble("the account has no handle to listen for", Trouble.UNAUTHORISED)
        key = f"{account.settings.get('base_url')} {account.credentials.get('bearer_token')}"
        key = hashlib.sha256(key.encode()).hexdigest()
        line = self._lines.setdefault(key, Line(self._client, post_params(account)))
        async with aclosing(line.listen(Listener(channel, asked, us_of(account)))) as pages:
            async for page in pages:
                yield page

    def greet(self, account: Account, request: DeliveryRequest) -> WebAnswer:
        """Answer X's challenge-response check.

        Raises:
            BadSignature: there is no challenge, or no secret to answer it with.
        """
        secret = account.credentials.get("consumer_secret")
        return answer_to_challenge(secret, request.query.get("crc_token", ""))

    def receive(self, account: Account, request: DeliveryRequest) -> Delivered:
        """Return what X Activity or Account Activity brings.

        Raises:
            BadSignature: X did not sign these bytes.
        """
        verify(account.credentials.get("consumer_secret"), request)
        return Delivered(dict(pages_of(request.body, us_of(account))))

    def read_back(self, account: Account, reply: Reply, now: Instant) -> ReadBack:
        del reply, now
        return ReadBack.LOOK_UP if us_of(account).user_id else ReadBack.IMPOSSIBLE

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        try:
            wanted = call_for(reply)
            ids = await media_ids(self._client, account, reply)
            body = wanted.body | shown_by(reply, ids)
            request = user_request(self._client, account, "POST", wanted.path, json=body)
            answer = await call(self._client, request)
        except NotUploaded as missing:
            return missing.outcome
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except Unanswerable as reason:
            return Outcome(Certainty.REJECTED, reason=str(reason))
        except (KeyError, httpx.InvalidURL):
            return _no_access(Certainty.NOT_ACCEPTED)
        found = outcome_of_success(answer, reply, us_of(account))
        return found or outcome_of_refusal(answer, reply)

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        """Look for the reply among what the account said since its first attempt."""
        try:
            async with asyncio.timeout(LOOK_UP_WITHIN_S):
                return await self._look_up(account, reply)
        except Limited as limited:
            reason = "X takes no more look-ups for now"
            return Outcome(Certainty.MAYBE, reason=reason, retry_after_s=limited.pause_s)
        except (NetworkTrouble, Unanswerable) as error:
            return Outcome(Certainty.MAYBE, reason=str(error))
        except TimeoutError:
            return Outcome(Certainty.MAYBE, reason="the look-up took too long")
        except (KeyError, httpx.InvalidURL):
            return _no_access(Certainty.MAYBE)

    async def _look_up(self, account: Account, reply: Reply) -> Outcome:
        lists, older = Lists(self._client, account), None
        for _ in range(MOST_LOOKED_THROUGH):
            if reply.visibility is Visibility.PRIVATE:
                batch = await lists.messages(listing_path(reply), older)
            else:
                batch = await lists.own_posts(_second(begun_at(reply)), older)
            if (post := published_among(batch.found, reply)) is not None:
                return Outcome(Certainty.SENT, post.external_id, post.url)
            older = batch.older
            if older is None or _reaches_back(batch, begun_at(reply)):
                wait_ms = SHOWN_WITHIN_MS
                return Outcome(Certainty.NOT_ACCEPTED, reason=ABSENT, visible_within_ms=wait_ms)
        return Outcome(Certainty.MAYBE, reason="the account said too much to look through it")

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        """Take a public reply back; X has no way to take a message back from its receiver."""
        if reply.visibility is Visibility.PRIVATE:
            return Outcome(Certainty.REJECTED, reason="X cannot take a direct message back")
        if reply.external_id is None:
            return Outcome(Certainty.REJECTED, reason="it is not known which post it is")
        try:
            path = f"/2/tweets/{reply.external_id}"
            answer = await call(self._client, user_request(self._client, account, "DELETE", path))
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except (KeyError, httpx.InvalidURL):
            return _no_access(Certainty.NOT_ACCEPTED)
        data = answer.json.get("data")
        is_done = isinstance(data, dict) and data.get("deleted") is True
        if is_done or is_absent(answer):
            return Outcome(Certainty.SENT, reply.external_id)
        return outcome_of_refusal(answer, reply)


def _queries(channel: ListenedChannel, *, is_streamed: bool = False) -> list[str]:
    """Return what is looked for beside the mentions: of the stream, those are part."""
    own = us_of(channel.account).handle
    suffix = "" if keeps_reposts(channel.account) else "-is:retweet"
    suffix = f"{suffix} -from:{own}".strip() if own else suffix
    handles = [one for one in channel.handles if _bare(one) != own]
    if is_streamed and own and (_names(channel, own) or not (channel.handles or channel.keywords)):
        handles = [own, *handles]
    return queries(handles, channel.keywords, suffix)


def _names(channel: ListenedChannel, own: str) -> bool:
    return any(_bare(one) == own for one in channel.handles)


def _bare(handle: str) -> str:
    return handle.strip().removeprefix("@").casefold()


def _search(lists: Lists, query: str, now: Instant) -> Ask:
    async def ask(above: int, older: str | None) -> Batch:
        return await lists.searched(query, above, older, now)

    return ask


def _with_waits(page: Page, progress: Progress, lanes: list[Lane]) -> Page:
    """Add whether more is waiting, and how long to wait when X takes no call at all."""
    now_s = time.monotonic()
    left = [lane.wait_until_s - now_s for lane in lanes]
    is_silent = not page.posts and not page.unreadable and all(one > 0 for one in left)
    pause_s = min(left, default=0.0) if is_silent else None
    return Page(
        posts=page.posts,
        unreadable=page.unreadable,
        changes=page.changes,
        cursor=page.cursor,
        goes_on=progress.goes_on(now_s),
        retry_after_s=pause_s,
    )


def _reaches_back(batch: Batch, moment: Instant) -> bool:
    times = [getattr(one.post, "created_at", None) for one in batch.found]
    return any(at is not None and at < moment for at in times)


def _second(moment: Instant) -> str:
    """Write a moment without its milliseconds, as X wants it."""
    return rfc_3339(moment - moment % 1000)[:-5] + "Z"


def _no_access(certainty: Certainty) -> Outcome:
    return Outcome(certainty, reason=NO_ACCESS, retry_after_s=ACCESS_PAUSE_S)


def _now_ms() -> Instant:
    return time.time_ns() // 1_000_000
