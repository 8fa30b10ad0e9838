"""Pseudonyms of persons: the same person has the same one in every table and month, and none without the key.

A pseudonym is `P` and the first 24 hex digits of HMAC-SHA256 over field and value. Each different value is
worked out once; rows get theirs by a join.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

import duckdb
import polars as pl

from settlement.masking import HIDDEN
from settlement.query import frame, hold

SCHEMA = {"field": pl.String, "value": pl.String, "pseudonym": pl.String}
# Shorter values are too common in sentences to be looked for there.
SHORTEST, SHORTEST_ASCII = 2, 6


def pseudonym(key: bytes, field: str, value: str) -> str:
    """Return the pseudonym of one value of a field."""
    return "P" + hmac.new(key, f"{field}|{value}".encode(), "sha256").hexdigest()[:24]


def pseudonyms(key: bytes, values: pl.DataFrame) -> pl.DataFrame:
    """Return pseudonyms of values.

    Args:
        key: the home's secret.
        values: field and value; repeated and empty ones count once and not at all.

    Returns:
        field, value, pseudonym; sorted.
    """
    known = values.select("field", "value").filter(pl.col("value").fill_null("") != "").unique()
    known = known.sort("field", "value")
    made = [pseudonym(key, field, value) for field, value in known.iter_rows()]
    return known.with_columns(pl.Series("pseudonym", made, dtype=pl.String))


def replaced(rows: pl.DataFrame, column: str, field: str | pl.Expr, known: pl.DataFrame) -> pl.DataFrame:
    """Return rows with a column's values replaced by their pseudonyms; what is not known is hidden.

    Args:
        rows: any frame.
        column: the column of personal values.
        field: the field they are values of: its name, or an expression that gives it row by row.
        known: `pseudonyms`.
    """
    of = pl.lit(field) if isinstance(field, str) else field
    keyed = rows.with_columns(of.alias("_field"))
    right = known.select(pl.col("field").alias("_field"), pl.col("value").alias(column), "pseudonym")
    joined = keyed.join(right, on=["_field", column], how="left", maintain_order="left")
    empty = pl.col(column).is_null() | (pl.col(column) == "")
    shown = pl.when(empty).then(pl.col(column)).otherwise(pl.col("pseudonym").fill_null(HIDDEN))
    return joined.with_columns(shown.alias(column)).select(rows.columns)


def in_sentences(rows: pl.DataFrame, columns: Iterable[str], known: pl.DataFrame) -> pl.DataFrame:
    """Return rows in whose sentences every known value stands as its pseudonym.

    What people write may name anybody of the month, not only the person it is about. A word that happens
    to be somebody's name is replaced too: too much hidden rather than too little.
    """
    texts = [c for c in columns if c in rows.columns]
    wanted = _quoted(pl.concat([rows[c] for c in texts]), known) if texts else known.head(0)
    if wanted.is_empty():
        return rows
    values, hidden = wanted["value"].to_list(), wanted["pseudonym"].to_list()
    return rows.with_columns(pl.col(texts).str.replace_many(values, hidden, leftmost=True))


def _quoted(texts: pl.Series, known: pl.DataFrame) -> pl.DataFrame:
    """Return the known values that occur in some text, the longest first: a value may begin with another.

    Every piece of a text as long as some value is looked up among the values, so that the work grows with
    what was written and not with the number of persons.
    """
    long = pl.col("value").str.len_chars()
    ascii_only = long == pl.col("value").str.len_bytes()
    shortest = pl.when(ascii_only).then(SHORTEST_ASCII).otherwise(SHORTEST)
    likely = known.filter(long >= shortest).unique("value", keep="first", maintain_order=True)
    with duckdb.connect() as con:
        hold(con, "said", texts.drop_nulls().unique().to_frame("t"))
        hold(con, "likely", likely.with_columns(long.alias("n")))
        found = frame(
            con,
            """
            WITH piece AS (
                SELECT DISTINCT substr(t, i, n) AS value
                FROM (SELECT t, n, unnest(range(1, length(t) - n + 2)) AS i
                    FROM said, (SELECT DISTINCT n FROM likely) WHERE length(t) >= n)
            )
            SELECT value, pseudonym FROM likely SEMI JOIN piece USING (value) ORDER BY n DESC, value
            """,
        )
    return found
