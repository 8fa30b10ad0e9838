"""Findings, what institutions answered, what reviewers decided."""

from __future__ import annotations

import sqlalchemy as sa

from settlement.store.schema.base import META, day, number, text

FINDING = sa.Table(
    "finding",
    META,
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("batch.id"), nullable=False),
    sa.Column("run_id", sa.Integer, sa.ForeignKey("month_run.id"), nullable=False),
    text("finding_id"),
    text("rule_id"),
    text("grade"),
    number("risk_fen"),
    number("det_fen"),
    number("limit_fen"),
    sa.PrimaryKeyConstraint("batch_id", "run_id", "finding_id"),
    sa.UniqueConstraint("batch_id", "run_id", "finding_id", "limit_fen", name="finding_limit"),
    sa.CheckConstraint("0 <= det_fen AND det_fen <= risk_fen", name="finding_amounts"),
    sa.CheckConstraint(
        "limit_fen = CASE grade WHEN '违规' THEN det_fen ELSE risk_fen END", name="finding_limit_is"
    ),
)
NOTICE = sa.Table(
    "notice",
    META,
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("batch.id"), primary_key=True),
    sa.Column("run_id", sa.Integer, nullable=False),
    text("number"),
    day("sent_on"),
    day("answer_by"),
    text("digest"),
    sa.UniqueConstraint("number", name="notice_number"),
    sa.CheckConstraint("sent_on <= answer_by", name="notice_days"),
    sa.UniqueConstraint("batch_id", "run_id", name="notice_run"),
    sa.ForeignKeyConstraint(["batch_id", "run_id"], ["batch.id", "batch.run_id"], name="notice_of_run"),
)
# A hold from feedback stops the window too: on resuming, the days lost are put behind it.
WINDOW_EXTENSION = sa.Table(
    "window_extension",
    META,
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("notice.batch_id"), nullable=False),
    # the step that held the batch; a hold moves the window once
    sa.Column("hold_seq", sa.Integer, nullable=False),
    day("answer_by"),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
    sa.PrimaryKeyConstraint("batch_id", "hold_seq"),
)
REPLY = sa.Table(
    "reply",
    META,
    sa.Column("batch_id", sa.Integer, nullable=False),
    sa.Column("run_id", sa.Integer, nullable=False),
    text("finding_id"),
    sa.Column("turn", sa.Integer, nullable=False),
    number("limit_fen"),
    text("answer"),
    number("agreed_fen"),
    text("reason"),
    text("attachments"),
    text("filled_by"),
    text("filled_on"),
    text("place"),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
    sa.PrimaryKeyConstraint("batch_id", "run_id", "finding_id", "turn"),
    sa.ForeignKeyConstraint(
        ["batch_id", "run_id", "finding_id", "limit_fen"],
        ["finding.batch_id", "finding.run_id", "finding.finding_id", "finding.limit_fen"],
        name="reply_to_a_finding",
    ),
    sa.ForeignKeyConstraint(
        ["batch_id", "run_id"], ["notice.batch_id", "notice.run_id"], name="reply_after_notice"
    ),
    sa.CheckConstraint(
        "CASE answer WHEN '认可' THEN agreed_fen = limit_fen "
        "WHEN '部分认可' THEN 0 < agreed_fen AND agreed_fen < limit_fen "
        "WHEN '不认可' THEN agreed_fen = 0 ELSE false END",
        name="reply_amount",
    ),
    sa.CheckConstraint("answer = '认可' OR trim(reason) <> ''", name="reply_reason"),
)
DECISION = sa.Table(
    "decision",
    META,
    sa.Column("batch_id", sa.Integer, nullable=False),
    sa.Column("run_id", sa.Integer, nullable=False),
    text("finding_id"),
    sa.Column("turn", sa.Integer, nullable=False),
    number("limit_fen"),
    text("outcome"),
    number("final_fen"),
    text("reason"),
    day("day"),
    text("actor"),
    text("duty", default="second_review"),
    sa.PrimaryKeyConstraint("batch_id", "run_id", "finding_id", "turn"),
    sa.ForeignKeyConstraint(
        ["batch_id", "run_id", "finding_id", "limit_fen"],
        ["finding.batch_id", "finding.run_id", "finding.finding_id", "finding.limit_fen"],
        name="decision_on_a_finding",
    ),
    sa.ForeignKeyConstraint(
        ["batch_id", "run_id"], ["notice.batch_id", "notice.run_id"], name="decision_after_notice"
    ),
    sa.ForeignKeyConstraint(
        ["batch_id", "actor", "duty"],
        ["batch_duty.batch_id", "batch_duty.actor", "batch_duty.duty"],
        name="decision_by_the_second_reviewer",
    ),
    sa.CheckConstraint("duty = 'second_review'", name="decision_duty"),
    sa.CheckConstraint("trim(reason) <> ''", name="decision_reason"),
    sa.CheckConstraint(
        "CASE outcome WHEN '维持' THEN final_fen = limit_fen "
        "WHEN '部分维持' THEN 0 < final_fen AND final_fen < limit_fen "
        "WHEN '撤销' THEN final_fen = 0 ELSE false END",
        name="decision_amount",
    ),
)
SAMPLE = sa.Table(
    "sample_check",
    META,
    sa.Column("batch_id", sa.Integer, sa.ForeignKey("batch.id"), nullable=False),
    text("setl_id"),
    text("outcome", sa.CheckConstraint("outcome IN ('通过', '有问题')", name="sample_outcome")),
    text("note"),
    day("day"),
    text("actor", sa.ForeignKey("app_user.name")),
    sa.PrimaryKeyConstraint("batch_id", "setl_id"),
)
