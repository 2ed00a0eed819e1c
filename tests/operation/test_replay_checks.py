"""The judge of a replay: every breach is found, and nothing else is called one."""

from dataclasses import replace
from typing import Any

import pytest

from operation.replay_checks import (
    Evidence,
    LedgerPost,
    SeenConversation,
    SeenReply,
    brands_reached,
    judge,
    percentile,
)

ASKED = LedgerPost("1", "u_1", "help", frozenset({"acme"}))
AGAIN = LedgerPost("2", "u_1", "please", frozenset({"acme"}))
SAID = LedgerPost("3", "acme", "here", frozenset(), "re_1")
REPLY = SeenReply("re_1", "cv_1", "here", "sent", "3")
SEEN = SeenConversation("cv_1", "acme", "completed", 2, 0.5, ("1", "2"), (REPLY,))
GOOD = Evidence(
    frozenset({"acme", "rival"}),
    (ASKED, AGAIN, SAID),
    (SEEN,),
    frozenset({"re_1"}),
    frozenset({"1", "2"}),
)


def seen(**changed: Any) -> Evidence:
    return replace(GOOD, conversations=(replace(SEEN, **changed),))


def replied(**changed: Any) -> Evidence:
    return seen(replies=(replace(REPLY, **changed),))


def test_a_replay_in_order_has_its_figures_and_no_breach() -> None:
    verdict = judge(GOOD)

    assert verdict.is_good
    assert (verdict.posts, verdict.conversations, verdict.joined, verdict.replies) == (2, 1, 1, 1)
    assert (verdict.lost, verdict.doubled, verdict.waits_s) == (0, 0, (0.5,))


def test_what_an_earlier_replay_left_is_judged_but_not_counted() -> None:
    verdict = judge(replace(GOOD, played=frozenset({"2"}), accepted=frozenset()))

    assert verdict.is_good
    assert (verdict.posts, verdict.conversations, verdict.joined, verdict.replies) == (1, 0, 1, 0)


@pytest.mark.parametrize(
    ("evidence", "breach"),
    [
        (seen(posts=("1",), post_count=1), "lost: post 2"),
        (replace(GOOD, conversations=()), "lost: post 1"),
        (replace(GOOD, ledger=(ASKED, AGAIN)), "lost: reply re_1 counts as sent"),
        (replied(state="unknown"), "lost: reply re_1 is unknown"),
        (replied(state="needs_human"), "lost: reply re_1 is needs_human"),
        (replace(GOOD, accepted=frozenset({"re_1", "re_2"})), "lost: reply re_2"),
    ],
)
def test_what_is_lost_is_counted_and_named(evidence: Evidence, breach: str) -> None:
    verdict = judge(evidence)

    assert verdict.lost > 0
    assert any(one.startswith(breach) for one in verdict.breaches)


@pytest.mark.parametrize(
    ("evidence", "breach"),
    [
        (seen(posts=("1", "2", "2"), post_count=3), "doubled: post 2"),
        (replace(GOOD, conversations=(SEEN, replace(SEEN, id="cv_2"))), "doubled: post 1"),
        (replace(GOOD, ledger=(*GOOD.ledger, replace(SAID, id="4"))), "doubled: reply re_1"),
    ],
)
def test_what_is_doubled_is_counted_and_named(evidence: Evidence, breach: str) -> None:
    verdict = judge(evidence)

    assert verdict.doubled > 0
    assert any(one.startswith(breach) for one in verdict.breaches)


@pytest.mark.parametrize(
    ("evidence", "breach"),
    [
        (seen(posts=("1", "2", "3"), post_count=3), "foreign: post 3"),
        (seen(replies=()), "foreign: re_1 was published"),
        (replied(text="there"), "untrue: reply re_1 was published in other words"),
        (replied(external_id="9"), "untrue: reply re_1 is not post 9"),
        (replied(state="rejected", reason="no"), "rejected: reply re_1: no"),
        (replied(state="rejected"), "untrue: reply re_1 counts as rejected"),
        (seen(posts=("2", "1")), "order: the posts of conversation cv_1"),
        (seen(state="connected"), "unended: conversation cv_1"),
        (seen(post_count=3), "untrue: conversation cv_1 counts 3"),
        (replace(GOOD, quarantined=1), "quarantined: 1"),
    ],
)
def test_every_other_breach_is_named(evidence: Evidence, breach: str) -> None:
    verdict = judge(evidence)

    assert not verdict.is_good
    assert any(one.startswith(breach) for one in verdict.breaches)


def test_replies_of_a_conversation_stay_in_order() -> None:
    second = LedgerPost("4", "acme", "there", frozenset(), "re_2")
    replies = (REPLY, replace(REPLY, id="re_2", text="there", external_id="4"))
    good = replace(seen(replies=replies), ledger=(*GOOD.ledger, second))

    assert judge(good).is_good
    swapped = replace(good, ledger=(ASKED, AGAIN, second, SAID))
    assert "order: the replies of conversation cv_1" in judge(swapped).breaches


def test_a_post_reaches_the_brands_it_names_in_any_case_but_not_its_own() -> None:
    brands = {"acme": "Acme", "rival": "rival"}

    assert brands_reached("u_1", ["ACME", "u_2"], brands) == {"Acme"}
    assert brands_reached("Acme", ["acme", "Rival"], brands) == {"rival"}


def test_percentiles_are_by_nearest_rank() -> None:
    values = [float(number) for number in range(1, 101)]

    assert (percentile(values, 50), percentile(values, 95)) == (50.0, 95.0)
    assert (percentile([3.0], 95), percentile([], 50)) == (3.0, None)
