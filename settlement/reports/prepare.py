"""Divide a month's facts by institution, once, into what each one's documents need."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from settlement import procedure
from settlement.errors import InvariantBroken
from settlement.labels import label
from settlement.masking import mask
from settlement.reports import deductions, faults
from settlement.reports.dossier import CAP, FINDINGS, NOTICES, PAPERS, Context, Dossier, Notice, Row
from settlement.reports.facts import PROCEDURE, MonthFacts
from settlement.reports.frames import by_code, cells, csv_frame, grouped, translated, write_csv
from settlement.reports.vocabulary import code_label

CODE = "fixmedins_code"
FAULT_CSV, FINDING_CSV = "退回清单.csv", "审核扣款明细.csv"
SETTLED_STATES = (
    procedure.SETTLED,
    procedure.APPROVED,
    procedure.PAID,
    procedure.CLOSED,
    procedure.CARRIED,
)
BOOK_ORDER = ("deposit", "advance", "carry", "prior", "deferred")
CHAIN = (CODE, "fund_pay_type", "book")
BALANCE = ("opening", "plus", "minus", "closing")
_SAFE = re.compile(r"[0-9A-Za-z_-]{1,40}")


@dataclass(frozen=True)
class Parts:
    """The month's facts by institution; what belongs to a submission by (institution, submission)."""

    submissions: dict[str, list[dict[str, Any]]]
    institutions: dict[str, dict[str, Any]]
    reasons: dict[tuple[str, str], list[Row]]
    faults: dict[tuple[str, str], list[Row]]
    faults_more: dict[tuple[str, str], list[Row]]
    findings: dict[str, list[Row]]
    findings_more: dict[str, list[Row]]
    rules: dict[str, list[Row]]
    refused: dict[str, list[Row]]
    payment: dict[str, list[dict[str, Any]]]
    clearing: dict[str, list[dict[str, Any]]]
    batches: dict[str, dict[str, Any]]
    appeals: dict[str, dict[str, Any]]
    books: dict[str, list[dict[str, Any]]]
    fault_lists: dict[str, pl.DataFrame]
    finding_lists: dict[str, pl.DataFrame]

    @property
    def codes(self) -> list[str]:
        """Every institution that gets a document, in order."""
        lists = (self.fault_lists, self.finding_lists)
        return sorted({*self.batches, *self.submissions, *self.clearing, *lists[0], *lists[1]})


def context(facts: MonthFacts, folder: Path, papers: frozenset[str] = PAPERS) -> Context:
    """Return what all documents of the month share."""
    return Context(
        lang=facts.lang,
        region=facts.label,
        month=facts.month,
        folder=folder,
        fault_columns=faults.fault_columns(facts.lang),
        finding_columns=deductions.finding_columns(facts.lang),
        rule_columns=deductions.rule_columns(facts.lang),
        papers=papers,
    )


def split(facts: MonthFacts, month: Context) -> Parts:
    """Sort, mask and word the frames of a month and divide their rows by institution."""
    lang = facts.lang
    sent = facts.submissions.with_columns(pl.col(faults.KEYS).fill_null(""))
    wrong = faults.fault_frame(facts.returned, lang)
    found = deductions.finding_frame(facts.details, facts.rules, lang)
    fault_names = {column.key: column.header for column in month.fault_columns}
    shown_faults = wrong.filter(pl.col("place") < CAP).select(*faults.KEYS, *fault_names)
    finding_names = [column.key for column in month.finding_columns]
    shown = found.filter(pl.col("place") < CAP).select(CODE, "kind", *finding_names)
    fault_csv = csv_frame(wrong, {"submission": label("col.submission", lang), **fault_names})
    finding_csv = csv_frame(found, deductions.csv_headers(lang))
    return Parts(
        submissions=_dicts(sent.sort(CODE, "status", "submission")),
        institutions={str(row[CODE]): row for row in newest(facts.institutions).to_dicts()},
        reasons=grouped(faults.reasons(wrong, lang), keys=2),
        faults=grouped(cells(shown_faults), keys=2),
        faults_more=grouped(faults.hidden(wrong), keys=2),
        findings=grouped(cells(shown)),
        findings_more=grouped(deductions.hidden(found)),
        rules=grouped(cells(deductions.rule_totals(found))),
        refused=grouped(deductions.refused(facts.details, facts.rules, lang)),
        payment=_dicts(facts.payment.sort(CODE, "fund_pay_type")),
        clearing=_dicts(_clearing(facts)),
        batches={str(row[CODE]): row for row in batches(facts).to_dicts()},
        appeals={str(row[CODE]): row for row in _appeals(facts.details).to_dicts()},
        books=_dicts(
            balances(facts.books, f"{facts.month:%Y%m}").filter(pl.any_horizontal(pl.col(BALANCE) != 0))
        ),
        fault_lists=by_code(wrong[CODE], fault_csv),
        finding_lists=by_code(found[CODE], finding_csv),
    )


def dossier(code: str, parts: Parts, month: Context, *, settled: bool) -> Dossier:
    """Return one institution's dossier."""
    sent = parts.submissions.get(code, [])
    batch, appeal = parts.batches.get(code, {}), parts.appeals.get(code, {})
    findings: dict[str, list[Row]] = {}
    for kind, *row in parts.findings.get(code, []):
        findings.setdefault(kind, []).append(tuple(row))
    return Dossier(
        code=code,
        folder=folder_name(code),
        facts=_facts(code, sent, parts.institutions.get(code, {}), batch, month.lang),
        notices=_notices(code, sent, parts),
        payment=parts.payment.get(code, []),
        clearing=parts.clearing.get(code, []),
        refused=parts.refused.get(code, []),
        rules=parts.rules.get(code, []),
        findings=findings,
        more={(kind, rule): count for kind, rule, count in parts.findings_more.get(code, [])},
        settled=settled and (batch.get("state") in SETTLED_STATES or code in parts.payment),
        batch=batch,
        appeal=appeal,
        reviewers=appeal.get("reviewers", ""),
        books=parts.books.get(code, []),
    )


def write_lists(code: str, parts: Parts, month: Context) -> list[Path]:
    """Write an institution's complete lists as CSV beside its workbooks."""
    folder = month.folder / "institutions" / folder_name(code)
    lists = ((NOTICES, parts.fault_lists, FAULT_CSV), (FINDINGS, parts.finding_lists, FINDING_CSV))
    due = ((found, name) for paper, found, name in lists if paper in month.papers and code in found)
    return [write_csv(found[code], folder / name) for found, name in due]


def newest(institutions: pl.DataFrame) -> pl.DataFrame:
    """Return one row per institution: the one that began last."""
    return institutions.sort(CODE, "begndate").unique(CODE, keep="last", maintain_order=True)


def batches(facts: MonthFacts) -> pl.DataFrame:
    """Return one row per institution that declared, was paid or has a batch: the columns of `PROCEDURE`.

    An institution without a row in `facts.procedure` gets the state its submission and payment tell.
    """
    sent, paid = facts.submissions, facts.payment
    codes = pl.concat([frame.select(CODE) for frame in (sent, paid, facts.procedure)]).unique().sort(CODE)
    accepted = sent.filter(pl.col("status") == "ACCEPTED")[CODE].implode()
    settled = not (paid.is_empty() and facts.clearing.is_empty())
    told = (
        pl.when(pl.col(CODE).is_in(paid[CODE].implode()) | (pl.col(CODE).is_in(accepted) & settled))
        .then(pl.lit(procedure.SETTLED))
        .when(pl.col(CODE).is_in(accepted))
        .then(pl.lit(procedure.ACCEPTED))
        .otherwise(pl.lit(procedure.RETURNED))
    )
    known = facts.procedure.select(*PROCEDURE)
    return codes.join(known, on=CODE, how="left").with_columns(state=pl.coalesce("state", told)).sort(CODE)


def month_books(facts: MonthFacts) -> pl.DataFrame:
    """Return the ledger entries of this month, chain by chain, in the order they were booked."""
    return _chained(facts.books).filter(pl.col("clr_ym") == f"{facts.month:%Y%m}")


def balances(books: pl.DataFrame, clr_ym: str) -> pl.DataFrame:
    """Return a month's ledger balances: institution, fund, book, opening, plus, minus, closing (元).

    What belongs to the months before is in the opening, whenever it was booked, so that a month's
    closing is the next month's opening. Chains without an entry in the month keep their balance.

    Args:
        books: entries (facts.BOOKS) of the month, with or without those of the months before.
        clr_ym: the month, yyyyMM.

    Raises:
        InvariantBroken: an entry's closing is not its opening plus and minus what moved, or an entry
            does not begin where the one before it in the chain ended.
    """
    rows = _chained(books)
    _check_chains(rows)
    moved, now = pl.col("plus_amt") - pl.col("minus_amt"), pl.col("clr_ym") == clr_ym
    summed = (
        rows.filter(pl.col("clr_ym") <= clr_ym)
        .group_by(CHAIN, maintain_order=True)
        .agg(
            (pl.col("opening_amt").first() + moved.filter(~now).sum()).alias("opening"),
            pl.col("plus_amt").filter(now).sum().alias("plus"),
            pl.col("minus_amt").filter(now).sum().alias("minus"),
        )
    )
    closing = pl.col("opening") + pl.col("plus") - pl.col("minus")
    money = pl.Decimal(16, 2)
    return summed.with_columns(closing=closing).with_columns(pl.col(BALANCE).cast(money))


def _chained(books: pl.DataFrame) -> pl.DataFrame:
    order = (pl.col("book").cast(pl.Enum(BOOK_ORDER)), CODE, "fund_pay_type", "seq")
    return books.sort(*order, maintain_order=True)


def _check_chains(rows: pl.DataFrame) -> None:
    """Raise unless every entry adds up and begins where its neighbour in the chain ended."""
    rolled = pl.col("opening_amt") + pl.col("plus_amt") - pl.col("minus_amt")
    # Entries of other months may lie between two of these: only neighbours are compared.
    apart = (pl.col("seq") != pl.col("seq").shift(1).over(CHAIN) + 1).fill_null(value=False)
    before = pl.when(~apart).then(pl.col("closing_amt").shift(1).over(CHAIN))
    checked = rows.with_columns(rolled=rolled, before=pl.coalesce(before, "opening_amt"))
    wrong = checked.filter(
        pl.col("rolled").ne_missing(pl.col("closing_amt"))
        | pl.col("before").ne_missing(pl.col("opening_amt"))
    )
    if wrong.height:
        row = wrong.row(0, named=True)
        raise InvariantBroken(
            f"台账不连续:机构 {row[CODE]} 基金 {row['fund_pay_type']} 台账 {row['book']}({row['kind']}),"
            f"上笔期末 {row['before']} 元,本笔期初 {row['opening_amt']} + {row['plus_amt']}"
            f" - {row['minus_amt']},期末 {row['closing_amt']} 元;请核对台账并重新结算"
        )


def _appeals(details: pl.DataFrame) -> pl.DataFrame:
    """What review made of the preliminary deduction, by institution, finding by finding."""
    less = pl.col("det_sumamt") - pl.col("final_det_sumamt")
    names = pl.col("reviewer") if "reviewer" in details.columns else pl.lit(None, pl.String)
    return (
        details.with_columns(less=less, reviewer=names)
        .group_by(CODE)
        .agg(
            pl.col("det_sumamt").sum().alias("prelim"),
            pl.col("less").filter(pl.col("less") > 0).sum().alias("withdrawn"),
            (-pl.col("less")).filter(pl.col("less") < 0).sum().alias("confirmed"),
            pl.col("final_det_sumamt").sum().alias("final"),
            pl.col("reviewer").drop_nulls().unique().sort().str.join("、").alias("reviewers"),
        )
        .sort(CODE)
    )


def names(facts: MonthFacts) -> pl.DataFrame:
    """Return the name of every institution that has one: fixmedins_code, name."""
    known = newest(facts.institutions).select(CODE, name="fixmedins_name")
    sent = facts.submissions.sort(CODE, "submission").select(CODE, name="fixmedins_name")
    both = pl.concat([sent, known]).drop_nulls().filter(pl.col("name") != "")
    return both.unique(CODE, keep="first", maintain_order=True)


def folder_name(code: str) -> str:
    """Return a safe folder name for an institution code, which may be anything someone typed."""
    if _SAFE.fullmatch(code):
        return code
    kept = re.sub(r"[^0-9A-Za-z_-]", "_", code)[:30]
    return f"{kept or 'unknown'}_{hashlib.sha256(code.encode()).hexdigest()[:8]}"


def _clearing(facts: MonthFacts) -> pl.DataFrame:
    keys = [CODE, "insutype", "clr_type"]
    less = facts.clearing_fund.group_by(keys).agg(pl.col("dfr_amt").sum())
    joined = facts.clearing.join(less, on=keys, how="left").sort(keys)
    kinds = [
        translated(name, {v: code_label(name, v, facts.lang) for v in facts.clearing[name].unique()})
        for name in ("insutype", "clr_type")
    ]
    return joined.with_columns(pl.col("dfr_amt").fill_null(0), label=pl.format("{} · {}", *kinds))


def _facts(
    code: str, sent: list[dict[str, Any]], known: dict[str, Any], batch: dict[str, Any], lang: str
) -> dict[str, Any]:
    best: dict[str, Any] = next(iter(sent), {})
    kind = best.get("fixmedins_type") or known.get("fixmedins_type")
    return {
        "code": code,
        "name": best.get("fixmedins_name") or known.get("fixmedins_name") or code,
        "type": code_label("fixmedins_type", kind, lang),
        "level": code_label("hosp_lv", known.get("hosp_lv"), lang),
        "acctname": known.get("acctname") or "",
        "bankacct": mask("bankacct", known.get("bankacct")) or "",
        "bank": known.get("bank_name") or "",
        "submission": best.get("submission") or "",
        "received": best.get("received_on"),
        "deadline": batch.get("limit_on") or best.get("deadline_on"),
    }


def _notices(code: str, sent: list[dict[str, Any]], parts: Parts) -> list[Notice]:
    """Answer each submission with the faults that name it."""
    seen: dict[str, int] = {}
    notices: list[Notice] = []
    for row in sent:
        key, status = (code, row["submission"]), row["status"]
        seen[status] = seen.get(status, 0) + 1
        notices.append(
            Notice(
                number=seen[status],
                submission=row,
                reasons=parts.reasons.get(key, []),
                faults=parts.faults.get(key, []),
                more=dict(parts.faults_more.get(key, [])),
            )
        )
    return notices


def _dicts(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a frame by name, under their institution."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in frame.to_dicts():
        found.setdefault(row[CODE], []).append(row)
    return found
