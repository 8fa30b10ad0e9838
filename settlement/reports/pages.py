"""Workbooks of plain tables: one sheet a table, each with its columns, rows, totals and remarks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from settlement import policy
from settlement.labels import LABELS, label
from settlement.reports.fields import field_label, has_field
from settlement.reports.frames import cells, translated
from settlement.reports.tables import A3, A4, HEAD, Book, Column, Grid
from settlement.reports.vocabulary import code_label

ALARM_FILL = "#F4C7C3"
ANSWER_FILL = "#FFF9DB"
WIDE = 150.0
MONTHS = ("clr_ym", "used_from", "used_to")


@dataclass(frozen=True)
class Page:
    """One sheet.

    Attributes:
        name: label key of the sheet's name.
        rows: a frame that has every column of `shapes`, already in words.
        shapes: column, kind of cell, width; a column's header is the catalogue's `audit.<column>`, or the
            label of the national field.
        notes: lines of remark under the table.
        summed: columns that are summed under the table.
        frozen: columns that stay when scrolling.
        alarm: a column; a row in which it is not empty is filled in the colour of an alarm.
        answers: columns that people fill in.
        marks: cells in the colour of an alarm: the column filled, and a word that the row's `alarm` column
            names then; with marks the row itself is not filled.
    """

    name: str
    rows: pl.DataFrame
    shapes: tuple[tuple[str, str, float], ...]
    notes: tuple[str, ...] = ()
    summed: tuple[str, ...] = ()
    frozen: int = 0
    alarm: str = ""
    answers: tuple[str, ...] = ()
    marks: tuple[tuple[str, str], ...] = ()


def write_pages(
    path: Path, title: str, subtitle: str, pages: Sequence[Page], day: dt.date, lang: str = "zh"
) -> Path:
    """Write tables as a workbook, the same bytes for the same tables.

    Args:
        path: the file to write.
        title: title of the document.
        subtitle: one line under it.
        pages: the sheets in order.
        day: the only date that goes into the file's properties.
        lang: `zh` or `en`.
    """
    book = Book(path, title, day)
    for page in pages:
        write_page(book, page, title, subtitle, lang)
    return book.close()


def write_page(book: Book, page: Page, title: str, subtitle: str, lang: str) -> Grid:
    """Write one table on a sheet of its own; returns the grid, which stands below it."""
    wide = sum(width for _, _, width in page.shapes) > WIDE
    name = label(page.name, lang)
    sheet = book.sheet(name, paper=A3 if wide else A4, lang=lang)
    columns = tuple(Column(key, header(key, lang), kind, width) for key, kind, width in page.shapes)
    grid = Grid(book, sheet, columns)
    grid.heading(f"{title} · {name}", subtitle)
    grid.header(frozen_columns=page.frozen)
    first = grid.row
    grid.body(cells(placed(page.rows).select(column.key for column in columns)).rows())
    _paint(grid, page, first)
    grid.finish()
    if page.summed and not page.rows.is_empty():
        sums = cells(page.rows.select(pl.col(page.summed).sum())).row(0, named=True)
        grid.totals(label("msg.total", lang), sums, fill=HEAD)
    if page.rows.is_empty():
        grid.note(label("audit.none", lang))
    for note in page.notes:
        grid.note(note)
    return grid


def in_words(rows: pl.DataFrame, kinds: dict[str, str], lang: str) -> pl.DataFrame:
    """Return rows with the codes of some columns as words; `kinds` gives the code list of a column."""
    here = {name: kind for name, kind in kinds.items() if name in rows.columns}
    values = {name: rows[name].drop_nulls().unique() for name in here}
    return rows.with_columns(
        translated(name, {value: code_label(kind, value, lang) for value in values[name]})
        for name, kind in here.items()
    )


def placed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with months as 2026-04 and regions by their names."""
    regions = {region: policy.load(region).label for region in policy.regions()}
    months = [name for name in MONTHS if name in rows.columns]
    rows = rows.with_columns(pl.col(months).str.replace(r"^(\d{4})(\d{2})$", "${1}-${2}"))
    return rows.with_columns(pl.col("region").replace(regions)) if "region" in rows.columns else rows


def header(key: str, lang: str, owner: str = "") -> str:
    """Return the header of a column: its label in the table `owner`, the catalogue's word, or any table's."""
    own = f"audit.{key}"
    return label(own, lang) if own in LABELS and not has_field(owner, key) else field_label(key, lang, owner)


def _paint(grid: Grid, page: Page, first: int) -> None:
    """Fill the cells to answer in, and the rows of an alarm, also after somebody sorts the sheet."""
    if grid.row == first:
        return
    keys = [column.key for column in grid.columns]
    for name in page.answers:
        _fill(grid, first, (keys.index(name), keys.index(name)), "=TRUE", ANSWER_FILL)
    if page.alarm:
        cell = f"${column_letter(keys.index(page.alarm))}{first + 1}"
        if not page.marks:
            _fill(grid, first, (0, len(keys) - 1), f'={cell}<>""', ALARM_FILL)
        for name, word in page.marks:
            at = keys.index(name)
            _fill(grid, first, (at, at), f'=ISNUMBER(SEARCH("{word}",{cell}))', ALARM_FILL)


def _fill(grid: Grid, first: int, columns: tuple[int, int], criteria: str, fill: str) -> None:
    style: dict[str, Any] = {"bg_color": fill}
    rule = {"type": "formula", "criteria": criteria, "format": grid.book.book.add_format(style)}
    grid.sheet.conditional_format(first, columns[0], grid.row - 1, columns[1], rule)


def column_letter(at: int) -> str:
    """Return a column's letters as a workbook names it: 0 is A, 26 is AA."""
    return ("" if at < 26 else column_letter(at // 26 - 1)) + chr(ord("A") + at % 26)
