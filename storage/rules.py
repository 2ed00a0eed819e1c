"""Routing rules as they are set up: every version is kept, and what they name exists."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from acd.rule_facts import Trigger
from acd.rules import References, RuleSet, references
from storage import clock, setup, skills
from storage.ids import new_id
from storage.pages import Page, Window, page
from storage.setup_tables import (
    AgentRow,
    RuleAgentRow,
    RuleSetRow,
    RuleSetVersionRow,
    RuleWorkgroupRow,
    WorkgroupRow,
)

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
RULE_AGENTS = RuleAgentRow.__table__  # type: ignore[attr-defined]
RULE_SETS = RuleSetRow.__table__  # type: ignore[attr-defined]
RULE_WORKGROUPS = RuleWorkgroupRow.__table__  # type: ignore[attr-defined]
VERSIONS = RuleSetVersionRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

KIND = "rule set"
MOST_ENABLED_RULES = 200
"""So many enabled rules a trigger has in all its sets: they run inside the arrival's commit."""


class TooManyRules(setup.SetUpRefusal):
    """The enabled sets of a trigger have more rules together than may be asked at once."""

    def __init__(self, trigger: str, count: int) -> None:
        super().__init__(
            f"the enabled sets of {trigger} would have {count} rules together,"
            f" and {MOST_ENABLED_RULES} are the most"
        )


def create(connection: Connection, values: Mapping[str, Any], rules: RuleSet) -> str:
    """Create a set of rules and return its id.

    Raises:
        UnknownReference: a rule names a workgroup or an agent that does not exist.
        TooManyRules: the trigger has too many rules already.
    """
    rule_set_id = new_id("ru")
    named = _require_named(connection, rules)
    _require_room(connection, rule_set_id, values)
    now = clock.now(connection)
    setup.add(connection, RULE_SETS, {**values, "id": rule_set_id, "created_at": now})
    _keep_version(connection, rule_set_id, 1, values)
    _write_names(connection, rule_set_id, named)
    return rule_set_id


def change(
    connection: Connection, row: RowMapping, values: Mapping[str, Any], rules: RuleSet
) -> None:
    """Write a locked set's next version; the one before it stays readable.

    Raises:
        NeverChanges: the trigger would be another one.
        UnknownReference: a rule names a workgroup or an agent that does not exist.
        TooManyRules: the trigger has too many rules already.
    """
    if values["trigger"] != row["trigger"]:
        raise setup.NeverChanges("trigger")
    named = _require_named(connection, rules)
    _require_room(connection, row["id"], values)
    setup.change(connection, RULE_SETS, row, values)
    _keep_version(connection, row["id"], row["version"] + 1, values)
    _forget_names(connection, row["id"])
    _write_names(connection, row["id"], named)


def remove(connection: Connection, rule_set_id: str) -> None:
    """Delete a set; its versions stay, because decision records name them."""
    _forget_names(connection, rule_set_id)
    setup.remove(connection, RULE_SETS, KIND, rule_set_id)


def get(connection: Connection, rule_set_id: str) -> RowMapping | None:
    return setup.find(connection, RULE_SETS, rule_set_id)


def lock(connection: Connection, rule_set_id: str) -> RowMapping | None:
    return setup.lock(connection, RULE_SETS, rule_set_id)


def listed(connection: Connection, window: Window, trigger: Trigger | None = None) -> Page:
    query = select(RULE_SETS)
    if trigger is not None:
        query = query.where(RULE_SETS.c.trigger == trigger.value)
    return page(connection, query, (RULE_SETS.c.created_at, RULE_SETS.c.id), window)


def versions(connection: Connection, rule_set_id: str, window: Window) -> Page:
    """Return the versions of a set, also of one that was deleted, by their age."""
    numbered = select(VERSIONS, VERSIONS.c.rule_set_id.label("id")).where(
        VERSIONS.c.rule_set_id == rule_set_id
    )
    return page(connection, numbered, (VERSIONS.c.version, VERSIONS.c.rule_set_id), window)


def _require_named(connection: Connection, rules: RuleSet) -> References:
    """Require that what the rules name exists; skills exist from here on."""
    named = references(rules.rules)
    setup.require_known(connection, WORKGROUPS, "rules", named.workgroup_ids)
    setup.require_known(connection, AGENTS, "rules", named.agent_ids)
    skills.ensure(connection, named.skills)
    return named


def _require_room(connection: Connection, rule_set_id: str, values: Mapping[str, Any]) -> None:
    if not values["enabled"]:
        return
    others = select(RULE_SETS.c.rules).where(
        RULE_SETS.c.trigger == values["trigger"],
        RULE_SETS.c.enabled,
        RULE_SETS.c.id != rule_set_id,
    )
    count = sum(len(rules) for rules in connection.execute(others).scalars())
    if count + len(values["rules"]) > MOST_ENABLED_RULES:
        raise TooManyRules(values["trigger"], count + len(values["rules"]))


def _keep_version(
    connection: Connection, rule_set_id: str, version: int, values: Mapping[str, Any]
) -> None:
    kept = {name: values[name] for name in ("trigger", "rules", "enabled")}
    row = {**kept, "rule_set_id": rule_set_id, "version": version, "at": clock.now(connection)}
    connection.execute(insert(VERSIONS).values(**row))


def _write_names(connection: Connection, rule_set_id: str, named: References) -> None:
    """Remember whom the rules name: they cannot be deleted as long as they do.

    Raises:
        UnknownReference: one of them was deleted while we looked.
    """
    _write(connection, RULE_WORKGROUPS, rule_set_id, "workgroup_id", named.workgroup_ids)
    _write(connection, RULE_AGENTS, rule_set_id, "agent_id", named.agent_ids)


def _write(
    connection: Connection, table: Table, rule_set_id: str, column: str, row_ids: Iterable[str]
) -> None:
    rows = [{"rule_set_id": rule_set_id, column: row_id} for row_id in sorted(row_ids)]
    if not rows:
        return
    try:
        connection.execute(insert(table), rows)
    except IntegrityError as error:
        raise setup.UnknownReference("rules", f"a {column} just deleted") from error


def _forget_names(connection: Connection, rule_set_id: str) -> None:
    for table in (RULE_WORKGROUPS, RULE_AGENTS):
        connection.execute(delete(table).where(table.c.rule_set_id == rule_set_id))


def exists(connection: Connection, rule_set_id: str) -> bool:
    """Whether there is or was such a set."""
    query = select(func.count()).where(VERSIONS.c.rule_set_id == rule_set_id)
    return bool(connection.execute(query).scalar_one())
