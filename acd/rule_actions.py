"""What a routing rule may do, and how the actions of several rules become one change."""

from dataclasses import dataclass, replace
from typing import TypeAlias

from acd.distance import distance_km
from acd.rule_facts import RoutingFacts, skill_of
from conversations.model import RequiredSkill

HIGHEST_PRIORITY = 100
MOST_TAGS = 50
"""So many tags a conversation keeps; more are left out, and the trace says so."""


@dataclass(frozen=True, slots=True)
class SetPriority:
    priority: int


@dataclass(frozen=True, slots=True)
class RaisePriority:
    """Add to the priority; less than zero lowers it. It stays within 0 and 100."""

    by: int


@dataclass(frozen=True, slots=True)
class NamedSkill:
    skill: str


@dataclass(frozen=True, slots=True)
class SkillFrom:
    """A skill made of a fact: `post.language` makes `language:de`.

    Where the fact is missing, or its skill is not in `among` (None: any is taken), `otherwise` is
    the skill; without that none is asked for.
    """

    source: str
    among: frozenset[str] | None = None
    otherwise: str | None = None

    def skill(self, facts: RoutingFacts) -> str | None:
        skill = skill_of(self.source, facts)
        if skill is None or (self.among is not None and skill not in self.among):
            return self.otherwise
        return skill


@dataclass(frozen=True, slots=True)
class AskForSkill:
    """Require a skill, or prefer who has it."""

    skill: NamedSkill | SkillFrom
    min_proficiency: int
    is_required: bool


@dataclass(frozen=True, slots=True)
class SetWorkgroup:
    workgroup_id: str


@dataclass(frozen=True, slots=True)
class NearestWorkgroup:
    """Choose, of some workgroups, the one that is nearest to the conversation's location."""

    workgroup_ids: tuple[str, ...]
    within_km: float | None = None

    def workgroup(self, facts: RoutingFacts) -> str | None:
        """Return the nearest; of equally near ones the one that is named first."""
        near = [
            (distance, place, workgroup_id)
            for place, workgroup_id in enumerate(self.workgroup_ids)
            if (distance := distance_km(facts.location, facts.places.get(workgroup_id))) is not None
            and (self.within_km is None or distance <= self.within_km)
        ]
        return min(near)[2] if near else None


@dataclass(frozen=True, slots=True)
class PreferAgent:
    """Wait a bounded time for an agent; None: for the customer's own one."""

    agent_id: str | None


@dataclass(frozen=True, slots=True)
class AddTags:
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiscardIt:
    """End the conversation before anybody is asked; its posts are kept."""

    reason: str


Action: TypeAlias = (
    SetPriority
    | RaisePriority
    | AskForSkill
    | SetWorkgroup
    | NearestWorkgroup
    | PreferAgent
    | AddTags
    | DiscardIt
)


@dataclass(frozen=True, slots=True)
class Routing:
    """How a conversation is to be routed: what the rules change."""

    workgroup_id: str
    priority: int
    required_skills: tuple[RequiredSkill, ...] = ()
    preferred_skills: tuple[RequiredSkill, ...] = ()
    preferred_agent_id: str | None = None
    tags: tuple[str, ...] = ()
    discard_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What one action did: a sentence's worth for the trace, or why it did nothing."""

    action: str
    effect: str | None = None
    nothing_because: str | None = None


def act(action: Action, routing: Routing, facts: RoutingFacts) -> tuple[Routing, Done]:
    """Apply one action; what an earlier rule set, a later one may set anew."""
    match action:
        case SetPriority() | RaisePriority():
            return _with_priority(action, routing)
        case AskForSkill():
            return _with_skill(action, routing, facts)
        case SetWorkgroup() | NearestWorkgroup():
            return _in_workgroup(action, routing, facts)
        case PreferAgent(agent_id):
            return _with_agent(routing, agent_id or facts.customer.own_agent_id)
        case AddTags(tags):
            return _with_tags(routing, tags)
        case DiscardIt(reason):
            return replace(routing, discard_reason=reason), Done("discard", reason)


def _with_priority(action: SetPriority | RaisePriority, routing: Routing) -> tuple[Routing, Done]:
    is_set = isinstance(action, SetPriority)
    wanted = action.priority if isinstance(action, SetPriority) else routing.priority + action.by
    priority = min(max(wanted, 0), HIGHEST_PRIORITY)
    done = Done("set_priority" if is_set else "raise_priority", str(priority))
    return replace(routing, priority=priority), done


def _with_skill(action: AskForSkill, routing: Routing, facts: RoutingFacts) -> tuple[Routing, Done]:
    name = "require_skill" if action.is_required else "prefer_skill"
    chosen = action.skill
    skill = chosen.skill if isinstance(chosen, NamedSkill) else chosen.skill(facts)
    if skill is None:
        return routing, Done(name, nothing_because="the fact is missing or not among the skills")
    asked = RequiredSkill(skill, action.min_proficiency)
    if action.is_required:
        required = _merged(routing.required_skills, asked)
        return replace(routing, required_skills=required), Done(name, _told(asked))
    preferred = _merged(routing.preferred_skills, asked)
    return replace(routing, preferred_skills=preferred), Done(name, _told(asked))


def _merged(skills: tuple[RequiredSkill, ...], asked: RequiredSkill) -> tuple[RequiredSkill, ...]:
    """Add a skill; of one that is asked for twice the higher proficiency counts."""
    levels = {skill.skill: skill.min_proficiency for skill in skills}
    levels[asked.skill] = max(asked.min_proficiency, levels.get(asked.skill, 0))
    return tuple(RequiredSkill(skill, level) for skill, level in levels.items())


def _told(asked: RequiredSkill) -> str:
    return f"{asked.skill} at least {asked.min_proficiency}"


def _with_tags(routing: Routing, tags: tuple[str, ...]) -> tuple[Routing, Done]:
    merged = tuple(dict.fromkeys((*routing.tags, *tags)))
    if len(merged) > MOST_TAGS:
        return routing, Done("tag", nothing_because=f"it would have over {MOST_TAGS} tags")
    return replace(routing, tags=merged), Done("tag", ", ".join(tags))


def _with_agent(routing: Routing, agent_id: str | None) -> tuple[Routing, Done]:
    if agent_id is None:
        return routing, Done("prefer_agent", nothing_because="the customer has no own agent")
    return replace(routing, preferred_agent_id=agent_id), Done("prefer_agent", agent_id)


def _in_workgroup(
    action: SetWorkgroup | NearestWorkgroup, routing: Routing, facts: RoutingFacts
) -> tuple[Routing, Done]:
    if isinstance(action, SetWorkgroup):
        chosen = replace(routing, workgroup_id=action.workgroup_id)
        return chosen, Done("set_workgroup", action.workgroup_id)
    nearest = action.workgroup(facts)
    if nearest is None:
        why = "the location is missing or no workgroup is near enough"
        return routing, Done("nearest_workgroup", nothing_because=why)
    return replace(routing, workgroup_id=nearest), Done("nearest_workgroup", nearest)
