"""How a workgroup may route, drawn: all that lives and matches depend on, in any mixture."""

from hypothesis import strategies as st

from acd.model import OrderKey, QueueOrder, RoutingPolicy, ScoreWeights, Utilization
from conversations import commands as c
from conversations.model import MediaType, OfferTimeoutAction, RequiredSkill, Ring, WrapUpMode
from tests.conversations.floor import WORKGROUP

Settings = tuple[c.Policy, RoutingPolicy]
GERMAN = RequiredSkill("german", 50)
HELPERS = frozenset({"workgroup-2"})
RINGS = (
    Ring(0, lower_skills=(RequiredSkill("german", 10),), at_once_if_nobody=True),
    Ring(3, drop_skills=("german",)),
    Ring(3, workgroup_ids=tuple(HELPERS)),
    Ring(60, drop_skills=("billing",), at_once_if_nobody=True),
)


@st.composite
def routing_settings(draw: st.DrawFn) -> Settings:
    """Draw how a workgroup routes, in its two views: the life's and the match's."""
    rings = RINGS[: draw(st.integers(0, len(RINGS)))]
    is_automatic = draw(st.booleans())
    policy = c.Policy(
        wrap_up_mode=draw(st.sampled_from(list(WrapUpMode))),
        wrap_up_timeout_s=15,
        preferred_agent_wait_s=5,
        offer_timeout_action=draw(st.sampled_from(list(OfferTimeoutAction))),
        auto_accept=is_automatic,
        rings=rings,
    )
    weights = ScoreWeights(
        skill=draw(st.sampled_from([0, 2])), time_in_system=draw(st.sampled_from([0, 3]))
    )
    routing = RoutingPolicy(
        WORKGROUP,
        1,
        {MediaType.SOCIAL_DIRECT_MESSAGE: Utilization(60)},
        required_skills=draw(st.sampled_from([(), (), (GERMAN,)])),
        preferred_skills=draw(st.sampled_from([(), (GERMAN,)])),
        queue_order=QueueOrder(weights, is_strict=draw(st.booleans())),
        agent_order=tuple(draw(st.permutations(list(OrderKey))))[: draw(st.integers(1, 6))],
        rings=rings,
        offers_at_once=1 if is_automatic else draw(st.integers(1, 3)),
    )
    return policy, routing
