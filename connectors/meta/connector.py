"""What Facebook and Instagram have in common: deliveries, polls, private messages."""

import asyncio
import json
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import ClassVar

import httpx

from connectors.base import BaseConnector
from connectors.calls import Answer, outcome_of_failure
from connectors.guard import STRICT, Guard
from connectors.meta.cursor import Found, cursor_from, handed_out, in_order
from connectors.meta.deliveries import Dialect, delivered
from connectors.meta.graph import NO_ACCESS, Graph, Limited, Meaning, NoAccess, Refusal
from connectors.meta.messages import NOT_SHOWN, Ours, listed_message
from connectors.meta.reading import message_pages, with_messages
from connectors.meta.replies import (
    VISIBLE_WITHIN_MS,
    Said,
    attempted,
    found_among,
    message_of,
    no_access,
    outcome_of,
    refusal_of,
    since_of,
)
from connectors.meta.signature import answer_challenge, verify
from connectors.meta.spoken import Spoken
from connectors.meta.values import PUBLIC_ID
from connectors.waiting import Waiting
from conversations.capabilities import Delivery
from conversations.connector import Setting
from conversations.model import Instant, Post, Unreadable, Visibility
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
from conversations.replies import Certainty, Outcome, Reply

LOOK_UP_WITHIN_S = 8.0
ANY_NUMBER = 1_000
"""Of pages: a look-up is bounded by its time, for what it did not see may be there."""

_NO_PERMISSION = 10

SETTINGS = (
    Setting("delivery", "webhook (and seldom polled) or poll", is_required=False),
    Setting("human_agent", "true when the app has the Human Agent permission", is_required=False),
    Setting("graph_version", "of the Graph API, v26.0 if not given", is_required=False),
    Setting("url", "the Graph API's address, if it is another one", is_required=False),
    Setting("token", "an access token that does not expire", is_secret=True),
    Setting("app_secret", "the Meta app's secret, which signs deliveries", is_secret=True),
    Setting("verify_token", "what Meta is told to ask the webhook with", is_secret=True),
)


class MetaConnector(BaseConnector):
    """One of Meta's networks; a subclass says what is public there."""

    signing_setting = "app_secret"
    title: ClassVar[str]
    platform: ClassVar[str]
    has_metadata: ClassVar[bool] = False

    def __init__(self, client: httpx.AsyncClient, guard: Guard = STRICT) -> None:
        super().__init__(client, guard)
        self._waiting: Waiting[Found] = Waiting()
        self._spoken = Spoken()

    @abstractmethod
    def _dialect(self, account: Account) -> Dialect: ...

    def _ours(self, account: Account, own_id: str | None = None) -> Ours:
        """Return who the brand is; its name is known only of the account that was called."""
        called_id = str(account.settings.get(self.address_setting or ""))
        if own_id not in (None, called_id):
            return Ours(self.title, frozenset({own_id}))
        username = str(account.settings.get("username") or "").removeprefix("@").casefold()
        return Ours(self.title, frozenset({called_id}), username or None)

    @abstractmethod
    async def _listed(
        self, graph: Graph, account: Account, public_floor: Instant, private_floor: Instant
    ) -> list[Found]:
        """Ask for what was said from those moments on, the newest first."""

    @abstractmethod
    async def _publish_in_public(self, graph: Graph, account: Account, reply: Reply) -> Outcome: ...

    @abstractmethod
    async def _find_in_public(self, graph: Graph, account: Account, reply: Reply) -> Outcome: ...

    def delivery(self, account: Account) -> Delivery:
        """Return how posts come: brought by a webhook unless the account says otherwise."""
        is_polled = account.settings.get("delivery") == Delivery.POLL.value
        return Delivery.POLL if is_polled else Delivery.WEBHOOK

    def greet(self, account: Account, request: DeliveryRequest) -> WebAnswer:
        """Echo Meta's challenge.

        Raises:
            BadSignature: whoever asks does not know the token.
        """
        return answer_challenge(account.credentials.get("verify_token"), request.query)

    def receive(self, account: Account, request: DeliveryRequest) -> Delivered:
        """Return what a delivery brought, for each page that it names.

        Raises:
            BadSignature: Meta did not sign these bytes.
        """
        verify(account.credentials.get("app_secret"), request.headers, request.body)
        return delivered(request.body, self._dialect(account))

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return what no delivery may have brought, the oldest first.

        Raises:
            NetworkTrouble: the network did not answer, or refused the credentials.
        """
        cursor = cursor_from(channel.cursor)
        waiting = self._waiting.take(channel.id, channel.cursor)
        if not waiting:
            public_floor = max(cursor.public.floor, channel.since)
            private_floor = max(cursor.private.floor, channel.since)
            try:
                graph = Graph(self._client, channel.account)
                listed = await self._listed(graph, channel.account, public_floor, private_floor)
            except Limited as limit:
                return Page(retry_after_s=limit.pause_s)
            except NoAccess as error:
                raise NetworkTrouble(NO_ACCESS, Trouble.UNAUTHORISED) from error
            waiting = in_order(one for one in listed if one.at >= channel.since)
        handed, rest, reached = handed_out(cursor, waiting, channel.post_limit)
        self._waiting.keep(channel.id, reached.text, rest)
        ours = self._ours(channel.account)
        understood = [ours.addressed(one.content) for one in handed]
        return Page(
            posts=[one for one in understood if isinstance(one, Post)],
            unreadable=[one for one in understood if isinstance(one, Unreadable)],
            cursor=reached.text,
            goes_on=bool(rest),
        )

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        try:
            graph = Graph(self._client, account)
        except NoAccess:
            return no_access()
        if reply.visibility is Visibility.PRIVATE:
            outcome = await self._send(graph, account, reply)
        else:
            outcome = await self._publish_in_public(graph, account, reply)
        return self._noted(outcome, reply)

    def _noted(self, outcome: Outcome, reply: Reply) -> Outcome:
        if outcome.certainty is Certainty.SENT and outcome.external_id is not None:
            self._spoken.note(outcome.external_id, reply.id)
        return outcome

    async def _send(self, graph: Graph, account: Account, reply: Reply) -> Outcome:
        """Send a private message within the window; after it as a human agent who may."""
        recipient = self._recipient(reply)
        if recipient is None:
            reason = f"{self.title} does not say who wrote this: it has only a public answer"
            return Outcome(Certainty.REJECTED, reason=reason)
        fields = {
            "recipient": json.dumps(recipient),
            "message": message_of(reply, has_metadata=self.has_metadata),
        }
        is_to_person = "id" in recipient
        kind = {"messaging_type": "RESPONSE"} if is_to_person else {}
        answer = await attempted(graph, "me/messages", **fields, **kind)
        meaning = _refusal_by_window(graph, answer)
        if meaning is None:
            return outcome_of(graph, answer, "message_id", reply)
        if not is_to_person or not _has_human_agents(account):
            return self._too_late(meaning, is_to_person=is_to_person)
        return await self._send_as_human(graph, reply, fields)

    async def _send_as_human(self, graph: Graph, reply: Reply, fields: dict[str, str]) -> Outcome:
        kind = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        answer = await attempted(graph, "me/messages", **fields, **kind)
        if isinstance(answer, Outcome):
            return answer
        refusal = _refusal_of_human_agent(graph.meaning(answer))
        if refusal is not None:
            return Outcome(Certainty.REJECTED, reason=refusal)
        return outcome_of(graph, answer, "message_id", reply)

    def _too_late(self, meaning: Meaning, *, is_to_person: bool) -> Outcome:
        within = "24 hours of the customer's last message, or within 7 days by an app that has the"
        reason = f"{self.title} takes a private message only within {within} Human Agent permission"
        if not is_to_person:
            reason = f"{self.title} takes one private reply to a comment, within 7 days"
        return Outcome(Certainty.REJECTED, reason=f"{reason} ({meaning.reason})")

    def _recipient(self, reply: Reply) -> dict[str, str] | None:
        """Return to whom a private message goes: the author of a comment, or a known person."""
        if reply.in_reply_to is not None and PUBLIC_ID.fullmatch(reply.in_reply_to):
            return {self._private_target(reply): reply.in_reply_to}
        if not PUBLIC_ID.fullmatch(reply.to_external_id):
            return None
        return {"id": reply.to_external_id}

    def _private_target(self, reply: Reply) -> str:
        del reply
        return "comment_id"

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        try:
            async with asyncio.timeout(LOOK_UP_WITHIN_S):
                graph = Graph(self._client, account)
                if reply.visibility is Visibility.PRIVATE:
                    outcome = await self._find_in_private(graph, account, reply)
                else:
                    outcome = await self._find_in_public(graph, account, reply)
        except Limited as limit:
            reason, pause_s = str(limit), limit.pause_s
            return Outcome(Certainty.MAYBE, reason=reason, retry_after_s=pause_s)
        except (NetworkTrouble, TimeoutError) as error:
            detail = str(error) or "it took too long"
            return Outcome(Certainty.MAYBE, reason=f"the look-up failed: {detail}")
        except NoAccess:
            return Outcome(Certainty.MAYBE, reason=NO_ACCESS)
        return self._noted(outcome, reply)

    async def _find_in_private(self, graph: Graph, account: Account, reply: Reply) -> Outcome:
        """Look through the customer's conversation, back to when the reply was first tried."""
        pieces = await graph.page(
            "me/conversations",
            platform=self.platform,
            user_id=reply.to_external_id,
            fields=with_messages(self.platform),
        )
        ours, said = self._ours(account), []
        for conversation in pieces.entries:
            pages = message_pages(graph, conversation, self.platform, ANY_NUMBER)
            said += [one async for one in _own_messages(pages, ours, since_of(reply))]
        return self._verdict(said, reply, reply.text)

    def _verdict(self, said: list[Said], reply: Reply, text: str) -> Outcome:
        found = found_among(said, reply, text, self._spoken)
        if found is not None:
            return Outcome(Certainty.SENT, found.external_id, found.url)
        reason = f"{self.title} does not have it"
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, visible_within_ms=VISIBLE_WITHIN_MS)

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        """Take a comment back; a private message stays where it is."""
        external_id = reply.external_id
        if external_id is None or reply.visibility is Visibility.PRIVATE:
            reason = f"a private message on {self.title} cannot be taken back from here"
            return Outcome(Certainty.REJECTED, reason=reason)
        try:
            graph = Graph(self._client, account)
            answer = await graph.delete(external_id)
            if answer.json.get("success") is True:
                return Outcome(Certainty.SENT, external_id)
            meaning = graph.meaning(answer)
            if meaning.refusal is Refusal.GONE:
                return await _absence(graph, external_id, meaning)
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except NoAccess:
            return no_access()
        return refusal_of(meaning, reply)


def _refusal_by_window(graph: Graph, answer: Answer | Outcome) -> Meaning | None:
    """Return the network's words when it refused for the window's sake, and for nothing else."""
    if isinstance(answer, Outcome):
        return None
    meaning = graph.meaning(answer)
    return meaning if meaning.refusal is Refusal.WINDOW else None


def _refusal_of_human_agent(meaning: Meaning) -> str | None:
    """Return why a human agent may not answer; the token itself was good a moment ago."""
    if meaning.refusal is Refusal.WINDOW:
        return (
            "more than 7 days have passed since the customer's last message: only the customer"
            f" can take the conversation up again ({meaning.reason})"
        )
    if meaning.code == _NO_PERMISSION:
        return (
            "more than 24 hours have passed since the customer's last message, and the app does"
            f" not have the Human Agent permission ({meaning.reason})"
        )
    return None


def _has_human_agents(account: Account) -> bool:
    return str(account.settings.get("human_agent", "")).casefold() in ("true", "yes", "1")


async def _absence(graph: Graph, external_id: str, meaning: Meaning) -> Outcome:
    """Tell what is gone from what may not be touched: the network says the same of both."""
    seen = await graph.get(external_id, fields="id")
    if graph.meaning(seen).refusal is Refusal.GONE:
        return Outcome(Certainty.SENT, external_id)
    return Outcome(Certainty.REJECTED, reason=f"the network answered {meaning.reason}")


async def _own_messages(
    pages: AsyncIterator[list[object]], ours: Ours, since: Instant
) -> AsyncIterator[Said]:
    """Yield what the account said from a moment on.

    Raises:
        NetworkTrouble: some of it is not shown any more, so nobody can say what is absent.
    """
    async for entries in pages:
        for entry in entries:
            found = listed_message(entry, ours, since)
            if found.at < since:
                return
            match found.content:
                case Unreadable(code=code) if code == NOT_SHOWN:
                    raise NetworkTrouble("the conversation is not shown back to the attempt")
                case Post(is_own=True, text=text, url=url):
                    yield Said(found.external_id, text, found.at, url)
