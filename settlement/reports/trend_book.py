"""Trends as a workbook: one sheet a dimension with alerts in colour, one with charts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from settlement import trends
from settlement.labels import label
from settlement.reports.frames import cells, translated
from settlement.reports.pages import Page, header, placed, write_page
from settlement.reports.tables import A3, FONT, HEAD, INK, LINE, Book, Column, Grid
from settlement.reports.vocabulary import code_label, fund_label

KINDS = {trends.COUNT: ("count", 10.0), trends.MONEY: ("money", 15.0), trends.RATE: ("share", 10.0)}
COLOURS = ("#8FA9C8", "#2E6B8A", "#D08C3E", "#7A9E7E", "#A06A8C", "#6B7785")
# Charted: how many names, how many months side by side, how many months of a line.
NAMES, BESIDE, LONG = 10, 3, 24
CHARTED = (
    (trends.INSTITUTION, "claimed"),
    (trends.RULE, "deducted"),
    (trends.FUND, "paid"),
    (trends.MED_TYPE, "claimed"),
)
HEIGHT = 19  # rows that a chart takes


@dataclass(frozen=True)
class Trends:
    """What the workbook shows.

    Attributes:
        region: the region's name.
        span: the months in words.
        day: the only date that goes into the file's properties.
        found: `settlement.trends.trends`.
        alert: when a change was an alert.
        names: by dimension, the words of its keys.
    """

    region: str
    span: str
    day: dt.date
    found: dict[str, pl.DataFrame]
    alert: trends.Alert
    names: dict[str, dict[str, str]]


def words_of(
    found: dict[str, pl.DataFrame], institutions: dict[str, str], rules: dict[str, str], lang: str
) -> dict[str, dict[str, str]]:
    """Return what the keys of every dimension are called."""

    def every(name: str) -> list[str]:
        return found[name]["key"].unique().sort().to_list()

    return {
        trends.TOTAL: {"": label("audit.all", lang)},
        trends.INSTITUTION: institutions,
        trends.RULE: rules,
        trends.FUND: {key: fund_label(key, lang) for key in every(trends.FUND)},
        trends.MED_TYPE: {key: code_label("med_type", key, lang) for key in every(trends.MED_TYPE)},
        trends.CLR_TYPE: {key: code_label("clr_type", key, lang) for key in every(trends.CLR_TYPE)},
    }


def write_trends(path: Path, shown: Trends, lang: str = "zh") -> Path:
    """Write the trends as a workbook, the same bytes for the same months."""
    title = label("audit.doc_trends", lang)
    book = Book(path, title, shown.day)
    subtitle = f"{shown.region} · {shown.span} · {label('msg.unit', lang)}"
    note = label("audit.note_trends", lang).format(
        share=f"{shown.alert.share:.0%}",
        amount=f"{shown.alert.least_amount:,}",
        count=shown.alert.least_count,
    )
    _charts(book, shown, lang, title, subtitle)
    write_page(book, _alerts(shown, lang, note), title, subtitle, lang)
    for name in trends.DIMENSIONS:
        _dimension(book, shown, name, lang, (title, subtitle, note))
    return book.close()


def _dimension(book: Book, shown: Trends, name: str, lang: str, said: tuple[str, str, str]) -> None:
    """One sheet: every key with its months below each other, each measure beside its change."""
    measures = trends.MEASURES[name]
    told = {measure: header(f"m_{measure}", lang) for measure, _ in measures} | {
        trends.NEW: label("audit.m_new", lang)
    }
    rows = shown.found[name].with_columns(
        translated("key", shown.names[name]).alias("name"),
        pl.col("alerts").str.split("|").list.eval(pl.element().replace(told)).list.join("、"),
        pl.when("small").then(pl.lit(label("audit.yes", lang))).otherwise(pl.lit("")).alias("small"),
    )
    rows = rows.rename({measure: f"m_{measure}" for measure, _ in measures})
    values = [
        shape
        for measure, kind in measures
        for shape in ((f"m_{measure}", *KINDS[kind]), (f"{measure}_change", "change", 10.0))
    ]
    keys = () if name == trends.TOTAL else (("key", "text", 16.0), ("name", "wrap", 26.0))
    shapes = (*keys, ("clr_ym", "centre", 10.0), *values, ("alerts", "wrap", 32.0), ("small", "centre", 8.0))
    marks = [
        (column, told[measure]) for measure, _ in measures for column in (f"m_{measure}", f"{measure}_change")
    ]
    page = Page(
        f"audit.sheet_{name}",
        rows,
        shapes,
        (said[2],),
        frozen=len(keys) + 1,
        alarm="alerts",
        marks=tuple(marks),
    )
    write_page(book, page, said[0], said[1], lang)


def _alerts(shown: Trends, lang: str, note: str) -> Page:
    rows = trends.alerts_of(shown.found)
    each = [(name, key, words) for name, by_key in shown.names.items() for key, words in by_key.items()]
    named = pl.DataFrame(each, schema=dict.fromkeys(("dimension", "key", "name"), pl.String), orient="row")
    rows = rows.join(named, on=["dimension", "key"], how="left", maintain_order="left")
    measured = {m: label(f"audit.m_{m}", lang) for m in rows["measure"].unique()}
    sheets = {name: label(f"audit.sheet_{name}", lang) for name in trends.DIMENSIONS}
    shapes = (
        ("clr_ym", "centre", 10.0), ("dimension", "centre", 12.0), ("key", "text", 16.0),
        ("name", "wrap", 30.0),
        ("measure", "centre", 14.0), ("m_before", "quantity", 16.0), ("now", "quantity", 16.0),
        ("change", "change", 11.0),
    )  # fmt: skip
    rows = rows.rename({"before": "m_before"})
    words = rows.with_columns(pl.col("measure").replace(measured), pl.col("dimension").replace(sheets))
    return Page("audit.sheet_alerts", words, shapes, (note,), frozen=1)


def _charts(book: Book, shown: Trends, lang: str, title: str, subtitle: str) -> None:
    """One sheet of charts, each beside the small table it is drawn from."""
    name = label("audit.sheet_charts", lang)
    on = _On(book, book.sheet(name, landscape=False, paper=A3, lang=lang), name, lang)
    on.sheet.fit_to_pages(1, 1)
    total = placed(shown.found[trends.TOTAL]).tail(LONG).select("clr_ym", "claimed", "paid", "deducted")
    at = _table(on, 0, total, f"{title} · {name}", subtitle)
    _chart(on, "line", at, label("audit.chart_total", lang))
    months, row = shown.found[trends.TOTAL]["clr_ym"].to_list()[-BESIDE:], max(at.last, HEIGHT) + 2
    for dimension, measure in CHARTED:
        words = f"{label(f'audit.sheet_{dimension}', lang)} · {label(f'audit.m_{measure}', lang)}"
        pivot = _beside(shown, dimension, measure, months)
        at = _table(on, row, pivot, words, "")
        if not pivot.is_empty():
            _chart(on, "column", at, words)
        row = max(at.last, at.header + HEIGHT) + 2


@dataclass(frozen=True)
class _On:
    """The sheet that is drawn on: book, worksheet, its name, language."""

    book: Book
    sheet: Any
    name: str
    lang: str


@dataclass(frozen=True)
class _Place:
    """Where a small table lies: its header row, first and last row, last column."""

    header: int
    first: int
    last: int
    columns: int


def _beside(shown: Trends, dimension: str, measure: str, months: list[str]) -> pl.DataFrame:
    """The keys with most in the last month, and their last months side by side."""
    rows = shown.found[dimension].filter(pl.col("clr_ym").is_in(months))
    wide = rows.pivot("clr_ym", index="key", values=measure, sort_columns=True)
    there = [month for month in months if month in wide.columns]
    wide = wide.with_columns(pl.col(there).fill_null(0))
    largest = wide.filter(pl.max_horizontal(there) > 0).sort(
        *reversed(there), "key", descending=[*(True for _ in there), False]
    )
    named = largest.head(NAMES).select(translated("key", shown.names[dimension]).alias("name"), *there)
    return named.rename({month: f"{month[:4]}-{month[4:]}" for month in there})


def _table(on: _On, row: int, rows: pl.DataFrame, title: str, subtitle: str) -> _Place:
    """Write a small table from a row on; returns where it lies."""
    lang = on.lang
    names = [header(f"m_{n}", lang) if f"m_{n}" in _MEASURED else header(n, lang) for n in rows.columns]
    columns = [Column(rows.columns[0], names[0], "text", 30)]
    columns += [Column(n, words, "money", 15) for n, words in zip(rows.columns[1:], names[1:], strict=True)]
    grid = Grid(on.book, on.sheet, columns, row)
    grid.heading(title, subtitle)
    grid.header(freeze=False)
    first = grid.row
    grid.body(cells(rows).rows())
    return _Place(first - 1, first, grid.row - 1, len(columns) - 1)


_MEASURED = {f"m_{m}" for measures in trends.MEASURES.values() for m, _ in measures}


def _chart(on: _On, kind: str, at: _Place, title: str) -> None:
    """Draw a small table beside it: its months as a line, or its columns side by side."""
    chart = on.book.book.add_chart({"type": kind})
    for column in range(1, at.columns + 1):
        colour = COLOURS[(column - 1) % len(COLOURS)]
        look: dict[str, Any] = {"fill": {"color": colour}, "gap": 80}
        if kind == "line":
            look = {"line": {"color": colour, "width": 2.25}, "marker": {"type": "circle", "size": 5,
                    "fill": {"color": colour}, "border": {"color": colour}}}  # fmt: skip
        second = kind == "line" and column == at.columns
        chart.add_series(
            {
                "name": [on.name, at.header, column],
                "categories": [on.name, at.first, 0, at.last, 0],
                "values": [on.name, at.first, column, at.last, column],
                "y2_axis": second,
                **look,
            }
        )
    font = {"name": FONT, "size": 9, "color": INK}
    chart.set_title({"name": title, "name_font": {**font, "size": 12}, "overlay": False})
    chart.set_x_axis({"num_font": font, "line": {"color": LINE}, "text_axis": True})
    amounts = {"num_font": font, "num_format": "#,##0", "min": 0, "line": {"none": True}}
    chart.set_y_axis({**amounts, "major_gridlines": {"visible": True, "line": {"color": HEAD}}})
    if kind == "line":  # what is deducted is a small part of what is claimed
        chart.set_y2_axis(amounts)
    chart.set_legend({"position": "bottom", "font": font})
    chart.set_size({"width": 820, "height": 360})
    on.sheet.insert_chart(at.header, at.columns + 2, chart)
