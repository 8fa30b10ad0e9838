"""The rows of the deduction list: masked, worded, at most `CAP` per rule in a workbook."""

from __future__ import annotations

import polars as pl

from settlement.labels import EN, label
from settlement.reports.dossier import CAP
from settlement.reports.fields import Shape, columns, field_label
from settlement.reports.frames import translated, visit
from settlement.reports.persons import PERSON, masked, without_persons
from settlement.reports.tables import Column
from settlement.reports.vocabulary import code_label, fund_label

CODE = "fixmedins_code"
VIOLATION = "违规"

_COLUMNS: tuple[Shape, ...] = (
    ("finding_id", "wrap", 11, ""),
    ("setl_id", "wrap", 13, ""),
    ("bkkp_sn", "text", 9, ""),
    ("psn_name", "text", 8, ""),
    ("psn_no", "text", 11, ""),
    ("med_type", "wrap", 10, ""),
    ("visit", "wrap", 13, "col.visit"),
    ("bilg_dept_codg", "text", 9, ""),
    ("bilg_dr_code", "wrap", 10, ""),
    ("hilist_code", "wrap", 14, ""),
    ("hilist_name", "wrap", 16, ""),
    ("cnt", "quantity", 8, ""),
    ("pric", "price", 10, ""),
    ("det_item_fee_sumamt", "money", 12, ""),
    ("inscp_amt", "money", 12, ""),
    ("rule_id", "centre", 7, "col.rule"),
    ("rule_name", "wrap", 16, "col.rule_name"),
    ("national_ref", "wrap", 12, "col.national_ref"),
    ("grade", "centre", 7, "col.grade"),
    ("vola_cont", "wrap", 32, ""),
    ("related", "wrap", 16, ""),
    ("deduction", "wrap", 10, "col.method_code"),
    ("risk_amt", "money", 12, "col.risk"),
    ("det_sumamt", "money", 12, "col.prelim"),
    ("reply", "wrap", 9, ""),
    ("agreed_amt", "money", 12, "col.agreed"),
    ("reply_reason", "wrap", 22, "col.appeal"),
    ("decision", "wrap", 9, ""),
    ("decision_reason", "wrap", 20, "col.decision_reason"),
    ("final_det_sumamt", "money", 12, "col.final"),
    ("funds", "wrap", 25, "col.shares"),
    ("basis", "wrap", 18, "col.basis"),
)
# Only in the complete list, not in the workbook: what hardly anyone prints.
_LIST_ONLY = ("setl_time", "fee_ocur_time", "insutype", "clr_type")
_CODED = ("med_type", "deduction", "reply", "decision")
# Known once somebody answered or decided. Who decided stays with the fund.
_LATER = {"agreed_amt": pl.Decimal(16, 2), "reply_reason": pl.String(), "decision_reason": pl.String()}


def finding_columns(lang: str) -> tuple[Column, ...]:
    """Return the columns of the deduction list."""
    return columns(_COLUMNS, lang)


def csv_headers(lang: str) -> dict[str, str]:
    """Return the columns of the complete list and their headers."""
    shown = {column.key: column.header for column in finding_columns(lang)}
    return {**shown, **{name: field_label(name, lang) for name in _LIST_ONLY}}


def rule_columns(lang: str) -> tuple[Column, ...]:
    """Return the columns of the totals by rule."""
    shapes = (
        ("rule", "centre", 9),
        ("rule_name", "wrap", 30),
        ("national_ref", "text", 20),
        ("grade", "centre", 9),
        ("hits", "count", 10),
        ("shown", "count", 10),
        ("risk", "money", 16),
        ("prelim", "money", 16),
        ("final", "money", 16),
        ("basis", "wrap", 40),
    )
    return tuple(Column(key, label(f"col.{key}", lang), kind, width) for key, kind, width in shapes)


def finding_frame(details: pl.DataFrame, rules: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Return every finding as the list shows it, in order; `place` counts within institution and rule.

    Besides the shown columns it has `fixmedins_code` and `kind` (the grade in Chinese).
    """
    absent = [pl.lit(None, kind).alias(name) for name, kind in _LATER.items() if name not in details.columns]
    told = without_persons(details.with_columns(absent), ("reply_reason", "decision_reason"))
    ordered = told.with_columns(masked(*PERSON), kind=pl.col("grade")).sort(
        CODE,
        pl.col("grade") != VIOLATION,
        "rule_id",
        pl.max_horizontal("det_sumamt", "final_det_sumamt"),
        "setl_id",
        "bkkp_sn",
        "finding_id",
        descending=[False, False, False, True, False, False, False],
        nulls_last=True,
    )
    worded = _worded(ordered, rules, lang)
    names = [name for name, *_ in _COLUMNS]
    return worded.select(
        CODE, "kind", *names, *_LIST_ONLY, place=pl.int_range(pl.len()).over(CODE, "rule_id")
    )


def hidden(findings: pl.DataFrame) -> pl.DataFrame:
    """Return how many rows are not shown: fixmedins_code, kind, rule_id, len."""
    return findings.filter(pl.col("place") >= CAP).group_by(CODE, "kind", "rule_id").len()


def rule_totals(findings: pl.DataFrame) -> pl.DataFrame:
    """Return totals by institution, rule and grade, in the order of `rule_columns`."""
    keys = [CODE, "rule_id", "rule_name", "national_ref", "grade"]
    return findings.group_by(*keys, maintain_order=True).agg(
        pl.len().alias("hits"),
        (pl.col("place") < CAP).sum().alias("shown"),
        pl.col("risk_amt", "det_sumamt", "final_det_sumamt").sum(),
        pl.col("basis").first(),
    )


def refused(details: pl.DataFrame, rules: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Return what was deducted in the end, by institution and rule, largest first."""
    name = translated("rule_id", _rule_names(rules, lang)) if lang == EN else pl.col("rule_name")
    return (
        details.filter(pl.col("final_det_sumamt") != 0)
        .group_by(CODE, "rule_id", name.alias("rule_name"))
        .agg(pl.len(), pl.col("final_det_sumamt").sum())
        .sort(CODE, "final_det_sumamt", "rule_id", descending=[False, True, False])
    )


def _rule_names(rules: pl.DataFrame, lang: str) -> dict[str, str]:
    return dict(rules.select("rule_id", "name_en" if lang == EN else "name").rows())


def _worded(frame: pl.DataFrame, rules: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Turn codes into words and the two ends of the visit into one text."""
    words = [
        translated(name, {v: code_label(name, v, lang) for v in frame[name].drop_nulls().unique()})
        for name in (*_CODED, "grade")
    ]
    worded = frame.with_columns(*words, visit=visit(), funds=_fund_words(frame, lang))
    if lang == EN:
        own = "vola_cont_en" if "vola_cont_en" in frame.columns else "vola_cont"
        english = translated("rule_id", _rule_names(rules, lang))
        worded = worded.with_columns(rule_name=english, vola_cont=pl.col(own))
    return worded


def _fund_words(frame: pl.DataFrame, lang: str) -> pl.Expr:
    """`310100:425.00;330100:75.00` with the funds' names; the colon tells a code from an amount."""
    codes = frame["funds"].drop_nulls().str.extract_all(r"(\w+):").explode().unique().drop_nulls()
    words = {code: f"{fund_label(code[:-1], lang)} " for code in codes.sort()}
    text = pl.col("funds").fill_null("")
    replaced = text.str.replace_many(list(words), list(words.values())) if words else text
    return replaced.str.replace_all(";", "\n", literal=True)
