"""Re-review 复审: the worklist, decisions one by one, in bulk and by workbook, the sample, the sign-off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl

from jobs import documents, standing
from jobs.books import connect, open_month
from jobs.office import Office, chosen, permit
from jobs.settling import Moved, findings_undecided
from settlement import procedure, store
from settlement.errors import ProcedureError
from settlement.query import frame
from settlement.reports.review_sheet import Heading, review_rows, write_reviews
from settlement.review import checking, deciding, returning, worklist, worklist_book
from settlement.review.sampling import sample
from settlement.store import batches, findings
from settlement.store.batches import Batch

WORKLIST = "06_复审工作表.xlsx"
SHARE = "review_sample_share"


def worklist_of(office: Office) -> pl.DataFrame:
    """Return what reviewers have before them, with each finding's batch and first reviewer."""
    with office.home.engine.connect() as db:
        live = [b for b in batches.find(db, office.region, office.clr_ym) if b.run_id]
        replies = findings.replies(db, office.region, office.clr_ym)
        decided = findings.decisions(db, office.region, office.clr_ym)
        duties = batches.duties(db, [b.id for b in live])
    sent = standing.audit_table(office, live, standing.DETAILS, standing.DETAIL_SCHEMA)
    rows = worklist.worklist(sent, replies, decided)
    states = pl.DataFrame(
        [(b.fixmedins_code, b.state, _first(duties, b), office.actor in _others(duties, b)) for b in live],
        schema={
            "fixmedins_code": pl.String,
            "state": pl.String,
            "first_reviewer": pl.String,
            "other": pl.Boolean,
        },
        orient="row",
    )
    return rows.join(states, on="fixmedins_code", how="left", maintain_order="left")


def _first(duties: dict[int, dict[str, list[str]]], batch: Batch) -> str:
    return "、".join(duties.get(batch.id, {}).get(procedure.FIRST_REVIEW, []))


def _others(duties: dict[int, dict[str, list[str]]], batch: Batch) -> list[str]:
    held = duties.get(batch.id, {})
    return [name for duty, names in held.items() if duty != procedure.SECOND_REVIEW for name in names]


def _heading(office: Office) -> Heading:
    month = open_month(office)
    return Heading(month.profile.label, office.first, month.names(), office.lang)


def export(office: Office, path: Path | None = None) -> Path:
    """Write the reviewers' workbook: what must be decided, what is uncontested, the sample to re-check."""
    target = path or office.home.month_folder(office.region, office.first) / WORKLIST
    rows = worklist_of(office)
    if not chosen(office, (procedure.REVIEW,)):
        raise ProcedureError(f"{office.region} {office.first:%Y-%m} 没有复审中的批次。")
    mine = rows.filter(pl.col("state") == procedure.REVIEW)
    return worklist_book.write_worklist(target, mine, picked(office), _heading(office))


def picked(office: Office) -> pl.DataFrame:
    """Return the settlements that passed and are re-checked by hand: picked by hash, the same every time."""
    month = open_month(office)
    with office.home.engine.connect() as db:
        review = batches.find(db, office.region, office.clr_ym, (procedure.REVIEW,))
    con = connect(month)
    try:
        rows = _passed(con, [b.fixmedins_code for b in review])
    finally:
        con.close()
    flagged = standing.standing(office).findings["setl_id"]
    return sample(rows, flagged, month.profile.ratio(SHARE, month.last), seed(office))


def seed(office: Office) -> str:
    """The seed of a month's sample; it is recorded with the sign-off, so anyone can pick again."""
    return f"{office.region}|{office.clr_ym}"


def _passed(con: duckdb.DuckDBPyConnection, codes: list[str]) -> pl.DataFrame:
    columns = "fixmedins_code, setl_id, psn_name, med_type, begndate, enddate, medfee_sumamt, fund_pay_sumamt"
    listed = ", ".join("?" for _ in codes) or "NULL"
    return frame(
        con, f"SELECT {columns} FROM accepted_setl WHERE fixmedins_code IN ({listed}) ORDER BY setl_id", codes
    )


@dataclass(frozen=True)
class Decided:
    """What came of decisions: how many were recorded, and those refused."""

    recorded: int
    refused: pl.DataFrame
    report: Path | None = None


def take_in(office: Office, path: Path) -> Decided:
    """Take in a filled-in worklist: what can be entered is entered, the rest listed by cell.

    Raises:
        ProcedureError: the actor may not review, or has another duty in one of the batches.
    """
    permit(office, "review")
    filled = returning.read_worklist(path)
    _, digest = store.keep_copy(office.home, path)
    rows, heading = worklist_of(office), _heading(office)
    taken, refused = checking.check_decisions(filled, rows, office.actor, heading)
    recorded = _record(
        office, taken.select("finding_id", "decision", "final_amt", "reason"), f"{path.name} {digest}"
    )
    if filled.checks.height:
        again = picked(office).with_columns(state=pl.lit(procedure.REVIEW))
        checked, wrong = checking.check_sample(filled, again, office.actor, heading)
        refused = pl.concat([refused, wrong])
        recorded += _record_sample(office, checked, again)
    refused = pl.concat([filled.problems, refused])
    report = None
    if refused.height:
        report = office.home.month_folder(office.region, office.first) / "06_复审意见_未采纳.csv"
        report = documents.write_list(refused, report, office.lang)
    return Decided(recorded, refused, report)


def _record_sample(office: Office, checked: pl.DataFrame, again: pl.DataFrame) -> int:
    owner = {b.fixmedins_code: b.id for b in chosen(office, (procedure.REVIEW,))}
    rows = checked.join(again.select("setl_id", "fixmedins_code"), on="setl_id").with_columns(
        batch_id=pl.col("fixmedins_code").replace_strict(owner, return_dtype=pl.Int64)
    )
    with store.writing(office.home) as db:
        act = office.act("review")
        mine = [b for b in chosen(office, (procedure.REVIEW,)) if b.id in set(rows["batch_id"])]
        batches.take_duty(db, act, mine, procedure.SECOND_REVIEW)
        rows = rows.join(findings.samples(db, mine), on=["batch_id", "setl_id"], how="anti")
        findings.record_samples(db, act, rows)
        facts = {"seed": seed(office), "checked": rows.height}
        if rows.height:
            store.log.write(db, act, store.Change("sample", {}, facts))
    return rows.height


def decide(office: Office, finding_id: str, outcome: str, amount: Decimal | None, reason: str) -> Decided:
    """Decide one finding.

    Raises:
        ProcedureError: no such finding, a decision that does not fit, a closed batch, the wrong person.
    """
    permit(office, "review", reason)
    rows = worklist_of(office)
    mine = rows.filter(pl.col("finding_id") == finding_id)
    if mine.is_empty():
        raise ProcedureError(f"{office.region} {office.first:%Y-%m} 没有疑点 {finding_id}。")
    limit = mine["limit_amt"][0]
    if outcome not in procedure.OUTCOMES:
        raise ProcedureError(f"复审结论 {outcome} 无法识别,可用:{'、'.join(procedure.OUTCOMES)}")
    whole = {procedure.UPHELD: limit, procedure.WITHDRAWN: Decimal("0.00")}
    final = amount if amount is not None else whole.get(outcome)
    if final is None:
        raise ProcedureError("部分维持须用 --amount 写明金额。")
    if not reason.strip():
        raise ProcedureError("复审决定须用 --reason 写明理由。")
    taken = pl.DataFrame(
        [(finding_id, outcome, final, reason.strip(), limit)],
        schema={"finding_id": pl.String, "decision": pl.String, "final_amt": pl.Decimal(16, 2),
                "reason": pl.String, "limit_amt": pl.Decimal(16, 2)},
        orient="row",
    )  # fmt: skip
    if taken.filter(deciding.misfit().is_not_null()).height:
        raise ProcedureError(
            f"疑点 {finding_id} 的{outcome}金额 {final} 元不成立:初审告知金额 {limit} 元,"
            "维持须等于它,部分维持须大于 0 且小于它,撤销为 0。"
        )
    return Decided(_record(office, taken.drop("limit_amt"), finding_id), mine.head(0))


def bulk(office: Office, outcome: str, reason: str, filters: dict[str, str | None]) -> Decided:
    """Decide all open findings of a rule, grade or institution alike; those decided before stay.

    Raises:
        ProcedureError: no filter, no reason, another outcome, or the wrong person.
    """
    permit(office, "review", reason)
    rows = worklist_of(office)
    open_ones = rows.filter((pl.col("state") == procedure.REVIEW) & pl.col("decision").is_null())
    taken = deciding.bulk(
        open_ones, outcome, reason, rule_id=filters.get("rule_id"), grade=filters.get("grade"),
        fixmedins_code=filters.get("fixmedins_code"),
    )  # fmt: skip
    return Decided(_record(office, taken, f"bulk {filters}"), taken.head(0))


def _record(office: Office, taken: pl.DataFrame, source: str) -> int:
    """Record decisions in one transaction; the actor takes up the duty of second review."""
    if taken.is_empty():
        return 0
    act = office.act("review")
    with store.writing(office.home) as db:
        known = findings.current(db, office.region, office.clr_ym)
        ids = set(known.join(taken, on="finding_id", how="semi")["batch_id"])
        mine = [b for b in batches.find(db, office.region, office.clr_ym) if b.id in ids]
        closed = [b.name for b in mine if b.state != procedure.REVIEW]
        if closed:
            raise ProcedureError(f"{'、'.join(closed)} 不在复审中,不能作出复审决定。")
        batches.take_duty(db, act, mine, procedure.SECOND_REVIEW)
        recorded = findings.record_decisions(db, act, known, taken)
        if recorded:
            counts = taken.group_by("decision").agg(pl.len(), pl.col("final_amt").sum()).sort("decision")
            outcomes = {d: {"count": n, "amount": str(a)} for d, n, a in counts.iter_rows()}
            facts = {"source": source, "recorded": recorded, "outcomes": outcomes}
            store.log.write(db, act, store.Change("decisions", {}, facts))
    return recorded


def finish(office: Office, codes: Sequence[str] = ()) -> Moved:
    """Sign the review off: what the institution did not contest is upheld, the sample is put on record.

    Raises:
        ProcedureError: the actor may not review, or has another duty in one of the batches.
    """
    act = permit(office, "review")
    review = chosen(office, (procedure.REVIEW,), codes)
    if not review:
        return Moved([], {})
    mine = pl.col("fixmedins_code").is_in([b.fixmedins_code for b in review])
    rows = worklist_of(office)
    open_ones = rows.filter(mine & pl.col("decision").is_null() & (pl.col("proposed") != ""))
    with office.home.engine.connect() as db:
        replies = findings.replies(db, office.region, office.clr_ym)
    facts = open_ones.select("finding_id", "grade", "limit_amt")
    _record(office, deciding.uncontested(facts, replies), "finish")
    drawn = dict(picked(office).group_by("fixmedins_code").len().iter_rows())
    with store.writing(office.home) as db:
        batches.unmoved(db, review)
        batches.take_duty(db, act, review, procedure.SECOND_REVIEW)
        left = findings_undecided(db, office)
        done = [b for b in review if b.id not in left]
        changes = [
            store.Change(
                f"review:{b.name}", {}, {"seed": seed(office), "sampled": drawn.get(b.fixmedins_code, 0)}
            )
            for b in done
        ]
        told = {entry["subject"] for entry in store.log.entries(db, store.log.of_month(act))}
        store.log.write(db, act, *(c for c in changes if c.subject not in told))
    write_reviewed(office)
    waiting = {b.fixmedins_code: f"尚有 {left[b.id]} 条疑点须逐条决定" for b in review if b.id in left}
    return Moved([b.fixmedins_code for b in done], waiting)


def robot(office: Office) -> int:
    """Decide as the robot reviewer: 违规 upheld, 可疑 withdrawn, where nobody has decided."""
    permit(office, "review")
    rows = worklist_of(office)
    open_ones = rows.filter((pl.col("state") == procedure.REVIEW) & pl.col("decision").is_null())
    return _record(office, deciding.robot(open_ones), "unattended")


def write_reviewed(office: Office) -> list[Path]:
    """Write each institution's 06_复审意见表."""
    now = standing.standing(office)
    past = (procedure.ACCEPTED, procedure.PRELIM, procedure.FEEDBACK)
    shown = [b for b in now.batches if b.state not in past and b.held not in past]
    sent = standing.audit_table(office, shown, standing.DETAILS, standing.DETAIL_SCHEMA)
    if sent.is_empty():
        return []
    decided = now.decisions.with_columns(pl.col("actor").replace(store.users.full_names(office.home)))
    rows = review_rows(sent, now.replies, decided, now.findings)
    return write_reviews(rows, _heading(office), office.home.month_folder(office.region, office.first))
