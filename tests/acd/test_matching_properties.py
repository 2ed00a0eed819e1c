"""What is true of every match, whoever waits and whoever is there."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from acd.eligibility import reasons_against
from acd.matching import Match, Shortlist, choose_agent, everyone, match, with_one_more
from acd.model import Agent, RoutingPolicy, Utilization
from acd.priority import queue_rank
from conversations.model import Conversation, MediaType, PassedOver, RequiredSkill, RoutingStatus
from tests.acd.samples import POLICY, agent, waiting
from tests.conversations.samples import NOW

SKILLS = ("billing", "german")
IDS = st.integers(1, 5).map(lambda n: f"agent-{n}")
LEVELS = st.dictionaries(
    st.sampled_from(list(MediaType)),
    st.builds(
        Utilization, st.sampled_from([0, 10, 25, 26, 50, 100]), st.sampled_from([None, None, 1, 2])
    ),
)


@st.composite
def agents(draw: st.DrawFn) -> list[Agent]:
    count = draw(st.integers(0, 5))
    return [
        agent(
            n + 1,
            routing_status=draw(st.sampled_from([RoutingStatus.ON_QUEUE] * 4 + [*RoutingStatus])),
            is_licensed=draw(st.integers(0, 9)) > 0,
            skills=draw(st.dictionaries(st.sampled_from(SKILLS), st.integers(0, 100))),
            load_percent=draw(st.sampled_from([0, 0, 25, 50, 75, 90, 100])),
            idle_since=NOW - draw(st.integers(0, 3)),
            utilization=draw(LEVELS),
        )
        for n in range(count)
    ]


@st.composite
def queues(draw: st.DrawFn) -> list[Conversation]:
    required = st.lists(
        st.builds(RequiredSkill, st.sampled_from(SKILLS), st.sampled_from([0, 50])), max_size=1
    )
    until = st.sampled_from([NOW - 1, NOW, NOW + 1, NOW + 9_000])
    found = [
        waiting(
            n,
            media_type=draw(st.sampled_from(list(MediaType))),
            priority=draw(st.sampled_from([0, 50, 100])),
            queued_at=NOW - draw(st.integers(0, 400_000)),
            required_skills=tuple(draw(required)),
            preferred_agent_id=draw(st.none() | IDS),
            preferred_until=draw(st.none() | until),
            passed_over=tuple(
                PassedOver(a, u) for a, u in draw(st.lists(st.tuples(IDS, until), max_size=2))
            ),
        )
        for n in range(draw(st.integers(0, 12)))
    ]
    return sorted(found, key=lambda x: (queue_rank(x, POLICY.queue_order), x.id))


POLICIES = LEVELS.map(lambda levels: replace(POLICY, utilization=levels))


def with_loads(people: list[Agent], matches: list[Match]) -> list[Agent]:
    """Give the agents what they were matched with; counted apart from the match itself."""
    loaded = {person.id: person for person in people}
    for pair in matches:
        before = loaded[pair.offered[0].agent.id]
        counts = dict(before.load_count)
        media_type = pair.conversation.media_type
        counts[media_type] = counts.get(media_type, 0) + 1
        load = before.load_percent + pair.offered[0].weight_percent
        loaded[before.id] = replace(before, load_percent=load, load_count=counts, offered_at=NOW)
    return list(loaded.values())


@settings(max_examples=400)
@given(queues(), agents(), POLICIES)
def test_a_match_overfills_nobody_forgets_nobody_and_leaves_no_work_beside_the_free(
    queue: list[Conversation], people: list[Agent], policy: RoutingPolicy
) -> None:
    matches, failures = match(queue, everyone(people), policy, NOW)
    taken = [pair.conversation.id for pair in matches]
    told = [failure.conversation_id for failure in failures]
    assert sorted([*taken, *told]) == sorted(x.id for x in queue)
    for count, pair in enumerate(matches):
        (person,) = [
            p for p in with_loads(people, matches[:count]) if p.id == pair.offered[0].agent.id
        ]
        assert not reasons_against(pair.conversation, person, policy, NOW), "not eligible"
    loaded = with_loads(people, matches)
    assert all(person.load_percent <= 100 for person in loaded)
    for conversation in queue:
        until = conversation.preferred_until
        if conversation.id in taken or (until is not None and until > NOW):
            continue
        for person in loaded:
            assert reasons_against(conversation, person, policy, NOW), "work beside the free"


@settings(max_examples=200)
@given(queues(), agents(), POLICIES)
def test_explanations_add_up_and_name_the_best_first(
    queue: list[Conversation], people: list[Agent], policy: RoutingPolicy
) -> None:
    matches, failures = match(queue, everyone(people), policy, NOW)
    for explanation in [*(pair.explanation for pair in matches), *failures]:
        assert explanation.candidates == len(people)
        eligible = explanation.candidates - sum(explanation.filtered.values())
        chosen = [explanation.chosen] if explanation.chosen else []
        ranked = [*chosen, *explanation.runners_up]
        assert len(ranked) == min(eligible, 6 if chosen else 5)
        keys = [r.key for r in ranked]
        assert keys == sorted(keys)
        if not chosen:
            assert eligible == 0 or explanation.waits_for_agent_id is not None


@settings(max_examples=200)
@given(queues(), agents(), POLICIES)
def test_a_wait_is_for_a_preferred_agent_who_only_lacks_room(
    queue: list[Conversation], people: list[Agent], policy: RoutingPolicy
) -> None:
    _, failures = match(queue, everyone(people), policy, NOW)
    by_id = {conversation.id: conversation for conversation in queue}
    for failure in failures:
        if failure.waits_for_agent_id is None:
            continue
        conversation = by_id[failure.conversation_id]
        assert failure.waits_for_agent_id == conversation.preferred_agent_id
        assert conversation.preferred_until is not None
        assert conversation.preferred_until > NOW


@given(queue=queues(), floor=agents())
def test_a_match_says_what_looking_at_every_agent_again_says(
    queue: list[Conversation], floor: list[Agent]
) -> None:
    """`Lineup` is a short cut; `choose_agent` is the rule."""
    matches, unmatched = match(queue, everyone(floor), POLICY, NOW)

    free = {agent.id: agent for agent in floor}
    said = {pair.conversation.id: pair.explanation for pair in matches}
    said |= {explanation.conversation_id: explanation for explanation in unmatched}
    for conversation in queue:
        explanation = choose_agent(conversation, Shortlist(tuple(free.values())), POLICY, NOW)
        assert said[conversation.id] == explanation
        if explanation.chosen is not None:
            taken = next(pair for pair in matches if pair.conversation.id == conversation.id)
            (offered,) = taken.offered
            free[offered.agent.id] = with_one_more(
                offered.agent, conversation.media_type, offered.weight_percent, NOW
            )
