"""Scheduled jobs and outgoing mail."""

from __future__ import annotations

import sqlalchemy as sa

from settlement.store.schema.base import META, day, ident, text

JOB = sa.Table(
    "job",
    META,
    ident(),
    text("name"),
    text("key"),
    text("region"),
    text("clr_ym"),
    day("due_on"),
    text("state"),
    sa.Column("attempts", sa.Integer, nullable=False),
    text("holder"),
    text("claimed_at"),
    text("next_try_at"),
    text("error"),
    text("done_at"),
    sa.UniqueConstraint("name", "key", name="job_once"),
    sa.CheckConstraint("state IN ('WAITING', 'RUNNING', 'DONE', 'FAILED')", name="job_state"),
)
OUTBOX = sa.Table(
    "outbox",
    META,
    ident(),
    text("region"),
    text("clr_ym"),
    text("fixmedins_code"),
    text("kind"),
    text("subject"),
    text("body"),
    sa.Column("paths", sa.JSON, nullable=False),
    text("digest"),
    day("day"),
    text("state"),
    sa.Column("attempts", sa.Integer, nullable=False),
    text("error"),
    text("sent_at"),
    sa.UniqueConstraint("region", "clr_ym", "fixmedins_code", "kind", "digest", name="mail_once"),
    sa.CheckConstraint("state IN ('READY', 'SENT', 'FAILED', 'NO_ADDRESS')", name="mail_state"),
)
