"""Findings of batches, notices to institutions, their replies, and reviewers' decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl
import sqlalchemy as sa

from settlement.procedure import FEEDBACK, SECOND_REVIEW
from settlement.store.batches import Batch, answer_by, frame_of
from settlement.store.log import Act
from settlement.store.schema import (
    BATCH,
    BATCH_DUTY,
    DECISION,
    FINDING,
    NOTICE,
    REPLY,
    SAMPLE,
    TRANSITION,
    WINDOW_EXTENSION,
)

YUAN = pl.Decimal(16, 2)
CHUNK = 20_000


@dataclass(frozen=True)
class Notice:
    """What was sent to an institution: number, day, until when it answers, digest of what it says.

    A hold moves the last day to answer; number and digest stay, so the workbook sent first stays valid.
    """

    number: str
    sent_on: dt.date
    answer_by: dt.date
    digest: str


def insert_rows(db: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert many rows, in parts so that memory stays small."""
    for start in range(0, len(rows), CHUNK):
        db.execute(table.insert(), rows[start : start + CHUNK])


def fen(column: str, name: str) -> pl.Expr:
    """An amount in 元 as integer 分."""
    return (pl.col(column) * 100).cast(pl.Int64).alias(name)


def yuan(column: str, name: str) -> pl.Expr:
    """Integer 分 as an amount in 元, exactly."""
    return (
        (pl.col(column).cast(pl.Decimal(18, 0)) * pl.lit(Decimal("0.01"), pl.Decimal(3, 2)))
        .cast(YUAN)
        .alias(name)
    )


def record_findings(db: sa.Connection, run_id: int, batches: Sequence[Batch], findings: pl.DataFrame) -> None:
    """Record what an audit run found in the given batches (schemas.results.Finding)."""
    ids = {b.fixmedins_code: b.id for b in batches}
    mine = findings.filter(pl.col("fixmedins_code").is_in(list(ids)))
    # What a trial rule found can cost nothing, whatever anybody decides.
    trial = pl.col("rule_status") == "trial"
    mine = mine.with_columns(
        pl.when(trial).then(Decimal(0)).otherwise("risk_amt").cast(YUAN).alias("risk_amt")
    )
    rows = mine.select(
        pl.col("fixmedins_code").replace_strict(ids, return_dtype=pl.Int64).alias("batch_id"),
        pl.lit(run_id).alias("run_id"),
        "finding_id",
        "rule_id",
        "grade",
        fen("risk_amt", "risk_fen"),
        fen("det_sumamt", "det_fen"),
        pl.when(pl.col("grade") == "违规")
        .then(fen("det_sumamt", "x"))
        .otherwise(fen("risk_amt", "x"))
        .alias("limit_fen"),
    )
    insert_rows(db, FINDING, rows.to_dicts())


def record_notices(db: sa.Connection, notices: dict[int, tuple[int, Notice]]) -> None:
    """Record notices: by batch, the run they tell of and the notice."""
    insert_rows(
        db,
        NOTICE,
        [
            {"batch_id": ident, "run_id": run, "number": n.number, "sent_on": n.sent_on,
             "answer_by": n.answer_by, "digest": n.digest}
            for ident, (run, n) in notices.items()
        ],
    )  # fmt: skip


def notices(db: sa.Connection, region: str, clr_ym: str, codes: Sequence[str] = ()) -> dict[str, Notice]:
    """Return the notices of a month by institution, of some or all; the last day to answer is that of now."""
    query = (
        sa.select(BATCH.c.fixmedins_code, NOTICE.c.number, NOTICE.c.sent_on, answer_by(), NOTICE.c.digest)
        .join(NOTICE, NOTICE.c.batch_id == BATCH.c.id)
        .where(BATCH.c.region == region, BATCH.c.clr_ym == clr_ym, BATCH.c.state != "RETURNED")
    )
    if codes:
        query = query.where(BATCH.c.fixmedins_code.in_(codes))
    return {r.fixmedins_code: Notice(r.number, r.sent_on, r.answer_by, r.digest) for r in db.execute(query)}


def stopped_windows(db: sa.Connection, held: Sequence[Batch]) -> dict[int, tuple[dt.date, dt.date]]:
    """Return, of batches held from feedback, the day of the hold and the last day to answer, by batch."""
    way, ids = TRANSITION.c, [b.id for b in held if b.held == FEEDBACK]
    query = (
        sa.select(way.batch_id, way.day, answer_by())
        .join(BATCH, (BATCH.c.id == way.batch_id) & (BATCH.c.seq == way.seq))
        .join(NOTICE, NOTICE.c.batch_id == way.batch_id)
    )
    return {
        row.batch_id: (row.day, row.answer_by)
        for start in range(0, len(ids), 500)
        for row in db.execute(query.where(way.batch_id.in_(ids[start : start + 500])))
    }


def extend_windows(db: sa.Connection, act: Act, held: Sequence[Batch], moved: Mapping[int, dt.date]) -> None:
    """Record until when may be answered after a hold, by batch; before the batches are resumed."""
    rows = [
        {"batch_id": b.id, "hold_seq": b.seq, "answer_by": moved[b.id], "day": act.day, "actor": act.actor}
        for b in held
        if b.id in moved
    ]
    insert_rows(db, WINDOW_EXTENSION, rows)


def _of_month(table: sa.Table, region: str, clr_ym: str, names: Sequence[str] = ()) -> sa.Select[Any]:
    """Rows about the findings that count in a month: some columns, or all with their institution."""
    same = (table.c.batch_id == BATCH.c.id) & (table.c.run_id == BATCH.c.run_id)
    chosen: list[Any] = [table.c[name] for name in names] or [BATCH.c.fixmedins_code, table]
    query = sa.select(*chosen).select_from(BATCH).join(table, same)
    return query.where(BATCH.c.region == region, BATCH.c.clr_ym == clr_ym, BATCH.c.state != "RETURNED")


def current(db: sa.Connection, region: str, clr_ym: str) -> pl.DataFrame:
    """Return the findings that count: fixmedins_code, batch_id, finding_id, rule_id, limit_amt (元), ..."""
    rows = frame_of(db, _of_month(FINDING, region, clr_ym).order_by(FINDING.c.finding_id), {})
    return rows.with_columns(yuan("limit_fen", "limit_amt"))


def _latest(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort("finding_id", "turn").unique("finding_id", keep="last", maintain_order=True)


def replies(db: sa.Connection, region: str, clr_ym: str) -> pl.DataFrame:
    """Return the latest answer to each finding: finding_id, answer, agreed_amt (元), reason, ..."""
    names = ("finding_id", "turn", "answer", "agreed_fen", "reason", "attachments")
    rows = frame_of(db, _of_month(REPLY, region, clr_ym, names), {})
    return _latest(rows).with_columns(yuan("agreed_fen", "agreed_amt"))


def decisions(db: sa.Connection, region: str, clr_ym: str) -> pl.DataFrame:
    """Return the latest decision on each finding: finding_id, decision, final_amt (元), reason, ..."""
    names = ("finding_id", "turn", "outcome", "final_fen", "reason", "actor", "day")
    rows = frame_of(db, _of_month(DECISION, region, clr_ym, names), {"day": pl.Date})
    return _latest(rows).with_columns(yuan("final_fen", "final_amt"), pl.col("outcome").alias("decision"))


def record_replies(db: sa.Connection, act: Act, known: pl.DataFrame, taken: pl.DataFrame) -> int:
    """Record answers that differ from the latest one; the same answer again has no effect.

    Args:
        db: the writing transaction.
        act: who and when.
        known: findings that count (`current`).
        taken: finding_id, answer, agreed_amt (元), reason, attachments, filled_by, filled_on, place.

    Returns:
        How many were recorded.
    """
    same = ["answer", "agreed_fen", "reason", "attachments"]
    texts = ("reason", "attachments", "filled_by", "filled_on", "place")
    rows = taken.with_columns(fen("agreed_amt", "agreed_fen"), pl.col(texts).fill_null(""))
    fresh = _fresh(
        db, REPLY, rows.select("finding_id", *same, "filled_by", "filled_on", "place"), known, same
    )
    insert_rows(db, REPLY, fresh.with_columns(day=pl.lit(act.day), actor=pl.lit(act.actor)).to_dicts())
    return fresh.height


def record_decisions(db: sa.Connection, act: Act, known: pl.DataFrame, taken: pl.DataFrame) -> int:
    """Record decisions that differ from the latest one.

    Args:
        db: the writing transaction.
        act: who and when.
        known: findings that count (`current`).
        taken: finding_id, decision, final_amt (元), reason.

    Returns:
        How many were recorded.
    """
    same = ["outcome", "final_fen", "reason"]
    rows = taken.select(
        "finding_id", pl.col("decision").alias("outcome"), fen("final_amt", "final_fen"), "reason"
    )
    fresh = _fresh(db, DECISION, rows, known, same)
    insert_rows(db, DECISION, fresh.with_columns(day=pl.lit(act.day), actor=pl.lit(act.actor)).to_dicts())
    return fresh.height


def _fresh(
    db: sa.Connection, table: sa.Table, rows: pl.DataFrame, known: pl.DataFrame, same: list[str]
) -> pl.DataFrame:
    """Rows that say something new, with the batch, run, limit and turn they are recorded under."""
    full = rows.join(known.select("finding_id", "batch_id", "run_id", "limit_fen"), on="finding_id")
    ids = full["batch_id"].unique().to_list()
    parts = [
        frame_of(db, sa.select(table).where(table.c.batch_id.in_(ids[i : i + 500])), {"day": pl.Date})
        for i in range(0, len(ids), 500)
    ]
    if not parts:
        return full.head(0).with_columns(turn=pl.lit(1))
    former = _latest(pl.concat(parts)).select("finding_id", "turn", pl.struct(same).alias("former"))
    joined = full.join(former, on="finding_id", how="left")
    changed = joined.filter(pl.col("former").is_null() | (pl.struct(same) != pl.col("former")))
    return changed.with_columns(turn=pl.col("turn").fill_null(0) + 1).drop("former").sort("finding_id")


def samples(db: sa.Connection, batches: Sequence[Batch]) -> pl.DataFrame:
    """Return the sampled settlements whose re-check is on record: batch_id, setl_id."""
    mine = SAMPLE.c.batch_id.in_([b.id for b in batches])
    return frame_of(db, sa.select(SAMPLE.c.batch_id, SAMPLE.c.setl_id).where(mine), {})


def record_samples(db: sa.Connection, act: Act, rows: pl.DataFrame) -> None:
    """Record what a manual re-check of sampled settlements gave: batch_id, setl_id, outcome, note."""
    facts = rows.select("batch_id", "setl_id", "outcome", "note")
    insert_rows(db, SAMPLE, facts.with_columns(day=pl.lit(act.day), actor=pl.lit(act.actor)).to_dicts())


def unanswered(db: sa.Connection, batches: Sequence[Batch]) -> set[int]:
    """Return the batches with a finding that has no answer yet."""
    answered = sa.exists().where(
        REPLY.c.batch_id == FINDING.c.batch_id,
        REPLY.c.run_id == FINDING.c.run_id,
        REPLY.c.finding_id == FINDING.c.finding_id,
    )
    query = (
        sa.select(FINDING.c.batch_id)
        .join(BATCH, (BATCH.c.id == FINDING.c.batch_id) & (BATCH.c.run_id == FINDING.c.run_id))
        .where(~answered, BATCH.c.state == "FEEDBACK")
        .distinct()
    )
    wanted = {b.id for b in batches}
    return {row.batch_id for row in db.execute(query)} & wanted


def undecided(db: sa.Connection) -> dict[int, int]:
    """Return how many findings of each batch under review have no decision yet.

    A batch that no second reviewer has looked at counts one: even without findings it is signed off.
    """
    decided = sa.exists().where(
        DECISION.c.batch_id == FINDING.c.batch_id,
        DECISION.c.run_id == FINDING.c.run_id,
        DECISION.c.finding_id == FINDING.c.finding_id,
    )
    query = (
        sa.select(FINDING.c.batch_id, sa.func.count().label("n"))
        .join(BATCH, (BATCH.c.id == FINDING.c.batch_id) & (BATCH.c.run_id == FINDING.c.run_id))
        .where(BATCH.c.state == "REVIEW", ~decided)
        .group_by(FINDING.c.batch_id)
    )
    seen = sa.exists().where(BATCH_DUTY.c.batch_id == BATCH.c.id, BATCH_DUTY.c.duty == SECOND_REVIEW)
    unseen = db.execute(sa.select(BATCH.c.id).where(BATCH.c.state == "REVIEW", ~seen))
    return {row.id: 1 for row in unseen} | {row.batch_id: row.n for row in db.execute(query)}
