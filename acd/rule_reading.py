"""Reads a list of rules from JSON; what contradicts itself is refused before it can confuse."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from acd.condition_reading import Budget, read_condition
from acd.rule_actions import (
    Action,
    AddTags,
    AskForSkill,
    DiscardIt,
    NamedSkill,
    NearestWorkgroup,
    PreferAgent,
    RaisePriority,
    SetPriority,
    SetWorkgroup,
    SkillFrom,
)
from acd.rule_facts import SKILL_SOURCES, Trigger
from acd.rule_places import LONGEST_NAME, Fault, Place
from acd.rules import Rule, RuleSet

MOST_RULES = 100
MOST_ACTIONS = 20
MOST_PATTERNS = 100
MOST_KEYWORDS = 2_000
FURTHEST_KM = 20_040
"""Nothing on earth is further away."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The rules, or why they are refused: never both."""

    rules: tuple[Rule, ...] = ()
    faults: tuple[Fault, ...] = ()


def read_rules(value: object, trigger: Trigger, path: tuple[str | int, ...] = ()) -> Reading:
    """Read rules from JSON of any kind; `path` is where the value is in the request."""
    place = Place(value, path)
    set_budget = Budget()
    rules = [
        rule
        for p in place.elements(MOST_RULES, least=0)
        if (rule := _read_rule(p, trigger, set_budget)) is not None
    ]
    for name, count in Counter(rule.name for rule in rules).items():
        if count > 1:
            place.wrong(f"{count} rules have the name {name}")
    if set_budget.patterns > MOST_PATTERNS:
        place.wrong(f"have {set_budget.patterns} patterns: at most {MOST_PATTERNS}")
    if set_budget.keywords > MOST_KEYWORDS:
        place.wrong(f"have {set_budget.keywords} keywords: at most {MOST_KEYWORDS}")
    return Reading(faults=tuple(place.faults)) if place.faults else Reading(tuple(rules))


def rule_set(value: object, trigger: Trigger, *, set_id: str = "", version: int = 1) -> RuleSet:
    """Read rules that were accepted before.

    Raises:
        ValueError: they would be refused today.
    """
    reading = read_rules(value, trigger)
    if reading.faults:
        first = reading.faults[0]
        raise ValueError(f"{'/'.join(str(part) for part in first.path)} {first.reason}")
    return RuleSet(trigger, reading.rules, set_id, version)


def _read_rule(place: Place, trigger: Trigger, set_budget: Budget) -> Rule | None:
    if not place.members({"name", "then"}, {"when", "stop"}):
        return None
    before = len(place.faults)
    budget = Budget()
    name = place.at("name").words(LONGEST_NAME)
    when = place.at("when")
    condition = None if when.value is None else read_condition(when, budget)
    actions = _read_actions(place.at("then"), trigger)
    stop = False if place.at("stop").value is None else place.at("stop").flag()
    set_budget.patterns += budget.patterns
    set_budget.keywords += budget.keywords
    if name is None or stop is None or len(place.faults) > before:
        return None
    return Rule(name, condition, actions, stop=stop)


def _read_actions(place: Place, trigger: Trigger) -> tuple[Action, ...]:
    read = [_read_action(p) for p in place.elements(MOST_ACTIONS)]
    actions = tuple(action for action in read if action is not None)
    for reason in (*_contradictions(actions), *_not_for(actions, trigger)):
        place.wrong(reason)
    return actions


def _read_action(place: Place) -> Action | None:
    name = place.at("action").value
    read = READ_ACTION.get(name) if isinstance(name, str) else None
    if read is None:
        place.at("action").wrong(f"should be one of {', '.join(READ_ACTION)}")
        return None
    before = len(place.faults)
    action = read(place)
    return None if len(place.faults) > before else action


def _set_priority(place: Place) -> Action | None:
    if not place.members({"action", "priority"}, set()):
        return None
    priority = place.at("priority").whole(0, 100)
    return None if priority is None else SetPriority(priority)


def _raise_priority(place: Place) -> Action | None:
    if not place.members({"action", "by"}, set()):
        return None
    by = place.at("by").whole(-100, 100)
    if by == 0:
        place.at("by").wrong("changes nothing")
    return None if by is None else RaisePriority(by)


def _skill(*, is_required: bool) -> Callable[[Place], Action | None]:
    def read(place: Place) -> Action | None:
        has_source = place.at("skill_from").value is not None
        needed = {"action", "skill_from" if has_source else "skill"}
        others = {"min_proficiency"} | ({"among", "otherwise"} if has_source else set())
        if not place.members(needed, others):
            return None
        level = place.at("min_proficiency")
        proficiency = 0 if level.value is None else level.whole(0, 100)
        skill = _skill_from(place) if has_source else _named_skill(place.at("skill"))
        if skill is None or proficiency is None:
            return None
        return AskForSkill(skill, proficiency, is_required=is_required)

    return read


def _named_skill(place: Place) -> NamedSkill | None:
    name = place.skill()
    return None if name is None else NamedSkill(name)


def _skill_from(place: Place) -> SkillFrom | None:
    source = place.at("skill_from").choice(tuple(SKILL_SOURCES))
    if source is None:
        return None
    among, otherwise = place.at("among"), place.at("otherwise")
    prefix = f"{SKILL_SOURCES[source]}:"
    known: set[str] = set()
    for p in among.elements(MOST_RULES) if among.value is not None else ():
        skill = p.skill()
        if skill is not None and not skill.startswith(prefix):
            p.wrong(f"should begin with {prefix}: {source} makes no other skill")
        known.add(skill or "")
    fallback = None if otherwise.value is None else otherwise.skill()
    return SkillFrom(source, frozenset(known) if among.value is not None else None, fallback)


def _set_workgroup(place: Place) -> Action | None:
    if not place.members({"action", "workgroup_id"}, set()):
        return None
    workgroup_id = place.at("workgroup_id").words(64)
    return None if workgroup_id is None else SetWorkgroup(workgroup_id)


def _nearest_workgroup(place: Place) -> Action | None:
    if not place.members({"action", "workgroup_ids"}, {"within_km"}):
        return None
    read = [p.words(64) for p in place.at("workgroup_ids").elements(MOST_RULES)]
    workgroup_ids = tuple(dict.fromkeys(one for one in read if one is not None))
    within = place.at("within_km")
    within_km = None if within.value is None else within.number(0, FURTHEST_KM)
    return NearestWorkgroup(workgroup_ids, within_km)


def _prefer_agent(place: Place) -> Action | None:
    if place.at("agent").value is None:
        if not place.members({"action", "agent_id"}, set()):
            return None
        agent_id = place.at("agent_id").words(64)
        return None if agent_id is None else PreferAgent(agent_id)
    if place.members({"action", "agent"}, set()):
        place.at("agent").choice(("customers_own",))
    return PreferAgent(None)


def _tag(place: Place) -> Action | None:
    if not place.members({"action", "tags"}, set()):
        return None
    tags = [p.skill() for p in place.at("tags").elements(MOST_ACTIONS)]
    return AddTags(tuple(dict.fromkeys(tag for tag in tags if tag is not None)))


def _discard(place: Place) -> Action | None:
    if not place.members({"action", "reason"}, set()):
        return None
    reason = place.at("reason").words(LONGEST_NAME)
    return None if reason is None else DiscardIt(reason)


ReadAction: TypeAlias = Callable[[Place], Action | None]

READ_ACTION: dict[str, ReadAction] = {
    "set_priority": _set_priority,
    "raise_priority": _raise_priority,
    "require_skill": _skill(is_required=True),
    "prefer_skill": _skill(is_required=False),
    "set_workgroup": _set_workgroup,
    "nearest_workgroup": _nearest_workgroup,
    "prefer_agent": _prefer_agent,
    "tag": _tag,
    "discard": _discard,
}


def _contradictions(actions: tuple[Action, ...]) -> list[str]:
    """Say which actions of one rule do not go together."""
    groups: tuple[tuple[str, tuple[type, ...]], ...] = (
        ("the priority", (SetPriority, RaisePriority)),
        ("the workgroup", (SetWorkgroup, NearestWorkgroup)),
        ("the preferred agent", (PreferAgent,)),
        ("the reason of a discard", (DiscardIt,)),
    )
    reasons = [
        f"say {what} {count} times: which one is meant?"
        for what, kinds in groups
        if (count := sum(isinstance(action, kinds) for action in actions)) > 1
    ]
    asked = Counter(action.skill for action in actions if isinstance(action, AskForSkill))
    reasons += [
        f"ask {count} times for the skill {_skill_name(skill)}"
        for skill, count in asked.items()
        if count > 1
    ]
    has_discard = any(isinstance(action, DiscardIt) for action in actions)
    if has_discard and not all(isinstance(action, DiscardIt | AddTags) for action in actions):
        reasons.append("discard the conversation and route it: only tags go with a discard")
    return reasons


def _skill_name(skill: NamedSkill | SkillFrom) -> str:
    return skill.skill if isinstance(skill, NamedSkill) else f"from {skill.source}"


def _not_for(actions: tuple[Action, ...], trigger: Trigger) -> list[str]:
    """Say what a trigger does not allow: a human's hand-over is never thrown away."""
    transfers = (Trigger.TRANSFER_CONVERSATION, Trigger.TRANSFER_DIRECT_MESSAGE)
    if trigger in transfers and any(isinstance(action, DiscardIt) for action in actions):
        return ["discard what somebody has just handed over: not at a transfer"]
    return []
