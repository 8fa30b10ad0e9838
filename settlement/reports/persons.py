"""Persons in frames: what of them a document may show, in their own columns and in sentences."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from settlement.masking import mask_all, mask_text

PERSON = ("psn_name", "psn_no")
# What of a person may be quoted in a sentence.
QUOTED = (*PERSON, "certno")


def masked(*names: str) -> pl.Expr:
    """Return columns of personal values as they may be shown; a column's name decides what is kept."""

    def hide(column: pl.Series) -> pl.Series:
        return pl.Series(column.name, mask_all(column.name, column), dtype=pl.String)

    return pl.col(names).map_batches(hide, return_dtype=pl.String)


def without_persons(rows: pl.DataFrame, texts: Iterable[str]) -> pl.DataFrame:
    """Mask the person of each finding in what people wrote about it.

    Args:
        rows: psn_name, psn_no and certno, those that are known, and the columns of `texts`.
        texts: columns with sentences; few of them name anybody.
    """
    for column in texts:
        for person in [name for name in QUOTED if name in rows.columns]:
            who = pl.col(person)
            hits = pl.arg_where((who != "") & pl.col(column).str.contains(who, literal=True))
            named = rows.select(hits).to_series()
            if not named.is_empty():
                found = rows.select(person, column)[named]
                hidden = [mask_text(person, value, text) for value, text in found.rows()]
                rows = rows.with_columns(rows[column].scatter(named, hidden))
    return rows
