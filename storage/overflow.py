"""To which workgroups others overflow: known ones, and never round in a circle."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, text

from storage import setup
from storage.calendars import overflow_targets
from storage.setup_tables import WorkgroupRow

WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]


class OverflowInACircle(setup.UnknownReference):
    """Conversations would overflow back to where they came from."""

    def __init__(self, field: str, names: list[str]) -> None:
        super().__init__(field, names[-1])
        self.args = (f"{field} would let conversations go round: {' → '.join(names)}",)


def require_sound(connection: Connection, workgroup_id: str, values: Mapping[str, Any]) -> None:
    """Refuse to overflow to what does not exist, to itself, or in a circle.

    Raises:
        UnknownReference: a target does not exist.
        OverflowInACircle: the targets lead back to the workgroup.
    """
    targets = list(overflow_targets(values))
    if not targets:
        return
    _one_at_a_time(connection)
    for field, target in targets:
        setup.require_known(connection, WORKGROUPS, field, [target])
    rows = connection.execute(
        select(
            WORKGROUPS.c.id, WORKGROUPS.c.name, WORKGROUPS.c.business_hours, WORKGROUPS.c.overflow
        )
    ).mappings()
    others = {row["id"]: row for row in rows}
    names = {row_id: row["name"] for row_id, row in others.items()} | {workgroup_id: values["name"]}
    ways = {row_id: [to for _, to in overflow_targets(row)] for row_id, row in others.items()}
    for field, target in targets:
        way = _way_between(target, workgroup_id, ways)
        if way:
            raise OverflowInACircle(field, [names[one] for one in (workgroup_id, *way)])


def _way_between(start: str, end: str, ways: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Return the steps that lead from one workgroup to another, none if none do."""
    reached: dict[str, tuple[str, ...]] = {start: (start,)}
    ahead = [start]
    while ahead:
        here = ahead.pop()
        if here == end:
            return reached[here]
        for there in ways.get(here, ()):
            if there not in reached:
                reached[there] = (*reached[here], there)
                ahead.append(there)
    return ()


def _one_at_a_time(connection: Connection) -> None:
    """Let changes take turns, or two of them could close a circle together."""
    if connection.dialect.name == "postgresql":
        turn = text("SELECT pg_advisory_xact_lock(hashtextextended('overflow', 3))")
        connection.execute(turn)


def is_target(connection: Connection, workgroup_id: str) -> bool:
    """Whether another workgroup overflows to this one."""
    _one_at_a_time(connection)
    query = select(WORKGROUPS.c.business_hours, WORKGROUPS.c.overflow).where(
        WORKGROUPS.c.id != workgroup_id
    )
    rows = connection.execute(query).mappings()
    return any(workgroup_id == target for row in rows for _, target in overflow_targets(row))
