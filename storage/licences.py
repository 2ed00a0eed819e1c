"""Licences in the database: counted, and never given out beyond their count."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select, update

from acd.licences import (
    Allocation,
    LicenceKind,
    Pool,
    Pools,
    is_licensed,
    licence_to_take,
    needs_one,
)
from conversations.model import RoutingStatus
from storage import clock, setup
from storage.agent_changes import note_agents
from storage.database import ConcurrentChange
from storage.rows import marks_from
from storage.setup_tables import AgentRow, LicenceRow, StationRow

AGENTS = AgentRow.__table__  # type: ignore[attr-defined]
LICENCES = LicenceRow.__table__  # type: ignore[attr-defined]
STATIONS = StationRow.__table__  # type: ignore[attr-defined]

MARKED = {LicenceKind.USER: AGENTS.c.licensed, LicenceKind.STATION: STATIONS.c.licensed}


class LicencesExhausted(setup.SetUpRefusal):
    """More would be marked, or hold one, than there are licences."""

    def __init__(self, kind: LicenceKind, count: int | None, needed: int) -> None:
        super().__init__(f"there are {count} {kind} licences, {needed} would be in use")


class NoLicenceFree(setup.SetUpRefusal):
    """A log-in found every concurrent licence taken."""

    def __init__(self, agent_id: str, pools: Collection[Pool]) -> None:
        taken = ", ".join(f"{pool.in_use} of {pool.count} {pool.kind}" for pool in pools)
        super().__init__(f"agent {agent_id} needs a licence and none is free: {taken} are taken")


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Return each kind's row with the number in use, sorted by kind."""
    rows = connection.execute(select(LICENCES).order_by(LICENCES.c.kind)).mappings()
    return [{**row, "in_use": _counted(connection, row).in_use} for row in rows.all()]


def _pool(row: RowMapping) -> Pool:
    return Pool(LicenceKind(row["kind"]), Allocation(row["allocation"]), row["count"])


def _counted(connection: Connection, row: RowMapping) -> Pool:
    pool = _pool(row)
    uses: ColumnElement[bool] = MARKED[pool.kind]
    if pool.allocation is Allocation.CONCURRENT:
        uses = AGENTS.c.held_licence == pool.kind.value
    in_use: int = connection.execute(select(func.count()).where(uses)).scalar_one()
    return replace(pool, in_use=in_use)


def _locked_pools(
    connection: Connection, taken_from: Collection[LicenceKind], allocation: Allocation
) -> dict[LicenceKind, Pool]:
    """Lock what the decision rests on; only who takes from a limited pool waits for others.

    Raises:
        ConcurrentChange: the pools were changed in between; the transaction is run again.
    """
    query = select(LICENCES).order_by(LICENCES.c.kind)
    seen = connection.execute(query).mappings().all()
    is_taken = any(
        row["count"] is not None
        and row["allocation"] == allocation.value
        and row["kind"] in taken_from
        for row in seen
    )
    locked = connection.execute(query.with_for_update(read=not is_taken)).mappings().all()
    if locked != seen:
        raise ConcurrentChange("licences")
    return {
        LicenceKind(row["kind"]): _counted(connection, row) if is_taken else _pool(row)
        for row in locked
    }


def require_assignable(connection: Connection, kind: LicenceKind) -> None:
    """Refuse one more mark, which is not written yet, where there is no licence left for it.

    Raises:
        LicencesExhausted: as many are marked as there are.
    """
    pool = _locked_pools(connection, [kind], Allocation.ASSIGNED)[kind]
    is_limited = pool.allocation is Allocation.ASSIGNED and pool.count is not None
    if is_limited and not pool.has_free:
        raise LicencesExhausted(kind, pool.count, pool.in_use + 1)


def settle(connection: Connection, agent_id: str, *, refuses: bool) -> None:
    """Give a locked, logged-in agent the concurrent licence that he needs, or take it back.

    Raises:
        NoLicenceFree: he needs one and there is none; otherwise (`refuses` false) he has none.
    """
    row = connection.execute(_seated().where(AGENTS.c.id == agent_id)).mappings().one()
    marked = marks_from(row)
    pools = _locked_pools(connection, marked, Allocation.CONCURRENT)
    held = _held_after(row, pools)
    if refuses and held is None and needs_one(marked, pools):
        raise NoLicenceFree(agent_id, [pools[kind] for kind in sorted(marked)])
    _write_held(connection, {agent_id: held} if held != _held(row) else {})


def _seated() -> Select[tuple[object, ...]]:
    licensed = STATIONS.c.licensed.label("station_licensed")
    return select(AGENTS, licensed).outerjoin(STATIONS, STATIONS.c.id == AGENTS.c.station_id)


def _held(row: RowMapping) -> LicenceKind | None:
    return LicenceKind(row["held_licence"]) if row["held_licence"] else None


def _held_after(row: RowMapping, pools: Pools) -> LicenceKind | None:
    """Return what a logged-in agent holds now: as little as is enough."""
    marked, held = marks_from(row), _held(row)
    if not needs_one(marked, pools):
        return None
    return held if held in marked else licence_to_take(marked, pools)


def _write_held(connection: Connection, held: Mapping[str, LicenceKind | None]) -> None:
    for agent_id, kind in held.items():
        holds = update(AGENTS).where(AGENTS.c.id == agent_id)
        connection.execute(holds.values(held_licence=kind.value if kind else None))


@dataclass(frozen=True, slots=True)
class Locked:
    """A kind's row, locked with every logged-in agent, in the order that cannot deadlock."""

    row: RowMapping
    agents: tuple[RowMapping, ...]


def lock(connection: Connection, kind: LicenceKind) -> Locked:
    """Lock a kind for a change of its allocation or count."""
    logged_in = select(AGENTS.c.id).where(AGENTS.c.routing_status != RoutingStatus.OFF_QUEUE.value)
    connection.execute(logged_in.order_by(AGENTS.c.id).with_for_update())
    query = select(LICENCES).order_by(LICENCES.c.kind).with_for_update()
    rows = {row["kind"]: row for row in connection.execute(query).mappings()}
    agents = connection.execute(
        _seated()
        .where(AGENTS.c.routing_status != RoutingStatus.OFF_QUEUE.value)
        .order_by(AGENTS.c.since, AGENTS.c.id)
    )
    return Locked(rows[kind.value], tuple(agents.mappings()))


def change(
    connection: Connection, locked: Locked, allocation: Allocation, count: int | None
) -> dict[str, Any]:
    """Allocate a kind anew; nobody who is logged in loses what he works with.

    Raises:
        LicencesExhausted: more are in use than there would be.
    """
    kind = LicenceKind(locked.row["kind"])
    was = _allocations(connection)
    values = {"allocation": allocation.value, "count": count}
    changed = update(LICENCES).where(LICENCES.c.kind == kind.value)
    connection.execute(changed.values(**values, version=locked.row["version"] + 1))
    _settle_everybody(connection, locked, was)
    note_agents(connection, (row["id"] for row in locked.agents), clock.now(connection))
    written = next(row for row in listed(connection) if row["kind"] == kind.value)
    if count is not None and written["in_use"] > count:
        raise LicencesExhausted(kind, count, written["in_use"])
    return written


def _allocations(connection: Connection) -> dict[LicenceKind, Allocation]:
    rows = connection.execute(select(LICENCES.c.kind, LICENCES.c.allocation))
    return {LicenceKind(kind): Allocation(allocation) for kind, allocation in rows}


def _settle_everybody(
    connection: Connection, locked: Locked, was: Mapping[LicenceKind, Allocation]
) -> None:
    rows = connection.execute(select(LICENCES).order_by(LICENCES.c.kind)).mappings().all()
    pools = {LicenceKind(row["kind"]): _counted(connection, row) for row in rows}
    after: dict[str, LicenceKind | None] = {}
    losers: list[RowMapping] = []
    for row in locked.agents:
        held, had = _held_after(row, pools), _held(row)
        if held is None and needs_one(marks_from(row), pools):
            losers += [row] if is_licensed(marks_from(row), had, was) else []
        if held == had:
            continue
        after[row["id"]] = held
        pools = _moved(pools, had, held)
    if losers:
        kind = LicenceKind(locked.row["kind"])
        raise LicencesExhausted(kind, pools[kind].count, pools[kind].in_use + len(losers))
    _write_held(connection, after)


def _moved(
    pools: Mapping[LicenceKind, Pool], gave: LicenceKind | None, took: LicenceKind | None
) -> dict[LicenceKind, Pool]:
    moved = dict(pools)
    for kind, delta in ((gave, -1), (took, 1)):
        if kind is not None and moved[kind].allocation is Allocation.CONCURRENT:
            moved[kind] = replace(moved[kind], in_use=moved[kind].in_use + delta)
    return moved
