"""The way things took: a batch's steps, and all that was answered and decided on one finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from settlement.store.batches import Batch, frame_of
from settlement.store.findings import yuan
from settlement.store.schema import DECISION, LOG, REPLY, TRANSITION


def steps(db: sa.Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the steps of some batches in order.

    Columns: batch_id, seq, to_state, to_held, day, actor, reason; of its entry in the log: log, at, hash.
    """
    way = TRANSITION.c
    entry = (LOG.c.reason, LOG.c.seq.label("log"), LOG.c.at, LOG.c.hash)
    query = (
        sa.select(way.batch_id, way.seq, way.to_state, way.to_held, way.day, way.actor, *entry)
        .join(LOG, LOG.c.seq == way.log_seq)
        .where(way.batch_id.in_(list(ids)))
        .order_by(way.batch_id, way.seq)
    )
    return frame_of(db, query, {"day": pl.Date}).to_dicts()


def answers(db: sa.Connection, batch: Batch, finding_id: str) -> list[dict[str, Any]]:
    """Return every answer to a finding, the one that counts last.

    Columns: turn, answer, agreed_amt (元), reason, attachments, filled_by, filled_on, day, actor.
    """
    names = (
        "turn",
        "answer",
        "agreed_fen",
        "reason",
        "attachments",
        "filled_by",
        "filled_on",
        "day",
        "actor",
    )
    rows = _about(db, REPLY, batch, finding_id, names)
    return rows.with_columns(yuan("agreed_fen", "agreed_amt")).drop("agreed_fen").to_dicts()


def decisions(db: sa.Connection, batch: Batch, finding_id: str) -> list[dict[str, Any]]:
    """Return every decision on a finding, the one that counts last.

    Columns: turn, decision, final_amt (元), reason, day, actor.
    """
    rows = _about(db, DECISION, batch, finding_id, ("turn", "outcome", "final_fen", "reason", "day", "actor"))
    named = rows.rename({"outcome": "decision"}).with_columns(yuan("final_fen", "final_amt"))
    return named.drop("final_fen").to_dicts()


def _about(
    db: sa.Connection, table: sa.Table, batch: Batch, finding_id: str, names: Sequence[str]
) -> pl.DataFrame:
    query = (
        sa.select(*(table.c[name] for name in names))
        .where(table.c.batch_id == batch.id, table.c.run_id == batch.run_id)
        .where(table.c.finding_id == finding_id)
        .order_by(table.c.turn)
    )
    return frame_of(db, query, {"day": pl.Date})
