"""Which networks there are, and what speaks to each."""

from collections.abc import Mapping

import httpx

from connectors.base import BaseConnector
from connectors.bluesky.connector import BlueskyConnector
from connectors.email.connector import EmailConnector
from connectors.facebook.connector import FacebookConnector
from connectors.feed.connector import FeedConnector
from connectors.guard import Guard
from connectors.instagram.connector import InstagramConnector
from connectors.mastodon.connector import MastodonConnector
from connectors.matrix.connector import MatrixConnector
from connectors.simulated import SimulatedConnector
from connectors.slack.connector import SlackConnector
from connectors.sms.connector import SmsConnector
from connectors.telegram.connector import TelegramConnector
from connectors.webhook import WebhookConnector
from connectors.x.connector import XConnector
from conversations.capabilities import Delivery
from conversations.connector import Connector
from conversations.networks import Account

_CONNECTORS: tuple[type[BaseConnector], ...] = (
    WebhookConnector,
    SimulatedConnector,
    XConnector,
    FacebookConnector,
    InstagramConnector,
    MastodonConnector,
    BlueskyConnector,
    MatrixConnector,
    TelegramConnector,
    SlackConnector,
    EmailConnector,
    SmsConnector,
    FeedConnector,
)
NETWORKS = tuple(connector.network for connector in _CONNECTORS)


def connectors(client: httpx.AsyncClient, guard: Guard) -> Mapping[str, Connector]:
    """Return each network's connector; their calls are made with the client."""
    return {each.network: each(client, guard) for each in _CONNECTORS}


def listened_networks(spoken: Mapping[str, Connector]) -> frozenset[str]:
    """Return the networks that have to be asked, or listened to, for posts."""
    return frozenset(name for name, connector in spoken.items() if _is_asked(connector))


def _is_asked(connector: Connector) -> bool:
    nobody = Account("", connector.network, {})
    return bool(connector.capabilities(nobody).deliveries & {Delivery.POLL, Delivery.STREAM})
