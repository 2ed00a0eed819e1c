"""Who may get a conversation: each reason alone and all of them together."""

from dataclasses import replace
from itertools import combinations

import pytest

from acd.eligibility import ROOM_REASONS, Reason, reasons_against, standing
from acd.model import Agent, RoutingPolicy, Utilization
from conversations.model import Conversation, MediaType, PassedOver, RequiredSkill, RoutingStatus
from conversations.transitions import ROOM_REASONS as ROOM_REASONS_OF_CONVERSATIONS
from tests.acd.samples import AGENT, POLICY, PUBLIC, agent, waiting
from tests.conversations.samples import NOW

ALL = tuple(Reason)
SUBSETS = [frozenset(some) for n in range(len(ALL) + 1) for some in combinations(ALL, n)]


def situation(reasons: frozenset[Reason]) -> tuple[Conversation, Agent, RoutingPolicy]:
    """Make a conversation and an agent with exactly these reasons between them."""
    conversation, candidate, policy = waiting(), AGENT, POLICY
    own = Utilization(30, 1 if Reason.MAXIMUM_COUNT in reasons else 4)
    candidate = replace(
        candidate,
        is_enabled=Reason.DISABLED not in reasons,
        is_present=Reason.NOT_PRESENT not in reasons,
        is_licensed=Reason.NOT_LICENSED not in reasons,
        load_percent=71 if Reason.CAPACITY in reasons else 70,
        load_count={PUBLIC: 1},
        utilization={PUBLIC: own},
        may_get=frozenset() if Reason.NO_RIGHT in reasons else frozenset({PUBLIC}),
    )
    if Reason.NOT_ON_QUEUE in reasons:
        candidate = replace(candidate, routing_status=RoutingStatus.DRAINING)
    if Reason.NOT_A_MEMBER in reasons:
        candidate = replace(candidate, workgroup_ids=frozenset({"workgroup-2"}))
    if Reason.MISSING_SKILL in reasons:
        conversation = replace(conversation, required_skills=(RequiredSkill("billing"),))
    if Reason.PASSED_OVER in reasons:
        conversation = replace(conversation, passed_over=(PassedOver("agent-1", NOW + 1),))
    return conversation, candidate, policy


@pytest.mark.parametrize("reasons", SUBSETS, ids=lambda some: "+".join(sorted(some)) or "none")
def test_every_combination_of_reasons_is_told_in_full(reasons: frozenset[Reason]) -> None:
    conversation, candidate, policy = situation(reasons)
    told = reasons_against(conversation, candidate, policy, NOW)
    assert told == tuple(reason for reason in Reason if reason in reasons)
    assert standing(conversation, candidate, policy, NOW).is_eligible == (not reasons)


@pytest.mark.parametrize(
    ("signs_off_at", "is_over"), [(None, False), (NOW + 1, False), (NOW, True)]
)
@pytest.mark.parametrize("reasons", [*SUBSETS[:1], *SUBSETS[-1:]], ids=["none", "all"])
def test_a_scheduled_sign_off_is_off_the_queue_from_its_moment(
    reasons: frozenset[Reason], signs_off_at: int | None, *, is_over: bool
) -> None:
    conversation, candidate, policy = situation(reasons - {Reason.NOT_ON_QUEUE})
    leaving = replace(candidate, signs_off_at=signs_off_at)
    told = reasons_against(conversation, leaving, policy, NOW)
    assert (Reason.NOT_ON_QUEUE in told) is is_over
    assert set(told) - {Reason.NOT_ON_QUEUE} == reasons - {Reason.NOT_ON_QUEUE}


@pytest.mark.parametrize("media_type", list(MediaType))
def test_a_right_is_to_one_media_type(media_type: MediaType) -> None:
    told = reasons_against(
        waiting(media_type=media_type), agent(may_get=frozenset({PUBLIC})), POLICY, NOW
    )
    assert told == (() if media_type is PUBLIC else (Reason.NO_RIGHT,))


@pytest.mark.parametrize("status", list(RoutingStatus))
def test_only_on_queue_is_on_queue(status: RoutingStatus) -> None:
    told = reasons_against(waiting(), agent(routing_status=status), POLICY, NOW)
    assert told == (() if status is RoutingStatus.ON_QUEUE else (Reason.NOT_ON_QUEUE,))


@pytest.mark.parametrize(
    ("skills", "is_eligible"),
    [
        ({}, False),
        ({"billing": 49}, False),
        ({"billing": 50}, False),
        ({"billing": 50, "german": 0}, True),
        ({"billing": 100, "german": 100}, True),
    ],
)
def test_every_required_skill_counts_with_its_proficiency(
    skills: dict[str, int], *, is_eligible: bool
) -> None:
    required = (RequiredSkill("billing", 50), RequiredSkill("german"))
    told = reasons_against(waiting(required_skills=required), agent(skills=skills), POLICY, NOW)
    assert (told == ()) is is_eligible


@pytest.mark.parametrize(("until", "is_passed_over"), [(NOW, False), (NOW + 1, True)])
def test_an_agent_is_passed_over_until_exactly_then(until: int, *, is_passed_over: bool) -> None:
    conversation = waiting(passed_over=(PassedOver("agent-1", until), PassedOver("x", NOW + 9)))
    told = reasons_against(conversation, AGENT, POLICY, NOW)
    assert (Reason.PASSED_OVER in told) is is_passed_over


def test_a_humans_choice_may_ignore_reasons() -> None:
    conversation = waiting(passed_over=(PassedOver("agent-1", NOW + 1),))
    ignoring = frozenset({Reason.PASSED_OVER})
    assert standing(conversation, AGENT, POLICY, NOW, ignoring=ignoring).is_eligible


def test_both_sides_mean_the_same_by_missing_room() -> None:
    assert {str(reason) for reason in ROOM_REASONS} == ROOM_REASONS_OF_CONVERSATIONS
