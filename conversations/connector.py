"""The contract between Parley and a network: one Protocol, one module of `connectors/` each."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from conversations.capabilities import Capabilities, Delivery
from conversations.model import Instant
from conversations.networks import (
    Account,
    Delivered,
    DeliveryRequest,
    ListenedChannel,
    Page,
    WebAnswer,
)
from conversations.replies import Outcome, ReadBack, Reply


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that an account of the network has, as people are to be told."""

    name: str
    meaning: str
    is_secret: bool = False
    is_required: bool = True


class Connector(Protocol):
    """One network's wire format, both ways; `connectors.base.BaseConnector` has the defaults.

    Nothing here raises for what a network or the line does, but for the named exceptions.
    """

    @property
    def network(self) -> str: ...

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What an account needs; secret ones are kept among its credentials."""
        ...

    @property
    def address_setting(self) -> str | None:
        """The setting that says for which account a delivery is, where one URL serves several."""
        ...

    @property
    def signing_setting(self) -> str | None:
        """The secret that signs deliveries: only accounts that share it share a URL."""
        ...

    def capabilities(self, account: Account) -> Capabilities:
        """Say what the account can do; never asks the network."""
        ...

    def delivery(self, account: Account) -> Delivery:
        """Say how the account's posts come; what comes by itself is polled too, but seldom."""
        ...

    async def fetch(self, channel: ListenedChannel) -> Page:
        """Return what follows the cursor, oldest first, `post_limit` posts of each kind at most.

        Raises:
            NetworkTrouble: the network did not answer, or refused the credentials.
        """
        ...

    def stream(self, channel: ListenedChannel) -> AsyncGenerator[Page, None]:
        """Yield pages without cursor as posts come from now on; an empty one is a sign of life.

        Raises:
            NetworkTrouble: the line broke, or could not be opened.
        """
        ...

    def greet(self, account: Account, request: DeliveryRequest) -> WebAnswer:
        """Answer a network that asks, by GET, whether this address is ours.

        Raises:
            BadSignature: it does not know the secret.
        """
        ...

    def receive(self, account: Account, request: DeliveryRequest) -> Delivered:
        """Read what a network brings by POST; the signature is over the raw body.

        Raises:
            BadSignature: the network did not sign these bytes just now.
        """
        ...

    def read_back(self, account: Account, reply: Reply, now: Instant) -> ReadBack:
        """Say how it can be found out now whether a maybe-accepted reply is there."""
        ...

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        """Make one attempt to publish; the reply's id is its key in every attempt."""
        ...

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        """Ask whether the reply is there: SENT, NOT_ACCEPTED (surely absent) or MAYBE."""
        ...

    async def edit(self, account: Account, reply: Reply, text: str) -> Outcome:
        """Give a sent reply another text; may be repeated until it is SENT or REJECTED."""
        ...

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        """Take a sent reply back; what is not there any more is SENT, that is done."""
        ...
