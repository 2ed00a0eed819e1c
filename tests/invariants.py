"""What has to be true of every history: the invariants I1 to I13 as checkers.

Each checker returns its violations, none when all is well. They read what the database remembers
and what the world saw, never the program's own opinion. Of I11 only the waits in queues are here,
the rest comes with the reports.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

from sqlalchemy import RowMapping

from acd.matching import everyone, match
from acd.model import Agent
from acd.priority import queue_rank
from conversations.model import MediaType
from storage.rows import agent_from, conversation_from, routing_policy_from
from tests import handlings, moves, reports_told, said, waits
from tests.history import Answer, History, Row, World

OWNED = frozenset({"connected", "held", "parked"})
CARRIED = frozenset({"connected", "held", "wrapup"})
SETTLED = frozenset({"sent", "rejected"})


@dataclass(frozen=True)
class Violation:
    """Which invariant is broken, by what, and how."""

    invariant: str
    subject: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.what}"


def no_post_is_lost(history: History, world: World) -> Iterator[Violation]:
    """I1: what was answered with a 2xx is there, in a conversation or in quarantine."""
    known = {(post["account_id"], post["external_id"]) for post in history.posts}
    set_aside = {row["external_id"] for row in history.quarantine}
    for account_id, external_id in world.posts:
        if (account_id, external_id) not in known and external_id not in set_aside:
            yield Violation("I1", external_id, f"lost on account {account_id}")


def every_post_is_in_one_conversation(history: History) -> Iterator[Violation]:
    """I2: once, and its conversation counts it once and told of it once."""
    times = Counter((post["account_id"], post["external_id"]) for post in history.posts)
    for (_, external_id), count in times.items():
        if count != 1:
            yield Violation("I2", external_id, f"stored {count} times")
    held = Counter(post["conversation_id"] for post in history.posts)
    for conversation in history.conversations:
        if conversation["post_count"] != held[conversation["id"]]:
            counted = f"counts {conversation['post_count']} posts, has {held[conversation['id']]}"
            yield Violation("I2", conversation["id"], counted)
    told = Counter(
        post_id for event in history.events for post_id in event["detail"].get("post_ids", ())
    )
    for post in history.posts:
        if told and told[post["id"]] != 1:
            yield Violation("I2", post["id"], f"told of {told[post['id']]} times")


def every_reply_is_said_once(history: History, world: World) -> Iterator[Violation]:
    """I3: at most once; exactly once if, and only if, it is `sent`."""
    for finding in said.that_differ(history, world):
        yield Violation(*finding)


def unsettled_replies_are_counted(history: History) -> Iterator[Violation]:
    """I3: a conversation knows how many of its replies are on their way."""
    unsettled = Counter(
        reply["conversation_id"]
        for reply in history.replies
        if reply["state"] not in SETTLED or reply["has_pending_change"]
    )
    for conversation in history.conversations:
        there = unsettled[conversation["id"]]
        if conversation["unsettled_replies"] != there:
            counted = f"counts {conversation['unsettled_replies']} unsettled, has {there}"
            yield Violation("I3", conversation["id"], counted)


def carried(snapshot: Row) -> list[tuple[str, int, bool]]:
    """Say who carries which weight in a snapshot, and whether it is on top of his capacity.

    Written apart from `holders` on purpose.
    """
    is_override = bool(snapshot["is_override"])
    if snapshot["state"] == "alerting":
        return [(o["agent_id"], o["weight_percent"], is_override) for o in snapshot["offers"]]
    if snapshot["state"] in CARRIED:
        return [(snapshot["agent_id"], snapshot["weight_percent"], is_override)]
    return []


def loads_are_what_is_carried(history: History) -> Iterator[Violation]:
    """I4: each agent's utilization is the sum of what he carries, and at most 100."""
    loads: Counter[tuple[str, bool]] = Counter()
    for row in history.conversations:
        carriers = carried(row)
        for agent_id, percent, is_override in carriers:
            loads[agent_id, is_override] += percent
        if row["holder_agent_id"] != (carriers[0][0] if carriers else None):
            yield Violation("I4", row["id"], f"its row names {row['holder_agent_id']} as holder")
    for agent in history.agents:
        for column, is_override in (("utilization", False), ("override_percent", True)):
            if agent[column] != loads[agent["id"], is_override]:
                differs = (
                    f"{column} is {agent[column]} %, carries {loads[agent['id'], is_override]} %"
                )
                yield Violation("I4", agent["id"], differs)
        if not 0 <= agent["utilization"] <= 100:
            yield Violation("I4", agent["id"], f"is at {agent['utilization']} %")


def loads_never_exceeded_100(history: History) -> Iterator[Violation]:
    """I4: replayed over the events, no agent carried more than 100 % at any commit."""
    carriers: dict[str, list[tuple[str, int, bool]]] = {}
    loads: Counter[str] = Counter()
    for event in history.events:
        conversation_id, snapshot = event["conversation_id"], event["snapshot"]
        if conversation_id is None or snapshot is None:
            continue
        for agent_id, percent, is_override in carriers.pop(conversation_id, ()):
            loads[agent_id] -= 0 if is_override else percent
        carriers[conversation_id] = carried(snapshot)
        for agent_id, percent, is_override in carriers[conversation_id]:
            loads[agent_id] += 0 if is_override else percent
            if loads[agent_id] > 100:
                at = f"carried {loads[agent_id]} % at event {event['seq'] or event['id']}"
                yield Violation("I4", agent_id, at)


def ownership_never_overlaps(history: History) -> Iterator[Violation]:
    """I5: between two owners the conversation belonged to nobody; only owners replied.

    Only whom the owner consulted gets it from him in one step.
    """
    writers = {reply["id"]: reply["agent_id"] for reply in history.replies}
    for conversation_id, events in history.events_by_conversation.items():
        owner = None
        for event in events:
            snapshot = event["snapshot"]
            owns = snapshot["agent_id"] if snapshot["state"] in OWNED else None
            is_warm = event["type"] == "conversation.transferred" and event["detail"].get(
                "consulted"
            )
            if owner is not None and owns is not None and owner != owns and not is_warm:
                taken = f"went from {owner} to {owns} at once ({event['type']})"
                yield Violation("I5", conversation_id, taken)
            owner = owns
            if event["type"] != "reply.accepted":
                continue
            # Only its first `accepted` is the agent's act: a reply that is tried again has more.
            writer = writers.pop(event["detail"]["reply_id"], owns)
            if writer != owns:
                yield Violation("I5", conversation_id, f"{writer} replied, {owns} owned it")


def posts_are_in_order(history: History) -> Iterator[Violation]:
    """I6: what came after something newer, where it arrived, is flagged late; nothing else is.

    What a merge brought there before, and a split took away again, was something newer, too.
    """
    by_conversation: defaultdict[str, list[Row]] = defaultdict(list)
    came: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    ways = moves.moves_by_post(history)
    for post in history.posts:
        by_conversation[moves.arrived_in(post, ways[post["id"]])].append(post)
        for place, since, _ in moves.stays(post, ways[post["id"]]):
            came[place].append((since, post["created_at"]))
    for place, posts in by_conversation.items():
        for post in posts:
            before = [p["created_at"] for p in posts if p["received_at"] < post["received_at"]]
            beside = [at for since, at in came[place] if since <= post["received_at"]]
            if max(before, default=0) > post["created_at"] and not post["is_late"]:
                yield Violation("I6", post["id"], "came after a newer one and is not flagged late")
            if post["is_late"] and max(beside) <= post["created_at"]:
                yield Violation("I6", post["id"], "flagged late, but nothing newer was there")


def replies_are_in_order(history: History) -> Iterator[Violation]:
    """I6: replies of a conversation were sent in their order, but for those a human resolved."""
    asked_a_human = {
        event["detail"].get("reply_id")
        for event in history.events
        if event["type"] == "reply.needs_human"
    }
    by_conversation: defaultdict[str, list[Row]] = defaultdict(list)
    for reply in history.replies:
        if reply["state"] == "sent" and reply["id"] not in asked_a_human:
            by_conversation[reply["conversation_id"]].append(reply)
    for conversation_id, replies in by_conversation.items():
        for earlier, later in pairwise(replies):
            if earlier["sent_at"] > later["sent_at"]:
                overtaken = f"{later['id']} was sent before {earlier['id']}"
                yield Violation("I6", conversation_id, overtaken)


def one_open_conversation_per_key(history: History) -> Iterator[Violation]:
    """I7: conversations of one affinity key follow each other and are linked."""
    by_key: defaultdict[str, list[Row]] = defaultdict(list)
    for conversation in history.conversations:
        by_key[conversation["affinity_key"]].append(conversation)
    for conversations in by_key.values():
        for earlier, later in pairwise(conversations):
            if earlier["ended_at"] is None or earlier["ended_at"] > later["created_at"]:
                overlapping = f"began before {earlier['id']} ended"
                yield Violation("I7", later["id"], overlapping)
            if later["continues"] != earlier["id"] or earlier["continued_by"] != later["id"]:
                yield Violation("I7", later["id"], f"is not linked with {earlier['id']}")


def the_window_is_exact(history: History) -> Iterator[Violation]:
    """I7: at the window's last moment a post joins, after it the conversation has lapsed."""
    for conversation_id, events in history.events_by_conversation.items():
        for before, event in pairwise(events):
            known, at = before["snapshot"], event["at"]
            may_lapse = (
                known["state"] == "connected"
                and known["post_count"] <= known["answered_count"]
                and known["unsettled_replies"] == 0
            )
            is_over = may_lapse and at > known["affinity_until"]
            if event["type"] == "conversation.post_received" and is_over:
                late = f"a post joined {at - known['affinity_until']} ms after the window"
                yield Violation("I7", conversation_id, late)
            lapsed = event["detail"].get("ended_by") == "affinity_window"
            if event["type"] == "conversation.disconnected" and lapsed and not is_over:
                yield Violation("I7", conversation_id, "lapsed though its window was open")


def what_was_answered_is_so(history: History, world: World) -> Iterator[Violation]:
    """I8: a 2xx survives any crash, and a repeated key gives the same answer."""
    given: dict[tuple[str, str], Answer] = {}
    stored = {(row["principal_id"], row["key"]): row for row in history.commands}
    versions = {row["id"]: row["version"] for row in history.conversations}
    for answer in world.answers:
        name = (answer.principal_id, answer.key)
        if given.setdefault(name, answer) != answer:
            yield Violation("I8", answer.key, "two answers to one key")
        row = stored.get(name)
        if row is None or (row["status"], row["body"]) != (answer.status, answer.body):
            yield Violation("I8", answer.key, f"answered {answer.status}, remembered {row}")
        body = answer.body or {}
        if "version" in body and versions.get(body["id"], body["version"]) < body["version"]:
            yield Violation("I8", body["id"], f"version {body['version']} was answered and is gone")


def no_work_beside_the_free(history: History) -> Iterator[Violation]:
    """I9: when all is quiet, nobody waits whom an eligible agent could take."""
    queued = [
        conversation_from(_as_row(r)) for r in history.conversations if r["state"] == "queued"
    ]
    agents = {agent.id: agent for agent in _agents(history)}
    for row in history.workgroups:
        queue = [x for x in queued if x.workgroup_id == row["id"]]
        policy = routing_policy_from(_as_row(row))
        queue.sort(key=lambda x: (queue_rank(x, policy.queue_order), x.id))
        floor = everyone(tuple(agents.values()))
        matches, _ = match(queue, floor, policy, history.now)
        for pair in matches:
            beside = f"waits beside {pair.offered[0].agent.id} in {row['id']}"
            yield Violation("I9", pair.conversation.id, beside)


def _as_row(row: Row) -> RowMapping:
    return cast("RowMapping", row)


def _agents(history: History) -> Iterator[Agent]:
    seen = {row["agent_id"]: row["seen_at"] for row in history.presences}
    member_of: defaultdict[str, set[str]] = defaultdict(set)
    for row in history.memberships:
        member_of[row["agent_id"]].add(row["workgroup_id"])
    counts: defaultdict[str, Counter[MediaType]] = defaultdict(Counter)
    for row in history.conversations:
        for agent_id, _, _ in carried(row):
            counts[agent_id][MediaType(row["media_type"])] += 1
    licensed = {row["id"]: row["licensed"] for row in history.stations}
    allocations = {f"{row['kind']}_allocation": row["allocation"] for row in history.licences}
    for row in history.agents:
        seat = {"seen_at": seen.get(row["id"]), "station_licensed": licensed.get(row["station_id"])}
        found = _as_row({**row, **seat, **allocations})
        groups = frozenset(member_of[row["id"]])
        yield agent_from(found, history.now, groups, dict(counts[row["id"]]))


def events_are_one_sequence(history: History) -> Iterator[Violation]:
    """I10: every event has its place, without gap or repeat, in each conversation's order."""
    places = [event["seq"] for event in history.events]
    for event in history.events:
        if event["seq"] is None:
            yield Violation("I10", str(event["id"]), "has no place in the sequence")
    known = [place for place in places if place is not None]
    for earlier, later in pairwise(known):
        if later != earlier + 1:
            yield Violation("I10", str(later), f"follows {earlier}")
    counter = {row["name"]: row["value"] for row in history.counters}.get("event_sequence", 0)
    if known and counter != known[-1]:
        yield Violation("I10", str(known[-1]), f"is the last, but the counter says {counter}")


def conversations_never_go_back(history: History) -> Iterator[Violation]:
    """I10: in the sequence, each conversation's versions only rise."""
    for conversation_id, events in history.events_by_conversation.items():
        for before, after in pairwise(events):
            if after["snapshot"]["version"] < before["snapshot"]["version"]:
                yield Violation("I10", conversation_id, f"went back in time at {after['seq']}")


def nothing_personal_is_in(
    texts: Mapping[str, str], canaries: Collection[str]
) -> Iterator[Violation]:
    """I12: no canary stands in logs, traces, histories, or whatever these texts are."""
    for name, text in texts.items():
        for canary in canaries:
            if canary in text:
                yield Violation("I12", name, f"contains {canary!r}")


def no_workflow_task_failed(histories: Iterable[Any]) -> Iterator[Violation]:
    """I13: in these `temporalio.client.WorkflowHistory`s no workflow task failed.

    One that completed while a signal came in is "failed" as unhandled and is simply run again.
    """
    for history in histories:
        for event in history.events:
            failed = event.workflow_task_failed_event_attributes
            is_failed = event.HasField("workflow_task_failed_event_attributes")
            if is_failed and failed.cause != UNHANDLED_COMMAND:
                yield Violation("I13", history.workflow_id, failed.failure.message)


UNHANDLED_COMMAND = 1
"""`WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND` of Temporal's API."""


def posts_move_as_they_may(history: History) -> Iterator[Violation]:
    """I2, I7: merge, split and their undoing lose nothing and invent nothing."""
    for checker in moves.ALL:
        yield from (Violation(*finding) for finding in checker(history))


def waits_are_what_happened(history: History) -> Iterator[Violation]:
    """I11: the waits in the queues, from which service levels come, are those of the events."""
    for finding in waits.that_differ(history):
        yield Violation(*finding)


def handlings_are_what_happened(history: History) -> Iterator[Violation]:
    """I11: how long agents handled conversations is what the events tell."""
    for finding in handlings.that_differ(history):
        yield Violation(*finding)


def reports_are_what_happened(history: History) -> Iterator[Violation]:
    """I11: what became of offers, and first answers, are those of the events."""
    for finding in reports_told.offers_that_differ(history):
        yield Violation(*finding)
    for finding in reports_told.first_replies_that_differ(history):
        yield Violation(*finding)


ALWAYS: tuple[Callable[[History], Iterator[Violation]], ...] = (
    every_post_is_in_one_conversation,
    unsettled_replies_are_counted,
    loads_are_what_is_carried,
    loads_never_exceeded_100,
    ownership_never_overlaps,
    posts_are_in_order,
    replies_are_in_order,
    one_open_conversation_per_key,
    the_window_is_exact,
    posts_move_as_they_may,
    waits_are_what_happened,
    handlings_are_what_happened,
    reports_are_what_happened,
)
WHEN_QUIET = (no_work_beside_the_free, events_are_one_sequence, conversations_never_go_back)
WITH_THE_WORLD: tuple[Callable[[History, World], Iterator[Violation]], ...] = (
    no_post_is_lost,
    every_reply_is_said_once,
    what_was_answered_is_so,
)


def violations_at_any_commit(history: History) -> list[Violation]:
    """Check what holds at every moment, also in the middle of things."""
    return [violation for checker in ALWAYS for violation in checker(history)]


def violations_when_quiet(history: History, world: World | None = None) -> list[Violation]:
    """Check everything, once all asking is done and the relay has numbered all events."""
    found = violations_at_any_commit(history)
    found += [violation for checker in WHEN_QUIET for violation in checker(history)]
    if world is not None:
        found += [violation for checker in WITH_THE_WORLD for violation in checker(history, world)]
    return found
