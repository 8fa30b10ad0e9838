"""Batches and their way through the states, and who took which duty."""

from __future__ import annotations

import sqlalchemy as sa

from settlement.store.schema.base import META, day, ident, only_where, text

EDGE = sa.Table(
    "edge",
    META,
    text("from_state"),
    text("from_held"),
    text("to_state"),
    text("to_held"),
    sa.PrimaryKeyConstraint("from_state", "from_held", "to_state", "to_held"),
)
BATCH = sa.Table(
    "batch",
    META,
    ident(),
    text("region"),
    text("clr_ym"),
    text("fixmedins_code"),
    sa.Column("submission_id", sa.Integer, sa.ForeignKey("submission.id"), nullable=False, unique=True),
    day("declared_on"),
    # empty only between the row itself and its first transition, in one transaction
    text("state", needed=False),
    text("held", needed=False),
    sa.Column("seq", sa.Integer, nullable=True),
    sa.Column("run_id", sa.Integer, sa.ForeignKey("month_run.id"), nullable=True),
    sa.UniqueConstraint("id", "run_id", name="batch_run"),
    # The state is the end of the recorded way, never a word of its own.
    sa.ForeignKeyConstraint(
        ["id", "seq", "state", "held"],
        ["transition.batch_id", "transition.seq", "transition.to_state", "transition.to_held"],
        name="batch_where_its_way_ends",
        use_alter=True,
    ),
)
sa.Index(
    "one_live_batch",
    BATCH.c.region,
    BATCH.c.clr_ym,
    BATCH.c.fixmedins_code,
    unique=True,
    **only_where("state <> 'RETURNED'"),
)
TRANSITION = sa.Table(
    "transition",
    META,
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("batch.id"), nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("prev_seq", sa.Integer, nullable=True),
    text("from_state"),
    text("from_held"),
    text("to_state"),
    text("to_held"),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
    sa.Column("log_seq", sa.Integer, sa.ForeignKey("log.seq"), nullable=False),
    sa.PrimaryKeyConstraint("batch_id", "seq"),
    sa.UniqueConstraint("batch_id", "seq", "to_state", "to_held", name="transition_end"),
    sa.ForeignKeyConstraint(
        ["from_state", "from_held", "to_state", "to_held"],
        ["edge.from_state", "edge.from_held", "edge.to_state", "edge.to_held"],
        name="transition_along_an_edge",
    ),
    sa.ForeignKeyConstraint(
        ["batch_id", "prev_seq", "from_state", "from_held"],
        ["transition.batch_id", "transition.seq", "transition.to_state", "transition.to_held"],
        name="transition_starts_where_the_last_ended",
    ),
    sa.CheckConstraint(
        # a check that comes out as NULL passes, hence IS NOT NULL
        "(seq = 1 AND prev_seq IS NULL AND from_state = '') OR "
        "(seq > 1 AND prev_seq IS NOT NULL AND prev_seq = seq - 1 AND from_state <> '')",
        name="transition_next",
    ),
)
# One person has one duty in a batch: the primary key says it for all four at once.
BATCH_DUTY = sa.Table(
    "batch_duty",
    META,
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("batch.id"), nullable=False),
    text("actor"),
    text("duty"),
    sa.PrimaryKeyConstraint("batch_id", "actor"),
    sa.UniqueConstraint("batch_id", "actor", "duty", name="duty_held"),
    sa.ForeignKeyConstraint(["actor", "duty"], ["user_role.name", "user_role.role"], name="duty_of_a_role"),
    sa.CheckConstraint("duty IN ('first_review', 'second_review', 'leader', 'finance')", name="duty_known"),
)
