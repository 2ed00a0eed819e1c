"""The checkers themselves: silent on a healthy history, loud on each way of breaking it."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.api.history.v1 import HistoryEvent

from conversations.replies import Certainty, Outcome, ReadBack
from storage import events, replies
from storage.database import open_database
from tests.clocks import Clock
from tests.floor import Floor
from tests.history import Answer, History, World, read_history
from tests.invariants import (
    no_workflow_task_failed,
    nothing_personal_is_in,
    violations_at_any_commit,
    violations_when_quiet,
)

SENT = Outcome(Certainty.SENT, "out-1")


@dataclass
class Recorded:
    """A history and what the world saw of it, to be broken by a test."""

    history: History
    world: World

    def violations(self) -> set[str]:
        return {v.invariant for v in violations_when_quiet(self.history, self.world)}

    def row(self, table: str, **like: Any) -> dict[str, Any]:
        """Return the first row with these values, to be changed."""
        rows = self.rows(table)
        return next(r for r in rows if all(r[name] == value for name, value in like.items()))

    def rows(self, table: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = getattr(self.history, table)
        return rows

    def event(self, type_: str) -> dict[str, Any]:
        return self.row("events", type=type_)


@pytest.fixture
async def recorded(sqlite_url: str, clock: Clock) -> Recorded:
    """Record: one customer answered twice whose window closed and who came back, one who waits."""
    database = open_database(sqlite_url, clock)
    floor = Floor(database)
    workgroup = await floor.workgroup(utilization={"social_conversation": {"percent": 60}})
    source = await floor.channel(workgroup, affinity_window_s=60)
    agent = await floor.agent(workgroup)
    opened, _ = await floor.connect(source, "c1")
    clock.advance(s=1)
    await floor.post(source, "c1", "and one more")
    published = {}
    for _ in range(2):
        clock.advance(s=1)
        reply = (await floor.reply(opened, agent)).reply
        assert reply is not None
        permit = await database.write(
            lambda k, i=reply.id: replies.begin(k, i, ReadBack.LOOK_UP, "sender")  # type: ignore[misc]
        )
        await database.write(lambda k, p=permit: replies.settle(k, p.permission, SENT))  # type: ignore[misc]
        published[reply.id] = 1
    clock.advance(s=61)
    await floor.post(source, "c1", "I am back")
    clock.advance(s=1)
    await floor.post(source, "c2", "anybody there?")
    await database.write(events.number_events)
    history = await database.read(read_history)
    await database.close()
    posts = {(post["account_id"], post["external_id"]) for post in history.posts}
    return Recorded(history, World(posts=posts, published=published))


def test_a_healthy_history_has_no_violations(recorded: Recorded) -> None:
    assert violations_when_quiet(recorded.history, recorded.world) == []
    states = [row["state"] for row in recorded.history.conversations]
    assert states == ["completed", "alerting", "queued"]
    assert recorded.history.conversations[0]["ended_by"] == "affinity_window"


def lose_a_post(r: Recorded) -> None:
    r.world = replace(r.world, posts={*r.world.posts, ("account", "external")})


def store_a_post_twice(r: Recorded) -> None:
    r.history.posts.append(r.history.posts[0])


def miscount_posts(r: Recorded) -> None:
    r.row("conversations", state="completed")["post_count"] += 1


def tell_of_a_post_twice(r: Recorded) -> None:
    event = r.event("conversation.post_received")
    event["detail"]["post_ids"] = [*event["detail"]["post_ids"], r.history.posts[0]["id"]]


def say_twice(r: Recorded) -> None:
    r.world = replace(r.world, published=dict.fromkeys(r.world.published, 2))


def never_say(r: Recorded) -> None:
    r.world = replace(r.world, published={})


def reject_what_was_said(r: Recorded) -> None:
    r.row("replies")["state"] = "rejected"


def say_what_nobody_wrote(r: Recorded) -> None:
    r.world = replace(r.world, published={**r.world.published, "re_unknown": 1})


def forget_a_reply_on_its_way(r: Recorded) -> None:
    r.row("replies")["state"] = "needs_human"


def leak_capacity(r: Recorded) -> None:
    r.row("agents")["utilization"] = 85


def name_another_holder(r: Recorded) -> None:
    r.row("conversations", state="alerting")["holder_agent_id"] = "ag_other"


def overload_in_the_past(r: Recorded) -> None:
    r.event("conversation.connected")["snapshot"]["weight_percent"] = 101


def hand_over_at_once(r: Recorded) -> None:
    r.event("reply.sent")["snapshot"]["agent_id"] = "ag_other"


def let_a_stranger_reply(r: Recorded) -> None:
    r.row("replies")["agent_id"] = "ag_other"


def hide_that_a_post_was_late(r: Recorded) -> None:
    first, second, *_ = r.rows("posts")
    second["created_at"] = first["created_at"] - 1


def flag_a_punctual_post(r: Recorded) -> None:
    r.rows("posts")[1]["is_late"] = True


def overtake(r: Recorded) -> None:
    first, second = r.rows("replies")
    first["sent_at"] = second["sent_at"] + 1


def open_two_of_one_key(r: Recorded) -> None:
    r.row("conversations", state="completed")["ended_at"] += 10_000_000


def unlink(r: Recorded) -> None:
    r.row("conversations", state="alerting")["continues"] = None


def join_after_the_window(r: Recorded) -> None:
    known = r.row("events", type="conversation.connected")["snapshot"]
    known |= {
        "answered_count": 1,
        "affinity_until": r.event("conversation.post_received")["at"] - 1,
    }


def lapse_too_early(r: Recorded) -> None:
    event = r.event("conversation.disconnected")
    for earlier in r.history.events:
        if earlier["conversation_id"] == event["conversation_id"]:
            earlier["snapshot"]["affinity_until"] = event["at"]


def forget_an_answer(r: Recorded) -> None:
    r.world = replace(r.world, answers=[Answer("pr_1", "key", 200, {})])


def answer_twice(r: Recorded) -> None:
    row = {"principal_id": "pr_1", "key": "key", "status": 200, "body": {}}
    r.history.commands.append(row)
    answers = [Answer("pr_1", "key", 200, {}), Answer("pr_1", "key", 409, {})]
    r.world = replace(r.world, answers=answers)


def roll_back_what_was_answered(r: Recorded) -> None:
    row = r.row("conversations", state="alerting")
    body = {"id": row["id"], "version": row["version"] + 1}
    r.history.commands.append({"principal_id": "pr_1", "key": "k", "status": 200, "body": body})
    r.world = replace(r.world, answers=[Answer("pr_1", "k", 200, body)])


def let_wait_beside_a_free_agent(r: Recorded) -> None:
    agent = dict(r.row("agents"), id="ag_free", utilization=0)
    member = dict(r.row("memberships"), agent_id="ag_free")
    r.history.agents.append(agent)
    r.history.memberships.append(member)


def leave_a_gap(r: Recorded) -> None:
    del r.history.events[3]


def repeat_a_place(r: Recorded) -> None:
    r.rows("events")[3]["seq"] = r.rows("events")[2]["seq"]


def number_not_all(r: Recorded) -> None:
    r.rows("events")[-1]["seq"] = None


def lose_the_last_event(r: Recorded) -> None:
    del r.history.events[-1]


def swap_versions(r: Recorded) -> None:
    r.event("conversation.created")["snapshot"]["version"] = 99


def forget_a_wait(r: Recorded) -> None:
    r.rows("queue_entries").pop()


def let_a_wait_never_end(r: Recorded) -> None:
    r.row("queue_entries", outcome="answered").update(left_at=None, outcome=None)


def let_another_have_answered(r: Recorded) -> None:
    r.row("queue_entries", outcome="answered")["agent_id"] = "ag_other"


def forget_a_handling(r: Recorded) -> None:
    r.rows("handlings").pop()


def let_a_hold_be_shorter(r: Recorded) -> None:
    r.row("handlings", kind="handled")["held_ms"] += 1


def forget_an_offer(r: Recorded) -> None:
    r.rows("ended_offers").pop()


def say_that_it_timed_out(r: Recorded) -> None:
    r.row("ended_offers", outcome="accepted")["outcome"] = "timed_out"


def answer_a_little_sooner(r: Recorded) -> None:
    r.rows("first_replies")[0]["after_ms"] -= 1


def forget_a_first_answer(r: Recorded) -> None:
    r.rows("first_replies").pop()


BREAKAGES: tuple[tuple[str, Callable[[Recorded], None]], ...] = (
    ("I1", lose_a_post),
    ("I2", store_a_post_twice),
    ("I2", miscount_posts),
    ("I2", tell_of_a_post_twice),
    ("I3", say_twice),
    ("I3", never_say),
    ("I3", reject_what_was_said),
    ("I3", say_what_nobody_wrote),
    ("I3", forget_a_reply_on_its_way),
    ("I4", leak_capacity),
    ("I4", name_another_holder),
    ("I4", overload_in_the_past),
    ("I5", hand_over_at_once),
    ("I5", let_a_stranger_reply),
    ("I6", hide_that_a_post_was_late),
    ("I6", flag_a_punctual_post),
    ("I6", overtake),
    ("I7", open_two_of_one_key),
    ("I7", unlink),
    ("I7", join_after_the_window),
    ("I7", lapse_too_early),
    ("I8", forget_an_answer),
    ("I8", answer_twice),
    ("I8", roll_back_what_was_answered),
    ("I9", let_wait_beside_a_free_agent),
    ("I10", leave_a_gap),
    ("I10", repeat_a_place),
    ("I10", number_not_all),
    ("I10", lose_the_last_event),
    ("I10", swap_versions),
    ("I11", forget_a_wait),
    ("I11", let_a_wait_never_end),
    ("I11", let_another_have_answered),
    ("I11", forget_a_handling),
    ("I11", let_a_hold_be_shorter),
    ("I11", forget_an_offer),
    ("I11", say_that_it_timed_out),
    ("I11", answer_a_little_sooner),
    ("I11", forget_a_first_answer),
)


@pytest.mark.parametrize(
    ("invariant", "breakage"), BREAKAGES, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_breakage_is_reported(
    recorded: Recorded, invariant: str, breakage: Callable[[Recorded], None]
) -> None:
    broken = Recorded(deepcopy(recorded.history), recorded.world)
    breakage(broken)
    assert invariant in broken.violations()


def test_a_network_that_can_only_repeat_may_repeat(recorded: Recorded) -> None:
    twice = dict.fromkeys(recorded.world.published, 2)
    accounts = frozenset(reply["account_id"] for reply in recorded.history.replies)
    recorded.world = replace(recorded.world, published=twice, repeating=accounts)
    assert recorded.violations() == set()


async def test_a_history_without_events_may_still_be_checked(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    history = await database.read(read_history)
    await database.close()
    assert violations_at_any_commit(history) == []
    assert violations_when_quiet(history, World()) == []


def test_canaries_are_found_where_they_are() -> None:
    texts = {"log": "all is well", "history": "the parcel of canary-7"}
    found = list(nothing_personal_is_in(texts, ["canary-7", "canary-8"]))
    assert [(v.invariant, v.subject) for v in found] == [("I12", "history")]


@pytest.mark.parametrize(("cause", "is_told"), [("UNHANDLED_COMMAND", False), (None, True)])
def test_a_failed_workflow_task_is_told_unless_a_signal_merely_came_in(
    cause: str | None, *, is_told: bool
) -> None:
    event = HistoryEvent()
    event.workflow_task_failed_event_attributes.failure.message = "nondeterminism"
    if cause is not None:
        event.workflow_task_failed_event_attributes.cause = 1  # type: ignore[assignment]
    history = SimpleNamespace(workflow_id="conversation/cv_1", events=[HistoryEvent(), event])
    found = list(no_workflow_task_failed([history]))
    assert [v.what for v in found] == (["nondeterminism"] if is_told else [])
