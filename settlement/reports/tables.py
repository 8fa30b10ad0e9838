"""How the documents look, and how rows get into a sheet.

Text always goes through `write_string`: a cell that begins with = + - @ stays text. Dates arrive as
Excel day numbers and money as the double a workbook stores, both converted once per column before.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from settlement.labels import label

FONT = "微软雅黑"
INK, MUTED, HEAD, BAND, LINE, ALARM = "#1F2D3D", "#6B7785", "#DCE6F1", "#F3F6FA", "#BFC8D2", "#B3261E"
BLUE, GREEN = "#8FA9C8", "#2E6B8A"
A3, A4 = 8, 9
# Above this many rows a workbook is streamed to disk instead of being held in memory.
STREAM_ROWS = 20_000
LINE_HEIGHT = 14
# A little less than the 32,767 characters that a cell holds.
LONGEST = 32_000

_BODY: dict[str, dict[str, Any]] = {
    "text": {"align": "left", "indent": 1},
    "wrap": {"align": "left", "indent": 1, "text_wrap": True},
    "money": {"num_format": "#,##0.00"},
    "count": {"num_format": "#,##0"},
    "quantity": {"num_format": "#,##0.####"},
    "price": {"num_format": "#,##0.00####"},
    "ratio": {"num_format": "0.0%", "align": "center"},
    "share": {"num_format": "0.00%", "align": "center"},
    "change": {"num_format": "+0.0%;-0.0%;0.0%", "align": "center"},
    "date": {"num_format": "yyyy-mm-dd", "align": "center"},
    "moment": {"num_format": "yyyy-mm-dd hh:mm:ss", "align": "center"},
    "centre": {"align": "center"},
    "right": {"align": "right", "indent": 1},
    "alarm": {"bold": True, "font_color": ALARM, "align": "center"},
}
_OTHER: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 16, "align": "left"},
    "centre_title": {"bold": True, "font_size": 18, "align": "center"},
    "subtitle": {"font_color": MUTED, "align": "left"},
    "centre_subtitle": {"font_color": MUTED, "align": "center"},
    "header": {
        "bold": True,
        "bg_color": HEAD,
        "align": "center",
        "text_wrap": True,
        "border": 1,
        "border_color": LINE,
    },
    "note": {"italic": True, "font_color": ALARM},
    "part": {"bold": True, "font_size": 11, "bottom": 2, "bottom_color": INK},
    "paragraph": {"text_wrap": True, "valign": "top", "font_size": 11},
}


class Column(NamedTuple):
    """One column of a printed table."""

    key: str
    header: str
    kind: str
    width: float


class Source(NamedTuple):
    """Where on a sheet a chart finds its numbers."""

    sheet: str
    names: int
    values: tuple[int, int]
    rows: tuple[int, int]
    header: int


class Sheet(Worksheet):  # type: ignore[misc]
    """A worksheet that shows every text as it is."""

    def write_string(self, row: int, col: int, string: str, cell_format: Any = None) -> Any:  # noqa: ANN401
        """Write a text; one that looks like ready-made markup stays text, one too long for a cell is cut."""
        if string.startswith("<r>"):
            string = f" {string}"
        if len(string) > LONGEST:
            string = f"{string[: LONGEST - 1]}…"
        return super().write_string(row, col, string, cell_format)


class Book:
    """A workbook with its formats, made once and shared by every cell."""

    def __init__(self, path: Path, title: str, created: dt.date, rows: int = 0) -> None:
        """Open a workbook in memory; `created` is the only date that goes into its properties."""
        streamed = rows > STREAM_ROWS
        self.path = path
        self.buffer = io.BytesIO()
        self.book = xlsxwriter.Workbook(
            self.buffer,
            {
                "in_memory": not streamed,
                "constant_memory": streamed,
                "strings_to_numbers": False,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "default_format_properties": {"font_name": FONT, "font_size": 10},
            },
        )
        stamp = dt.datetime(created.year, created.month, created.day)  # noqa: DTZ001 - a fixed day
        self.book.set_properties({"title": title, "created": stamp})
        self._asked: dict[tuple[Any, ...], Any] = {}
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def format(self, name: str, **extra: Any) -> Any:  # noqa: ANN401 - xlsxwriter has no types
        """Return the format of a kind of cell, with changes; the same one for the same wish."""
        asked = (name, *extra.items())
        if asked in self._asked:
            return self._asked[asked]
        base = {"font_name": FONT, "font_size": 10, "font_color": INK, "valign": "vcenter"}
        wish = {**base, **(_BODY.get(name) or _OTHER.get(name) or {}), **extra}
        key = tuple(sorted(wish.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(wish)
        self._asked[asked] = self._formats[key]
        return self._formats[key]

    def box(self, name: str, **extra: Any) -> Any:  # noqa: ANN401
        """Return a format with a thin frame around the cell."""
        return self.format(name, border=1, border_color=LINE, **extra)

    def sheet(self, name: str, *, landscape: bool = True, paper: int = A4, lang: str = "zh") -> Any:  # noqa: ANN401
        """Add a sheet that prints on one page's width, with page numbers."""
        sheet = self.book.add_worksheet(name, Sheet)
        if landscape:
            sheet.set_landscape()
        sheet.set_paper(paper)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(f"&C&9{label('msg.page', lang)}")
        sheet.hide_gridlines(2)
        return sheet

    def bars(
        self,
        sheet: Any,  # noqa: ANN401
        source: Source,
        title: str,
        at: tuple[int, int],
    ) -> None:
        """Put a bar chart on a sheet; the longest bar on top."""
        chart = self.book.add_chart({"type": "bar"})
        first, last = source.rows
        for column, color in zip(source.values, (BLUE, GREEN), strict=True):
            chart.add_series(
                {
                    "name": [source.sheet, source.header, column],
                    "categories": [source.sheet, first, source.names, last, source.names],
                    "values": [source.sheet, first, column, last, column],
                    "fill": {"color": color},
                    "gap": 60,
                }
            )
        font = {"name": FONT, "size": 9, "color": INK}
        chart.set_title({"name": title, "name_font": {**font, "size": 12}, "overlay": False})
        chart.set_y_axis({"reverse": True, "crossing": "max", "num_font": font, "line": {"color": LINE}})
        chart.set_x_axis(
            {
                "num_font": font,
                "num_format": "#,##0",
                "min": 0,
                "major_gridlines": {"visible": True, "line": {"color": HEAD}},
                "line": {"none": True},
            }
        )
        chart.set_legend({"position": "bottom", "font": font})
        chart.set_size({"width": 760, "height": 140 + 34 * (last - first + 1)})
        sheet.insert_chart(*at, chart)

    def close(self) -> Path:
        """Write the file and return its path."""
        self.book.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(self.buffer.getvalue())
        return self.path


class Grid:
    """A table on a sheet: heading, header row, body, totals; it keeps the next free row."""

    def __init__(self, book: Book, sheet: Any, columns: Sequence[Column], row: int = 0) -> None:  # noqa: ANN401
        """Set the column widths; nothing is written yet."""
        self.book, self.sheet, self.columns, self.row = book, sheet, columns, row
        self._header = row
        for i, column in enumerate(columns):
            sheet.set_column(i, i, column.width)

    def heading(self, title: str, subtitle: str) -> None:
        """Write the document's title and one line under it."""
        self.sheet.set_row(self.row, 28)
        self.sheet.write_string(self.row, 0, title, self.book.format("title"))
        self.sheet.write_string(self.row + 1, 0, subtitle, self.book.format("subtitle"))
        self.row += 2

    def totals(self, text: str, values: dict[str, Any], fill: str = BAND) -> None:
        """Write a row of totals: a word in the first column, an amount under its own column."""
        for i, column in enumerate(self.columns):
            style = self.book.box(column.kind, bold=True, bg_color=fill)
            value = values.get(column.key)
            if i == 0:
                self.sheet.write_string(self.row, i, text, self.book.box("text", bold=True, bg_color=fill))
            elif value is None:
                self.sheet.write_blank(self.row, i, None, style)
            elif isinstance(value, str):
                self.sheet.write_string(self.row, i, value, style)
            else:
                self.sheet.write_number(self.row, i, value, style)
        self.row += 1

    def header(self, height: float = 32, *, freeze: bool = True, frozen_columns: int = 0) -> None:
        """Write the header row, freeze it and repeat it on every printed page."""
        style = self.book.format("header")
        self.sheet.set_row(self.row, height)
        for i, column in enumerate(self.columns):
            self.sheet.write_string(self.row, i, column.header, style)
        self._header = self.row
        if freeze:
            self.sheet.freeze_panes(self.row + 1, frozen_columns)
            self.sheet.repeat_rows(self.row)
        self.row += 1

    def body(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows of text and numbers; None and "" leave the cell empty."""
        text, number, tall = self.sheet.write_string, self.sheet.write_number, self.sheet.set_row
        styles = [self.book.format(column.kind) for column in self.columns]
        folds = [(i, int(c.width) - 2) for i, c in enumerate(self.columns) if c.kind == "wrap"]
        at = self.row
        for row in rows:
            tall(at, LINE_HEIGHT * max((lines(row[i], room) for i, room in folds), default=1) + 4)
            for i, (value, style) in enumerate(zip(row, styles, strict=True)):
                if value is None or value == "":
                    continue
                if value.__class__ is str:
                    text(at, i, value, style)
                else:
                    number(at, i, value, style)
            at += 1
        self.row = at

    def note(self, text: str) -> None:
        """Write one line of remark across the table."""
        self.sheet.write_string(self.row, 0, text, self.book.format("note"))
        self.row += 1

    def finish(self) -> None:
        """Rule the body's lines and switch the filter on over what was written."""
        last = max(self.row - 1, self._header)
        self.sheet.autofilter(self._header, 0, last, len(self.columns) - 1)
        if last > self._header:
            self.sheet.conditional_format(
                self._header + 1,
                0,
                last,
                len(self.columns) - 1,
                {
                    "type": "formula",
                    "criteria": "=TRUE",
                    "format": self.book.book.add_format({"bottom": 1, "bottom_color": LINE}),
                },
            )


def lines(text: str | None, room: int) -> int:
    """Return how many lines a text takes in a cell of `room` half-width characters, at most 25.

    Programs differ in fitting a row to its text when they open a file, so the height is written.
    """
    if text is None or (len(text) * 2 <= room and "\n" not in text):
        return 1
    return _folded(text, room)


@lru_cache(maxsize=10_000)
def _folded(text: str, room: int) -> int:
    parts = text.split("\n")
    return min(sum(max(-(-_width(part) // room), 1) for part in parts), 25)


def _width(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("gb18030", "replace"))


def excel_day(day: dt.date | None) -> int | None:
    """Return a date as the day number a workbook counts with."""
    return None if day is None else day.toordinal() - dt.date(1899, 12, 30).toordinal()


def day_text(day: dt.date | None) -> str:
    """Return a date as 2026-04-30, empty when there is none."""
    return "" if day is None else day.isoformat()
