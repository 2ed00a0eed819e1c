"""What a transfer changes of a conversation to which everything has happened."""

from dataclasses import replace

import pytest

from conversations import commands as c
from conversations.model import ConversationState, Offer
from tests.conversations.everything import (
    CONNECTED,
    ENTERED,
    EXPIRES,
    GIVEN_AWAY,
    RINGS,
    SLID,
    TALKING,
    THIRD,
    Case,
    check,
    facts,
    told,
)
from tests.conversations.samples import (
    NOW,
    OTHER,
    SUPERVISOR,
    agent,
    eligible,
    ineligible,
)

CASES: dict[str, Case] = {
    "transfer to a workgroup": (
        TALKING,
        c.TransferToWorkgroup(agent(), "workgroup-2", "about lamps"),
        facts(),
        {**GIVEN_AWAY, **ENTERED, "workgroup_id": "workgroup-2", "affinity_until": SLID},
        [
            told(
                "transferred",
                from_workgroup_id="workgroup-1",
                to_workgroup_id="workgroup-2",
                comment="about lamps",
            )
        ],
    ),
    "transfer to a workgroup that has rings": (
        TALKING,
        c.TransferToWorkgroup(agent(), "workgroup-2", None),
        replace(facts(), entered_policy=RINGS),
        {
            **GIVEN_AWAY,
            "ring": 0,
            "ring_since": NOW,
            "ring_until": NOW + 30_000,
            "workgroup_id": "workgroup-2",
            "affinity_until": SLID,
        },
        [
            told(
                "transferred",
                from_workgroup_id="workgroup-1",
                to_workgroup_id="workgroup-2",
                comment=None,
            )
        ],
    ),
    "transfer to an agent": (
        TALKING,
        c.TransferToAgent(agent(), OTHER, "offer-9", "yours"),
        eligible(OTHER, weight_percent=35),
        {
            **GIVEN_AWAY,
            "ring_since": None,
            "ring_until": None,
            "state": ConversationState.ALERTING,
            "offers": (Offer("offer-9", OTHER, EXPIRES, 35),),
            "weight_percent": 35,
            "offered_at": NOW,
            "affinity_until": SLID,
        },
        [
            told("transferred", to_agent_id=OTHER, comment="yours"),
            told("offered", OTHER, offer_id="offer-9", expires_at=EXPIRES),
        ],
    ),
    "transfer over an agent's capacity": (
        replace(TALKING, is_override=False),
        c.TransferToAgent(SUPERVISOR, OTHER, "offer-9", None, override_capacity=True),
        ineligible("capacity", "maximum_count", agent_id=OTHER),
        {
            **GIVEN_AWAY,
            "ring_since": None,
            "ring_until": None,
            "state": ConversationState.ALERTING,
            "is_override": True,
            "offers": (Offer("offer-9", OTHER, EXPIRES, 25),),
            "weight_percent": 25,
            "offered_at": NOW,
            "affinity_until": SLID,
        },
        [
            told(
                "transferred",
                to_agent_id=OTHER,
                comment=None,
                override_capacity=True,
                by=None,
            ),
            told("offered", OTHER, offer_id="offer-9", expires_at=EXPIRES),
        ],
    ),
    "a needless override is none": (
        TALKING,
        c.TransferToAgent(
            c.Actor("agent-8", is_supervisor=True, principal_id="pr_8"),
            OTHER,
            "offer-9",
            None,
            override_capacity=True,
        ),
        eligible(OTHER),
        {
            **GIVEN_AWAY,
            "ring_since": None,
            "ring_until": None,
            "state": ConversationState.ALERTING,
            "offers": (Offer("offer-9", OTHER, EXPIRES, 25),),
            "weight_percent": 25,
            "offered_at": NOW,
            "affinity_until": SLID,
        },
        [
            told(
                "transferred",
                to_agent_id=OTHER,
                comment=None,
                override_capacity=False,
                by="pr_8",
            ),
            told("offered", OTHER, offer_id="offer-9", expires_at=EXPIRES),
        ],
    ),
    "transfer to whom was consulted": (
        TALKING,
        c.TransferToAgent(agent(), THIRD, "offer-9", None),
        eligible(THIRD),
        {
            **CONNECTED,
            "agent_id": THIRD,
            "weight_percent": 25,
            "is_override": False,
            "consulted_agent_id": None,
        },
        [
            told("transferred", to_agent_id=THIRD, comment=None, consulted=True),
            told("connected", THIRD),
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_exactly_this_changes_and_is_told(case: str) -> None:
    check(CASES[case])
