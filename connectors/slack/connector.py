"""Slack: channels and direct messages of a workspace, by its events and by asking."""

import json
import time

import httpx

from connectors.base import BaseConnector
from connectors.calls import call, outcome_of_failure
from connectors.fields import mapping, shown, words
from connectors.guard import STRICT, Guard
from connectors.looking_up import looked_up
from connectors.patience import Busy
from connectors.slack.calls import (
    HOST,
    NO_ACCESS,
    asked,
    error_of,
    is_ok,
    refusal_of,
    request,
)
from connectors.slack.reading import Reached, Said, SlackReader, delivered_chat, reached_from
from connectors.slack.signature import verify
from connectors.slack.wire import (
    METADATA_TYPE,
    Piece,
    escaped,
    html_free,
    joined_id,
    people_in,
    piece_of,
    reply_id_of,
    split_id,
    ts_of,
)
from connectors.waiting import Waiting
from conversations.capabilities import Allowance, Capabilities, Delivery, LengthRule
from conversations.connector import Setting
from conversations.model import Post, PostChange, Unreadable, Visibility
from conversations.networks import (
    Account,
    BadSignature,
    Delivered,
    DeliveryRequest,
    ListenedChannel,
    NetworkTrouble,
    Page,
    Trouble,
    WebAnswer,
)
from conversations.replies import Certainty, Outcome, ReadBack, Reply

CAPABILITIES = Capabilities(
    deliveries=frozenset({Delivery.WEBHOOK, Delivery.POLL}),
    visibilities=frozenset(Visibility),
    may_initiate_private=True,
    length=LengthRule(most=4_000),
    can_edit=True,
    can_delete=True,
    read_back=ReadBack.LOOK_UP,
    allowances=(Allowance("history", 50, 60),),
    poll_allowance="history",
)
"""40,000 characters is where Slack cuts a text off; it advises 4,000."""

SHOWN_WITHIN_MS = 2_000
CLOCKS_DIFFER_MS = 5_000


class SlackConnector(BaseConnector):
    """Hears what is said where the app is, and answers in the thread; knows its replies again."""

    network = "slack"
    address_setting = "team_id"
    signing_setting = "signing_secret"
    settings = (
        Setting("bot_user_id", "the app's own user, U…"),
        Setting("bot_token", "the app's key, xoxb-…", is_secret=True),
        Setting("signing_secret", "what events are signed with", is_secret=True),
        Setting("team_id", "the workspace, T…, where an app is in several", is_required=False),
        Setting("channel_ids", "ask in these only, a list of C…", is_required=False),
        Setting("delivery", "webhook or poll", is_required=False),
        Setting("url", f"where the network is, if not {HOST}", is_required=False),
    )

    def __init__(self, client: httpx.AsyncClient, guard: Guard = STRICT) -> None:
        super().__init__(client, guard)
        self._reader = SlackReader(client)
        self._waiting: Waiting[Said] = Waiting()

    def capabilities(self, account: Account) -> Capabilities:
        del account
        return CAPABILITIES

    def receive(self, account: Account, request: DeliveryRequest) -> Delivered:
        """Return the message of an event, or the answer to the question whether we are here.

        Raises:
            BadSignature: the network did not sign these bytes just now.
        """
        secret = account.credentials.get("signing_secret")
        if not secret or not isinstance(secret, str):
            raise BadSignature("the account has no signing_secret, so nothing can be signed for it")
        verify(secret, request.headers, request.body, int(time.time()))
        try:
            body = mapping(json.loads(request.body))
        except (ValueError, RecursionError):
            raw = shown(request.body.decode("utf-8", "replace"))
            piece = Unreadable("not_json", "the delivery is no JSON", raw)
            return Delivered({None: Page(unreadable=(piece,))})
        if body.get("type") == "url_verification":
            return Delivered({}, WebAnswer(words(body.get("challenge")) or ""))
        address = words(body.get("team_id")) if account.settings.get("team_id") else None
        return Delivered({address: self._delivered(account, mapping(body.get("event")))})

    def _delivered(self, account: Account, event: dict[str, object]) -> Page:
        if event.get("type") not in {"message", "app_mention"}:
            return Page()
        names = self._reader.names(account, people_in(event))
        return _page([piece_of(event, delivered_chat(account, event, names))])

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return what was said in the app's channels and threads since, oldest first.

        Raises:
            NetworkTrouble: the network did not answer, or refused the credentials.
        """
        reached, account = reached_from(channel.cursor), channel.account
        try:
            waiting = self._waiting.take(channel.id, channel.cursor)
            waiting = waiting or await self._reader.following(channel, reached)
            given = waiting[: max(1, channel.post_limit)]
            pieces = [piece_of(one.raw, await self._reader.place_of(account, one)) for one in given]
        except Busy as busy:
            return Page(retry_after_s=busy.retry_after_s)
        except httpx.HTTPError as error:
            raise NetworkTrouble(f"Slack did not answer: {type(error).__name__}") from error
        except (KeyError, httpx.InvalidURL) as error:
            raise NetworkTrouble(NO_ACCESS, Trouble.UNAUTHORISED) from error
        return self._handed_out(channel, reached, given, pieces, waiting[len(given) :])

    def _handed_out(  # what a page is made of
        self,
        channel: ListenedChannel,
        reached: Reached,
        given: list[Said],
        pieces: list[Piece | None],
        rest: list[Said],
    ) -> Page:
        cursor = reached.past(given).text
        self._waiting.keep(channel.id, cursor, rest)
        return _page(pieces, cursor, goes_on=bool(rest))

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        try:
            place = await self._place(account, reply)
        except Busy as busy:
            pause_s, reason = busy.retry_after_s, "too many calls"
            return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=pause_s)
        except (httpx.HTTPError, NetworkTrouble, KeyError, httpx.InvalidURL) as error:
            reason = f"the channel could not be asked for: {type(error).__name__}"
            return Outcome(Certainty.NOT_ACCEPTED, reason=reason)
        if place is None:
            return Outcome(
                Certainty.REJECTED, reason="only what was said can be answered in public"
            )
        chat, root = place
        known_by = {"event_type": METADATA_TYPE, "event_payload": {"reply_id": reply.id}}
        form = {"channel": chat, "text": escaped(reply.text), "metadata": json.dumps(known_by)}
        form |= {"thread_ts": root} if root else {}
        return await self._said(account, "chat.postMessage", form | {"mrkdwn": "false"})

    async def _place(self, account: Account, reply: Reply) -> tuple[str, str | None] | None:
        """Return the channel and the thread to answer in; a private answer never goes public."""
        answered, root = split_id(reply.in_reply_to), split_id(reply.thread_root)
        is_private = reply.visibility is Visibility.PRIVATE
        if answered is None and not is_private:
            return None
        if answered is not None and is_private:
            seen_by = await self._reader.visibility(account, answered[0])
            answered = None if seen_by is Visibility.PUBLIC else answered
        if answered is None:
            form = {"users": reply.to_external_id}
            opened = await asked(self._client, account, "conversations.open", form)
            return str(mapping(opened.get("channel"))["id"]), None
        if root is not None and root[0] == answered[0]:
            return answered[0], root[1]
        return answered[0], None if answered[0].startswith("D") else answered[1]

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        """Read the thread, or the channel, since the first attempt and look for the reply's id."""
        return await looked_up(self._look_up(account, reply), NO_ACCESS)

    async def _look_up(self, account: Account, reply: Reply) -> Outcome:
        place = await self._place(account, reply)
        if place is None:
            return Outcome(Certainty.NOT_ACCEPTED, reason="it was never sent anywhere")
        oldest = ts_of(max(0, reply.tried_since - CLOCKS_DIFFER_MS))
        form = {"channel": place[0], "oldest": oldest} | ({"ts": place[1]} if place[1] else {})
        method = "conversations.replies" if place[1] else "conversations.history"
        us = account.settings["bot_user_id"]
        for message in await self._reader.listed(account, method, form):
            if message.get("user") == us and _is_reply(message, reply, oldest):
                return Outcome(Certainty.SENT, joined_id(place[0], str(message["ts"])))
        reason = "the channel does not have it"
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, visible_within_ms=SHOWN_WITHIN_MS)

    async def edit(self, account: Account, reply: Reply, text: str) -> Outcome:
        place = split_id(reply.external_id)
        if place is None:
            return Outcome(Certainty.REJECTED, reason="it is not known where the reply is")
        form = {"channel": place[0], "ts": place[1], "text": escaped(text)}
        return await self._said(account, "chat.update", form)

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        place = split_id(reply.external_id)
        if place is None:
            return Outcome(Certainty.REJECTED, reason="it is not known where the reply is")
        return await self._said(account, "chat.delete", {"channel": place[0], "ts": place[1]})

    async def _said(self, account: Account, method: str, form: dict[str, str]) -> Outcome:
        """Call a method that writes; what is proof is the message's channel and moment."""
        try:
            answer = await call(self._client, request(self._client, account, method, form))
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except (KeyError, httpx.InvalidURL):
            return Outcome(Certainty.NOT_ACCEPTED, reason=NO_ACCESS)
        chat, ts = words(answer.json.get("channel")), words(answer.json.get("ts"))
        if is_ok(answer) and chat and ts:
            return Outcome(Certainty.SENT, joined_id(chat, ts))
        if method == "chat.delete" and error_of(answer) == "message_not_found":
            return Outcome(Certainty.SENT, joined_id(form["channel"], form["ts"]))
        return refusal_of(answer)


def _is_reply(message: dict[str, object], reply: Reply, oldest: str) -> bool:
    """Whether it says that it is the reply; one that says nothing is known by its words."""
    if known_by := reply_id_of(message):
        return known_by == reply.id
    is_since = str(message.get("ts")).zfill(18) >= oldest.zfill(18)
    return is_since and html_free(str(message.get("text"))).strip() == reply.text.strip()


def _page(pieces: list[Piece | None], cursor: str | None = None, *, goes_on: bool = False) -> Page:
    return Page(
        posts=[one for one in pieces if isinstance(one, Post)],
        unreadable=[one for one in pieces if isinstance(one, Unreadable)],
        changes=[one for one in pieces if isinstance(one, PostChange)],
        cursor=cursor,
        goes_on=goes_on,
    )
