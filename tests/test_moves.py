"""The checkers of moved posts: silent on a healthy history, loud on each way of breaking it."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from conversations.model import Author, Post
from conversations.replies import Certainty, Outcome, ReadBack
from storage import clock as clocks
from storage import replies
from storage.database import open_database
from tests import moves
from tests.clocks import Clock
from tests.floor import Floor
from tests.history import History, read_history
from tests.invariants import violations_at_any_commit

SENT = Outcome(Certainty.SENT, "out-1")


@pytest.fixture
async def history(sqlite_url: str, clock: Clock) -> History:
    """Record: an answered one and another merged, posts after it, one of them split off."""
    database = open_database(sqlite_url, clock)
    floor = Floor(database)
    workgroup = await floor.workgroup(utilization={"social_conversation": {"percent": 25}})
    account_id = await floor.account()
    wall, page = [await floor.channel(workgroup, account_id=account_id) for _ in range(2)]
    agent = await floor.agent(workgroup)
    first, _ = await floor.connect(wall, "customer")
    second, _ = await floor.connect(page, "customer")
    clock.advance(s=1)
    reply = (await floor.reply(first, agent)).reply
    assert reply is not None
    permit = await database.write(lambda k: replies.begin(k, reply.id, ReadBack.LOOK_UP, "sender"))
    await database.write(lambda k: replies.settle(k, permit.permission, SENT))
    clock.advance(s=1)
    await floor.merge(first, second)
    clock.advance(s=1)
    await floor.post(wall, "customer", "later")
    taken = await floor.post(page, "customer", "much later")
    clock.advance(s=1)
    await floor.split(second, taken.accepted)
    recorded = await database.read(read_history)
    await database.close()
    return recorded


def told(history: History) -> set[str]:
    return {invariant for checker in moves.ALL for invariant, _, _ in checker(history)}


def test_a_healthy_history_has_no_violations(history: History) -> None:
    assert violations_at_any_commit(history) == []
    assert [row["cause"] for row in history.moves] == ["merge", "join", "split"]
    merged, target, _ = history.conversations
    assert (merged["state"], target["post_count"], target["answered_count"]) == ("merged", 3, 1)


async def test_what_a_merge_brought_is_something_newer(sqlite_url: str, clock: Clock) -> None:
    database = open_database(sqlite_url, clock)
    floor = Floor(database)
    workgroup, account_id = await floor.workgroup(), await floor.account()
    wall, page = [await floor.channel(workgroup, account_id=account_id) for _ in range(2)]
    first, second = await floor.open(wall, "customer"), await floor.open(page, "customer")
    clock.advance(s=10)
    await floor.post(wall, "customer", "newer")
    await floor.merge(first, second)
    clock.advance(s=1)
    older = await database.read(clocks.now) - 5_000

    await floor.pages.take_in(page, [Post("p-older", Author("customer"), "older", older)])

    recorded = await database.read(read_history)
    assert [post["is_late"] for post in recorded.posts if post["text"] == "older"] == [True]
    assert violations_at_any_commit(recorded) == []
    await database.close()


def forget_a_move(history: History) -> None:
    del history.moves[0]


def lead_elsewhere(history: History) -> None:
    history.moves[0] |= {"to_conversation_id": "cv_other"}  # type: ignore[operator]


def move_a_post_without_a_word(history: History) -> None:
    history.posts[0] |= {"conversation_id": history.conversations[0]["id"]}  # type: ignore[operator]


def leave_a_post_behind(history: History) -> None:
    history.conversations[0] |= {"post_count": 1}  # type: ignore[operator]


def merge_into_nowhere(history: History) -> None:
    history.conversations[0] |= {"merged_into": "cv_unknown"}  # type: ignore[operator]


def forget_where_it_went(history: History) -> None:
    history.conversations[0] |= {"merged_into": None}  # type: ignore[operator]


def answer_by_magic(history: History) -> None:
    history.conversations[1] |= {"answered_count": 3}  # type: ignore[operator]


def open_another_beside_the_target(history: History) -> None:
    history.conversations[2] |= {"continues": history.conversations[0]["id"]}  # type: ignore[operator]


@pytest.mark.parametrize(
    ("invariant", "breakage"),
    [
        ("I2", forget_a_move),
        ("I2", lead_elsewhere),
        ("I2", move_a_post_without_a_word),
        ("I2", leave_a_post_behind),
        ("I2", merge_into_nowhere),
        ("I2", forget_where_it_went),
        ("I2", answer_by_magic),
        ("I7", open_another_beside_the_target),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_breakage_is_reported(
    history: History, invariant: str, breakage: Callable[[History], None]
) -> None:
    broken = deepcopy(history)
    breakage(broken)
    assert invariant in told(broken)
