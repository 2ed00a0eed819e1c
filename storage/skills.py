"""Skills: each exists as soon as an administrator uses its name."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from storage import clock, setup
from storage.pages import Page, Window, page
from storage.setup_tables import SkillRow

SKILLS = SkillRow.__table__  # type: ignore[attr-defined]


def ensure(connection: Connection, names: Iterable[str]) -> None:
    """Make the skills exist that are not known yet."""
    rows = sorted(set(names))
    if not rows:
        return
    now = clock.now(connection)
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(
        dialect.insert(SKILLS).on_conflict_do_nothing(),
        [{"name": name, "created_at": now} for name in rows],
    )


def require_known(connection: Connection, field: str, names: Iterable[str]) -> None:
    """Refuse names of skills that do not exist.

    Raises:
        UnknownReference: one of them does not.
    """
    wanted = sorted(set(names))
    query = select(SKILLS.c.name).where(SKILLS.c.name.in_(wanted))
    known = set(connection.execute(query).scalars()) if wanted else set()
    for name in wanted:
        if name not in known:
            raise setup.UnknownReference(field, name)


def asked_by(values: Mapping[str, Any]) -> list[str]:
    """Name the skills that a channel or a workgroup requires or prefers."""
    return named_in((*values["required_skills"], *values["preferred_skills"]))


def named_in(required_skills: Iterable[dict[str, Any]]) -> list[str]:
    return [required["skill"] for required in required_skills]


def listed(connection: Connection, window: Window) -> Page:
    return page(connection, select(SKILLS), (SKILLS.c.created_at, SKILLS.c.name), window)
