"""Divide a month's facts by institution, once, into what each one's documents need."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from settlement.labels import label
from settlement.masking import mask
from settlement.reports import deductions, faults
from settlement.reports.dossier import CAP, Context, Dossier, Notice, Row
from settlement.reports.facts import MonthFacts
from settlement.reports.frames import by_code, cells, csv_frame, grouped, translated, write_csv
from settlement.reports.vocabulary import code_label

CODE = "fixmedins_code"
FAULT_CSV, FINDING_CSV = "退回清单.csv", "审核扣款明细.csv"
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
    fault_lists: dict[str, pl.DataFrame]
    finding_lists: dict[str, pl.DataFrame]

    @property
    def codes(self) -> list[str]:
        """Every institution that gets a document, in order."""
        lists = (self.fault_lists, self.finding_lists)
        return sorted({*self.submissions, *self.payment, *self.clearing, *lists[0], *lists[1]})


def context(facts: MonthFacts, folder: Path) -> Context:
    """Return what all documents of the month share."""
    return Context(
        lang=facts.lang,
        region=facts.label,
        month=facts.month,
        folder=folder,
        fault_columns=faults.fault_columns(facts.lang),
        finding_columns=deductions.finding_columns(facts.lang),
        rule_columns=deductions.rule_columns(facts.lang),
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
        fault_lists=by_code(wrong[CODE], fault_csv),
        finding_lists=by_code(found[CODE], finding_csv),
    )


def dossier(code: str, parts: Parts, month: Context, *, settled: bool) -> Dossier:
    """Return one institution's dossier."""
    sent = parts.submissions.get(code, [])
    accepted = any(row["status"] == "ACCEPTED" for row in sent)
    findings: dict[str, list[Row]] = {}
    for kind, *row in parts.findings.get(code, []):
        findings.setdefault(kind, []).append(tuple(row))
    return Dossier(
        code=code,
        folder=folder_name(code),
        facts=_facts(code, sent, parts.institutions.get(code, {}), month.lang),
        notices=_notices(code, sent, parts),
        payment=parts.payment.get(code, []),
        clearing=parts.clearing.get(code, []),
        refused=parts.refused.get(code, []),
        rules=parts.rules.get(code, []),
        findings=findings,
        more={(kind, rule): count for kind, rule, count in parts.findings_more.get(code, [])},
        settled=settled and (accepted or code in parts.payment),
    )


def write_lists(code: str, parts: Parts, month: Context) -> list[Path]:
    """Write an institution's complete lists as CSV beside its workbooks."""
    folder = month.folder / "institutions" / folder_name(code)
    lists = ((parts.fault_lists, FAULT_CSV), (parts.finding_lists, FINDING_CSV))
    return [write_csv(found[code], folder / name) for found, name in lists if code in found]


def newest(institutions: pl.DataFrame) -> pl.DataFrame:
    """Return one row per institution: the one that began last."""
    return institutions.sort(CODE, "begndate").unique(CODE, keep="last", maintain_order=True)


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


def _facts(code: str, sent: list[dict[str, Any]], known: dict[str, Any], lang: str) -> dict[str, Any]:
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
        "deadline": best.get("deadline_on"),
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
