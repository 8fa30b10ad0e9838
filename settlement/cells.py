"""Reading one text cell: what a plain number, a date and a code in force look like.

Used on institutions' files and on reference data alike, so that both mean the same by a number.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from schemas.layout import Column

DATE = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"
DATETIME = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-5][0-9])?$"
NULLS = ["", "null", "NULL"]


@dataclass(frozen=True)
class CodeLists:
    """Code lists in force, by list name: dated where the region loaded its own.

    Attributes:
        always: values good on every day a month's facts can fall on.
        dated: type, value, begndate, enddate of lists that have dates; other lists are not in it.
        first: first day for which `always` was judged.
        last: last such day.
    """

    always: dict[str, list[str]]
    dated: pl.DataFrame
    first: dt.date
    last: dt.date


def cast(column: Column) -> pl.Expr:
    """Cast a text column to its type without raising; what does not parse becomes null."""
    text = pl.col(column.name)
    if column.is_text:
        return text
    if column.dtype == pl.Date:
        return pl.when(text.str.contains(DATE)).then(text.str.to_date("%Y-%m-%d", strict=False))
    if column.dtype.base_type() == pl.Datetime:
        moment = text.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
        day = text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
        whole = text.str.len_bytes() == len("2026-04-30")
        return pl.when(text.str.contains(DATETIME)).then(pl.when(whole).then(day).otherwise(moment))
    return pl.when(text.str.contains(number_pattern(column))).then(text.cast(column.dtype, strict=False))


def number_pattern(column: Column) -> str:
    """Return the pattern of a plain number that fits the column's digits."""
    if not isinstance(column.dtype, pl.Decimal):
        return r"^-?[0-9]{1,10}$"
    whole = (column.dtype.precision or 38) - column.dtype.scale
    return rf"^-?[0-9]{{1,{whole}}}(?:\.[0-9]{{1,{column.dtype.scale}}})?$"
