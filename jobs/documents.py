"""Documents of a month: gather what the reports show, and have them written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from jobs.books import Audited, Calculated, Month
from jobs.faults import returned_rows
from settlement import store, workdays
from settlement.audit.findings import word
from settlement.audit.rules_file import Rule
from settlement.policy import Profile
from settlement.query import frame, hold
from settlement.reports.facts import MonthFacts
from settlement.reports.month import write_month

Progress = Callable[[str, int, int], None]

COUNTS = (
    "setl_in", "setl_accepted", "setl_returned", "line_in", "line_accepted", "line_returned",
)  # fmt: skip
AMOUNTS = ("medfee_in", "medfee_accepted", "fund_in", "fund_accepted")
DETAIL = """
SELECT f.*, s.psn_no, s.psn_name, s.med_type, s.clr_type, s.insutype, s.begndate, s.enddate, s.setl_time,
    l.fee_ocur_time, l.hilist_code, l.hilist_name, l.cnt, l.pric,
    coalesce(l.det_item_fee_sumamt, s.medfee_sumamt) AS det_item_fee_sumamt,
    coalesce(l.inscp_amt, s.inscp_amt) AS inscp_amt, l.bilg_dept_codg, l.bilg_dr_code,
    m.funds
FROM found AS f
JOIN every_settlement AS s USING (setl_id)
LEFT JOIN (SELECT * FROM any_line SEMI JOIN found USING (setl_id, bkkp_sn)) AS l USING (setl_id, bkkp_sn)
LEFT JOIN (
    SELECT rule_id, setl_id, bkkp_sn,
        string_agg(fund_pay_type || ':' || (risk_fen // 100)::VARCHAR || '.'
            || lpad((risk_fen % 100)::VARCHAR, 2, '0'), ';' ORDER BY fund_pay_type) AS funds
    FROM hit_fund GROUP BY ALL
) AS m ON m.rule_id = f.rule_id AND m.setl_id = f.setl_id AND m.bkkp_sn IS NOT DISTINCT FROM f.bkkp_sn
ORDER BY f.finding_id
"""


def write(
    con: duckdb.DuckDBPyConnection,
    month: Month,
    audited: Audited,
    calculated: Calculated,
    progress: Progress,
    lang: str = "zh",
) -> list[Path]:
    """Write every document of a calculated month beside its data.

    Args:
        con: connection with the month opened and priced (audit just ran).
        month: the month.
        audited: findings as decided.
        calculated: clearing and payment.
        progress: called with step, done, total.
        lang: `zh` or `en`.
    """
    run = store.read_run(month.home, month.region, month.first)
    facts = MonthFacts(
        region=month.region,
        label=month.profile.label,
        month=month.first,
        lang=lang,
        submissions=submission_rows(month),
        institutions=_institutions(month),
        returned=returned_rows(month),
        details=_details(con, month, audited),
        finding_funds=audited.finding_funds,
        clearing=calculated.clearing,
        clearing_fund=calculated.clearing_fund,
        payment=calculated.payment,
        rules=rule_rows(month.rules, audited),
        run=run,
    )
    folder = month.home.month_folder(month.region, month.first)
    return write_month(facts, folder, progress=lambda done, total: progress("文书", done, total))


def _institutions(month: Month) -> pl.DataFrame:
    rows = month.reference["institution"]
    return rows.filter(
        (pl.col("begndate") <= month.last)
        & (pl.col("enddate").is_null() | (pl.col("enddate") >= month.first))
    )


def submission_rows(month: Month) -> pl.DataFrame:
    """One row per current submission: outcome, counts, amounts, deadline."""
    known = {r["fixmedins_code"]: r for r in _institutions(month).iter_rows(named=True)}
    calendar = workdays.load()
    rows = [_submission(s, known.get(s["fixmedins_code"], {}), month, calendar) for s in month.submissions]
    schema: dict[str, Any] = {
        "fixmedins_code": pl.String, "fixmedins_name": pl.String, "fixmedins_type": pl.String,
        "submission": pl.String, "status": pl.String, "received_on": pl.Date, "deadline_on": pl.Date,
        "digest": pl.String, **dict.fromkeys(COUNTS, pl.Int64),
        **dict.fromkeys(AMOUNTS, pl.Decimal(18, 2)), "unknown_columns": pl.String, "notes": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _submission(
    row: dict[str, Any], known: dict[str, Any], month: Month, calendar: workdays.Calendar
) -> dict[str, Any]:
    counts = row["facts"]["counts"]
    numbers: dict[str, Any] = {name: counts.get(name, 0) for name in COUNTS}
    received: dt.date = row["received_on"]
    return {
        "fixmedins_code": row["fixmedins_code"],
        "fixmedins_name": known.get("fixmedins_name", ""),
        "fixmedins_type": known.get("fixmedins_type", ""),
        "submission": row["name"],
        "status": row["status"],
        "received_on": received,
        "deadline_on": calendar.deadline(month.profile.deadline, received, month.first).on,
        "digest": row["digest"],
        **numbers,
        **{name: Decimal(counts.get(name, "0.00")) for name in AMOUNTS},
        "unknown_columns": "、".join(row["facts"]["unknown"]),
        "notes": ";".join(row["facts"]["notes"]),
    }


def _details(con: duckdb.DuckDBPyConnection, month: Month, audited: Audited) -> pl.DataFrame:
    hold(con, "found", audited.findings)
    rows = frame(con, DETAIL)
    facts = pl.DataFrame(
        [(r.rule_id, r.name, r.national_ref, _basis(r, month.profile)) for r in month.rules],
        schema=["rule_id", "rule_name", "national_ref", "basis"],
        orient="row",
    )
    empty = rows.head(0).with_columns(pl.lit("").alias("vola_cont_en"))
    english = [
        word(rows.filter(pl.col("rule_id") == r.rule_id), r.message_en, "vola_cont_en") for r in month.rules
    ]
    worded = pl.concat([empty, *english]).sort("finding_id")
    return worded.join(facts, on="rule_id", how="left", maintain_order="left")


def _basis(rule: Rule, profile: Profile) -> str:
    return ";".join(f"{profile.sources[source]['title']} {article}" for source, article in rule.basis)


def rule_rows(rules: tuple[Rule, ...], audited: Audited) -> pl.DataFrame:
    """One row per rule: whether it ran, what it found, what of it stood."""
    found = audited.findings.group_by("rule_id").agg(
        pl.len().cast(pl.Int64).alias("hits"),
        pl.col("fixmedins_code").n_unique().cast(pl.Int64).alias("institutions"),
        pl.col("risk_amt", "det_sumamt", "final_det_sumamt").sum().cast(pl.Decimal(16, 2)),
    )
    facts = pl.DataFrame(
        [
            (
                r.rule_id, r.name, r.name_en, r.national_ref, r.category, r.grade, r.status, r.deduction,
                r.digest, r.rule_id not in audited.not_run, "、".join(audited.not_run.get(r.rule_id, ())),
            )
            for r in rules
        ],
        schema=["rule_id", "name", "name_en", "national_ref", "category", "grade", "status", "deduction",
                "digest", "ran", "missing"],
        orient="row",
    )  # fmt: skip
    zero = [
        pl.col(n).fill_null(0) for n in ("hits", "institutions", "risk_amt", "det_sumamt", "final_det_sumamt")
    ]
    return facts.join(found, on="rule_id", how="left", maintain_order="left").with_columns(zero)
