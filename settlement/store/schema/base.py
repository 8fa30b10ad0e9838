"""Column shapes shared by the tables of the workflow database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

META = sa.MetaData()
Rule = sa.CheckConstraint | sa.ForeignKey


def text(name: str, *rules: Rule, needed: bool = True, default: str | None = None) -> sa.Column[str]:
    """A column of text."""
    return sa.Column(name, sa.String, *rules, nullable=not needed, server_default=default)


def number(name: str, *rules: Rule) -> sa.Column[int]:
    """A column of whole numbers as large as money in 分."""
    return sa.Column(name, sa.BigInteger, *rules, nullable=False)


def day(name: str) -> sa.Column[Any]:
    """A column of dates."""
    return sa.Column(name, sa.Date, nullable=False)


def ident() -> sa.Column[int]:
    """The running number of a row."""
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def only_where(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


# What is installed beside the tables: name and digest.
MARK = sa.Table("schema_mark", META, text("name"), text("value"), sa.PrimaryKeyConstraint("name"))
