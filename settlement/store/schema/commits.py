"""Commits: which rows came in which writing transaction, and how rows that may change looked after each.

A number and not a time says what was there when: writers stand in line, so numbers follow one another,
and two commits in one second are two.
"""

from __future__ import annotations

import sqlalchemy as sa

from settlement.store.schema.base import META, text

COMMIT = sa.Table(
    "record_commit",
    META,
    sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
    # day and time of its last entry in the log
    text("at"),
    # the end of the log as the commit left it
    sa.Column("log_seq", sa.Integer, nullable=False),
    # what it added: table -> [rows, digest], as JSON
    text("added"),
    text("prev_hash"),
    text("hash"),
)
# The number of the commit that is being made.
NOW = sa.select(sa.func.coalesce(sa.func.max(COMMIT.c.no), 0) + 1)
NOW_SQL = "(SELECT coalesce(max(no), 0) + 1 FROM record_commit)"
# Rows that may change, as they were after each change; triggers write it.
VERSION = sa.Table(
    "row_version",
    META,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    text("of"),
    text("key"),
    text("facts"),
    sa.Index("row_version_of", "of", "key", "id"),
)


def tracked(*tables: sa.Table) -> tuple[sa.Table, ...]:
    """Give tables the column that says in which commit a row came."""
    for table in tables:
        table.append_column(
            sa.Column("commit_no", sa.Integer, nullable=True, default=NOW.scalar_subquery()),
            replace_existing=True,
        )
        sa.Index(f"{table.name}_commit", table.c.commit_no)
    return tables
