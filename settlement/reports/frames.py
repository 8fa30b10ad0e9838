"""From a frame to what a sheet or a CSV file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from settlement.reports.dossier import Row

# What a spreadsheet would take for a formula when it opens a CSV file; plain numbers may begin so.
FORMULA = r"^[=+\-@\t\r]"
NUMBER = r"^[+-]?\d+(\.\d+)?$"
_EPOCH = 25_569  # 1970-01-01 as the day number of a workbook
_DAY_MS = 86_400_000


def cells(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with the value types of a workbook.

    A workbook has only text and doubles: decimals become the double nearest to them and days the day
    number. Nothing is computed with them afterwards.
    """
    wanted: list[pl.Expr] = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if isinstance(dtype, pl.Decimal):
            column = column.cast(pl.Float64)
        elif dtype == pl.Date:
            column = column.cast(pl.Int32) + _EPOCH
        elif isinstance(dtype, pl.Datetime):
            column = column.dt.timestamp("ms") / _DAY_MS + _EPOCH
        wanted.append(column.alias(name))
    return frame.select(wanted)


def csv_frame(frame: pl.DataFrame, headers: dict[str, str]) -> pl.DataFrame:
    """Return a frame as CSV for people holds it: labels as headers, no cell that opens as a formula.

    A text that a spreadsheet would run as a formula gets an apostrophe in front, the usual sign for text.
    """
    text = pl.selectors.string()
    unsafe = text.str.contains(FORMULA) & ~text.str.contains(NUMBER)
    safe = frame.with_columns(pl.when(unsafe).then("'" + text).otherwise(text).name.keep())
    return safe.select(pl.col(name).alias(header) for name, header in headers.items())


def write_csv(frame: pl.DataFrame, path: Path) -> Path:
    """Write a frame of `csv_frame` as UTF-8 with BOM, so that a spreadsheet reads the Chinese."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_csv(path, include_bom=True, datetime_format="%Y-%m-%d %H:%M:%S", line_terminator="\r\n")
    return path


def by_code(codes: pl.Series, frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Split a frame by the institutions in `codes`, once; both in the order of institutions."""
    runs = codes.rle().struct.unnest()
    starts = runs["len"].cum_sum() - runs["len"]
    return {
        code: frame.slice(start, length)
        for code, start, length in zip(runs["value"], starts, runs["len"], strict=True)
    }


def grouped(frame: pl.DataFrame, keys: int = 1) -> dict[Any, list[Row]]:
    """Return the rows of a frame under their first column, or under a tuple of the first `keys`."""
    found: dict[Any, list[Row]] = {}
    for row in frame.rows():
        found.setdefault(row[0] if keys == 1 else row[:keys], []).append(row[keys:])
    return found


def translated(name: str, words: dict[str, str]) -> pl.Expr:
    """Return a code column as words; a code without a word stays, null becomes empty."""
    return pl.col(name).fill_null("").replace(words)


def visit() -> pl.Expr:
    """Return begndate and enddate as one text, a single day once."""
    first, last = (pl.col(name).dt.to_string("%Y-%m-%d") for name in ("begndate", "enddate"))
    return pl.when(first == last).then(first).otherwise(pl.format("{} ~ {}", first, last))
