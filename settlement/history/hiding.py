"""Masking an answer: personal columns by their name, and whatever else was made of them.

A column that keeps its name is masked as documents mask it. One that is computed or renamed cannot be
told, so where a question reads personal columns, such a column of anything but numbers is hidden.
"""

from __future__ import annotations

import re

import duckdb
import polars as pl

from settlement.history.declared import PERSONAL, VIEWS
from settlement.masking import HIDDEN, mask_all

KNOWN = {f.name for view in VIEWS.values() for f in view.fields}


def touched(con: duckdb.DuckDBPyConnection, sql: str) -> frozenset[str]:
    """Return the personal columns that a question reads, by the plan of it."""
    try:
        plan = str(con.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall())
    except duckdb.Error:
        return frozenset(PERSONAL)  # it will say itself what is wrong with it
    return frozenset(name for name in PERSONAL if re.search(rf"\b{name}\b", plan))


def masked(rows: pl.DataFrame, read: frozenset[str]) -> pl.DataFrame:
    """Return an answer as it may be shown.

    Args:
        rows: the answer.
        read: personal columns that the question reads.
    """
    hidden = [
        pl.when(pl.col(name).is_not_null()).then(pl.lit(HIDDEN)).alias(name)
        for name, dtype in rows.schema.items()
        if read and name not in KNOWN and not (dtype.is_numeric() or dtype == pl.Boolean)
    ]
    named = [
        pl.Series(name, mask_all(name, rows[name].cast(pl.String)), pl.String)
        for name in rows.columns
        if _national(name) in PERSONAL and not rows.schema[name].is_nested()
    ]
    nested = [
        pl.lit(HIDDEN).alias(name)
        for name, dtype in rows.schema.items()
        if name in KNOWN and read and dtype.is_nested()
    ]
    return rows.with_columns(*hidden, *nested).with_columns(named)


def _national(name: str) -> str:
    """A column's name without the number that tells it from another of the same name."""
    return re.sub(r"_\d+$", "", name.lower())
