"""Reads a period's traffic, many short transactions long, into what a simulation repeats."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from acd.estimates import since
from acd.recorded_day import Script, script_of
from acd.rules import RuleSet
from acd.simulated_people import Arrival
from acd.what_if import Happened, Traffic
from conversations import commands as c
from conversations.model import Conversation, MediaType, Visibility
from storage import floor_record, traffic, traffic_rules
from storage.database import Database
from storage.floor_record import FloorReading
from storage.rule_asking import ROUTING_RULES
from storage.traffic import PAGE, Period, Reading

T = TypeVar("T")


async def read_traffic(
    database: Database, period: Period, rule_set: RuleSet | None = None
) -> Traffic:
    """Return what happened in a period; with rules, the arrivals as these would open them.

    Raises:
        TooMuchTraffic: there were too many conversations.
        PeriodNotKept: the record is incomplete.
    """
    await database.read(lambda k: traffic.require_bounded(k, period))
    reading = await _read_events(database, period)
    floor = await _read_floor(database, period)
    carried_over = await _read_carried_over(database, period)
    began = reading.began()
    if len(began) + len(carried_over) > traffic.MOST_CONVERSATIONS:
        raise traffic.TooMuchTraffic(len(began) + len(carried_over))
    known = {one.id: one for one in carried_over} | {i: one for i, (_, one) in began.items()}
    arrivals = [
        Arrival(at, _opening(one, reading.first_posts(i))) for i, (at, one) in began.items()
    ]
    arrivals.sort(key=lambda arrival: arrival.at)
    routed: Sequence[Arrival | None] = arrivals
    scripts = _scripts(reading, carried_over, period)
    if rule_set is not None:
        routed = await _routed(database, arrivals, rule_set)
        scripts = {i: _without_rules(script) for i, script in scripts.items()}
    before = await database.read(
        lambda k: traffic.answers_before(k, since(period.start), period.start)
    )
    return Traffic(
        start=period.start,
        until=period.until,
        arrivals=tuple(arrival for arrival in routed if arrival is not None),
        carried_over=tuple(carried_over),
        states=tuple(floor.states),
        scripts=scripts,
        returns={agent_id: tuple(moments) for agent_id, moments in floor.returns.items()},
        absences_ms=tuple(floor.absences_ms),
        happened=_happened(reading, known),
        answers_before=tuple(before),
        discarded=sum(arrival is None for arrival in routed),
    )


async def _read_events(database: Database, period: Period) -> Reading:
    reading = Reading()
    first, last = await database.read(lambda k: traffic.places_of(k, period))
    following: int | None = first
    while following is not None:
        page = partial(traffic.page_of_events, period=period, places=(following, last))
        rows, following = await database.read(page)
        reading.take(rows)
    for places in _pages(reading.places_to_read):
        reading.stated |= await database.read(partial(traffic.snapshots, places=places))
    return reading


async def _read_floor(database: Database, period: Period) -> FloorReading:
    floor = FloorReading()
    agents = await database.read(lambda k: floor_record.agents_at(k, period.start))
    floor.begin(agents, period.start)
    place: floor_record.Place | None = (period.start, 0)
    while place is not None:
        page = partial(floor_record.page_of_history, period=period, after=place)
        changes, place = await database.read(page)
        floor.take(changes)
    return floor


async def _read_carried_over(database: Database, period: Period) -> list[Conversation]:
    ids = await database.read(lambda k: traffic.open_before(k, period))
    found: list[Conversation] = []
    for page in _pages(ids):
        states = partial(traffic.states_at, conversation_ids=page, at=period.start)
        found += await database.read(states)
    return sorted(found, key=lambda conversation: conversation.id)


async def _routed(
    database: Database, arrivals: Sequence[Arrival], rule_set: RuleSet
) -> list[Arrival | None]:
    found: list[Arrival | None] = []
    for page in _pages(arrivals):
        routed = partial(traffic_rules.routed, arrivals=page, rule_set=rule_set)
        found += await database.read(routed)
    return found


def _pages(whole: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(whole), PAGE):
        yield whole[start : start + PAGE]


def _opening(opened: Conversation, post_ids: tuple[str, ...]) -> c.Opening:
    """Return what the conversation was opened from, rules and all."""
    is_private = opened.media_type is MediaType.SOCIAL_DIRECT_MESSAGE
    return c.Opening(
        conversation_id=opened.id,
        network=opened.network,
        account_id=opened.account_id,
        channel_id=opened.channel_id,
        workgroup_id=opened.workgroup_id,
        customer_id=opened.customer_id,
        affinity_key=opened.affinity_key,
        affinity_window_s=opened.affinity_window_s,
        priority=opened.priority,
        visibility=Visibility.PRIVATE if is_private else Visibility.PUBLIC,
        required_skills=opened.required_skills,
        post_ids=post_ids,
        last_post_at=opened.last_post_at,
        continues=opened.continues,
        preferred_agent_id=opened.preferred_agent_id,
        preferred_skills=opened.preferred_skills,
        tags=opened.tags,
        location=opened.location,
    )


def _scripts(
    reading: Reading, carried_over: Sequence[Conversation], period: Period
) -> dict[str, Script]:
    """Read everybody's part; of those who were there before, from the period's start on."""
    scripts = {
        i: script_of(one, at, reading.of(i, is_new=True))
        for i, (at, one) in reading.began().items()
    }
    for one in carried_over:
        scripts[one.id] = script_of(one, period.start, reading.of(one.id, is_new=False))
    return scripts


def _without_rules(script: Script) -> Script:
    """Leave out what the rules in force ended at the arrival."""
    kept = tuple(
        one
        for one in script.interruptions
        if not (isinstance(one.command, c.Discard) and one.command.cause == ROUTING_RULES)
    )
    return replace(script, interruptions=kept)


def _happened(reading: Reading, known: Mapping[str, Conversation]) -> Happened:
    return Happened(
        tuple(reading.pickups(known)),
        missed=reading.count("conversation.offer_expired", "not_taken"),
        overflowed=reading.count("conversation.transferred", "overflow")
        + reading.count("conversation.transferred", "closed"),
        unmatched=reading.waiting_at_the_end(known),
    )
