"""The tables of signing in: passwords, and attempts that failed."""

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from storage.columns import moment


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
