"""Columns that many tables have."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer
from sqlmodel import Field

BIG = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers only INTEGER primary keys by itself."""


def moment(*, index: bool = False) -> Any:  # noqa: ANN401 - SQLModel's Field returns Any
    return Field(sa_type=BigInteger, index=index)


def maybe_moment() -> Any:  # noqa: ANN401
    return Field(default=None, sa_type=BigInteger, nullable=True)


def json(default: Any) -> Any:  # noqa: ANN401
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False))


def maybe_json() -> Any:  # noqa: ANN401
    return Field(default=None, sa_column=Column(JSON, nullable=True))
