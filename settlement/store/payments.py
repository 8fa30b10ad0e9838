"""Statements, approvals, accounts, bank orders and results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from settlement.store.batches import Batch, frame_of
from settlement.store.findings import fen, insert_rows, yuan
from settlement.store.log import Act
from settlement.store.schema import (
    APPROVAL,
    BATCH,
    PAY_FILE,
    PAY_ORDER,
    PAY_RESULT,
    PAYEE,
    PAYEE_CONFIRMATION,
    RECEIPT,
    STATEMENT,
    STATEMENT_LINE,
    STEPS,
)

# statement step -> column of schemas.results.Payment
COLUMNS = {
    "fund_appy_fen": "fund_appy_sum",
    "det_fen": "det_sumamt",
    "method_adjust_fen": "method_adjust_amt",
    "deferred_fen": "deferred_amt",
    "dpst_fen": "dpst_sumamt",
    "advance_offset_fen": "advance_offset_amt",
    "prior_adjust_fen": "prior_adjust_amt",
    "clawback_fen": "clawback_amt",
    "act_dfr_fen": "act_dfr_amt",
    "carry_fen": "carry_amt",
}


def record_statements(
    db: sa.Connection,
    act: Act,
    run_id: int,
    batches: Sequence[Batch],
    payment: pl.DataFrame,
    signatures: dict[str, int],
) -> None:
    """Freeze what batches are paid.

    Args:
        db: the writing transaction.
        act: who and when.
        run_id: the run that made the statements' tables.
        batches: the batches, one per institution.
        payment: schemas.results.Payment rows of their institutions.
        signatures: how many leaders must sign, by institution.
    """
    ids = {b.fixmedins_code: b.id for b in batches}
    sums = payment.group_by("fixmedins_code").agg(fen("act_dfr_amt", "p").sum(), fen("carry_amt", "c").sum())
    totals = {code: (payable, carry) for code, payable, carry in sums.iter_rows()}
    rows = []
    for code, ident in ids.items():
        payable, carry = totals.get(code, (0, 0))
        amounts = {"payable_fen": payable, "carry_fen": carry, "signatures": signatures[code]}
        rows.append({"batch_id": ident, "run_id": run_id, **amounts, "day": act.day, "actor": act.actor})
    insert_rows(db, STATEMENT, rows)
    lines = payment.select(
        pl.col("fixmedins_code").replace_strict(ids, return_dtype=pl.Int64).alias("batch_id"),
        "fund_pay_type",
        *(fen(COLUMNS[step], step) for step in STEPS),
    )
    insert_rows(db, STATEMENT_LINE, lines.to_dicts())


def _month(query: sa.Select[Any], region: str, clr_ym: str) -> sa.Select[Any]:
    return query.where(BATCH.c.region == region, BATCH.c.clr_ym == clr_ym)


def statements(db: sa.Connection, region: str, clr_ym: str) -> pl.DataFrame:
    """Return the frozen statements of a month.

    Columns: fixmedins_code, batch_id, run_id, payable_amt, carry_amt (元), signatures, day, actor.
    """
    query = sa.select(BATCH.c.fixmedins_code, STATEMENT).join(STATEMENT, STATEMENT.c.batch_id == BATCH.c.id)
    rows = frame_of(db, _month(query, region, clr_ym).order_by(BATCH.c.fixmedins_code), {"day": pl.Date})
    return rows.with_columns(yuan("payable_fen", "payable_amt"), yuan("carry_fen", "carry_amt"))


def statement_lines(db: sa.Connection, region: str, clr_ym: str) -> pl.DataFrame:
    """Return the lines of a month's statements as schemas.results.Payment, with batch_id."""
    query = sa.select(BATCH.c.fixmedins_code, STATEMENT_LINE).join(
        STATEMENT_LINE, STATEMENT_LINE.c.batch_id == BATCH.c.id
    )
    rows = frame_of(db, _month(query, region, clr_ym), {})
    amounts = [yuan(step, name) for step, name in COLUMNS.items()]
    return rows.select("batch_id", "fixmedins_code", "fund_pay_type", *amounts).sort(
        "fixmedins_code", "fund_pay_type"
    )


def record_approvals(db: sa.Connection, act: Act, amounts: dict[int, int]) -> None:
    """Record a leader's signature under the payable amount (分) of batches."""
    rows = [
        {"batch_id": ident, "actor": act.actor, "amount_fen": amount, "reason": act.reason, "day": act.day}
        for ident, amount in amounts.items()
    ]
    insert_rows(db, APPROVAL, rows)


def approvals(db: sa.Connection, region: str, clr_ym: str) -> pl.DataFrame:
    """Return who signed for what: fixmedins_code, batch_id, actor, amount_fen, day."""
    query = sa.select(BATCH.c.fixmedins_code, APPROVAL).join(APPROVAL, APPROVAL.c.batch_id == BATCH.c.id)
    return frame_of(
        db, _month(query, region, clr_ym).order_by(APPROVAL.c.batch_id, APPROVAL.c.day), {"day": pl.Date}
    )


def record_payees(db: sa.Connection, act: Act, rows: pl.DataFrame) -> None:
    """Record the accounts batches are paid to; one already recorded for its batch stays as it is.

    Columns: batch_id, fixmedins_code, acctname, bankacct, bank_name, bankcode, warning.
    """
    known = {(r.batch_id, r.bankacct) for r in db.execute(sa.select(PAYEE.c.batch_id, PAYEE.c.bankacct))}
    fresh = [r for r in rows.to_dicts() if (r["batch_id"], r["bankacct"]) not in known]
    insert_rows(db, PAYEE, [{**r, "day": act.day} for r in fresh])


def payees(db: sa.Connection, region: str, clr_ym: str) -> pl.DataFrame:
    """Return the accounts of a month with who confirmed them: ..., warning, confirmed_by, confirm_reason."""
    same = (PAYEE_CONFIRMATION.c.batch_id == PAYEE.c.batch_id) & (
        PAYEE_CONFIRMATION.c.bankacct == PAYEE.c.bankacct
    )
    query = (
        sa.select(
            PAYEE,
            PAYEE_CONFIRMATION.c.actor.label("confirmed_by"),
            PAYEE_CONFIRMATION.c.reason.label("confirm_reason"),
        )
        .join(BATCH, BATCH.c.id == PAYEE.c.batch_id)
        .outerjoin(PAYEE_CONFIRMATION, same)
        .order_by(PAYEE.c.fixmedins_code, PAYEE.c.bankacct)
    )
    return frame_of(db, _month(query, region, clr_ym), {"day": pl.Date})


def confirm_payee(db: sa.Connection, act: Act, batch_id: int, bankacct: str) -> None:
    """Record that a second person has confirmed an account."""
    values = {"batch_id": batch_id, "bankacct": bankacct, "reason": act.reason}
    db.execute(PAYEE_CONFIRMATION.insert().values(**values, day=act.day, actor=act.actor))


def last_accounts(db: sa.Connection, region: str, clr_ym: str) -> pl.DataFrame:
    """Return the account each institution's money went to last: fixmedins_code, bankacct.

    Of earlier months the last success; of this month the last order, whatever the bank said of it, so
    that a second attempt to another account is seen too.
    """
    earlier = (BATCH.c.clr_ym < clr_ym) & (PAY_RESULT.c.result == "PAID")
    query = (
        sa.select(BATCH.c.fixmedins_code, PAY_ORDER.c.bankacct)
        .join(PAY_ORDER, PAY_ORDER.c.batch_id == BATCH.c.id)
        .outerjoin(PAY_RESULT, PAY_RESULT.c.business_no == PAY_ORDER.c.business_no)
        .where(BATCH.c.region == region, earlier | (BATCH.c.clr_ym == clr_ym))
        .order_by(BATCH.c.fixmedins_code, BATCH.c.clr_ym, PAY_ORDER.c.attempt, PAY_ORDER.c.fund_pay_type)
    )
    return frame_of(db, query, {}).unique("fixmedins_code", keep="last", maintain_order=True)


def record_file(db: sa.Connection, act: Act, values: dict[str, Any]) -> int:
    """Record a bank file: name, payer_acct, count, sum_fen, digest, path; returns its number."""
    full = {**values, "region": act.region, "clr_ym": act.clr_ym, "day": act.day, "actor": act.actor}
    return int(db.execute(PAY_FILE.insert().values(**full).returning(PAY_FILE.c.id)).scalar_one())


def pay_files(db: sa.Connection, region: str, clr_ym: str) -> list[dict[str, Any]]:
    """Return the bank files of a month in order."""
    query = sa.select(PAY_FILE).where(PAY_FILE.c.region == region, PAY_FILE.c.clr_ym == clr_ym)
    return [dict(r._mapping) for r in db.execute(query.order_by(PAY_FILE.c.id))]


def record_orders(db: sa.Connection, act: Act, file_id: int, rows: pl.DataFrame) -> None:
    """Record orders: business_no, batch_id, fund_pay_type, attempt, amount (元), payer_acct, bankacct."""
    facts = rows.select(
        "business_no",
        "batch_id",
        "fund_pay_type",
        "attempt",
        pl.when(pl.col("attempt") > 1).then(pl.col("attempt") - 1).alias("prev_attempt"),
        fen("amount", "amount_fen"),
        "payer_acct",
        "bankacct",
    )
    more = {"file_id": file_id, "day": act.day, "actor": act.actor}
    insert_rows(db, PAY_ORDER, [{**row, **more} for row in facts.to_dicts()])


def orders(db: sa.Connection, region: str, clr_ym: str | None = None) -> pl.DataFrame:
    """Return orders with their result.

    Columns: business_no, batch_id, fixmedins_code, clr_ym, fund_pay_type, attempt, amount (元),
    payer_acct, bankacct, day, file, result, fail_reason, bank_time, bank_day.
    """
    query = (
        sa.select(
            PAY_ORDER.c.business_no, PAY_ORDER.c.batch_id, BATCH.c.fixmedins_code, BATCH.c.clr_ym,
            PAY_ORDER.c.fund_pay_type, PAY_ORDER.c.attempt, PAY_ORDER.c.amount_fen, PAY_ORDER.c.payer_acct,
            PAY_ORDER.c.bankacct, PAY_ORDER.c.day, PAY_FILE.c.name.label("file"), PAY_RESULT.c.result,
            PAY_RESULT.c.reason.label("fail_reason"), PAY_RESULT.c.bank_time, PAY_RESULT.c.bank_day,
        )
        .join(BATCH, BATCH.c.id == PAY_ORDER.c.batch_id)
        .join(PAY_FILE, PAY_FILE.c.id == PAY_ORDER.c.file_id)
        .outerjoin(PAY_RESULT, PAY_RESULT.c.business_no == PAY_ORDER.c.business_no)
        .where(BATCH.c.region == region)
        .order_by(BATCH.c.clr_ym, BATCH.c.fixmedins_code, PAY_ORDER.c.fund_pay_type, PAY_ORDER.c.attempt)
    )  # fmt: skip
    if clr_ym:
        query = query.where(BATCH.c.clr_ym == clr_ym)
    return frame_of(db, query, {"day": pl.Date, "bank_day": pl.Date}).with_columns(
        yuan("amount_fen", "amount")
    )


def bank_answers(db: sa.Connection, region: str | None = None) -> pl.DataFrame:
    """Return what the bank says of the newest order of each fund, one row per batch with orders.

    Columns: batch_id; bank: `failed` when one failed, else `waiting` when one is not answered, else `paid`;
    bank_day: the last that failed, the oldest that waits, or the last that was paid.
    """
    order, later, result = PAY_ORDER.c, PAY_ORDER.alias().c, PAY_RESULT.c
    newer = (later.batch_id == order.batch_id, later.fund_pay_type == order.fund_pay_type)
    failed = sa.func.max(sa.case((result.result == "FAILED", result.bank_day)))
    waiting = sa.func.min(sa.case((result.result.is_(None), order.day)))
    query = (
        sa.select(
            order.batch_id,
            sa.case((failed.is_not(None), "failed"), (waiting.is_not(None), "waiting"), else_="paid").label(
                "bank"
            ),
            sa.func.coalesce(failed, waiting, sa.func.max(result.bank_day)).label("bank_day"),
        )
        .outerjoin(PAY_RESULT, result.business_no == order.business_no)
        .where(~sa.exists().where(*newer, later.attempt > order.attempt))
        .group_by(order.batch_id)
    )
    if region:
        query = query.join(BATCH, BATCH.c.id == order.batch_id).where(BATCH.c.region == region)
    return frame_of(db, query, {"bank_day": pl.Date})


def record_results(db: sa.Connection, receipt_id: int, rows: pl.DataFrame) -> None:
    """Record results: business_no, batch_id, fund_pay_type, attempt, result, reason, bank_time, bank_day."""
    names = (
        "business_no",
        "batch_id",
        "fund_pay_type",
        "attempt",
        "result",
        "reason",
        "bank_time",
        "bank_day",
    )
    insert_rows(db, PAY_RESULT, [{**row, "receipt_id": receipt_id} for row in rows.select(names).to_dicts()])


def receipt_of(db: sa.Connection, digest: str) -> int | None:
    """Return the number of the very same bank return when it was taken in before."""
    return db.execute(sa.select(RECEIPT.c.id).where(RECEIPT.c.digest == digest)).scalar()


def record_receipt(db: sa.Connection, act: Act, values: dict[str, Any]) -> int:
    """Record a bank return: name, digest, path, facts; returns its number."""
    full = {**values, "region": act.region, "day": act.day, "actor": act.actor}
    return int(db.execute(RECEIPT.insert().values(**full).returning(RECEIPT.c.id)).scalar_one())
