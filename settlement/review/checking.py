"""Judging a filled-in worklist: what is taken, and every fault of what is not, by cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl
from xlsxwriter.utility import xl_col_to_name

from settlement.labels import EN, label
from settlement.masking import HIDDEN
from settlement.procedure import OUTCOMES, REVIEW, STATES, UPHELD, WITHDRAWN
from settlement.reports.fields import Shape, personal_fields
from settlement.reports.review_sheet import Heading
from settlement.reports.vocabulary import code_label
from settlement.review.deciding import ABOVE_LIMIT, MONEY, misfit
from settlement.review.returning import REFUSED, Filled
from settlement.review.worklist_book import (
    ANSWERS,
    FACTS,
    FAULTY,
    PASSED,
    SAMPLE_ANSWERS,
    SAMPLE_FACTS,
    printed,
    printed_sample,
)

AMOUNT = r"^-?\d{1,13}(\.\d{1,2})?$"
# A workbook holds doubles; what it shows of a number is compared, not computed with.
NEAR = 0.000_05
_NUMBERS = ("money", "quantity")
_SENTENCES = ("vola_cont", "appeal", "attachments")
_STANDING = (("outcome", "decision_now"), ("amount", "final_now"), ("reason", "reason_now"))
# code, column of the cell at fault, what was found there, what was expected
Fault = tuple[str, str, pl.Expr, pl.Expr | None]


def check_decisions(
    filled: Filled, state: pl.DataFrame, actor: str, heading: Heading
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Divide filled-in decisions into those that can be entered and those refused, with every reason.

    Args:
        filled: what `read_worklist` returned.
        state: what `worklist` returns as things stand now, plus state (of the finding's batch) and
            first_reviewer (who did its first audit; several joined by 、, may be empty).
        actor: who decides.
        heading: as the workbook was written with.

    Returns:
        taken: finding_id, decision, final_amt (元), reason, actor, place (such as 待定!Y7); a decision
            that stands already is not repeated.
        refused: sheet, cell, key (finding_id), code (D01 ...), value, message, action; one row per
            fault. A row with any fault is not taken.

    Source: 社会保险经办条例 arts 36-37 (posts kept apart); a review never deducts more than was notified.
    """
    lang, shapes = filled.lang, (*FACTS, *ANSWERS)
    rows = _beside(filled, state)
    faults = [_listed(rows.filter(wrong), fault, shapes, lang) for fault, wrong in _faults(rows, actor, lang)]
    here = state.join(rows, on="finding_id", how="semi")
    refused = _refused([*faults, *_altered(rows, printed(here, replace(heading, lang=lang)), FACTS, lang)])
    taken = rows.join(refused, left_on="finding_id", right_on="key", how="anti").select(
        "finding_id",
        pl.col("outcome").alias("decision"),
        pl.col("amount").alias("final_amt"),
        "reason",
        pl.lit(actor).alias("actor"),
        _place("decision", shapes),
    )
    return taken, refused


def check_sample(
    filled: Filled, picked: pl.DataFrame, actor: str, heading: Heading
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Divide the results of the sample into those that can be entered and those refused.

    Args:
        filled: what `read_worklist` returned.
        picked: what `sample` returned, plus state (of the settlement's batch).
        actor: who checked.
        heading: as the workbook was written with.

    Returns:
        taken: setl_id, outcome (通过 | 有问题), note, actor, place.
        refused: as of `check_decisions`, key being setl_id.
    """
    lang, shapes = filled.lang, (*SAMPLE_FACTS, *SAMPLE_ANSWERS)
    words = {label("review.passed", lang): PASSED, label("review.faulty", lang): FAULTY}
    now = picked.select("setl_id", "state", known=pl.lit(value=True))
    rows = filled.checks.with_columns(pl.col("outcome").replace(words)).join(
        now, on="setl_id", how="left", maintain_order="left"
    )
    ident, outcome, known = pl.col("setl_id"), pl.col("outcome"), pl.col("known").fill_null(value=False)
    judged: tuple[tuple[Fault, pl.Expr], ...] = (
        (("D12", "setl_id", ident, None), ~known),
        (("D13", "outcome", outcome, None), ~outcome.is_in([PASSED, FAULTY])),
        (("D14", "note", pl.lit(""), None), (outcome == FAULTY) & (pl.col("note") == "")),
        (("D08", "setl_id", ident, None), ident.is_duplicated()),
        (("D06", "setl_id", ident, _state_words(lang)), known & (pl.col("state") != REVIEW)),
    )
    faults = [_listed(rows.filter(wrong), fault, shapes, lang) for fault, wrong in judged]
    expected = printed_sample(picked.join(rows, on="setl_id", how="semi"), replace(heading, lang=lang))
    refused = _refused([*faults, *_altered(rows, expected, SAMPLE_FACTS, lang)])
    taken = rows.join(refused, left_on="setl_id", right_on="key", how="anti").select(
        "setl_id", "outcome", "note", pl.lit(actor).alias("actor"), _place("outcome", shapes)
    )
    return taken, refused


def _beside(filled: Filled, state: pl.DataFrame) -> pl.DataFrame:
    """Put what stands now beside what was filled in; rows that say nothing new are left out."""
    words = {code_label("decision", word, filled.lang): word for word in OUTCOMES}
    now = state.select(
        "finding_id", "state", "first_reviewer", limit_now="limit_amt", decision_now="decision",
        final_now="final_amt", reason_now="reason", known=pl.lit(value=True),
    )  # fmt: skip
    text = pl.col("final_amt").str.replace_all(",", "")
    readable = (text == "") | text.str.contains(AMOUNT)
    # Left empty, the amount is what the outcome says, unless that is a part.
    meant = (
        pl.when(pl.col("outcome") == UPHELD)
        .then("limit_now")
        .when(pl.col("outcome") == WITHDRAWN)
        .then(pl.lit("0.00").cast(MONEY))
    )
    amount = pl.when(text == "").then(meant).otherwise(pl.when(readable).then(text).cast(MONEY, strict=False))
    standing = pl.all_horizontal(pl.col(said) == pl.col(stands) for said, stands in _STANDING)
    return (
        filled.decisions.join(now, on="finding_id", how="left", maintain_order="left")
        .with_columns(pl.col("known").fill_null(value=False), outcome=pl.col("decision").replace(words))
        .with_columns(amount=amount, readable=readable)
        .with_columns(misfit=misfit("outcome", "amount", "limit_now"))
        .filter(~standing.fill_null(value=False))
    )


def _faults(rows: pl.DataFrame, actor: str, lang: str) -> Iterator[tuple[Fault, pl.Expr]]:
    """Give every fault a decision can have, with the rows that have it."""
    ident, limit, final = pl.col("finding_id"), pl.col("limit_now").cast(pl.String), pl.col("final_amt")
    known, said = pl.col("known"), pl.col("outcome").is_in(OUTCOMES)
    above, comparable = pl.col("misfit") == ABOVE_LIMIT, known & pl.col("readable")
    yield ("D01", "finding_id", ident, None), ~known
    yield ("D02", "decision", pl.col("decision"), None), ~said
    yield ("D03", "reason", pl.lit(""), None), pl.col("reason") == ""
    yield ("D09", "final_amt", final, None), ~pl.col("readable")
    yield ("D04", "final_amt", final, limit), comparable & above
    yield ("D05", "final_amt", final, limit), comparable & said & ~above
    yield ("D06", "finding_id", ident, _state_words(lang)), known & (pl.col("state") != REVIEW)
    yield ("D08", "finding_id", ident, None), ident.is_duplicated()
    own_audit = pl.col("first_reviewer").fill_null("").str.split("、").list.contains(actor)
    yield ("D11", "decision", pl.lit(actor), None), known & own_audit


def _state_words(lang: str) -> pl.Expr:
    return pl.col("state").replace({name: words[lang == EN] for name, words in STATES.items()})


def _altered(
    rows: pl.DataFrame, expected: pl.DataFrame, shapes: Sequence[Shape], lang: str
) -> list[pl.DataFrame]:
    """List locked cells that no longer hold what was written into them."""
    key = shapes[0][0]
    both = rows.join(expected, on=key, suffix="_was")
    found = []
    for name, kind, *_ in shapes[1:]:
        now, was = pl.col(name), pl.col(f"{name}_was")
        if kind in _NUMBERS:
            number = now.str.replace_all(",", "").cast(pl.Float64, strict=False)
            same = ((number - was).abs() < NEAR).fill_null(value=False) | ((now == "") & was.is_null())
        else:
            same = now == was
        # Whoever changed a sentence may have written a name into it.
        shown = pl.lit(HIDDEN) if name in personal_fields() or name in _SENTENCES else now
        fault: Fault = ("D07", name, shown, was.cast(pl.String))
        found.append(_listed(both.filter(~same), fault, shapes, lang))
    return found


def _listed(rows: pl.DataFrame, fault: Fault, shapes: Sequence[Shape], lang: str) -> pl.DataFrame:
    """Return one refused row per row at fault, with the row's number to sort by."""
    code, column, value, expected = fault
    before, _, after = label(f"review.{code}", lang).partition("{expected}")
    quoted = pl.lit("") if expected is None else expected.fill_null("")
    return rows.select(
        "sheet",
        pl.format("{}{}", pl.lit(_letter(column, shapes)), "row").alias("cell"),
        pl.col(shapes[0][0]).alias("key"),
        pl.lit(code).alias("code"),
        value.alias("value"),
        pl.concat_str(pl.lit(before), quoted, pl.lit(after)).alias("message"),
        pl.lit(label(f"review.{code}.do", lang)).alias("action"),
        "row",
    )


def _refused(faults: list[pl.DataFrame]) -> pl.DataFrame:
    every = pl.concat([REFUSED.to_frame().with_columns(row=pl.lit(0, dtype=pl.Int64)), *faults])
    return every.sort("sheet", "row", "code", "cell").drop("row")


def _place(column: str, shapes: Sequence[Shape]) -> pl.Expr:
    """Return where a row was filled in, such as 待定!Y7."""
    return pl.format("{}!{}{}", "sheet", pl.lit(_letter(column, shapes)), "row").alias("place")


def _letter(column: str, shapes: Sequence[Shape]) -> str:
    return str(xl_col_to_name([shape[0] for shape in shapes].index(column)))
