"""The facts a month's documents are made from: frames in, files out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl


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
            bilg_dr_code, funds (text such as `310100:425.00;330100:75.00`).
        finding_funds: schema of `finding_funds`.
        clearing: schema of `clearing`.
        clearing_fund: schema of `clearing_fund`.
        payment: schema of `payment`.
        rules: one row per rule: rule_id, name, name_en, national_ref, category, grade, status,
            deduction, digest, ran (bool), missing (text: tables that were not loaded), hits,
            institutions (int), risk_amt, det_sumamt, final_det_sumamt (元).
        run: what `run.json` says (fingerprint, versions, digests, parameters, checks, stages).
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
