"""People, their roles, and the log: a hash chain without forks."""

from __future__ import annotations

import sqlalchemy as sa

from settlement.store.schema.base import META, day, text

USER = sa.Table(
    "app_user",
    META,
    text("name", sa.CheckConstraint("name <> ''", name="user_named")),
    text("full_name"),
    text("fixmedins_code", needed=False),
    day("added_on"),
    text("added_by"),
    sa.PrimaryKeyConstraint("name"),
)
USER_ROLE = sa.Table(
    "user_role",
    META,
    text("name", sa.ForeignKey("app_user.name")),
    text("role"),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.PrimaryKeyConstraint("name", "role"),
)
# A chain without forks: every entry names the one before it, and none is named twice.
LOG = sa.Table(
    "log",
    META,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("prev_seq", sa.Integer, nullable=True),
    day("day"),
    text("at"),
    text("actor"),
    text("action"),
    text("region"),
    text("clr_ym"),
    text("subject"),
    text("before"),
    text("after"),
    text("reason"),
    text("prev_hash", needed=False),
    text("hash"),
    # the hash of the last commit, so that the end of the log vouches for all rows before it
    text("record_hash", needed=False),
    sa.UniqueConstraint("hash", name="log_hash"),
    sa.UniqueConstraint("seq", "hash", name="log_place"),
    sa.UniqueConstraint("prev_seq", name="log_no_fork"),
    sa.ForeignKeyConstraint(["prev_seq", "prev_hash"], ["log.seq", "log.hash"], name="log_chain"),
    sa.CheckConstraint(
        "(seq = 1 AND prev_seq IS NULL AND prev_hash IS NULL) OR "
        # a check that comes out as NULL passes, hence IS NOT NULL
        "(seq > 1 AND prev_seq IS NOT NULL AND prev_seq = seq - 1 AND prev_hash IS NOT NULL)",
        name="log_next",
    ),
)
