"""What a connector is when nothing else is said: it neither hears nor takes anything back."""

from collections.abc import AsyncGenerator
from typing import ClassVar

import httpx

from connectors.guard import STRICT, Guard
from conversations.capabilities import Capabilities, Delivery
from conversations.connector import Setting
from conversations.model import Instant
from conversations.networks import (
    Account,
    BadSignature,
    Delivered,
    DeliveryRequest,
    ListenedChannel,
    NetworkTrouble,
    Page,
    WebAnswer,
)
from conversations.replies import Certainty, Outcome, ReadBack, Reply


class BaseConnector:
    """The part of `conversations.connector.Connector` that is alike on many networks."""

    network: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]] = ()
    address_setting: ClassVar[str | None] = None
    signing_setting: ClassVar[str | None] = None

    def __init__(self, client: httpx.AsyncClient, guard: Guard = STRICT) -> None:
        """Take the client that calls go through, and the guard for lines that are not HTTP."""
        self._client = client
        self._guard = guard

    def capabilities(self, account: Account) -> Capabilities:
        del account
        return Capabilities()

    def delivery(self, account: Account) -> Delivery:
        """Return what the account asks for by `settings.delivery`, if the network has it."""
        offered = self.capabilities(account).deliveries
        wanted = account.settings.get("delivery")
        for delivery in offered:
            if delivery.value == wanted:
                return delivery
        return Delivery.POLL if Delivery.POLL in offered else Delivery.WEBHOOK

    async def fetch(self, channel: ListenedChannel) -> Page:
        del channel
        raise NetworkTrouble(f"{self.network} cannot be asked for posts")

    async def stream(self, channel: ListenedChannel) -> AsyncGenerator[Page, None]:
        yield await self._no_stream(channel)

    async def _no_stream(self, channel: ListenedChannel) -> Page:
        del channel
        raise NetworkTrouble(f"{self.network} has no stream")

    def greet(self, account: Account, request: DeliveryRequest) -> WebAnswer:
        del account, request
        raise BadSignature(f"{self.network} asks no questions here")

    def receive(self, account: Account, request: DeliveryRequest) -> Delivered:
        del account, request
        raise BadSignature(f"{self.network} brings nothing here")

    def read_back(self, account: Account, reply: Reply, now: Instant) -> ReadBack:
        del reply, now
        return self.capabilities(account).read_back

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        del account, reply
        return Outcome(Certainty.REJECTED, reason=f"{self.network} cannot be answered on")

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        del account, reply
        return Outcome(Certainty.MAYBE, reason=f"{self.network} cannot be asked for what it has")

    async def edit(self, account: Account, reply: Reply, text: str) -> Outcome:
        del account, reply, text
        return Outcome(Certainty.REJECTED, reason=f"{self.network} knows no edits")

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        del account, reply
        return Outcome(Certainty.REJECTED, reason=f"{self.network} cannot take a post back")
