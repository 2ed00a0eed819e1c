"""What routing does where nobody said anything: the defaults that the contract names."""

from acd.estimates import FEWEST_SAMPLES, WINDOW_MS
from acd.matching import everyone, match
from acd.model import QueueOrder, RoutingPolicy, ScoreWeights
from acd.priority import queue_rank, score
from acd.rule_facts import ConversationFacts, CustomerFacts, PostFacts
from acd.utilization import utilization_of
from conversations.model import Author, Visibility
from tests.acd.samples import POLICY, PUBLIC, agent, waiting
from tests.conversations.samples import NOW


def test_a_conversation_takes_a_quarter_of_an_agent() -> None:
    matches, failures = match([waiting(n) for n in range(5)], everyone([agent()]), POLICY, NOW)

    assert (len(matches), len(failures)) == (4, 1)
    assert utilization_of(agent(), POLICY, PUBLIC).percent == 25


def test_priority_and_time_in_queue_count_and_nothing_else() -> None:
    assert ScoreWeights() == ScoreWeights(skill=0, priority=1, time_in_queue=1, time_in_system=0)
    conversation = waiting(priority=50, queued_at=NOW - 60_000, created_at=NOW - 900_000)
    assert score(conversation, QueueOrder(), NOW) == 60


def test_priority_is_not_strict() -> None:
    old = waiting(1, priority=0, queued_at=NOW - 3_600_000)

    assert queue_rank(old, QueueOrder()) < queue_rank(
        waiting(2, priority=100, queued_at=NOW), QueueOrder()
    )


def test_one_agent_at_a_time_is_asked() -> None:
    (pair,), _ = match([waiting()], everyone([agent(1), agent(2)]), POLICY, NOW)

    assert len(pair.offered) == 1
    assert RoutingPolicy("workgroup-1", 1).offers_at_once == 1


def test_an_agent_who_was_never_offered_anything_goes_first_in_turn() -> None:
    given = {name: getattr(agent(), name) for name in type(agent()).__slots__}
    del given["offered_at"]

    assert type(agent())(**given).offered_at == 0


def test_waits_are_estimated_from_half_an_hour_and_five_answers() -> None:
    assert (WINDOW_MS, FEWEST_SAMPLES) == (1_800_000, 5)


def test_rules_that_are_told_nothing_see_nothing() -> None:
    post = PostFacts("hello", Visibility.PUBLIC, Author("u-1"))
    customer, conversation = CustomerFacts(), ConversationFacts(50, "workgroup-1")

    assert (post.has_media, customer.is_known, conversation.is_continued) == (False, False, False)
    assert (conversation.waited_s, conversation.ring, conversation.post_count) == (0, 0, 1)
