"""Settlement 结算 and approval 核准: statements are frozen, leaders sign under the amount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from jobs import outgoing, publishing, standing
from jobs.books import Calculated, Month, connect, open_month
from jobs.office import Office, chosen, permit
from jobs.progress import Progress, quiet
from settlement import approval, ledger, payment, procedure, store
from settlement.errors import ProcedureError
from settlement.query import hold
from settlement.store import batches, books, payments
from settlement.store.batches import Batch


@dataclass(frozen=True)
class Moved:
    """What a step did: the institutions it moved, and those it could not, with the reason."""

    done: list[str]
    waiting: dict[str, str]


def calculate(office: Office, codes: Sequence[str] = (), progress: Progress = quiet) -> Moved:
    """Freeze the statements of every batch whose review is done.

    Args:
        office: whose month, by whom.
        codes: institutions; empty means all.
        progress: called with step, done, total.

    Raises:
        ProcedureError: the actor may not settle, nothing is ready, or another process was faster.
    """
    act = permit(office, "calculate")
    ready, waiting = _reviewed(office, codes)
    if not ready:
        publishing.refresh(office)
        return Moved([], waiting)
    seen = publishing.last_run(office)
    month = open_month(office, pinned=store.newest(office.home, office.region, office.first))
    stand = standing.standing(office)
    con = connect(month)
    try:
        progress("结算", 0, 1)
        with office.home.engine.connect() as db:
            balances = _opening(db, office, [b.fixmedins_code for b in ready])
        fresh = calculated(con, month, stand, [b.fixmedins_code for b in ready], balances)
        every = with_former(publishing.settled(office), fresh)
        shown = publishing.Stand(stand.findings, stand.finding_funds, publishing.not_run(office))
        made = publishing.make(con, month, shown, every, progress)
    finally:
        con.close()
    signatures = _signatures(month, fresh)
    with store.writing(office.home) as db:
        batches.unmoved(db, ready)
        publishing.still_last(db, office, seen)
        _still_so(db, office, stand, fresh)
        run_id = store.record_run(db, act, publishing.CALCULATE, made.fingerprint, made.kept, made.basis)
        payments.record_statements(db, act, run_id, ready, fresh.payment, signatures)
        entries = ledger.entries_of(fresh.payment)
        source = pl.format("statement:{}:{}", pl.lit(office.clr_ym), pl.col("fixmedins_code"))
        books.post(db, act, entries.with_columns(source=source, note=pl.lit("")))
        batches.move(db, act, ready, procedure.SETTLED, {"run": run_id, "fingerprint": made.fingerprint})
    store.publish(office.home, office.region, office.first)
    return Moved([b.fixmedins_code for b in ready], waiting)


def _reviewed(office: Office, codes: Sequence[str]) -> tuple[list[Batch], dict[str, str]]:
    """Batches whose review is done, and why the others cannot be settled yet."""
    before = (procedure.ACCEPTED, procedure.PRELIM, procedure.FEEDBACK, procedure.REVIEW, procedure.HOLD)
    every = chosen(office, before, codes)
    review = [b for b in every if b.state == procedure.REVIEW]
    waiting = {
        b.fixmedins_code: f"现为{procedure.STATES[b.state][0]},须先完成复审"
        for b in every
        if b.state != procedure.REVIEW
    }
    with office.home.engine.connect() as db:
        undecided = findings_undecided(db, office)
        signed = store.log.entries(db, store.log.of_month(office.act("review")))
    done = {entry["subject"] for entry in signed}
    for batch in review:
        if batch.id in undecided:
            waiting[batch.fixmedins_code] = f"尚有 {undecided[batch.id]} 条疑点没有复审决定"
        elif f"review:{batch.name}" not in done:
            waiting[batch.fixmedins_code] = "复审岗尚未办结复审(review finish)"
    return [b for b in review if b.fixmedins_code not in waiting], waiting


def findings_undecided(db: store.Connection, office: Office) -> dict[int, int]:
    """Return how many findings of each batch have no decision."""
    known = store.findings.current(db, office.region, office.clr_ym)
    decided = store.findings.decisions(db, office.region, office.clr_ym)
    rows = known.join(decided, on="finding_id", how="anti").group_by("batch_id").len()
    return dict(rows.iter_rows())


def _opening(db: store.Connection, office: Office, codes: list[str]) -> pl.DataFrame:
    """What the ledgers bring into the statements of institutions."""
    booked, plans = books.entries(db, office.region), books.advances(db, office.region)
    return ledger.opening(booked, plans, office.first).filter(pl.col("fixmedins_code").is_in(codes))


def _still_so(db: store.Connection, office: Office, stand: standing.Standing, fresh: Calculated) -> None:
    """Look again, inside the transaction: decisions and ledgers are those that were calculated with."""
    decided = store.findings.decisions(db, office.region, office.clr_ym)
    if not (decided.equals(stand.decisions) and _opening(db, office, fresh.codes).equals(fresh.opening)):
        raise ProcedureError(
            f"{office.region} {office.first:%Y-%m} 的复审决定或台账在结算时被改动,"
            "本次未登记任何内容。请重新运行。"
        )


def calculated(
    con: duckdb.DuckDBPyConnection, month: Month, stand: standing.Standing, codes: list[str],
    balances: pl.DataFrame,
) -> Calculated:  # fmt: skip
    """Clear and calculate institutions; nothing of another institution comes in.

    Args:
        con: a connected month.
        month: what it rests on.
        stand: the findings with what was decided.
        codes: the institutions.
        balances: what the ledgers bring into their statements (`ledger.opening`).
    """
    mine = pl.col("fixmedins_code").is_in(codes)
    hold(con, "ready_code", pl.DataFrame({"fixmedins_code": codes}))
    con.execute(
        "CREATE OR REPLACE TEMP VIEW ready_setl AS SELECT * FROM accepted_setl "
        "SEMI JOIN ready_code USING (fixmedins_code)"
    )
    owner = stand.findings.filter(mine).select("finding_id", "setl_id")
    booked = stand.finding_funds.join(owner, on="finding_id")
    deductions = booked.select("setl_id", "fund_pay_type", pl.col("final_det_sumamt").alias("det_sumamt"))
    cleared, by_fund = payment.clear(con, "ready_setl", deductions.filter(pl.col("det_sumamt") > 0))
    paid = payment.calculate(by_fund, balances, month.profile, month.first)
    return Calculated(codes, cleared, by_fund, paid, balances)


def with_former(former: Calculated | None, fresh: Calculated) -> Calculated:
    """Put what is settled now beside what was settled before."""
    if former is None:
        return fresh

    def both(name: str, key: tuple[str, ...]) -> pl.DataFrame:
        parts: list[pl.DataFrame] = [getattr(former, name), getattr(fresh, name)]
        return pl.concat(parts).sort(key)

    group = ("fixmedins_code", "insutype", "clr_type")
    return Calculated(
        sorted({*former.codes, *fresh.codes}),
        both("clearing", group),
        both("clearing_fund", (*group, "fund_pay_type")),
        both("payment", ("fixmedins_code", "fund_pay_type")),
    )


def _signatures(month: Month, fresh: Calculated) -> dict[str, int]:
    """How many leaders must sign, by institution: the tier its payable amount falls in."""
    sums = dict(fresh.payment.group_by("fixmedins_code").agg(pl.col("act_dfr_amt").sum()).iter_rows())
    zero = fresh.payment["act_dfr_amt"].head(0).sum()
    return {
        code: approval.signatures_needed(sums.get(code, zero), month.profile, month.last)
        for code in fresh.codes
    }


def approve(office: Office, codes: Sequence[str] = (), reason: str = "") -> Moved:
    """Sign under the frozen amounts; a batch is approved once enough leaders have signed.

    Raises:
        ProcedureError: the actor may not approve, or holds another duty in one of the batches.
    """
    act = permit(office, "approve", reason)
    settled = chosen(office, (procedure.SETTLED,), codes)
    if not settled:
        return Moved([], {})
    with store.writing(office.home) as db:
        batches.unmoved(db, settled)
        batches.take_duty(db, act, settled, procedure.LEADER)
        frozen = payments.statements(db, office.region, office.clr_ym)
        facts = {row["batch_id"]: row for row in frozen.iter_rows(named=True)}
        signed = payments.approvals(db, office.region, office.clr_ym)
        mine = set(signed.filter(pl.col("actor") == office.actor)["batch_id"])
        amounts = {b.id: facts[b.id]["payable_fen"] for b in settled if b.id not in mine}
        payments.record_approvals(db, act, amounts)
        counts = dict(signed.group_by("batch_id").len().iter_rows())
        enough, waiting = [], {}
        for batch in settled:
            needed = facts[batch.id]["signatures"]
            have = counts.get(batch.id, 0) + (batch.id in amounts)
            if have >= needed:
                enough.append(batch)
            else:
                waiting[batch.fixmedins_code] = f"已有 {have} 人核准,须 {needed} 人,请另一位负责人核准"
        changes = [
            store.Change(f"batch:{b.name}", {}, {"signed": str(facts[b.id]["payable_amt"])})
            for b in settled
            if b.id in amounts and b not in enough
        ]
        store.log.write(db, act, *changes)
        outgoing.announce(db, office, [b.fixmedins_code for b in enough], "statement")
        for batch in enough:
            batches.move(
                db, act, [batch], procedure.APPROVED, {"amount": str(facts[batch.id]["payable_amt"])}
            )
    return Moved([b.fixmedins_code for b in enough], waiting)


def named(office: Office, codes: Sequence[str], moved: Moved) -> Moved:
    """Add, of institutions that were named, where those stand that the step did not move."""
    left = sorted(set(codes) - set(moved.done) - set(moved.waiting))
    if not left:
        return moved
    where = {
        b.fixmedins_code: f"现为{procedure.STATES[b.state][0]},这一步不适用"
        for b in chosen(office, tuple(procedure.STATES), left)
    }
    return Moved(moved.done, {**where, **moved.waiting})
