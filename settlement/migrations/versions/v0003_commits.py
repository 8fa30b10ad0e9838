"""Commits: in which one a row came, what each added, and rows that may change as they were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from settlement.migrations.shape import column, columns

revision = "0003"
down_revision = "0002"
TRACKED = (
    "log", "transition", "batch_duty", "finding", "notice", "window_extension", "reply", "decision",
    "sample_check", "statement", "statement_line", "approval", "payee", "payee_confirmation", "pay_file",
    "pay_order", "receipt", "pay_result", "ledger", "adjustment", "adjustment_confirmation", "advance_plan",
    "month_run", "reference_version", "stored_file",
)  # fmt: skip
# Rows that may change, with their keys.
STAYING = {"batch": "id", "submission": "id", "app_user": "name", "user_role": "name role"}


def upgrade() -> None:
    """Add the tables and columns; all that is there already counts as the first commit."""
    op.create_table(
        "record_commit", *columns("no int*, at text, log_seq int, added text, prev_hash text, hash text")
    )
    op.create_table("row_version", *columns("id number*, of text, key text, facts text, commit_no int?"))
    op.create_index("row_version_of", "row_version", ["of", "key", "id"])
    op.create_index("row_version_commit", "row_version", ["commit_no"])
    op.add_column("log", column("record_hash", "text?"))
    for table in TRACKED:
        op.add_column(table, column("commit_no", "int?"))
        op.create_index(f"{table}_commit", table, ["commit_no"])
        op.execute(f"UPDATE {table} SET commit_no = 1")
    for table, key in STAYING.items():
        _seen(table, key.split())


def _seen(table: str, key: list[str]) -> None:
    """Write the rows of a table down as they are."""
    named = " || '|' || ".join(f"CAST({c} AS TEXT)" for c in key)
    into = f"INSERT INTO row_version (of, key, facts, commit_no) SELECT '{table}', {named}, "
    if op.get_bind().dialect.name == "sqlite":
        names = [c["name"] for c in sa.inspect(op.get_bind()).get_columns(table)]
        pairs = ", ".join(f"'{name}', \"{name}\"" for name in names)
        op.execute(f"{into}json_object({pairs}), 1 FROM {table} ORDER BY {', '.join(key)}")
    else:
        op.execute(f"{into}to_jsonb({table})::text, 1 FROM {table} ORDER BY {', '.join(key)}")
