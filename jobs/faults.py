"""Every fault of a month in words: what the notices list and `returned.parquet` holds."""

from __future__ import annotations

from typing import Any

import polars as pl

from jobs.books import Month
from jobs.recording import worded
from schemas.layout import table
from schemas.reasons import REASONS
from schemas.results import Returned
from schemas.submission import SUBMISSION
from settlement import store

TABLES = {table(model).name: table(model) for model in SUBMISSION}
POSITION = r" 第 [0-9]+ 行起?"
PLACED = {**table(Returned).schema, "file": pl.String, "row_no": pl.Int64, "column_zh": pl.String}


def returned_rows(month: Month) -> pl.DataFrame:
    """Every fault of the month's current submissions with file and row, in words."""
    wanted = {(s["intake"], s["sub"]): s for s in month.submissions}
    paths = store.stored_files(month.home, {s["intake"] for s in month.submissions}, "returned")
    frames = []
    for intake, found in sorted(paths.items()):
        for path in found:
            rows = pl.read_parquet(path)
            for sub in rows["sub"].unique().sort().to_list():
                if (intake, sub) in wanted:
                    frames.append(in_words(rows.filter(pl.col("sub") == sub), wanted[intake, sub]))
    if not frames:
        return no_faults()
    return pl.concat(frames).sort(table(Returned).key, nulls_last=False)


def without_positions(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the faults as `returned.parquet` holds them: the same for the same rows in any order.

    Where in a file a row stood is told in the notices and the lists beside them.
    """
    message = pl.col("message").str.replace_all(POSITION, "")
    return rows.with_columns(message).select(list(table(Returned).schema)).sort(pl.all())


def no_faults() -> pl.DataFrame:
    """Return an empty list of faults."""
    return pl.DataFrame(schema=PLACED)


def in_words(rows: pl.DataFrame, submission: dict[str, Any]) -> pl.DataFrame:
    """Give the faults of one submission their words, labels and what to do."""
    about = pl.struct("tab", "col", "reason", "detail", "expected")
    kinds = rows.select(about.alias("k")).unique()["k"].to_list()
    words = pl.DataFrame(
        {
            "k": pl.Series(kinds, dtype=rows.select(about.alias("k")).schema["k"]),
            "message": pl.Series([worded(k) for k in kinds], dtype=pl.String),
        }
    )
    actions = {code: reason.action for code, reason in REASONS.items()}
    labels = [(t.name, c.name, c.zh) for t in TABLES.values() for c in t.columns]
    named = pl.DataFrame(labels, schema=["tab", "col", "column_zh"], orient="row")
    full = (
        rows.with_columns(about.alias("k"))
        .join(words, on="k", how="left", nulls_equal=True)
        .join(named, on=["tab", "col"], how="left")
    )
    whole = pl.col("reason").str.starts_with("S")
    return full.select(
        pl.when(whole).then(pl.lit("submission")).otherwise(pl.lit("settlement")).alias("level"),
        pl.lit(submission["fixmedins_code"]).alias("fixmedins_code"),
        pl.lit(submission["name"]).alias("submission"),
        pl.col("tab").alias("table"),
        "setl_id",
        "bkkp_sn",
        pl.col("col").alias("column"),
        pl.col("val").alias("value"),
        "reason",
        "message",
        pl.col("reason").replace_strict(actions).alias("action"),
        "file",
        "row_no",
        "column_zh",
    ).cast(pl.Schema(PLACED))
