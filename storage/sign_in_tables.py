"""The tables of signing in: passwords, attempts that failed, and screens with a token."""

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from storage.columns import json, maybe_moment, moment


class PasswordRow(SQLModel, table=True):
    """A principal's password, as Argon2id; `is_initial`: somebody else has chosen it."""

    __tablename__ = "passwords"
    principal_id: str = Field(primary_key=True, foreign_key="principals.id")
    hash: str = Field(sa_type=Text)
    is_initial: bool = False
    changed_at: int = moment()


class SignInAttemptRow(SQLModel, table=True):
    """What has failed of late for one name or from one address, both as hashes only."""

    __tablename__ = "sign_in_attempts"
    subject: str = Field(primary_key=True)
    failures: int = 0
    last_at: int = moment(index=True)
    blocked_until: int = moment()


class DisplayRow(SQLModel, table=True):
    """A screen on a wall, which reads figures; of no workgroup: of all of them."""

    __tablename__ = "displays"
    id: str = Field(primary_key=True)
    principal_id: str = Field(foreign_key="principals.id", index=True, unique=True)
    name: str
    workgroup_ids: list[str] = json(list)
    shows_agents: bool = False
    created_by: str
    created_at: int = moment()
    expires_at: int = moment()
    last_used_at: int | None = maybe_moment()
