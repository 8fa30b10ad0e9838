"""The facts a month's documents are made from: frames in, files out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

_KEY, _FUND = {"fixmedins_code": pl.String}, {"fund_pay_type": pl.String}
_MONEY = pl.Decimal(16, 2)


def _typed(names: Iterable[str], dtype: Any) -> dict[str, Any]:  # noqa: ANN401 - any polars type
    return dict.fromkeys(names, dtype)


PROCEDURE: dict[str, Any] = {
    **_KEY,
    **_typed(("state", "settled_by", "approved_by", "disbursed_by"), pl.String),
    **_typed(
        ("sent_on", "answer_by", "settled_on", "approved_on", "disbursed_on", "paid_on", "limit_on"), pl.Date
    ),
    "overdue": pl.Boolean,
}
BOOKS: dict[str, Any] = {
    **_KEY,
    **_FUND,
    **_typed(("book", "kind"), pl.String),
    "seq": pl.Int64,
    **_typed(("opening_amt", "plus_amt", "minus_amt", "closing_amt"), _MONEY),
    **_typed(("clr_ym", "note"), pl.String),
}
ORDERS: dict[str, Any] = {
    **_KEY,
    **_FUND,
    "attempt": pl.Int64,
    "business_no": pl.String,
    "amount": _MONEY,
    **_typed(("payer_acct", "result", "fail_reason"), pl.String),
    "bank_day": pl.Date,
    "file": pl.String,
}

RULE_MONTHS: dict[str, Any] = {
    **_typed(("clr_ym", "rule_id", "name", "name_en"), pl.String),
    **_typed(("hits", "institutions"), pl.Int64),
    **_typed(("risk", "prelim", "upheld", "dropped"), _MONEY),
    "rate": pl.Float64,
}


@dataclass(frozen=True)
class MonthFacts:
    """Everything the documents of one region and month show.

    Attributes:
        region: profile name.
        label: the region's Chinese name.
        month: first day of the claim month.
        lang: `zh` or `en`.
        submissions: one row per current submission: fixmedins_code, fixmedins_name,
            fixmedins_type, submission, status (ACCEPTED | RETURNED), received_on (date),
            deadline_on (date), digest, setl_in, setl_accepted, setl_returned (int), line_in,
            line_accepted, line_returned (int), medfee_in, medfee_accepted, fund_in,
            fund_accepted (元), unknown_columns (text, columns ignored), notes (text).
        institutions: schema of `institution`, rows in force in the month.
        returned: schema of `returned` plus file (text), row_no (int; header is row 1) and
            column_zh (label of the column); one row per fault.
        details: one row per finding: every `findings` column plus rule_name, national_ref, basis,
            psn_no, psn_name, med_type, clr_type, insutype, begndate, enddate, setl_time,
            fee_ocur_time, hilist_code, hilist_name, cnt, pric, det_item_fee_sumamt, inscp_amt
            (line's, or the settlement's for a whole-settlement finding), bilg_dept_codg,
            bilg_dr_code, funds (text such as `310100:425.00;330100:75.00`). May also have, when
            known: agreed_amt (元), reply_reason, decision_reason, reviewer (text; stays with the fund).
        finding_funds: schema of `finding_funds`.
        clearing: schema of `clearing`.
        clearing_fund: schema of `clearing_fund`.
        payment: schema of `payment`.
        rules: one row per rule: rule_id, name, name_en, national_ref, category, grade, status,
            deduction, digest, ran (bool), missing (text: tables that were not loaded), hits,
            institutions (int), risk_amt, det_sumamt, final_det_sumamt, limit_amt (what its findings
            could cost at most), dropped (preliminary deduction withdrawn) (元).
        rule_months: schema `RULE_MONTHS`, one row per stored month up to this one and rule that found
            something: money at risk, preliminary, upheld and withdrawn deduction (元), and the share upheld.
        run: what `run.json` says (fingerprint, versions, digests, parameters, checks, stages).
        log_head: number and hash of the log's last entry that moved a batch of the month, (0, "") for none.
        procedure: schema `PROCEDURE`, one row per batch: state (settlement.procedure), who settled,
            approved and paid it (names, joined by 、), the days of it; sent_on and answer_by (findings sent,
            answer due), paid_on (the bank's day of the last transfer that succeeded), limit_on (last day
            to pay), overdue. Everything but the code may be null; a batch may have no row.
        books: schema `BOOKS`, ledger entries of this month and, for the balances they leave, of the
            months before: book (deposit | advance | carry | prior | deferred), kind (what happened),
            seq (place in the chain of institution, fund and book), opening + plus - minus = closing in
            元, clr_ym (yyyyMM). Without seq, entries of one chain stand in the order they were booked.
        orders: schema `ORDERS`, one row per bank order: amount in 元, result (PAID | FAILED | null while
            the bank has not answered).
    """

    region: str
    label: str
    month: dt.date
    lang: str
    submissions: pl.DataFrame
    institutions: pl.DataFrame
    returned: pl.DataFrame
    details: pl.DataFrame
    finding_funds: pl.DataFrame
    clearing: pl.DataFrame
    clearing_fund: pl.DataFrame
    payment: pl.DataFrame
    rules: pl.DataFrame
    run: dict[str, Any]
    procedure: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PROCEDURE))
    books: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=BOOKS))
    orders: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ORDERS))
    log_head: tuple[int, str] = (0, "")
    rule_months: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RULE_MONTHS))
