"""Short words in which revisions write down columns, references and indexes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

TEXT = sa.String()
LONG_TEXT = sa.Text()
NUMBER = sa.Integer()
TRUTH = sa.Boolean()
JSON: sa.JSON[Any] = sa.JSON()
MOMENT = sa.BigInteger()
NUMBERED = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite numbers only INTEGER primary keys by itself."""


def always(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    """Return columns of one type that are never NULL."""
    return [sa.Column(name, kind, nullable=False) for name in names]


def maybe(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    """Return columns of one type that may be NULL."""
    return [sa.Column(name, kind, nullable=True) for name in names]


def references(table: str, **targets: str) -> list[sa.ForeignKeyConstraint]:
    """Return foreign keys to other tables' ids, named as PostgreSQL would name them."""
    return [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"{table}_{column}_fkey")
        for column, target in targets.items()
    ]


def index(
    table: str, name: str, *columns: str, where: str | None = None, unique: bool = False
) -> None:
    """Create an index, a partial one where a condition is given, alike on both databases."""
    condition = None if where is None else sa.text(where)
    op.create_index(
        name,
        table,
        list(columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )
