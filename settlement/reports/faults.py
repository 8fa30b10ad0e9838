"""The fault list of the notices: masked, in the reader's language, at most `CAP` rows per reason."""

from __future__ import annotations

import re

import polars as pl

from schemas.reasons import REASONS, Reason
from settlement.labels import EN, label
from settlement.masking import mask, mask_text
from settlement.reports.dossier import CAP
from settlement.reports.fields import field_label, personal_fields, table_label
from settlement.reports.tables import Column

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
KEYS = ["fixmedins_code", "submission"]


def fault_columns(lang: str) -> tuple[Column, ...]:
    """Return the columns of the fault list."""

    def field(name: str, kind: str, width: float) -> Column:
        return Column(name, field_label(name, lang, "returned"), kind, width)

    return (
        field("reason", "centre", 9),
        Column("file", label("col.file", lang), "text", 18),
        Column("row_no", label("col.row_no", lang), "count", 9),
        field("table", "text", 18),
        field("column", "text", 20),
        Column("column_zh", label("col.column_zh", lang), "text", 20),
        field("value", "wrap", 24),
        field("message", "wrap", 44),
        field("action", "wrap", 38),
        field("setl_id", "text", 20),
        field("bkkp_sn", "text", 18),
    )


def fault_frame(returned: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Return every fault, masked, worded and in order; `place` counts within reason and submission."""
    held = _masked(returned.with_columns(pl.col(KEYS).fill_null("")))
    if lang == EN:
        held = _english(held)
    words = {name: table_label(name, lang) for name in held["table"].drop_nulls().unique()}
    first = pl.col("reason").str.starts_with("R")
    order = [first, "reason", "file", "row_no", "setl_id", "bkkp_sn", "column", "message"]
    return (
        held.with_columns(pl.col("table").replace(words))
        .sort(*KEYS, *order, nulls_last=True)
        .with_columns(place=pl.int_range(pl.len()).over(*KEYS, "reason"))
    )


def reasons(faults: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Return one row per submission and reason: its keys, code, text, number of faults, what to do.

    Different faults of a whole submission are all quoted; of settlements, only what they share.
    """
    said = pl.col("message")
    return (
        faults.group_by(*KEYS, "reason", maintain_order=True)
        .agg(
            said.unique(maintain_order=True).head(CAP).str.join("\n").alias("all"),
            said.n_unique().alias("kinds"),
            pl.len(),
            pl.col("action").first(),
        )
        .with_columns(general=pl.col("reason").replace_strict(_general(lang), default=pl.col("all")))
        .with_columns(
            message=pl.when((pl.col("kinds") == 1) | pl.col("reason").str.starts_with("S"))
            .then("all")
            .otherwise("general")
        )
        .select(*KEYS, "reason", "message", "len", "action")
    )


def hidden(faults: pl.DataFrame) -> pl.DataFrame:
    """Return how many rows are not shown, by submission and reason."""
    beyond = faults.filter(pl.col("place") >= CAP)
    return beyond.group_by(*KEYS, "reason", maintain_order=True).len()


def _general(lang: str) -> dict[str, str]:
    """Every reason's text without one row's values."""
    texts = {code: reason.en if lang == EN else reason.zh for code, reason in REASONS.items()}
    return {code: _PLACEHOLDER.sub("…", text) for code, text in texts.items()}


def _masked(held: pl.DataFrame) -> pl.DataFrame:
    """Mask the value and its quotation in the message where the column names a person."""
    held = held.with_row_index("at")
    personal = held.filter(pl.col("column").is_in(list(personal_fields())) & pl.col("value").is_not_null())
    if personal.is_empty():
        return held.drop("at")
    rows = personal.select("at", "column", "value", "message").rows()
    shown = pl.DataFrame(
        [(at, mask(name, value), mask_text(name, value, said)) for at, name, value, said in rows],
        schema={"at": held.schema["at"], "value": pl.String, "message": pl.String},
        orient="row",
    )
    return held.update(shown, on="at").drop("at")


def _english(held: pl.DataFrame) -> pl.DataFrame:
    """Word faults in English: the values are read out of the Chinese text by its own template."""
    present = [code for code in held["reason"].unique().sort() if code in REASONS]
    said = pl.col("message")
    for code in present:
        english = _english_text(REASONS[code]).fill_null(pl.col("message"))
        said = pl.when(pl.col("reason") == code).then(english).otherwise(said)
    todo = {code: REASONS[code].action_en for code in present}
    names = {name: field_label(name, EN) for name in held["column"].drop_nulls().unique()}
    return held.with_columns(
        message=said,
        action=pl.col("reason").replace_strict(todo, default=pl.col("action")),
        column_zh=pl.col("column").replace(names),
    )


def _english_text(reason: Reason) -> pl.Expr:
    given, wanted = _PLACEHOLDER.findall(reason.zh), _PLACEHOLDER.findall(reason.en)
    if not set(wanted) <= set(given):
        return pl.col("message")
    if not wanted:
        return pl.lit(reason.en)
    parts = _PLACEHOLDER.split(reason.zh)
    pattern = "".join("(.*)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
    groups = [pl.col("message").str.extract(f"(?s)^{pattern}$", given.index(n) + 1) for n in wanted]
    return pl.format(_PLACEHOLDER.sub("{}", reason.en), *groups)
