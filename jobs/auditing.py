"""First audit 初审: run the rules over what was accepted, and record what they found for each batch."""

from __future__ import annotations

import itertools

import duckdb
import polars as pl

from jobs import publishing, standing
from jobs.books import Audited, Month, connect, month_rows, open_month
from jobs.office import Office, chosen, permit
from jobs.progress import Progress, quiet
from settlement import procedure, store
from settlement.audit import engine, findings
from settlement.audit.rules_file import Rule
from settlement.policy import Profile
from settlement.query import frame, hold
from settlement.review import booking
from settlement.store import batches
from settlement.store.batches import Batch
from settlement.store.findings import record_findings

DETAIL = """
SELECT f.*, s.psn_no, s.psn_name, s.med_type, s.clr_type, s.insutype, s.begndate, s.enddate, s.setl_time,
    l.fee_ocur_time, l.hilist_code, l.hilist_name, l.cnt, l.pric,
    coalesce(l.det_item_fee_sumamt, s.medfee_sumamt) AS det_item_fee_sumamt,
    coalesce(l.inscp_amt, s.inscp_amt) AS inscp_amt, l.bilg_dept_codg, l.bilg_dr_code,
    m.funds
FROM found AS f
JOIN every_settlement AS s USING (setl_id)
LEFT JOIN (
    SELECT e.setl_id, e.bkkp_sn, e.fee_ocur_time, e.hilist_code, e.hilist_name, n.cnt, e.pric,
        n.det_item_fee_sumamt, n.inscp_amt, e.bilg_dept_codg, e.bilg_dr_code
    FROM any_line AS n JOIN every_line AS e USING (setl_id, bkkp_sn) SEMI JOIN found USING (setl_id, bkkp_sn)
) AS l USING (setl_id, bkkp_sn)
LEFT JOIN (
    SELECT rule_id, setl_id, bkkp_sn,
        string_agg(fund_pay_type || ':' || (risk_fen // 100)::VARCHAR || '.'
            || lpad((risk_fen % 100)::VARCHAR, 2, '0'), ';' ORDER BY fund_pay_type) AS funds
    FROM hit_fund GROUP BY ALL
) AS m ON m.rule_id = f.rule_id AND m.setl_id = f.setl_id AND m.bkkp_sn IS NOT DISTINCT FROM f.bkkp_sn
ORDER BY f.finding_id
"""


def audit(month: Month, progress: Progress = quiet) -> tuple[duckdb.DuckDBPyConnection, Audited]:
    """Run the rules over the month's accepted rows.

    Returns:
        The open connection (its views are used to publish) and the findings.
    """
    progress("初审", 0, len(month.rules))
    con = connect(month)
    loaded = engine.open_month(con, month_rows(con, month), month.reference, month.rules)
    ran = itertools.count(1)

    def shown(*_: object) -> None:
        progress("初审", next(ran), len(month.rules))

    hits, not_run = findings.collect(con, month.rules, month.profile, loaded, shown)
    found, risk = findings.build(con, hits, month.rules, month.region, month.first)
    return con, Audited(found, risk, not_run)


def run_audit(office: Office, progress: Progress = quiet) -> list[Batch]:
    """Audit the batches that were accepted, or audited and not yet told to the institution.

    Cross-institution rules look at all of the month; findings of batches that were already told
    are left as they were told.

    Returns:
        The batches audited.

    Raises:
        ProcedureError: the actor may not audit, or another process has just done so.
    """
    act = permit(office, "audit")
    ready = chosen(office, (procedure.ACCEPTED, procedure.PRELIM))
    seen = publishing.last_run(office)
    month = open_month(office)
    if not ready:
        publishing.again(month, act, progress)
        return []
    con, audited = audit(month, progress)
    try:
        codes = [b.fixmedins_code for b in ready]
        mine = pl.col("fixmedins_code").is_in(codes)
        found = audited.findings.filter(mine)
        inner = {
            standing.FOUND: found,
            standing.RISK_FUNDS: audited.risk_funds.join(found, on="finding_id", how="semi"),
            standing.DETAILS: details(con, month, found),
        }
        former = standing.standing(office, frozenset(codes))
        made = publishing.describe(con, month, former, audited, codes, progress)
    finally:
        con.close()
    if _same_as_before(office, ready, made.fingerprint):
        publishing.refresh(office)
        return ready
    kept = {**made.kept, **store.keep_tables(office.home, inner)}
    with store.writing(office.home) as db:
        batches.unmoved(db, ready)
        publishing.still_last(db, office, seen)
        if office.actor != procedure.MACHINE:
            batches.take_duty(db, act, ready, procedure.FIRST_REVIEW)
        run_id = store.record_run(db, act, "audit", made.fingerprint, kept, made.basis)
        again = [b for b in ready if b.state == procedure.PRELIM]
        batches.audit_again(db, act, again, run_id, {"fingerprint": made.fingerprint})
        fresh = [b for b in ready if b.state == procedure.ACCEPTED]
        facts = {"run": run_id, "fingerprint": made.fingerprint}
        batches.move(db, act, fresh, procedure.PRELIM, facts, run_id)
        record_findings(db, run_id, ready, found)
    store.publish(office.home, office.region, office.first)
    return ready


def _same_as_before(office: Office, ready: list[Batch], fingerprint: str) -> bool:
    """Whether every batch stands on an audit that rested on the very same things."""
    runs = {run["id"]: run["fingerprint"] for run in store.runs(office.home, office.region, office.first)}
    return all(b.state == procedure.PRELIM and runs.get(b.run_id) == fingerprint for b in ready)


def details(con: duckdb.DuckDBPyConnection, month: Month, found: pl.DataFrame) -> pl.DataFrame:
    """The facts of each finding that people are shown: its line, settlement, rule and law."""
    hold(con, "found", found)
    rows = frame(con, DETAIL)
    facts = pl.DataFrame(
        [(r.rule_id, r.name, r.national_ref, _basis(r, month.profile)) for r in month.rules],
        schema=["rule_id", "rule_name", "national_ref", "basis"],
        orient="row",
    )
    joined = rows.join(facts, on="rule_id", how="left", maintain_order="left")
    return joined.with_columns(booking.limit()).select(
        pl.col(n).cast(t) for n, t in standing.DETAIL_SCHEMA.items()
    )


def _basis(rule: Rule, profile: Profile) -> str:
    return ";".join(f"{profile.sources[source]['title']} {article}" for source, article in rule.basis)
