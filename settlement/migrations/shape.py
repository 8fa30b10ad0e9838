"""Short words for the steps: columns from a line of text, keys, and indexes over some of the rows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

KINDS: dict[str, Any] = {
    "text": sa.String,
    "number": sa.Integer,
    "int": sa.Integer,
    "fen": sa.BigInteger,
    "day": sa.Date,
    "bool": sa.Boolean,
    "json": sa.JSON,
}


def columns(line: str) -> list[sa.Column[Any]]:
    """Return the columns of a line such as `batch_id int*, seq int*, prev_seq int?, duty text=leader`.

    A `number` counts by itself. After the kind: `*` part of the key, `?` may be empty, `=` what stands
    when nothing is said.
    """
    return [column(*part.split()) for part in line.split(",")]


def column(name: str, kind: str) -> sa.Column[Any]:
    """Return one such column."""
    kind, _, default = kind.partition("=")
    made, key = KINDS[kind.rstrip("*?")](), "*" in kind
    counted = kind == "number*"
    return sa.Column(
        name,
        made,
        primary_key=key,
        nullable="?" in kind,
        server_default=default or None,
        autoincrement=counted,
    )


def key_to(
    parent: str, ours: str, theirs: str | None = None, name: str | None = None, later: bool = False
) -> sa.ForeignKeyConstraint:
    """Return a foreign key over columns that are called the same there unless `theirs` names them.

    `later` is for two tables that name each other: PostgreSQL takes the key by `add_key` when both are there.
    """
    there = [f"{parent}.{c}" for c in (theirs or ours).split()]
    return sa.ForeignKeyConstraint(ours.split(), there, name=name, use_alter=later)


def add_key(name: str, table: str, parent: str, ours: str, theirs: str) -> None:
    """Add a key that was left for later; SQLite took it with the table."""
    if op.get_bind().dialect.name != "sqlite":
        op.create_foreign_key(name, table, parent, ours.split(), theirs.split())


def unique(line: str, name: str | None = None) -> sa.UniqueConstraint:
    """Return a unique key over the columns of a line."""
    return sa.UniqueConstraint(*line.split(), name=name)


def unique_where(name: str, table: str, line: str, condition: str) -> None:
    """Make a unique index over the rows for which a condition holds."""
    where = sa.text(condition)
    op.create_index(name, table, line.split(), unique=True, sqlite_where=where, postgresql_where=where)
