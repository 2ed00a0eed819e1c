"""Routing rules in a database, for the tests of what they do there."""

from typing import Any

from sqlalchemy import Connection, select

from acd.rule_facts import Trigger
from acd.rule_reading import rule_set
from storage import (
    rules,
)
from storage.log_tables import DecisionRow
from storage.setup_tables import RuleSetRow, SkillRow
from tests.floor import Floor

DECISIONS = DecisionRow.__table__  # type: ignore[attr-defined]
RULE_SETS = RuleSetRow.__table__  # type: ignore[attr-defined]
SKILLS = SkillRow.__table__  # type: ignore[attr-defined]

VIP = {"fact": "author.followers", "at_least": 1_000}
VIENNA = {"country": "AT", "place": "Vienna", "lat": 48.2, "lon": 16.37}
BERLIN = {"country": "DE", "place": "Berlin", "lat": 52.5, "lon": 13.4}


async def in_force(floor: Floor, trigger: Trigger, *listed: dict[str, Any], **settings: Any) -> str:
    values = {"trigger": trigger.value, "rules": list(listed), "name": None}
    values |= {"position": 0, "enabled": True} | settings
    read = rule_set(list(listed), trigger)
    return await floor.database.write(lambda k: rules.create(k, values, read))


async def changed(floor: Floor, rule_set_id: str, *listed: dict[str, Any], **settings: Any) -> None:
    def change(connection: Connection) -> None:
        row = rules.lock(connection, rule_set_id)
        assert row is not None
        kept = {name: row[name] for name in ("trigger", "name", "position", "enabled")}
        values = {**kept, "rules": list(listed), **settings}
        rules.change(connection, row, values, rule_set(list(listed), Trigger(row["trigger"])))

    await floor.database.write(change)


def rule(*actions: dict[str, Any], name: str = "rule", **more: Any) -> dict[str, Any]:
    return {"name": name, "then": list(actions), **more}


async def records(floor: Floor, conversation_id: str) -> list[dict[str, Any]]:
    query = (
        select(DECISIONS.c.record)
        .where(DECISIONS.c.conversation_id == conversation_id)
        .order_by(DECISIONS.c.at, DECISIONS.c.id)
    )
    found = await floor.database.read(lambda k: list(k.execute(query).scalars()))
    return [record for record in found if record.get("kind") == "rules"]
