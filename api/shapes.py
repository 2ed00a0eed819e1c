"""Conversations, replies and notes as clients see them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from api.fields import Shape, Stamp, maybe_rfc3339, rfc3339
from api.links import TemporalLinks
from conversations.attachments import Attachment
from conversations.model import Conversation, ReplyState
from conversations.replies import Reply
from conversations.reply_parts import Change
from storage import bells, reading
from storage.journal import conversation_snapshot
from storage.previews import previews
from storage.reading import CustomerSeen
from workflows.addresses import conversation_workflow_id

MOMENTS = (
    "created_at",
    "queued_at",
    "offered_at",
    "connected_at",
    "held_at",
    "parked_until",
    "wrap_up_until",
    "ended_at",
    "last_post_at",
    "affinity_until",
)
DETAIL_MOMENTS = frozenset({"expires_at", "until"})
PLAIN = (
    "id",
    "state",
    "media_type",
    "network",
    "channel_id",
    "workgroup_id",
    "agent_id",
    "preferred_agent_id",
    "priority",
    "required_skills",
    "post_count",
    "unanswered_count",
    "continues",
    "continued_by",
    "wrap_up_code",
    "ended_by",
    "version",
)


SINCE_ROUTING: dict[str, Any] = {
    "ring": 0,
    "preferred_skills": [],
    "tags": [],
    "location": None,
    "consulted_agent_id": None,
    "merged_into": None,
}
"""Fields that events of before they were invented lack, and what they were then."""


class CustomerShape(Shape):
    id: str
    handle: str | None
    name: str | None


class OfferShape(Shape):
    id: str
    agent_id: str
    expires_at: Stamp


class WorkflowShape(Shape):
    id: str
    run_id: str | None
    url: str | None


class LocationShape(Shape):
    country: str | None
    place: str | None
    lat: float | None
    lon: float | None
    region: str | None = None


class RequiredSkillShape(Shape):
    skill: str
    min_proficiency: int


class ConversationShape(Shape):
    """A conversation; `agent_id` is its owner, while it alerts the agent is in `offer`."""

    id: str
    state: str
    media_type: str
    network: str
    channel_id: str
    workgroup_id: str
    agent_id: str | None
    preferred_agent_id: str | None
    customer: CustomerShape
    priority: int
    required_skills: list[RequiredSkillShape]
    offer: OfferShape | None
    offers: list[OfferShape]
    ring: int
    ring_until: Stamp | None
    preferred_skills: list[RequiredSkillShape]
    tags: list[str]
    location: LocationShape | None
    consulted_agent_id: str | None
    merged_into: str | None
    created_at: Stamp
    queued_at: Stamp
    offered_at: Stamp | None
    connected_at: Stamp | None
    held_at: Stamp | None
    parked_until: Stamp | None
    wrap_up_until: Stamp | None
    ended_at: Stamp | None
    last_post_at: Stamp
    affinity_until: Stamp
    post_count: int
    unanswered_count: int
    continues: str | None
    continued_by: str | None
    wrap_up_code: str | None
    ended_by: str | None
    version: int
    workflow: WorkflowShape
    preview: Annotated[
        str | None,
        Field(description="How the customer's last post begins; answers to commands leave it out"),
    ] = None


class PartShape(Shape):
    """One of a reply's posts; `state` is that of the reply while it is this one's turn."""

    text: str
    state: str
    external_id: str | None
    url: str | None


class ChangeShape(Shape):
    """The last edit or deletion that was asked for, and what became of it."""

    kind: str
    state: str
    text: str | None
    reason: str | None
    asked_at: Stamp


class AttachmentShape(Shape):
    """A file of a reply; its content is at `/attachments/{id}`."""

    id: str
    name: str
    media_type: str
    size_bytes: int
    alt_text: str | None


class ReplyShape(Shape):
    """A reply; an automatic one has no agent."""

    id: str
    conversation_id: str
    agent_id: str | None
    text: str
    visibility: str
    in_reply_to: str | None
    state: str
    attempts: int
    external_id: str | None
    url: str | None
    reason: str | None
    created_at: Stamp
    sent_at: Stamp | None
    undo_until: Stamp | None
    parts: list[PartShape]
    """The posts that it goes out as, when it is more than one."""
    change: ChangeShape | None
    attachments: list[AttachmentShape]


class NoteShape(Shape):
    id: str
    conversation_id: str
    agent_id: str | None
    author_name: str
    text: str
    mentions: list[str]
    created_at: Stamp


def conversation_shape(
    snapshot: Mapping[str, Any],
    customer: CustomerSeen,
    run_id: str | None,
    links: TemporalLinks,
) -> dict[str, Any]:
    """Return a conversation, as the row or an event keeps it, in the contract's form."""
    offers = [offer_shape(offer) for offer in snapshot.get("offers", ())]
    workflow_id = conversation_workflow_id(snapshot["id"])
    return {
        **{name: snapshot[name] for name in PLAIN},
        **{name: maybe_rfc3339(snapshot[name]) for name in MOMENTS},
        "customer": {"id": customer.id, "handle": customer.handle, "name": customer.name},
        **{name: snapshot.get(name, none) for name, none in SINCE_ROUTING.items()},
        "ring_until": maybe_rfc3339(snapshot.get("ring_until")),
        "offer": offers[0] if offers else None,
        "offers": offers,
        "workflow": {
            "id": workflow_id,
            "run_id": run_id,
            "url": links.to(workflow_id, run_id),
        },
    }


def offer_shape(offer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": offer["id"],
        "agent_id": offer["agent_id"],
        "expires_at": rfc3339(offer["expires_at"]),
    }


def read_shapes(
    connection: Connection, conversations: Sequence[Conversation], links: TemporalLinks
) -> list[dict[str, Any]]:
    """Return conversations for whoever reads them: with their customers' last words."""
    words = previews(connection, [conversation.id for conversation in conversations])
    shapes = shaped(connection, conversations, links)
    return [shape | {"preview": words.get(shape["id"])} for shape in shapes]


def shaped(
    connection: Connection, conversations: Sequence[Conversation], links: TemporalLinks
) -> list[dict[str, Any]]:
    """Return conversations in the contract's form, with their customers and runs.

    Answers to commands are kept with their keys, so no post's words are in them.
    """
    if not conversations:
        return []
    customers = reading.customers_seen(connection, conversations)
    runs = bells.run_ids(connection, [conversation.id for conversation in conversations])
    return [
        conversation_shape(conversation_snapshot(c), customers[c.id], runs.get(c.id), links)
        for c in conversations
    ]


def reply_shape(reply: Reply) -> dict[str, Any]:
    return {
        "id": reply.id,
        "conversation_id": reply.conversation_id,
        "agent_id": reply.agent_id,
        "text": reply.text,
        "visibility": reply.visibility.value,
        "in_reply_to": reply.in_reply_to,
        "state": reply.state.value,
        "attempts": reply.attempts,
        "external_id": reply.external_id,
        "url": reply.url,
        "reason": reply.reason,
        "created_at": rfc3339(reply.created_at),
        "sent_at": maybe_rfc3339(reply.sent_at),
        "undo_until": maybe_rfc3339(reply.undo_until),
        "parts": [_part_shape(reply, index) for index in range(len(reply.parts))],
        "change": _change_shape(reply.change) if reply.change else None,
        "attachments": [attachment_shape(one) for one in reply.attachments],
    }


def attachment_shape(attachment: Attachment) -> dict[str, Any]:
    return {
        "id": attachment.id,
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size_bytes": attachment.size_bytes,
        "alt_text": attachment.alt_text,
    }


def _part_shape(reply: Reply, index: int) -> dict[str, Any]:
    """Return a part; of a rejected reply those that were not tried are rejected, too."""
    part, turn = reply.parts[index], reply.sent_parts
    state = reply.state if index == turn or reply.is_settled else ReplyState.ACCEPTED
    return {
        "text": part.text,
        "state": (ReplyState.SENT if index < turn else state).value,
        "external_id": part.external_id,
        "url": part.url,
    }


def _change_shape(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "state": change.state.value,
        "text": change.text,
        "reason": change.reason,
        "asked_at": rfc3339(change.asked_at),
    }


def detail_shape(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event tells besides, its moments as the contract writes them."""
    return {
        name: rfc3339(value) if name in DETAIL_MOMENTS and isinstance(value, int) else value
        for name, value in detail.items()
    }


def note_shape(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{
            name: row[name] for name in ("id", "conversation_id", "agent_id", "author_name", "text")
        },
        "mentions": list(row.get("mentions", ())),
        "created_at": rfc3339(row["created_at"]),
    }
