"""The order of a month: audit, decide, calculate, publish, and prove that nothing was lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl

from jobs import documents, proof
from jobs.books import Audited, Calculated, Month, balances, connect, prior_reversals
from jobs.faults import returned_rows, without_positions
from settlement import payment, store
from settlement.audit import engine, findings

Progress = Callable[[str, int, int], None]


def quiet(step: str, done: int, total: int) -> None:
    """Report no progress."""


def audit(month: Month, progress: Progress = quiet) -> tuple[duckdb.DuckDBPyConnection, Audited]:
    """Run the rules over the month's accepted rows.

    Returns:
        The open connection (its views are used to publish) and the findings.
    """
    progress("初审", 0, len(month.rules))
    con = connect(month)
    before = prior_reversals(month)
    engine.open_month(con, "accepted_setl", "accepted_line", month.first, month.reference, before)
    hits, not_run = findings.collect(con, month.rules, month.profile, set(month.reference))
    found, funds = findings.build(con, hits, month.rules, month.region, month.first)
    progress("初审", len(month.rules), len(month.rules))
    return con, Audited(found, funds, not_run)


def calculate(con: duckdb.DuckDBPyConnection, month: Month, audited: Audited) -> Calculated:
    """Clear the month and work out the payments, from findings as they stand."""
    booked = audited.finding_funds.join(audited.findings.select("finding_id", "setl_id"), on="finding_id")
    deductions = booked.select("setl_id", "fund_pay_type", pl.col("final_det_sumamt").alias("det_sumamt"))
    clearing, clearing_fund = payment.clear(con, "accepted_setl", deductions.filter(pl.col("det_sumamt") > 0))
    paid = payment.calculate(clearing_fund, balances(month), month.profile, month.first)
    return Calculated(clearing, clearing_fund, paid)


def run_audit(month: Month, progress: Progress = quiet) -> Path:
    """Audit a month and publish what was accepted, returned and found."""
    con, audited = audit(month, progress)
    try:
        return publish(con, month, audited, None, progress)
    finally:
        con.close()


def run_month(month: Month, *, unattended: bool, progress: Progress = quiet, lang: str = "zh") -> Path:
    """Audit, decide where robots may, calculate and publish."""
    con, audited = audit(month, progress)
    try:
        if unattended:
            decided = findings.decide_all(audited.findings, audited.finding_funds)
            audited = Audited(*decided, audited.not_run)
        progress("结算", 0, 1)
        calculated = calculate(con, month, audited)
        folder = publish(con, month, audited, calculated, progress)
        documents.write(con, month, audited, calculated, progress, lang)
        return folder
    finally:
        con.close()


def publish(
    con: duckdb.DuckDBPyConnection,
    month: Month,
    audited: Audited,
    calculated: Calculated | None,
    progress: Progress,
) -> Path:
    """Write the month's data files after every check held, and check again what was written.

    Raises:
        InvariantBroken: rows or money were lost; nothing is published.
    """
    progress("发布", 0, 1)
    tables: dict[str, pl.DataFrame | Path] = {
        "returned": without_positions(returned_rows(month)),
        "findings": audited.findings,
        "finding_funds": audited.finding_funds,
    }
    if calculated:
        tables |= {
            "clearing": calculated.clearing,
            "clearing_fund": calculated.clearing_fund,
            "payment": calculated.payment,
        }
    run = proof.describe(con, month, audited, calculated)
    with store.work_folder(month.home) as work:
        settled = work / "settlements.parquet"
        con.execute(
            f"COPY (SELECT * FROM accepted_setl ORDER BY setl_id) TO '{settled}' "
            "(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880)"
        )
        folder = store.publish(
            month.home, month.region, month.first, {**tables, "settlements": settled}, run, month.today
        )
    proof.verify_written(month, run)
    progress("发布", 1, 1)
    return folder
