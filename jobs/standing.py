"""How a month's findings stand: what the audits found, what was answered, what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from jobs.office import Office
from schemas.layout import table
from schemas.results import Finding, FindingFund
from schemas.submission import FeeListD, SetlD
from settlement import procedure, store
from settlement.review import booking
from settlement.store import batches, findings
from settlement.store.batches import Batch

FOUND, RISK_FUNDS, DETAILS = "_found", "_risk_funds", "_details"
MONEY = pl.Decimal(16, 2)
RISK_SCHEMA = {"finding_id": pl.String, "fund_pay_type": pl.String, "risk_amt": MONEY, "det_sumamt": MONEY}
OF_SETTLEMENT = (
    "psn_no", "psn_name", "med_type", "clr_type", "insutype", "begndate", "enddate", "setl_time",
)  # fmt: skip
OF_LINE = (
    "fee_ocur_time", "hilist_code", "hilist_name", "cnt", "pric", "det_item_fee_sumamt", "inscp_amt",
    "bilg_dept_codg", "bilg_dr_code",
)  # fmt: skip
OF_RULE = ("funds", "rule_name", "national_ref", "basis")
DETAIL_SCHEMA: dict[str, Any] = {
    **table(Finding).schema,
    **{name: table(SetlD).schema[name] for name in OF_SETTLEMENT},
    **{name: table(FeeListD).schema[name] for name in OF_LINE},
    **dict.fromkeys(OF_RULE, pl.String),
    "limit_amt": MONEY,
}


@dataclass(frozen=True)
class Standing:
    """Findings of a month's batches.

    Attributes:
        findings: schemas.results.Finding, with reply, decision and what is deducted in the end.
        finding_funds: schemas.results.FindingFund.
        risk_funds: finding_id, fund_pay_type, risk_amt, det_sumamt (元) as the audit left them.
        replies: latest answer by finding.
        decisions: latest decision by finding.
        batches: the batches that were audited.
    """

    findings: pl.DataFrame
    finding_funds: pl.DataFrame
    risk_funds: pl.DataFrame
    replies: pl.DataFrame
    decisions: pl.DataFrame
    batches: list[Batch]


def standing(office: Office, without: frozenset[str] = frozenset()) -> Standing:
    """Gather the findings that count, of all institutions but some.

    Args:
        office: whose month.
        without: institutions to leave out, because their findings are being made anew.
    """
    with office.home.engine.connect() as db:
        live = batches.find(db, office.region, office.clr_ym)
        replies = findings.replies(db, office.region, office.clr_ym)
        decisions = findings.decisions(db, office.region, office.clr_ym)
    audited = [b for b in live if b.run_id and b.fixmedins_code not in without]
    found = audit_table(office, audited, FOUND, dict(table(Finding).schema))
    risk = audit_table(office, audited, RISK_FUNDS, RISK_SCHEMA)
    answered = _with_replies(found, replies, audited)
    booked, funds = booking.book(answered, _undecided(risk), decisions, risk)
    return Standing(booked, funds, risk, replies, decisions, audited)


def audit_table(office: Office, audited: list[Batch], name: str, empty: Mapping[str, Any]) -> pl.DataFrame:
    """Read a table of the audits that count, each for the batches it counts for, sorted by finding."""
    runs = {run["id"]: run for run in store.runs(office.home, office.region, office.first)}
    parts = [pl.DataFrame(schema=empty)]
    for ident in sorted({b.run_id for b in audited if b.run_id}):
        codes = [b.fixmedins_code for b in audited if b.run_id == ident]
        rows = _with_all(store.read_kept(office.home, runs[ident], name), empty)
        if "fixmedins_code" not in rows.columns:
            owner = store.read_kept(office.home, runs[ident], FOUND).select("finding_id", "fixmedins_code")
            rows = rows.join(owner, on="finding_id").filter(pl.col("fixmedins_code").is_in(codes))
            parts.append(rows.drop("fixmedins_code"))
        else:
            parts.append(rows.filter(pl.col("fixmedins_code").is_in(codes)))
    return pl.concat(parts).sort("finding_id")


def _with_all(rows: pl.DataFrame, schema: Mapping[str, Any]) -> pl.DataFrame:
    """Give a table of an audit by an earlier version the columns it did not have yet, empty."""
    lacking = [pl.lit("").alias(name) for name in schema if name not in rows.columns]
    return rows.with_columns(lacking).select([*schema, *(c for c in rows.columns if c not in schema)])


def sent(office: Office) -> pl.DataFrame:
    """Return the facts of each finding that counts as the audit left them, with what it can cost at most."""
    with office.home.engine.connect() as db:
        live = batches.find(db, office.region, office.clr_ym)
    return audit_table(office, [b for b in live if b.run_id], DETAILS, DETAIL_SCHEMA)


def details(office: Office, now: Standing | None = None) -> pl.DataFrame:
    """Return the facts of each finding that counts, with how it stands now and what it can cost at most."""
    now = now or standing(office)
    facts = audit_table(office, now.batches, DETAILS, DETAIL_SCHEMA)
    own = ["reply", "decision", "final_det_sumamt"]
    joined = facts.drop(own).join(now.findings.select("finding_id", *own), on="finding_id", how="left")
    answers = now.replies.select(
        "finding_id", "agreed_amt", pl.col("reason").alias("reply_reason"), "attachments"
    )
    people = store.users.full_names(office.home)
    decided = now.decisions.select(
        "finding_id",
        "final_amt",
        pl.col("reason").alias("decision_reason"),
        pl.col("actor").replace(people).alias("reviewer"),
        pl.col("day").alias("decided_on"),
    )
    full = joined.join(answers, on="finding_id", how="left").join(decided, on="finding_id", how="left")
    return full.select(*facts.columns, pl.exclude(facts.columns)).sort("finding_id")


def identified(office: Office, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows about settlements with certno, the certificate number that what people wrote may quote."""
    run = store.newest(office.home, office.region, office.first, "settlements")
    known = pl.read_parquet(store.kept_path(office.home, run, "settlements"), columns=["setl_id", "certno"])
    return rows.join(known, on="setl_id", how="left", maintain_order="left")


def _with_replies(found: pl.DataFrame, replies: pl.DataFrame, audited: list[Batch]) -> pl.DataFrame:
    """Put the answers in; after the window closed, silence is an answer too."""
    over = (procedure.REVIEW, procedure.SETTLED, procedure.APPROVED, procedure.PAID, procedure.CLOSED,
            procedure.CARRIED)  # fmt: skip
    silent = [b.fixmedins_code for b in audited if b.state in over or b.held in over]
    answers = replies.select("finding_id", "answer")
    words = (
        pl.when(pl.col("answer").is_not_null())
        .then(pl.col("answer"))
        .when(pl.col("fixmedins_code").is_in(silent))
        .then(pl.lit(procedure.SILENT))
        .otherwise(pl.lit(""))
    )
    joined = found.join(answers, on="finding_id", how="left", maintain_order="left")
    return joined.with_columns(words.alias("reply")).drop("answer")


def _undecided(risk: pl.DataFrame) -> pl.DataFrame:
    rows = risk.with_columns(pl.col("det_sumamt").alias("final_det_sumamt"))
    return rows.select(list(table(FindingFund).schema)).sort(table(FindingFund).key)
