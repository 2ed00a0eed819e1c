"""Screens on walls: each a principal of its own that may read figures and nothing else."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from conversations.model import Instant
from storage import clock, principals
from storage.ids import new_id
from storage.pages import Page, Window, page
from storage.principals import KEYS, PRINCIPALS, hash_of, new_secret
from storage.setup_tables import WorkgroupRow
from storage.sign_in_tables import DisplayRow

DISPLAYS = DisplayRow.__table__  # type: ignore[attr-defined]
WORKGROUPS = WorkgroupRow.__table__  # type: ignore[attr-defined]

ROLE = "display"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A display as it is made; no workgroups: all of them, also those that come later."""

    name: str
    workgroup_ids: tuple[str, ...]
    shows_agents: bool
    expires_at: Instant
    created_by: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What a display may read of: None for all workgroups."""

    workgroup_ids: frozenset[str] | None
    shows_agents: bool


def create(connection: Connection, wanted: Wanted) -> tuple[str, str]:
    """Make a display; return its id and its token, which nobody can ever read again."""
    principal_id = principals.add(connection, wanted.name, [ROLE])
    now = clock.now(connection)
    token = new_secret("pd")
    key = {"id": new_id("ke"), "principal_id": principal_id, "key_hash": hash_of(token)}
    connection.execute(insert(KEYS).values(**key, created_at=now))
    display_id = new_id("di")
    connection.execute(
        insert(DISPLAYS).values(
            id=display_id,
            principal_id=principal_id,
            name=wanted.name,
            workgroup_ids=sorted(wanted.workgroup_ids),
            shows_agents=wanted.shows_agents,
            expires_at=wanted.expires_at,
            created_by=wanted.created_by,
            created_at=now,
        )
    )
    return display_id, token


def get(connection: Connection, display_id: str) -> RowMapping | None:
    query = select(DISPLAYS).where(DISPLAYS.c.id == display_id)
    return connection.execute(query).mappings().one_or_none()


def listed(connection: Connection, window: Window) -> Page:
    return page(connection, select(DISPLAYS), (DISPLAYS.c.created_at, DISPLAYS.c.id), window)


def remove(connection: Connection, display_id: str) -> bool:
    """Take a display's token back; False when there is none."""
    row = get(connection, display_id)
    if row is None:
        return False
    connection.execute(delete(DISPLAYS).where(DISPLAYS.c.id == display_id))
    keys = select(KEYS.c.id).where(KEYS.c.principal_id == row["principal_id"])
    for key_id in connection.execute(keys).scalars().all():
        principals.remove_key(connection, key_id)
    connection.execute(delete(PRINCIPALS).where(PRINCIPALS.c.id == row["principal_id"]))
    return True


def note_use(connection: Connection, principal_id: str) -> None:
    used = update(DISPLAYS).where(DISPLAYS.c.principal_id == principal_id)
    connection.execute(used.values(last_used_at=clock.now(connection)))


def sight_of(connection: Connection, principal_id: str) -> Sight:
    """Return what the display reads of; one that is gone reads of nothing."""
    query = select(DISPLAYS).where(DISPLAYS.c.principal_id == principal_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return Sight(frozenset(), shows_agents=False)
    return Sight(frozenset(row["workgroup_ids"]) or None, row["shows_agents"])


def unknown_workgroups(connection: Connection, workgroup_ids: Collection[str]) -> list[str]:
    query = select(WORKGROUPS.c.id).where(WORKGROUPS.c.id.in_(sorted(workgroup_ids)))
    return sorted(set(workgroup_ids) - set(connection.execute(query).scalars()))
