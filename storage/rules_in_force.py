"""The rules that count now: looked up by their versions in every transaction, compiled once."""

import structlog
from sqlalchemy import Connection, select

from acd.rule_facts import Trigger
from acd.rule_reading import rule_set
from acd.rules import RuleSet
from storage.setup_tables import RuleSetRow

log = structlog.get_logger()

RULE_SETS = RuleSetRow.__table__  # type: ignore[attr-defined]

MOST_COMPILED = 256
_compiled: dict[tuple[str, int], RuleSet] = {}
"""By id and version: a change has another version, so that it counts at once in every process."""


def in_force(connection: Connection, trigger: Trigger) -> tuple[RuleSet, ...]:
    """Return the trigger's enabled sets in their order: by position, then by age."""
    enabled = (
        select(RULE_SETS.c.id, RULE_SETS.c.version)
        .where(RULE_SETS.c.trigger == trigger.value, RULE_SETS.c.enabled)
        .order_by(RULE_SETS.c.position, RULE_SETS.c.created_at, RULE_SETS.c.id)
    )
    wanted = [(row.id, row.version) for row in connection.execute(enabled)]
    known = {key[0]: _compiled[key] for key in wanted if key in _compiled}
    missing = [row_id for row_id, _ in wanted if row_id not in known]
    if missing:
        known |= _compile(connection, missing)
    return tuple(known[row_id] for row_id, _ in wanted if row_id in known)


def _compile(connection: Connection, row_ids: list[str]) -> dict[str, RuleSet]:
    """Compile sets; one that changed since it was listed is taken as it is now."""
    if len(_compiled) > MOST_COMPILED:
        _compiled.clear()
    query = select(RULE_SETS).where(RULE_SETS.c.id.in_(row_ids), RULE_SETS.c.enabled)
    fresh: dict[str, RuleSet] = {}
    for row in connection.execute(query).mappings():
        trigger = Trigger(row["trigger"])
        fresh[row["id"]] = _readable(row["rules"], trigger, row["id"], row["version"])
        _compiled[row["id"], row["version"]] = fresh[row["id"]]
    return fresh


def _readable(rules: object, trigger: Trigger, set_id: str, version: int) -> RuleSet:
    """Compile stored rules; those of another version of Parley stop no post from coming in."""
    try:
        return rule_set(rules, trigger, set_id=set_id, version=version)
    except ValueError as error:
        log.warning("rules_unreadable", rule_set_id=set_id, version=version, reason=str(error))
        return RuleSet(trigger, (), set_id, version)
