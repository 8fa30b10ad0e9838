"""What auditors ask the record: the log of a month, who did which duty, every answer and decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from settlement.procedure import RETURNED, SECOND_REVIEW
from settlement.store.batches import frame_of
from settlement.store.findings import yuan
from settlement.store.schema import (
    APPROVAL,
    BATCH,
    BATCH_DUTY,
    DECISION,
    LOG,
    PAY_ORDER,
    REFERENCE,
    REPLY,
    RUN,
    TRANSITION,
)

# Looking at the record and being turned away leave the month as it was.
LOOKING = ("sample_draw", "export")
REFUSED = "refused"
DAY = {"day": pl.Date}
MONTHS = ("region", "clr_ym")


def head(db: sa.Connection, region: str, clr_ym: str) -> tuple[int, str]:
    """Return number and hash of the last log entry that changed something of a month; (0, "") without any."""
    query = (
        sa.select(LOG.c.seq, LOG.c.hash)
        .where(LOG.c.region == region, LOG.c.clr_ym == clr_ym)
        .where(LOG.c.action.not_in(LOOKING), LOG.c.subject != REFUSED)
        .order_by(LOG.c.seq.desc())
        .limit(1)
    )
    last = db.execute(query).first()
    return (last.seq, last.hash) if last else (0, "")


def log_of(db: sa.Connection, region: str, clr_ym: str) -> pl.DataFrame:
    """Return the log's entries of a month in order, every column."""
    query = sa.select(LOG).where(LOG.c.region == region, LOG.c.clr_ym == clr_ym).order_by(LOG.c.seq)
    return frame_of(db, query, DAY)


def refused(db: sa.Connection, region: str | None) -> pl.DataFrame:
    """Return acts that were refused: seq, day, actor, action, region, clr_ym, after (JSON with the words)."""
    names = ("seq", "day", "actor", "action", *MONTHS, "after")
    query = sa.select(*(LOG.c[name] for name in names)).where(LOG.c.subject == REFUSED).order_by(LOG.c.seq)
    return frame_of(db, query.where(LOG.c.region == region) if region else query, DAY)


def stored_months(db: sa.Connection, region: str | None = None) -> list[tuple[str, str]]:
    """Return the regions and months (yyyyMM) that have runs, in order."""
    query = sa.select(RUN.c.region, RUN.c.clr_ym).distinct().order_by(RUN.c.region, RUN.c.clr_ym)
    return [
        (r.region, r.clr_ym) for r in db.execute(query.where(RUN.c.region == region) if region else query)
    ]


def every_reply(db: sa.Connection, region: str, clr_ym: str) -> pl.DataFrame:
    """Return every answer of a month in order: finding_id, turn, answer, agreed_amt (元), reason, ..."""
    texts = ("answer", "reason", "attachments", "filled_by", "filled_on", "day", "actor")
    rows = _said(db, REPLY, (region, clr_ym), ("agreed_fen", *texts))
    return rows.select("fixmedins_code", "finding_id", "turn", yuan("agreed_fen", "agreed_amt"), *texts)


def every_decision(db: sa.Connection, region: str, clr_ym: str) -> pl.DataFrame:
    """Return every decision of a month in order: finding_id, turn, decision, final_amt (元), reason, ..."""
    rows = _said(db, DECISION, (region, clr_ym), ("outcome", "final_fen", "reason", "day", "actor"))
    named = pl.col("outcome").alias("decision")
    return rows.select(
        "fixmedins_code",
        "finding_id",
        "turn",
        named,
        yuan("final_fen", "final_amt"),
        "reason",
        "day",
        "actor",
    )


def _said(
    db: sa.Connection, table: sa.Table, month: tuple[str, str], names: Sequence[str]
) -> pl.DataFrame:  # fmt: skip
    """Rows about the findings that count in a month."""
    same = (table.c.batch_id == BATCH.c.id) & (table.c.run_id == BATCH.c.run_id)
    chosen = [table.c[name] for name in ("finding_id", "turn", *names)]
    query = sa.select(BATCH.c.fixmedins_code, *chosen).join(table, same)
    query = query.where(BATCH.c.region == month[0], BATCH.c.clr_ym == month[1], BATCH.c.state != RETURNED)
    return frame_of(db, query.order_by(table.c.finding_id, table.c.turn), DAY)


def references(db: sa.Connection, region: str) -> pl.DataFrame:
    """Return every version of a region's reference tables: name, digest, rows, loaded_on, path."""
    names = ("name", "digest", "rows", "loaded_on", "path")
    query = sa.select(*(REFERENCE.c[n] for n in names)).where(REFERENCE.c.region == region)
    return frame_of(db, query.order_by(REFERENCE.c.name, REFERENCE.c.id), {"loaded_on": pl.Date})


def batches_of(db: sa.Connection, region: str | None) -> pl.DataFrame:
    """Return batches that were not refused: batch_id, region, clr_ym, fixmedins_code, state."""
    facts = (
        BATCH.c.id.label("batch_id"),
        BATCH.c.region,
        BATCH.c.clr_ym,
        BATCH.c.fixmedins_code,
        BATCH.c.state,
    )
    query = sa.select(*facts).where(BATCH.c.state != RETURNED).order_by(*facts[1:4])
    return frame_of(db, query.where(BATCH.c.region == region) if region else query, {})


def duties_held(db: sa.Connection) -> pl.DataFrame:
    """Return who was entered for which duty: batch_id, duty, actor."""
    query = sa.select(BATCH_DUTY.c.batch_id, BATCH_DUTY.c.duty, BATCH_DUTY.c.actor)
    return frame_of(db, query.order_by(BATCH_DUTY.c.batch_id, BATCH_DUTY.c.actor), {})


def duties_done(db: sa.Connection, audit: Sequence[str], review: str) -> pl.DataFrame:
    """Return who did the work of a duty, from the work itself and not from who was entered for it.

    Args:
        db: a connection.
        audit: the states that the first review brings about.
        review: the deed by which the log knows the sign-off of a review.

    Returns:
        batch_id, duty, actor, day (the last one of it).
    """
    signed = "review:" + BATCH.c.region + "/" + BATCH.c.clr_ym + "/" + BATCH.c.fixmedins_code
    parts = (
        _work(TRANSITION, "first_review").where(TRANSITION.c.to_state.in_(audit)),
        _work(DECISION, SECOND_REVIEW),
        sa.select(
            BATCH.c.id.label("batch_id"), sa.literal(SECOND_REVIEW).label("duty"), LOG.c.actor, LOG.c.day
        )
        .join(LOG, LOG.c.subject == signed)
        .where(LOG.c.action == review, BATCH.c.state != RETURNED),
        _work(APPROVAL, "leader"),
        _work(PAY_ORDER, "finance"),
    )
    every = pl.concat(frame_of(db, part, DAY) for part in parts)
    return (
        every.group_by("batch_id", "duty", "actor").agg(pl.col("day").max()).sort("batch_id", "duty", "actor")
    )


def _work(table: sa.Table, duty: str) -> sa.Select[Any]:
    return sa.select(table.c.batch_id, sa.literal(duty).label("duty"), table.c.actor, table.c.day)


def actors_of_steps(db: sa.Connection) -> pl.DataFrame:
    """Return every step of every batch: batch_id, seq, to_state, day, actor."""
    way = TRANSITION.c
    query = sa.select(way.batch_id, way.seq, way.to_state, way.day, way.actor)
    return frame_of(db, query.order_by(way.batch_id, way.seq), DAY)
