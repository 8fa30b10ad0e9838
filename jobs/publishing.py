"""What a month publishes: its tables and `run.json`, made after every check held."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from jobs import proof
from jobs.books import Audited, Calculated, Month, connect
from jobs.faults import returned_rows, without_positions
from jobs.office import Office
from jobs.progress import Progress
from jobs.standing import Standing, standing
from schemas.layout import table
from schemas.results import FindingFund
from settlement import store
from settlement.errors import ProcedureError, StoreError
from settlement.store import payments
from settlement.store.months import Kept

CALCULATED = ("clearing", "clearing_fund", "payment")
AUDIT, CALCULATE = "audit", "calculate"


@dataclass(frozen=True)
class Made:
    """A run that is ready to be recorded: its kept tables, fingerprint, and what it rests on."""

    kept: Kept
    fingerprint: str
    basis: dict[str, Any]


@dataclass(frozen=True)
class Stand:
    """The findings a run publishes, and the rules that could not run."""

    findings: pl.DataFrame
    finding_funds: pl.DataFrame
    not_run: dict[str, tuple[str, ...]]


def describe(
    con: duckdb.DuckDBPyConnection, month: Month, former: Standing, audited: Audited, codes: list[str],
    progress: Progress,
) -> Made:  # fmt: skip
    """Make the tables of an audit: findings made now, beside those of institutions told before."""
    mine = audited.findings.filter(pl.col("fixmedins_code").is_in(codes))
    funds = audited.risk_funds.join(mine, on="finding_id", how="semi")
    funds = funds.with_columns(final_det_sumamt=pl.col("det_sumamt")).select(list(table(FindingFund).schema))
    stand = Stand(
        pl.concat([former.findings, mine]).sort("finding_id"),
        pl.concat([former.finding_funds, funds]).sort("finding_id", "fund_pay_type"),
        audited.not_run,
    )
    return make(con, month, stand, settled(month.office), progress)


def make(
    con: duckdb.DuckDBPyConnection,
    month: Month,
    stand: Stand,
    calculated: Calculated | None,
    progress: Progress,
) -> Made:
    """Check a run and keep its tables; nothing is recorded yet.

    Raises:
        InvariantBroken: rows or money were lost; nothing is published.
    """
    progress("发布", 0, 1)
    tables: dict[str, Any] = {
        "returned": without_positions(returned_rows(month)),
        "findings": stand.findings,
        "finding_funds": stand.finding_funds,
    }
    if calculated:
        tables |= {name: getattr(calculated, name) for name in CALCULATED}
    run = proof.describe(con, month, stand, calculated)
    with store.work_folder(month.home) as work:
        made = write_settlements(con, work / "settlements.parquet")
        kept = store.keep_tables(month.home, {**tables, "settlements": made})
    run["outputs"] = {name: digest for name, (_, digest) in sorted(kept.items())}
    text = json.dumps(run, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"
    kept["run"] = store.keep_text(month.home, text)
    proof.verify_kept(month.home.home, kept, run)
    progress("发布", 1, 1)
    not_run = {rule: list(missing) for rule, missing in stand.not_run.items()}
    basis = {"reference": month.reference_paths, "not_run": not_run, "inputs": inputs(month)}
    return Made(kept, run["fingerprint"], basis)


def write_settlements(con: duckdb.DuckDBPyConnection, target: Path) -> Path:
    """Write the accepted settlements of a connected month, sorted by key."""
    con.execute(
        f"COPY (SELECT * FROM accepted_setl ORDER BY setl_id) TO '{target}' "
        "(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880)"
    )
    return target


def last_run(office: Office) -> int:
    """The month's newest run, to be looked at before its tables are read."""
    with office.home.engine.connect() as db:
        return store.last_run_id(db, office.region, office.first)


def still_last(db: store.Connection, office: Office, seen: int) -> None:
    """Look again, inside the transaction: no run has been published meanwhile.

    Raises:
        ProcedureError: one has; what was made would leave its tables out.
    """
    if store.last_run_id(db, office.region, office.first) != seen:
        raise ProcedureError(
            f"{office.region} {office.first:%Y-%m} 刚刚由另一进程发布了新的结果,"
            "本次未登记任何内容。请重新运行。"
        )


def inputs(month: Month) -> dict[str, str]:
    """What was submitted, by institution: the digest of its content."""
    return {s["fixmedins_code"]: s["content"] for s in month.submissions}


def again(month: Month, act: store.Act, progress: Progress) -> None:
    """Publish a month in which nothing waits for audit: only what was returned may be new."""
    office = month.office
    seen = last_run(office)
    runs = store.runs(office.home, office.region, office.first)
    if runs and runs[-1]["basis"].get("inputs") == inputs(month):
        refresh(office)
        return
    now = standing(office)
    con = connect(month)
    try:
        stand = Stand(now.findings, now.finding_funds, not_run(office) if runs else {})
        made = make(con, month, stand, settled(office), progress)
    finally:
        con.close()
    stage = runs[-1]["stage"] if runs else AUDIT
    with store.writing(office.home) as db:
        still_last(db, office, seen)
        store.record_run(db, act, stage, made.fingerprint, made.kept, made.basis)
        told = store.Change("run", {}, {"stage": stage, "fingerprint": made.fingerprint})
        store.log.write(db, act, told)
    store.publish(office.home, office.region, office.first)


def settled(office: Office) -> Calculated | None:
    """Return what was settled of the month so far; None when nothing was."""
    with office.home.engine.connect() as db:
        lines = payments.statement_lines(db, office.region, office.clr_ym)
        codes = payments.statements(db, office.region, office.clr_ym)["fixmedins_code"].to_list()
    if not codes:
        return None
    run = store.newest(office.home, office.region, office.first, "clearing")
    clearing, by_fund = (store.read_kept(office.home, run, name) for name in CALCULATED[:2])
    return Calculated(codes, clearing, by_fund, lines.drop("batch_id"))


def not_run(office: Office) -> dict[str, tuple[str, ...]]:
    """Return the rules that could not run in the month's newest run, with what they lacked."""
    run = store.newest(office.home, office.region, office.first)
    return {rule: tuple(missing) for rule, missing in run["basis"].get("not_run", {}).items()}


def refresh(office: Office) -> None:
    """Bring the copies in `data` to the newest run, where there is one."""
    try:
        store.publish(office.home, office.region, office.first)
    except StoreError:
        if store.runs(office.home, office.region, office.first):
            raise
