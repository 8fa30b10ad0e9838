"""Documents of a month: gather what the reports show from the record, and have them written.

Whatever is written here can be written again at any later time with the same bytes: nothing but the
record goes in, reference tables as they were when the month was last calculated.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from jobs import publishing, standing
from jobs.books import Month, open_month
from jobs.faults import returned_rows
from jobs.office import Office
from jobs.progress import Progress, quiet
from jobs.rule_months import RULE_AMOUNTS, came_to, rule_months
from schemas.layout import table
from schemas.results import Clearing, ClearingFund, Finding, FindingFund, Payment
from settlement import procedure, store, workdays
from settlement.audit.rules_file import Rule
from settlement.deadlines import watch
from settlement.reports.dossier import NOTICES, PAPERS, STATEMENTS
from settlement.reports.facts import BOOKS, ORDERS, PROCEDURE, MonthFacts
from settlement.reports.frames import csv_frame, write_csv
from settlement.reports.month import write_month
from settlement.reports.month import write_notices as write_institution_notices
from settlement.store import batches, books, kept, payments

COUNTS = (
    "setl_in", "setl_accepted", "setl_returned", "line_in", "line_accepted", "line_returned",
)  # fmt: skip
AMOUNTS = ("medfee_in", "medfee_accepted", "fund_in", "fund_accepted")
# What a step changes of the institutions' papers.
ON_NOTICE, ON_CLOSE = frozenset({NOTICES}), frozenset({STATEMENTS})
FUND_ONLY: frozenset[str] = frozenset()
LIST_HEADERS = {
    "file": "文件", "place": "位置", "sheet": "工作表", "cell": "单元格", "row": "行号", "key": "编号",
    "business_no": "业务号", "fixmedins_code": "机构编码", "finding_id": "疑点号", "value": "填写的值",
    "code": "原因代码", "message_zh": "原因", "message_en": "reason", "message": "原因", "words": "说明",
    "action": "处理办法", "action_en": "what to do",
}  # fmt: skip


def write(office: Office, progress: Progress = quiet, papers: frozenset[str] = PAPERS) -> list[Path]:
    """Write the documents of an audited month beside its data: the fund's, and institutions' papers."""
    month = open_month(office, pinned=last_run(office))
    facts = gather(office, month)
    folder = office.home.month_folder(office.region, office.first)
    return write_month(facts, folder, papers, progress=lambda done, total: progress("文书", done, total))


def write_notices(office: Office) -> list[Path]:
    """Write the notices of acceptance and refusal as soon as submissions are taken in."""
    if not any(row["current"] for row in store.submissions(office.home, office.region, office.first)):
        return []
    month = open_month(office)
    facts = MonthFacts(
        region=office.region,
        label=month.profile.label,
        month=office.first,
        lang=office.lang,
        submissions=submission_rows(month),
        institutions=month.institutions(),
        returned=returned_rows(month),
        details=pl.DataFrame(schema=standing.DETAIL_SCHEMA),
        finding_funds=empty(FindingFund),
        clearing=empty(Clearing),
        clearing_fund=empty(ClearingFund),
        payment=empty(Payment),
        rules=rule_rows(month, empty(Finding), {}),
        run={},
    )
    return write_institution_notices(facts, office.home.month_folder(office.region, office.first))


def last_run(office: Office) -> dict[str, Any]:
    """The run whose reference tables the documents show: the last calculation, else the last audit."""
    every = store.runs(office.home, office.region, office.first)
    if not every:
        return store.newest(office.home, office.region, office.first)
    settled = [run for run in every if run["stage"] == publishing.CALCULATE]
    return (settled or every)[-1]


def gather(office: Office, month: Month) -> MonthFacts:
    """Gather what the documents of a month show."""
    now = standing.standing(office)
    settled = publishing.settled(office)
    calculated = {
        "clearing": settled.clearing if settled else empty(Clearing),
        "clearing_fund": settled.clearing_fund if settled else empty(ClearingFund),
        "payment": settled.payment if settled else empty(Payment),
    }
    return MonthFacts(
        region=office.region,
        label=month.profile.label,
        month=office.first,
        lang=office.lang,
        submissions=submission_rows(month),
        institutions=month.institutions(),
        returned=returned_rows(month),
        details=standing.details(office, now),
        finding_funds=now.finding_funds,
        **calculated,
        rules=rule_rows(month, now.findings, publishing.not_run(office)),
        rule_months=rule_months(office, now),
        run=store.read_run(office.home, office.region, office.first),
        log_head=_log_head(office),
        **procedure_facts(office, month),
    )


def _log_head(office: Office) -> tuple[int, str]:
    with office.home.engine.connect() as db:
        return kept.month_head(db, office.region, office.clr_ym)


def empty(model: type) -> pl.DataFrame:
    """A table without rows."""
    return pl.DataFrame(schema=table(model).schema)


def procedure_facts(office: Office, month: Month) -> dict[str, pl.DataFrame]:
    """How far each batch is and by whom, the month's ledger entries, and its bank orders."""
    with office.home.engine.connect() as db:
        entries = books.entries(db, office.region)
        written = payments.orders(db, office.region, office.clr_ym)
    return {
        "procedure": _procedure(office, month, written),
        "books": entries.filter(pl.col("clr_ym") <= office.clr_ym).select(
            pl.col(n).cast(t) for n, t in BOOKS.items()
        ),
        "orders": written.select(pl.col(n).cast(t) for n, t in ORDERS.items()),
    }


def _procedure(office: Office, month: Month, written: pl.DataFrame) -> pl.DataFrame:
    found, stages = batches.watched(office.home, office.region)
    mine = found.filter((pl.col("clr_ym") == office.clr_ym) & (pl.col("state") != procedure.RETURNED))
    ways = stages.join(mine, on="batch_id", how="semi")
    with office.home.engine.connect() as db:
        bank = payments.bank_answers(db, office.region)
    named = mine.with_columns(fixmedins_name=pl.lit("")).join(bank, on="batch_id", how="left")
    # On its last recorded day a batch looks the same whenever it is looked at.
    known = [*ways["day"], *named["bank_day"].drop_nulls()]
    seen = max(known, default=office.today)
    clock = watch(named, ways, {office.region: month.profile}, office.calendar(), seen)
    last = ways.sort("seq").unique(["batch_id", "to_state"], keep="last")
    days = {
        "sent_on": procedure.FEEDBACK, "settled_on": procedure.SETTLED, "approved_on": procedure.APPROVED,
        "disbursed_on": procedure.PAID,
    }  # fmt: skip
    rows = mine.join(clock.select("batch_id", "limit_on", "overdue"), on="batch_id", how="left")
    for name, state in days.items():
        day = last.filter(pl.col("to_state") == state).select("batch_id", pl.col("day").alias(name))
        rows = rows.join(day, on="batch_id", how="left")
    for name, who in _people(office).items():
        rows = rows.join(who.rename({"actor": name}), on="batch_id", how="left")
    paid = (
        written.filter(pl.col("result") == "PAID").group_by("batch_id").agg(paid_on=pl.col("bank_day").max())
    )
    rows = rows.join(paid, on="batch_id", how="left").with_columns(pl.col("overdue").cast(pl.Boolean))
    return rows.select(pl.col(n).cast(t) for n, t in PROCEDURE.items()).sort("fixmedins_code")


def _people(office: Office) -> dict[str, pl.DataFrame]:
    """Who settled, approved and paid each batch: batch_id, actor (names joined)."""
    with office.home.engine.connect() as db:
        live = batches.find(db, office.region, office.clr_ym)
        duties = batches.duties(db, [b.id for b in live])
        frozen = payments.statements(db, office.region, office.clr_ym)
    people = store.users.full_names(office.home)

    def named(duty: str) -> pl.DataFrame:
        rows = [
            (b, "、".join(people.get(n, n) for n in held[duty])) for b, held in duties.items() if duty in held
        ]
        return pl.DataFrame(rows, schema={"batch_id": pl.Int64, "actor": pl.String}, orient="row")

    settled = frozen.select("batch_id", pl.col("actor").replace(people))
    return {
        "settled_by": settled,
        "approved_by": named(procedure.LEADER),
        "disbursed_by": named(procedure.FINANCE),
    }


def write_list(rows: pl.DataFrame, path: Path, lang: str) -> Path:
    """Write a list of what was not taken: where, what, why, what to do."""
    drop = ["message_en", "action_en"] if lang == "zh" else ["message_zh"]
    shown = rows.drop(drop, strict=False)
    headers = {name: LIST_HEADERS.get(name, name) for name in shown.columns}
    # Lists of two calls stand side by side: what was not taken must not be lost with the next reply.
    mark = hashlib.sha256(rows.write_csv().encode()).hexdigest()[:8]
    path = path.with_stem(f"{path.stem}_{mark}")
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_csv(csv_frame(shown, headers), path)


def submission_rows(month: Month) -> pl.DataFrame:
    """One row per current submission: outcome, counts, amounts, deadline."""
    known = {r["fixmedins_code"]: r for r in month.institutions().iter_rows(named=True)}
    calendar = month.office.calendar()
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


def rule_rows(
    month: Month, findings: pl.DataFrame, not_run: dict[str, tuple[str, ...]]
) -> pl.DataFrame:  # fmt: skip
    """One row per rule as the region runs it: whether it ran, what it found, what of it stood."""
    switches = {rule.rule_id: month.profile.switch(rule.rule_id, month.last) for rule in month.rules}

    def switched(rule: Rule, what: str) -> str:
        switch = switches[rule.rule_id]
        return str((switch and getattr(switch, what)) or getattr(rule, what))

    facts = pl.DataFrame(
        [
            (
                r.rule_id, r.name, r.name_en, r.national_ref, r.category, switched(r, "grade"),
                switched(r, "status"), r.deduction,
                r.digest, r.rule_id not in not_run, "、".join(not_run.get(r.rule_id, ())),
            )
            for r in month.rules
        ],
        schema=["rule_id", "name", "name_en", "national_ref", "category", "grade", "status", "deduction",
                "digest", "ran", "missing"],
        orient="row",
    )  # fmt: skip
    zero = [pl.col(n).fill_null(0) for n in ("hits", "institutions", *RULE_AMOUNTS)]
    return facts.join(came_to(findings), on="rule_id", how="left", maintain_order="left").with_columns(zero)
