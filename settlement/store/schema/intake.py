"""What comes in: reference versions, submissions, stored files, runs."""

from __future__ import annotations

import sqlalchemy as sa

from settlement.store.schema.base import META, day, ident, only_where, text

REFERENCE = sa.Table(
    "reference_version",
    META,
    ident(),
    text("region"),
    text("name"),
    text("digest"),
    sa.Column("rows", sa.Integer, nullable=False),
    day("loaded_on"),
    text("path"),
)
SUBMISSION = sa.Table(
    "submission",
    META,
    ident(),
    text("region"),
    text("clr_ym"),
    text("fixmedins_code"),
    text("name"),
    text("digest"),
    text("content"),
    text("status"),
    sa.Column("current", sa.Boolean, nullable=False),
    day("received_on"),
    text("kept"),
    text("intake"),
    sa.Column("sub", sa.Integer, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    # The same bytes may come again once the reference data they were refused by is corrected.
    sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
    sa.CheckConstraint("status IN ('ACCEPTED', 'RETURNED')", name="submission_status"),
    sa.UniqueConstraint("region", "clr_ym", "fixmedins_code", "digest", "attempt", name="submission_once"),
)
# At most one current submission per institution and month, whatever program writes here.
sa.Index(
    "one_current_submission",
    SUBMISSION.c.region,
    SUBMISSION.c.clr_ym,
    SUBMISSION.c.fixmedins_code,
    unique=True,
    **only_where("current"),
)
STORED = sa.Table(
    "stored_file",
    META,
    ident(),
    text("intake"),
    text("table"),
    text("path"),
    text("digest"),
)
RUN = sa.Table(
    "month_run",
    META,
    ident(),
    text("region"),
    text("clr_ym"),
    text("stage"),
    text("fingerprint"),
    day("ran_on"),
    # table name -> digest of the published file; `basis` and `paths` say from and in what
    sa.Column("files", sa.JSON, nullable=False),
    sa.Column("paths", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("basis", sa.JSON, nullable=False, server_default="{}"),
)
