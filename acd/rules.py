"""Routing rules: which of them fire for a conversation, what they change, and why."""

from collections.abc import Iterator
from dataclasses import dataclass

from acd.conditions import AllOf, AnyOf, Comparison, Condition, Node, Not, check
from acd.rule_actions import (
    Action,
    AskForSkill,
    Done,
    NamedSkill,
    NearestWorkgroup,
    PreferAgent,
    Routing,
    SetWorkgroup,
    SkillFrom,
    act,
)
from acd.rule_facts import Argument, RoutingFacts, Trigger


@dataclass(frozen=True, slots=True)
class Rule:
    """When the condition holds (None: always), the actions happen; `stop` ends the list."""

    name: str
    condition: Condition | None
    actions: tuple[Action, ...]
    stop: bool


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of an ordered list of rules; `id` and `version` name it in records."""

    trigger: Trigger
    rules: tuple[Rule, ...]
    id: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """What became of one rule: every node of its condition, and what its actions did."""

    name: str
    fired: bool
    condition: Node | None = None
    done: tuple[Done, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a set of rules says about one conversation."""

    rule_set_id: str
    version: int
    trigger: Trigger
    routing: Routing
    trace: tuple[RuleTrace, ...]

    @property
    def fired(self) -> tuple[str, ...]:
        """The names of the rules whose condition held, in order."""
        return tuple(rule.name for rule in self.trace if rule.fired)


def evaluate(rule_set: RuleSet, facts: RoutingFacts, routing: Routing) -> Verdict:
    """Ask the rules in their order; a rule sees the facts as they were before the first one.

    After a rule that fired with `stop`, and after a discard, no further rule is asked: the trace
    has none of them.
    """
    trace: list[RuleTrace] = []
    for rule in rule_set.rules:
        node = check(rule.condition, facts) if rule.condition is not None else None
        fires = node is None or node.result
        done: list[Done] = []
        for action in rule.actions if fires else ():
            routing, what = act(action, routing, facts)
            done.append(what)
        trace.append(RuleTrace(rule.name, fires, node, tuple(done)))
        if fires and (rule.stop or routing.discard_reason is not None):
            break
    return Verdict(rule_set.id, rule_set.version, rule_set.trigger, routing, tuple(trace))


@dataclass(frozen=True, slots=True)
class References:
    """What a set of rules names that lives elsewhere: it has to exist, and to be read."""

    workgroup_ids: frozenset[str] = frozenset()
    agent_ids: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    places_of: frozenset[str] = frozenset()
    """The workgroups whose location is compared."""
    hours_of: frozenset[str] = frozenset()
    """The workgroups whose business hours are looked at."""
    facts: frozenset[str] = frozenset()
    prefers_own_agent: bool = False

    @property
    def needs_customer(self) -> bool:
        """Whether anything has to be known of the customer."""
        return self.prefers_own_agent or any(fact.startswith("customer.") for fact in self.facts)


def references(rules: tuple[Rule, ...]) -> References:
    """Return everything that the rules refer to."""
    conditions = [rule.condition for rule in rules if rule.condition is not None]
    actions = [action for rule in rules for action in rule.actions]
    hours = {
        str(one.argument)
        for one in comparisons(conditions)
        if one.fact.argument is Argument.WORKGROUP
    }
    places = {
        workgroup_id
        for action in actions
        if isinstance(action, NearestWorkgroup)
        for workgroup_id in action.workgroup_ids
    }
    chosen = {action.workgroup_id for action in actions if isinstance(action, SetWorkgroup)}
    preferred = {action.agent_id for action in actions if isinstance(action, PreferAgent)}
    return References(
        workgroup_ids=frozenset(hours | places | chosen),
        agent_ids=frozenset(agent_id for agent_id in preferred if agent_id is not None),
        skills=frozenset(skill for action in actions for skill in _skills(action)),
        places_of=frozenset(places),
        hours_of=frozenset(hours),
        facts=frozenset(one.fact.name for one in comparisons(conditions)),
        prefers_own_agent=None in preferred,
    )


def comparisons(conditions: list[Condition]) -> Iterator[Comparison]:
    """Return every comparison of some trees."""
    waiting = list(conditions)
    while waiting:
        match waiting.pop():
            case Comparison() as comparison:
                yield comparison
            case Not(child):
                waiting.append(child)
            case AllOf(children) | AnyOf(children):
                waiting.extend(children)


def _skills(action: Action) -> tuple[str, ...]:
    match action:
        case AskForSkill(NamedSkill(skill)):
            return (skill,)
        case AskForSkill(SkillFrom(among=among, otherwise=otherwise)):
            return (*(among or ()), *([otherwise] if otherwise else []))
        case _:
            return ()
