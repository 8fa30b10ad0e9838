"""The columns of the feedback workbook: what is sent, in words, and under which headers it comes back."""

from __future__ import annotations

import hashlib
import re
from functools import cache

import polars as pl

from settlement.labels import EN, label
from settlement.procedure import ANSWERS as ANSWER_WORDS
from settlement.reports.frames import translated, visit
from settlement.reports.persons import masked
from settlement.reports.tables import LONGEST, Column
from settlement.reports.vocabulary import code_label

CODE = "fixmedins_code"
NO_FINDINGS = hashlib.sha256(b"").hexdigest()
# key, kind of cell, width
LOCKED: tuple[tuple[str, str, float], ...] = (
    ("finding_id", "wrap", 9.5),
    ("setl_id", "wrap", 10),
    ("bkkp_sn", "wrap", 5.5),
    ("person", "wrap", 8.5),
    ("med_type", "wrap", 5),
    ("visit", "wrap", 12.5),
    ("fee_time", "wrap", 11),
    ("bilg_dept_codg", "wrap", 7),
    ("bilg_dr_code", "wrap", 8),
    ("hilist_code", "wrap", 10),
    ("hilist_name", "wrap", 10),
    ("cnt", "quantity", 5.5),
    ("pric", "price", 7.5),
    ("det_item_fee_sumamt", "money", 9),
    ("rule_id", "centre", 5.5),
    ("rule_name", "wrap", 9),
    ("national_ref", "wrap", 9.5),
    ("vola_cont", "wrap", 22),
    ("related", "wrap", 10),
    ("basis", "wrap", 12),
    ("limit_amt", "money", 9.5),
)
ANSWERS: tuple[tuple[str, str, float], ...] = (
    ("answer", "centre", 9),
    ("agreed_amt", "money", 9.5),
    ("reason", "wrap", 20),
    ("attachments", "wrap", 11),
)
NUMBERS = ("cnt", "pric", "det_item_fee_sumamt", "limit_amt")
# Stated once in a workbook; in a CSV file they are columns of every row.
STATED = ("filled_by", "filled_on", "fixmedins_code", "notice_no", "digest")
_DIGESTED = (
    "finding_id", "rule_id", "grade", "setl_id", "bkkp_sn", "hilist_code", "cnt", "pric",
    "det_item_fee_sumamt", "vola_cont", "related", "basis", "limit_amt",
)  # fmt: skip


def keys(columns: tuple[tuple[str, str, float], ...]) -> list[str]:
    """Return the keys of some columns."""
    return [key for key, _, _ in columns]


def sheet_columns(lang: str) -> tuple[Column, ...]:
    """Return the columns of a sheet of findings, the answers last."""
    return tuple(
        Column(key, label(f"reply.{key}", lang), kind, width) for key, kind, width in (*LOCKED, *ANSWERS)
    )


def csv_headers(lang: str) -> dict[str, str]:
    """Return the columns of the CSV form and their headers."""
    names = [*keys(LOCKED), "grade", *keys(ANSWERS), *STATED]
    return {name: label(f"reply.{name}", lang) for name in names}


@cache
def headers() -> dict[str, str]:
    """Map every header a column may come back under, plain, to its key."""
    names = [*keys(LOCKED), *keys(ANSWERS), *STATED]
    return {plain(word): n for n in names for word in (n, label(f"reply.{n}", "zh"), label(f"reply.{n}", EN))}


def plain(header: str) -> str:
    """Return a header without blanks, star and unit, in lower case."""
    return re.sub(r"[\s*]|[(\uff08]元[)\uff09]", "", header).lower()


def answer_words(lang: str) -> list[str]:
    """Return the three answers as the drop-down offers them."""
    return [code_label("reply", word, lang) for word in ANSWER_WORDS]


def findings(sent: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Return findings as the workbook shows them.

    Args:
        sent: findings as sent, persons not yet masked.
        lang: language of code words and descriptions.

    Returns:
        fixmedins_code, grade (Chinese) and the columns of `LOCKED`: text, but decimals for `NUMBERS`.
    """
    person = pl.concat_str(masked("psn_name", "psn_no"), separator=" ", ignore_nulls=True)
    kinds = {v: code_label("med_type", v, lang) for v in sent["med_type"].drop_nulls().unique()}
    told = "vola_cont_en" if lang == EN and "vola_cont_en" in sent.columns else "vola_cont"
    rule = "rule_name_en" if lang == EN and "rule_name_en" in sent.columns else "rule_name"
    worded = sent.with_columns(
        person=person,
        med_type=translated("med_type", kinds),
        visit=visit(),
        # To the minute: a spreadsheet that rewrites a CSV file drops the seconds.
        fee_time=pl.col("fee_ocur_time").dt.to_string("%Y-%m-%d %H:%M"),
        rule_name=rule,
        vola_cont=told,
    )
    return worded.select(CODE, "grade", *keys(LOCKED)).with_columns(
        pl.selectors.string().str.slice(0, LONGEST)
    )


def digest_of(sent: pl.DataFrame) -> dict[str, str]:
    """Return by institution the SHA-256 of what it is sent; an institution without findings is not in it.

    Persons are not part of it, so that nobody can be guessed from a digest.
    """
    line = pl.concat_str([pl.col(n).cast(pl.String).fill_null("") for n in _DIGESTED], separator="\x1f")
    whole = (
        sent.select(CODE, "finding_id", line.alias("line"))
        .sort(CODE, "finding_id")
        .group_by(CODE, maintain_order=True)
        .agg(pl.col("line").str.join("\x1e"))
    )
    return {code: hashlib.sha256(text.encode()).hexdigest() for code, text in whole.iter_rows()}
