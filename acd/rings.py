"""Whom a conversation's circle reaches: its workgroup, and what each open ring adds and drops."""

from collections.abc import Collection

from acd.model import RoutingPolicy
from conversations.model import Conversation, RequiredSkill, Ring


def open_rings(conversation: Conversation, policy: RoutingPolicy) -> tuple[Ring, ...]:
    return policy.rings[: conversation.ring]


def workgroups_in_reach(conversation: Conversation, policy: RoutingPolicy) -> frozenset[str]:
    """Return the workgroups whose members may get the conversation."""
    added = (ring.workgroup_ids for ring in open_rings(conversation, policy))
    return frozenset({conversation.workgroup_id}).union(*added)


def asked_skills(conversation: Conversation, policy: RoutingPolicy) -> tuple[RequiredSkill, ...]:
    """Return what an agent must have now: open rings drop skills and lower levels."""
    asked = (*conversation.required_skills, *policy.required_skills)
    for ring in open_rings(conversation, policy):
        asked = tuple(_lowered(one, ring) for one in asked if one.skill not in ring.drop_skills)
    return asked


def _lowered(asked: RequiredSkill, ring: Ring) -> RequiredSkill:
    levels = [low.min_proficiency for low in ring.lower_skills if low.skill == asked.skill]
    return RequiredSkill(asked.skill, min([asked.min_proficiency, *levels]))


def widest_reach(conversations: Collection[Conversation], policy: RoutingPolicy) -> frozenset[str]:
    """Return all workgroups whose members any of the conversations may go to."""
    widest = max(conversations, key=lambda c: c.ring, default=None)
    if widest is None:
        return frozenset({policy.workgroup_id})
    return workgroups_in_reach(widest, policy)
