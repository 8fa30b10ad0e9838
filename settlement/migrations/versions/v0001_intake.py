"""The tables of release 0.1.0: reference data, submissions, their files, runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from settlement.migrations.shape import columns, unique, unique_where

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables as the release made them, with constraints that had no names."""
    op.create_table(
        "reference_version",
        *columns("id number*, region text, name text, digest text, rows int, loaded_on day, path text"),
    )
    op.create_table(
        "submission",
        *columns("id number*, region text, clr_ym text, fixmedins_code text, name text, digest text"),
        *columns("content text, status text, current bool, received_on day, kept text, intake text"),
        *columns("sub int, facts json"),
        sa.CheckConstraint("status IN ('ACCEPTED', 'RETURNED')"),
        unique("region clr_ym fixmedins_code digest"),
    )
    unique_where("one_current_submission", "submission", "region clr_ym fixmedins_code", "current")
    op.create_table(
        "stored_file",
        *columns("id number*, intake text, table text, path text, digest text"),
    )
    op.create_table(
        "month_run",
        *columns(
            "id number*, region text, clr_ym text, stage text, fingerprint text, ran_on day, files json"
        ),
    )
