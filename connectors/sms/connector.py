"""Text messages in Twilio's shape: brought by webhook, listed as a safety net, answered."""

import time
from collections.abc import AsyncIterator

import httpx

from connectors.base import BaseConnector
from connectors.calls import Answer, call, outcome_of_failure
from connectors.fields import mapping, sequence, shown, words
from connectors.guard import STRICT, Guard
from connectors.looking_up import looked_up
from connectors.patience import Busy
from connectors.sms.calls import (
    FAILED,
    HOST,
    NO_ACCESS,
    day_of,
    is_limit,
    meaning_of,
    outcome_of_publishing,
    request,
    trouble_of,
)
from connectors.sms.reached import Reached, reached_from
from connectors.sms.signature import verified_form
from connectors.sms.wire import Listed, listed, medium, post_of_form, post_of_listed, sid_of
from connectors.waiting import Waiting
from conversations.capabilities import Capabilities, CountingUnit, Delivery, LengthRule
from conversations.connector import Setting
from conversations.model import Media, Post, Unreadable, Visibility
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
    visibilities=frozenset({Visibility.PRIVATE}),
    may_initiate_private=True,
    length=LengthRule(unit=CountingUnit.SMS_SEGMENTS, most=10),
    read_back=ReadBack.LOOK_UP,
)

LARGEST_LIST = 16 * 1024 * 1024
MOST_LISTED = 1_000
LISTED_WITHIN_MS = 5_000
"""A message that was taken is in the list after so long at most; nobody promises that."""
CLOCKS_DIFFER_MS = 5_000
NOTHING = WebAnswer('<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")


class SmsConnector(BaseConnector):
    """Hears and answers text messages to one number; a message is found again by its words."""

    network = "sms"
    address_setting = "number"
    signing_setting = "auth_token"
    settings = (
        Setting("account_sid", "the account's identifier, AC…"),
        Setting("number", "the brand's number as Twilio writes it, +15551234567"),
        Setting("auth_token", "what calls and webhooks are signed with", is_secret=True),
        Setting("messaging_service_sid", "send through this service, MG…", is_required=False),
        Setting("status_callback_url", "where Twilio reports what arrived", is_required=False),
        Setting("delivery", "webhook or poll", is_required=False),
        Setting("url", f"where the network is, if not {HOST}", is_required=False),
    )

    def __init__(self, client: httpx.AsyncClient, guard: Guard = STRICT) -> None:
        super().__init__(client, guard)
        self._waiting: Waiting[Listed] = Waiting()

    def capabilities(self, account: Account) -> Capabilities:
        del account
        return CAPABILITIES

    def receive(self, account: Account, request: DeliveryRequest) -> Delivered:
        """Return the message, or what became of one of ours.

        Raises:
            BadSignature: the network did not sign this.
        """
        token = account.credentials.get("auth_token")
        if not token or not isinstance(token, str):
            raise BadSignature("the account has no auth_token, so nothing can be signed for it")
        form = verified_form(token, request)
        if "MessageStatus" in form:
            lost = _undelivered(form)
            return Delivered({form.get("From"): Page(unreadable=lost)}, NOTHING)
        one = post_of_form(form, time.time_ns() // 1_000_000)
        page = Page(posts=(one,)) if isinstance(one, Post) else Page(unreadable=(one,))
        return Delivered({form.get("To"): page}, NOTHING)

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return the messages to the number that follow, oldest first.

        Raises:
            NetworkTrouble: the network did not answer, or refused the credentials.
        """
        reached = reached_from(channel.cursor)
        try:
            waiting = self._waiting.take(channel.id, channel.cursor)
            waiting = waiting or await self._following(channel, reached)
            given = waiting[: max(1, channel.post_limit)]
            read = [await self._understood(channel.account, one) for one in given]
        except Busy as busy:
            return Page(retry_after_s=busy.retry_after_s)
        except httpx.HTTPError as error:
            raise NetworkTrouble(f"Twilio did not answer: {type(error).__name__}") from error
        except (KeyError, httpx.InvalidURL) as error:
            raise NetworkTrouble(NO_ACCESS, Trouble.UNAUTHORISED) from error
        cursor, rest = reached.past({one.key: one.at for one in given}).text, waiting[len(given) :]
        self._waiting.keep(channel.id, cursor, rest)
        return Page(
            posts=[one for one in read if isinstance(one, Post)],
            unreadable=[one for one in read if isinstance(one, Unreadable)],
            cursor=cursor,
            goes_on=bool(rest),
        )

    async def _following(self, channel: ListenedChannel, reached: Reached) -> list[Listed]:
        """List what came after the cursor, and what came late before it; the oldest is first."""
        bound = max(reached.looked_at_from, channel.since // 1_000 * 1_000)
        number = str(channel.account.settings["number"])
        found: dict[str, Listed] = {}
        filters = {"To": number, "PageSize": str(min(MOST_LISTED, max(50, channel.post_limit)))}
        if bound > 0:
            filters["DateSent>"] = day_of(bound)
        async for one in self._newest_first(channel.account, filters):
            if one.at < bound:
                break
            is_asked_for = mapping(one.raw).get("to") in {number, None}
            if is_asked_for and not reached.knows(one.key):
                found.setdefault(one.key, one)
        oldest_first = list(reversed(found.values()))
        return sorted(oldest_first, key=lambda one: one.at)

    async def _newest_first(
        self, account: Account, filters: dict[str, str]
    ) -> AsyncIterator[Listed]:
        """Yield messages page by page; a network may forget the filters from the second page on."""
        wanted = request(self._client, account, "GET", "Messages.json", params=filters)
        near = time.time_ns() // 1_000_000
        while True:
            page = _list_in(await call(self._client, wanted, largest=LARGEST_LIST), "messages")
            for entry in sequence(page["messages"]):
                one = listed(entry, near)
                near = one.at
                yield one
            path = words(page.get("next_page_uri"), 2_000)
            if path is None or not path.startswith("/") or path.startswith("//"):
                return
            wanted = request(self._client, account, "GET", path)

    async def _understood(self, account: Account, one: Listed) -> Post | Unreadable:
        media: tuple[Media, ...] = ()
        if words(mapping(one.raw).get("num_media")) not in {None, "0"}:
            media = await self._media(account, one.key)
        return post_of_listed(one, media)

    async def _media(self, account: Account, sid: str) -> tuple[Media, ...]:
        """Ask what was sent along; the list of messages only counts it."""
        wanted = request(self._client, account, "GET", f"Messages/{sid}/Media.json")
        page = _list_in(await call(self._client, wanted), "media_list")
        host = str(account.settings.get("url") or HOST).rstrip("/")
        found = []
        for entry in map(mapping, sequence(page["media_list"])):
            uri = words(entry.get("uri")) or ""
            address = host + uri.removesuffix(".json") if uri.startswith("/") else uri
            found.append(medium(address, entry.get("content_type")))
        return tuple(one for one in found if one is not None)

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        try:
            form = {"To": reply.to_external_id, "From": str(account.settings["number"])}
            form["Body"] = reply.text
            service = words(account.settings.get("messaging_service_sid"))
            callback = words(account.settings.get("status_callback_url"), 2_000)
            form |= {"MessagingServiceSid": service} if service else {}
            form |= {"StatusCallback": callback} if callback else {}
            wanted = request(self._client, account, "POST", "Messages.json", form=form)
            return outcome_of_publishing(await call(self._client, wanted))
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except (KeyError, httpx.InvalidURL):
            return Outcome(Certainty.NOT_ACCEPTED, reason=NO_ACCESS)

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        """Look for a message to the customer with these words since the first attempt."""
        return await looked_up(self._look_up(account, reply), NO_ACCESS)

    async def _look_up(self, account: Account, reply: Reply) -> Outcome:
        number, bound = str(account.settings["number"]), reply.tried_since - CLOCKS_DIFFER_MS
        filters = {"To": reply.to_external_id, "From": number, "PageSize": "50"}
        filters["DateSent>"] = day_of(bound)
        oldest: str | None = None
        async for one in self._newest_first(account, filters):
            if one.at < bound // 1_000 * 1_000:
                break
            if _is_said(mapping(one.raw), reply):
                oldest = one.key
        if oldest is not None:
            return Outcome(Certainty.SENT, oldest)
        reason = "the network has no such message"
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, visible_within_ms=LISTED_WITHIN_MS)


def _is_said(message: dict[str, object], reply: Reply) -> bool:
    """Whether the message has the reply's words; a trial account's begin with Twilio's own."""
    body = message.get("body")
    is_for_customer = message.get("to") == reply.to_external_id
    is_outgoing = str(message.get("direction")).startswith("outbound")
    if not isinstance(body, str) or not (is_for_customer and is_outgoing):
        return False
    said, wanted = body.strip(), reply.text.strip()
    return said == wanted or (said.startswith("Sent from your Twilio") and said.endswith(wanted))


def _list_in(answer: Answer, name: str) -> dict[str, object]:
    """Return a page of a list.

    Raises:
        NetworkTrouble: it is none.
    """
    if is_limit(answer):
        raise Busy(1.0 if answer.retry_after_s is None else answer.retry_after_s)
    if answer.status != 200:  # noqa: PLR2004
        raise trouble_of(answer)
    if not isinstance(answer.json.get(name), list):
        raise NetworkTrouble(f"Twilio's answer has no list of {name}")
    return answer.json


def _undelivered(form: dict[str, str]) -> tuple[Unreadable, ...]:
    """Return a message of ours that did not arrive: whoever looks into quarantine sees it."""
    status = form["MessageStatus"]
    if status not in FAILED:
        return ()
    sid = words(sid_of(form), 64)
    detail = f"the message {sid} was taken and then {status}: {meaning_of(form.get('ErrorCode'))}"
    return (Unreadable("undelivered", detail, shown(form), sid),)
