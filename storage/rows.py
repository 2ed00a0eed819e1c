"""Between rows and the pure core's values: the only place that knows both forms."""

from dataclasses import asdict, is_dataclass
from typing import Any

from sqlalchemy import RowMapping

from acd.licences import Allocation, LicenceKind, is_licensed
from acd.model import (
    DEFAULT_AGENT_ORDER,
    Agent,
    OrderKey,
    QueueOrder,
    RoutingPolicy,
    ScoreWeights,
    Utilization,
)
from acd.priority import queue_rank
from conversations.attachments import Attachment
from conversations.commands import WRAP_UP_TIMEOUT_S, Policy
from conversations.model import (
    Conversation,
    ConversationState,
    Instant,
    Location,
    MediaType,
    Offer,
    OfferTimeoutAction,
    PassedOver,
    ReplyState,
    RequiredSkill,
    Ring,
    RoutingStatus,
    Visibility,
    WrapUpMode,
    holders,
)
from conversations.replies import Reply
from conversations.reply_parts import Change, ChangeKind, ChangeState, Part

PRESENCE_LEASE_MS = 60_000
"""A logged-in agent with a lease counts as present so long after his last heartbeat."""

_PLAIN = (
    "id",
    "network",
    "account_id",
    "channel_id",
    "workgroup_id",
    "customer_id",
    "affinity_key",
    "affinity_window_s",
    "priority",
    "created_at",
    "queued_at",
    "last_post_at",
    "affinity_until",
    "weight_percent",
    "agent_id",
    "preferred_agent_id",
    "preferred_until",
    "offered_at",
    "connected_at",
    "held_at",
    "parked_until",
    "wrap_up_until",
    "ended_at",
    "post_count",
    "answered_count",
    "unsettled_replies",
    "continues",
    "continued_by",
    "wrap_up_code",
    "ended_by",
    "is_override",
    "ring",
    "ring_since",
    "ring_until",
    "consulted_agent_id",
    "merged_into",
    "reopened_at",
    "version",
)


def required_skills_from(skills: list[dict[str, Any]]) -> tuple[RequiredSkill, ...]:
    return tuple(RequiredSkill(s["skill"], s.get("min_proficiency", 0)) for s in skills)


def skills_values(skills: tuple[RequiredSkill, ...]) -> list[dict[str, Any]]:
    return [{"skill": s.skill, "min_proficiency": s.min_proficiency} for s in skills]


def location_from(place: dict[str, Any] | None) -> Location | None:
    return Location(**place) if place else None


def requirements(conversation: Conversation) -> str:
    """Name what a conversation asks of an agent; plain ones of one name fit the same agents.

    Those that wait for somebody or pass somebody over have names of their own, so that the
    first of each name is enough for a match: nothing at the head blocks what is behind it.
    """
    skills = sorted(f"{s.skill}:{s.min_proficiency}" for s in conversation.required_skills)
    wishes = sorted(f"{s.skill}?{s.min_proficiency}" for s in conversation.preferred_skills)
    choice = _choice(conversation)
    kind = CHOOSY if choice else "plain"
    ring = f"r{conversation.ring}"
    return " ".join([conversation.media_type, kind, *choice, ring, *skills, *wishes])


def _choice(conversation: Conversation) -> list[str]:
    """Name whom it waits for and passes over: many who wait for one agent hide nobody else."""
    waits = conversation.preferred_until is not None
    passed = sorted({f"-{passed.agent_id}" for passed in conversation.passed_over})
    return [*([f"+{conversation.preferred_agent_id}"] if waits else []), *passed]


CHOOSY = "choosy"


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a conversation's field holds
    """Return a field as JSON has it; `dataclasses.asdict` takes ten times as long."""
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value


def conversation_from(row: RowMapping) -> Conversation:
    """Read a conversation from its row."""
    return Conversation(
        state=ConversationState(row["state"]),
        media_type=MediaType(row["media_type"]),
        required_skills=required_skills_from(row["required_skills"]),
        preferred_skills=required_skills_from(row["preferred_skills"]),
        tags=tuple(row["tags"]),
        location=location_from(row["location"]),
        passed_over=tuple(PassedOver(p["agent_id"], p["until"]) for p in row["passed_over"]),
        offers=tuple(Offer(**offer) for offer in row["offers"]),
        **{name: row[name] for name in _PLAIN},
    )


def conversation_values(conversation: Conversation, order: QueueOrder) -> dict[str, Any]:
    """Write a conversation as its row's values, with what the indexes need.

    `order` is that of its workgroup's queue.
    """
    carriers = holders(conversation)
    offer = conversation.offer
    return {
        **{name: getattr(conversation, name) for name in _PLAIN},
        "state": conversation.state.value,
        "media_type": conversation.media_type.value,
        "required_skills": skills_values(conversation.required_skills),
        "preferred_skills": skills_values(conversation.preferred_skills),
        "tags": list(conversation.tags),
        "location": asdict(conversation.location) if conversation.location else None,
        "requirements": requirements(conversation),
        "queue_rank": queue_rank(conversation, order),
        "passed_over": [asdict(passed) for passed in conversation.passed_over],
        "offers": [asdict(each) for each in conversation.offers],
        "offer_id": offer.id if offer else None,
        "offer_agent_id": offer.agent_id if offer else None,
        "offer_expires_at": offer.expires_at if offer else None,
        "holder_agent_id": carriers[0].agent_id if carriers else None,
    }


def utilization_from(levels: dict[str, Any]) -> dict[MediaType, Utilization]:
    return {
        MediaType(media_type): Utilization(level["percent"], level.get("max"))
        for media_type, level in levels.items()
        if media_type in set(MediaType)
    }


def rings_from(rings: list[dict[str, Any]]) -> tuple[Ring, ...]:
    return tuple(
        Ring(
            ring["after_s"],
            tuple(ring.get("workgroups", ())),
            tuple(ring.get("drop_skills", ())),
            required_skills_from(ring.get("lower_skills", [])),
            ring.get("at_once_if_nobody", False),
        )
        for ring in rings
    )


def policy_from(row: RowMapping) -> Policy:
    """Read what a transition needs from a workgroup's row."""
    wrap_up = row["wrap_up"] or {}
    return Policy(
        offer_timeout_s=row["offer_timeout_s"],
        decline_backoff_s=row["decline_backoff_s"],
        preferred_agent_wait_s=row["preferred_agent_wait_s"],
        wrap_up_mode=WrapUpMode(wrap_up.get("mode", WrapUpMode.NONE)),
        wrap_up_timeout_s=wrap_up.get("timeout_s") or WRAP_UP_TIMEOUT_S,
        wrap_up_codes=() if wrap_up.get("only_offered") else tuple(wrap_up.get("codes", ())),
        offer_timeout_action=OfferTimeoutAction(row["offer_timeout_action"]),
        auto_accept=row["auto_accept"],
        keeps_age_on_transfer=row["age_on_transfer"] == "keep",
        rings=rings_from(row["rings"]),
    )


def queue_order_from(row: RowMapping) -> QueueOrder:
    return QueueOrder(ScoreWeights(**row["score_weights"]), is_strict=row["strict_priority"])


def routing_policy_from(row: RowMapping) -> RoutingPolicy:
    """Read what routing needs from a workgroup's row."""
    return RoutingPolicy(
        row["id"],
        row["version"],
        utilization_from(row["utilization"]),
        required_skills_from(row["required_skills"]),
        required_skills_from(row["preferred_skills"]),
        queue_order_from(row),
        tuple(OrderKey(key) for key in row["agent_order"]) or DEFAULT_AGENT_ORDER,
        rings_from(row["rings"]),
        row["offers_at_once"],
    )


def rights_from(row: RowMapping) -> frozenset[MediaType]:
    """Return the media types that the agent may get: his own list, and none without the role."""
    if "agent" not in row["roles"]:
        return frozenset()
    return frozenset(MediaType(m) for m in row["media_types"] if m in set(MediaType))


def agent_from(
    row: RowMapping,
    now: Instant,
    workgroup_ids: frozenset[str],
    load_count: dict[MediaType, int] | None = None,
) -> Agent:
    """Read an agent as a routing candidate; `seen_at` is the last heartbeat, if any.

    `station_licensed` tells of the station that he is logged in at, `…_allocation` how licences
    of a kind are allocated.
    """
    seen_at = row["seen_at"]
    is_present = not row["presence_lease"] or (
        seen_at is not None and now - seen_at <= PRESENCE_LEASE_MS
    )
    return Agent(
        id=row["id"],
        routing_status=RoutingStatus(row["routing_status"]),
        is_present=is_present,
        is_licensed=_is_licensed(row),
        is_enabled=row["enabled"],
        workgroup_ids=workgroup_ids,
        skills=row["skills"],
        load_percent=row["utilization"],
        idle_since=row["idle_since"],
        utilization=utilization_from(row["own_utilization"]),
        load_count=load_count or {},
        may_get=rights_from(row),
        offered_at=row["offered_at"],
        signs_off_at=row["sign_off_at"],
        location=location_from(row["place"]),
    )


def _is_licensed(row: RowMapping) -> bool:
    return is_licensed(
        marks_from(row),
        LicenceKind(row["held_licence"]) if row["held_licence"] else None,
        {kind: Allocation(row[f"{kind.value}_allocation"]) for kind in LicenceKind},
    )


def marks_from(row: RowMapping) -> frozenset[LicenceKind]:
    """Return which licences the user and the user's station are marked for."""
    marks = {LicenceKind.USER: row["licensed"], LicenceKind.STATION: row["station_licensed"]}
    return frozenset(kind for kind, is_marked in marks.items() if is_marked)


_REPLY_PLAIN = (
    "id",
    "conversation_id",
    "account_id",
    "channel_id",
    "network",
    "agent_id",
    "text",
    "to_external_id",
    "to_handle",
    "in_reply_to",
    "covers",
    "created_at",
    "tried_since",
    "attempts",
    "attempt_until",
    "is_in_doubt",
    "next_attempt_at",
    "external_id",
    "url",
    "reason",
    "sent_at",
    "thread_root",
    "undo_until",
)


def reply_from(row: RowMapping) -> Reply:
    return Reply(
        visibility=Visibility(row["visibility"]),
        state=ReplyState(row["state"]),
        parts=tuple(Part(**part) for part in row["parts"]),
        change=_change_from(row["change"]) if row["change"] else None,
        attachments=tuple(Attachment(**one) for one in row["attachments"]),
        **{name: row[name] for name in _REPLY_PLAIN},
    )


def _change_from(change: dict[str, Any]) -> Change:
    return Change(
        **{
            **change,
            "kind": ChangeKind(change["kind"]),
            "state": ChangeState(change["state"]),
            "texts": tuple(change["texts"]),
        }
    )


def reply_values(reply: Reply) -> dict[str, Any]:
    return {
        **{name: getattr(reply, name) for name in _REPLY_PLAIN},
        "parts": [asdict(part) for part in reply.parts],
        "change": asdict(reply.change) if reply.change else None,
        "has_pending_change": reply.has_pending_change,
        "attachments": [attachment_value(one) for one in reply.attachments],
        "visibility": reply.visibility.value,
        "state": reply.state.value,
    }


def attachment_value(attachment: Attachment) -> dict[str, Any]:
    """Return what a row keeps of a file; its content is kept once, beside."""
    return {
        "id": attachment.id,
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size_bytes": attachment.size_bytes,
        "alt_text": attachment.alt_text,
    }
