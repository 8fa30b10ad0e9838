"""Ledgers 台账: deposit, advance, carry, prior-period adjustments, deferred amounts.

An account is institution x fund x book; its entries form a chain in which every one opens where the
last one closed.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import sqlalchemy as sa

from settlement.store.batches import frame_of
from settlement.store.findings import fen, insert_rows, yuan
from settlement.store.log import Act
from settlement.store.schema import ADJUSTMENT, ADJUSTMENT_CONFIRMATION, ADVANCE, LEDGER

ACCOUNT = ("fixmedins_code", "fund_pay_type", "book")
AMOUNTS = ("opening", "plus", "minus", "closing")


def post(db: sa.Connection, act: Act, rows: pl.DataFrame) -> int:
    """Add entries to their accounts.

    Args:
        db: the writing transaction.
        act: who, when, in which region and month.
        rows: fixmedins_code, fund_pay_type, book, kind, plus_amt, minus_amt (元), source, note, in the
            order they are booked.

    Returns:
        How many were added; an entry that its source brought before is not added again.
    """
    former = _entries(db, act.region)
    ends = former.sort("seq").unique(ACCOUNT, keep="last")
    ends = ends.select(*ACCOUNT, pl.col("seq").alias("last_seq"), pl.col("closing_fen").alias("last_fen"))
    fresh = rows.join(former, on=[*ACCOUNT, "kind", "source"], how="anti", maintain_order="left")
    moved = pl.col("plus_fen") - pl.col("minus_fen")
    full = (
        fresh.join(ends, on=ACCOUNT, how="left", maintain_order="left")
        .with_columns(
            fen("plus_amt", "plus_fen"),
            fen("minus_amt", "minus_fen"),
            pl.col("last_fen").fill_null(0),
            seq=pl.col("last_seq").fill_null(0) + pl.int_range(1, pl.len() + 1).over(ACCOUNT),
        )
        .with_columns(closing_fen=pl.col("last_fen") + moved.cum_sum().over(ACCOUNT))
        .with_columns(
            opening_fen=pl.col("closing_fen") - moved,
            prev_seq=pl.when(pl.col("seq") > 1).then(pl.col("seq") - 1),
        )
    )
    names = (*ACCOUNT, "seq", "prev_seq", "kind", "source", "note", *(f"{n}_fen" for n in AMOUNTS))
    more = {"region": act.region, "clr_ym": act.clr_ym, "day": act.day, "actor": act.actor}
    insert_rows(db, LEDGER, [{**row, **more} for row in full.select(names).sort(*ACCOUNT, "seq").to_dicts()])
    return full.height


def _entries(db: sa.Connection, region: str) -> pl.DataFrame:
    return frame_of(db, sa.select(LEDGER).where(LEDGER.c.region == region), {"day": pl.Date})


def entries(db: sa.Connection, region: str, clr_ym: str | None = None) -> pl.DataFrame:
    """Return ledger entries with amounts in 元, in order of account and number."""
    rows = _entries(db, region)
    if clr_ym:
        rows = rows.filter(pl.col("clr_ym") == clr_ym)
    return rows.with_columns(yuan(f"{n}_fen", f"{n}_amt") for n in AMOUNTS).sort(*ACCOUNT, "seq")


def balances(db: sa.Connection, region: str) -> pl.DataFrame:
    """Return what each account closes with: fixmedins_code, fund_pay_type, book, closing_amt (元)."""
    rows = entries(db, region).unique(ACCOUNT, keep="last", maintain_order=True)
    return rows.select(*ACCOUNT, "closing_amt")


def add_adjustment(db: sa.Connection, act: Act, values: dict[str, Any]) -> int:
    """Enter a prior-period adjustment; it counts once another person confirms it."""
    full = {**values, "region": act.region, "reason": act.reason, "day": act.day, "actor": act.actor}
    return int(db.execute(ADJUSTMENT.insert().values(**full).returning(ADJUSTMENT.c.id)).scalar_one())


def confirm_adjustment(db: sa.Connection, act: Act, ident: int) -> None:
    """Confirm a prior-period adjustment."""
    db.execute(ADJUSTMENT_CONFIRMATION.insert().values(adjustment_id=ident, day=act.day, actor=act.actor))


def adjustments(db: sa.Connection, region: str) -> list[dict[str, Any]]:
    """Return the adjustments of a region with who confirmed them."""
    query = (
        sa.select(ADJUSTMENT, ADJUSTMENT_CONFIRMATION.c.actor.label("confirmed_by"))
        .outerjoin(ADJUSTMENT_CONFIRMATION, ADJUSTMENT_CONFIRMATION.c.adjustment_id == ADJUSTMENT.c.id)
        .where(ADJUSTMENT.c.region == region)
        .order_by(ADJUSTMENT.c.id)
    )
    return [dict(r._mapping) for r in db.execute(query)]


def add_advance(db: sa.Connection, act: Act, values: dict[str, Any]) -> int:
    """Enter an advance and the months it is offset over."""
    full = {**values, "region": act.region, "reason": act.reason, "day": act.day, "actor": act.actor}
    return int(db.execute(ADVANCE.insert().values(**full).returning(ADVANCE.c.id)).scalar_one())


def advances(db: sa.Connection, region: str) -> pl.DataFrame:
    """Return how advances are offset: fixmedins_code, fund_pay_type, amount (元), months, first_ym."""
    rows = frame_of(
        db, sa.select(ADVANCE).where(ADVANCE.c.region == region).order_by(ADVANCE.c.id), {"day": pl.Date}
    )
    return rows.with_columns(yuan("amount_fen", "amount"))
