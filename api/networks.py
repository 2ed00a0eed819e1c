"""Which networks there are, what an account of each needs, and what it can do."""

from collections.abc import Iterable
from typing import Any

from api.context import ContextOf
from api.fields import Shape
from api.listing import Listing, listing
from api.routes import READS, new_router
from conversations.attachments import AttachmentRule
from conversations.capabilities import Capabilities, LengthRule
from conversations.connector import Connector
from conversations.model import Visibility
from conversations.networks import Account

router = new_router("networks")


class SettingShape(Shape):
    """A value that an account of the network has; a secret one belongs to its credentials."""

    name: str
    meaning: str
    is_secret: bool
    is_required: bool


class LengthShape(Shape):
    """How long one post may be: `unit` says what is counted, 0 is no limit."""

    unit: str
    limit: int
    link_length: int
    limit_bytes: int


class AttachmentRuleShape(Shape):
    """Which files a reply may have; `alone` goes with no other, 0 alt text: none is carried."""

    limit: int
    media_types: list[str]
    limit_bytes: int
    alone: list[str]
    limit_alt_text: int
    needs_alt_text: bool


class CapabilitiesShape(Shape):
    deliveries: list[str]
    visibilities: list[str]
    may_initiate_private: bool
    may_answer_in_private: bool
    reply_depth: str
    is_threaded: bool
    can_edit: bool
    can_delete: bool
    can_change_private: bool
    has_idempotency: bool
    read_back: str


class NetworkShape(Shape):
    """A network as an account without settings finds it; settings may move its limits."""

    network: str
    settings: list[SettingShape]
    capabilities: CapabilitiesShape
    public_length: LengthShape
    private_length: LengthShape
    caption_length: LengthShape | None
    public_attachments: AttachmentRuleShape
    private_attachments: AttachmentRuleShape


@router.get("/networks", response_model=Listing[NetworkShape], responses=READS)
async def list_networks(context: ContextOf) -> dict[str, Any]:
    """Read every network that Parley speaks."""
    spoken = sorted(context.connectors.items())
    return listing([_network(name, connector) for name, connector in spoken], None)


def _network(name: str, connector: Connector) -> dict[str, Any]:
    known = connector.capabilities(Account("", name, {}))
    return {
        "network": name,
        "settings": [
            {
                "name": setting.name,
                "meaning": setting.meaning,
                "is_secret": setting.is_secret,
                "is_required": setting.is_required,
            }
            for setting in connector.settings
        ],
        "capabilities": _capabilities(known),
        "public_length": length_shape(known.length),
        "private_length": length_shape(known.private_length or known.length),
        "caption_length": known.caption_length and length_shape(known.caption_length),
        "public_attachments": attachments_shape(known.attachments_of(Visibility.PUBLIC)),
        "private_attachments": attachments_shape(known.attachments_of(Visibility.PRIVATE)),
    }


def _capabilities(known: Capabilities) -> dict[str, Any]:
    return {
        "deliveries": _names(known.deliveries),
        "visibilities": _names(known.visibilities),
        "may_initiate_private": known.may_initiate_private,
        "may_answer_in_private": known.may_answer_in_private,
        "reply_depth": known.reply_depth.value,
        "is_threaded": known.is_threaded,
        "can_edit": known.can_edit,
        "can_delete": known.can_delete,
        "can_change_private": known.can_change_private,
        "has_idempotency": known.has_idempotency,
        "read_back": known.read_back.value,
    }


def _names(values: Iterable[str]) -> list[str]:
    return sorted(str(value) for value in values)


def attachments_shape(rule: AttachmentRule) -> dict[str, Any]:
    return {
        "limit": rule.most,
        "media_types": sorted(rule.media_types),
        "limit_bytes": rule.most_bytes,
        "alone": sorted(rule.alone),
        "limit_alt_text": rule.longest_alt_text,
        "needs_alt_text": rule.needs_alt_text,
    }


def length_shape(rule: LengthRule) -> dict[str, Any]:
    return {
        "unit": rule.unit.value,
        "limit": rule.most,
        "link_length": rule.link_length,
        "limit_bytes": rule.most_bytes,
    }
