"""12_时限监测表: where each batch stands against its limit, which will be late, and the month in one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import polars as pl

from settlement import deadlines, procedure
from settlement.labels import EN, label
from settlement.reports.frames import cells
from settlement.reports.tables import A3, Book, Column, Grid

FILE = "12_时限监测表.xlsx"
Shapes = tuple[tuple[str, str, float], ...]

FILLS = {
    deadlines.RED: "#F4C7C3",
    deadlines.YELLOW: "#FCE8B2",
    deadlines.GREEN: "#D9EAD3",
    deadlines.PAUSED: "#CFE2F3",
    deadlines.UNKNOWN: "#E6D5EA",
    deadlines.DONE: "#ECEFF1",
}
# Column, kind of cell, width; the words of a column are the catalogue's `due.<column>`.
BATCHES: Shapes = (
    ("name", "wrap", 26),
    ("code", "text", 15),
    ("month", "centre", 9),
    ("state", "centre", 10),
    ("colour", "centre", 8),
    ("days_left", "count", 7),
    ("days_used", "count", 7),
    ("limit_on", "date", 11),
    ("limit_legal", "date", 11),
    ("limit_cautious", "date", 11),
    ("role", "centre", 10),
    ("deed", "centre", 13),
    ("act_by", "date", 11),
    ("behind", "centre", 7),
    *((name, "date", 11.0) for name in ("declared_on", "accepted_on", "prelim_on", "feedback_on")),
    *((name, "date", 11.0) for name in ("answer_by", "review_on", "settled_on", "approved_on")),
    *((name, "date", 11.0) for name in ("finished_on", "closed_on")),
    ("stopped", "count", 7),
    ("on_time", "centre", 7),
    ("fault", "wrap", 60),
)
LATE: Shapes = (
    ("name", "wrap", 28),
    ("code", "text", 15),
    ("month", "centre", 9),
    ("state", "centre", 10),
    ("role", "centre", 10),
    ("deed", "centre", 13),
    ("need", "count", 8),
    ("days_left", "count", 8),
    ("expected_on", "date", 11),
    ("limit_on", "date", 11),
    ("why", "wrap", 84),
)
MONTHS: Shapes = (
    ("month", "centre", 9),
    ("batches", "count", 8),
    *((state, "count", 8.5) for state in procedure.STATES),
    *((colour, "count", 8.5) for colour in deadlines.COLOURS),
    ("next_limit", "date", 11),
    ("least_left", "count", 8),
    ("paid_in_time", "count", 8),
    ("paid_late", "count", 8),
    ("behind_cnt", "count", 8),
    ("oldest_role", "centre", 11),
    ("oldest_deed", "centre", 13),
    ("oldest_since", "date", 11),
)
_URGENT = list(deadlines.COLOURS)
# By state: the deed that a batch in it waits for.
_PASSED = {state: deed for state, (deed, _, _) in deadlines.ACTS.items()} | {procedure.FEEDBACK: "reply"}


@dataclass(frozen=True)
class Deadlines:
    """What the sheet shows: a region's batches as of one day.

    Attributes:
        label: the region's name.
        month: first day of the claim month.
        today: the day it is made for.
        watch: rows of `deadlines.watch`.
        forecast: rows of `forecast.forecast`.
        summary: rows of `deadlines.summary`.
    """

    label: str
    month: dt.date
    today: dt.date
    watch: pl.DataFrame
    forecast: pl.DataFrame
    summary: pl.DataFrame


def write_deadlines(path: Path, sheet: Deadlines, lang: str = "zh") -> Path:
    """Write the deadline sheet to `path`, the same bytes for the same frames; return the path."""
    book = Book(path, label("doc.deadlines", lang), sheet.month, sheet.watch.height)
    _batches(book, sheet, lang)
    _late(book, sheet, lang)
    _months(book, sheet, lang)
    return book.close()


def watch_words(watched: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Return the rows of `deadlines.watch` in words, most urgent first, with the columns of `BATCHES`."""
    order = pl.col("colour").replace_strict({colour: i for i, colour in enumerate(_URGENT)})
    rows = watched.sort(order, "days_left", "clr_ym", "fixmedins_code", "batch_id", nulls_last=True)
    yes_no = {True: label("msg.yes", lang), False: label("msg.no", lang)}
    return _named(rows, lang).with_columns(
        colour=pl.col("colour").replace_strict({c: label(f"due.{c}", lang) for c in _URGENT}),
        on_time=pl.col("on_time").replace_strict(yes_no, return_dtype=pl.String),
        behind=pl.when("behind").then(pl.lit(yes_no[True])),
    )


def forecast_words(found: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Return the rows of `forecast.forecast` in words, with the columns of `LATE` and `why`, the reason."""
    paused = pl.col("state") == procedure.HOLD
    rows = found.with_columns(
        over=-pl.col("days_left"),
        spare=pl.col("days_left") - pl.col("need"),
        slowest=_deeds(pl.col("slowest").replace_strict(_PASSED), lang),
    )
    tail = (
        pl.when(pl.col("measured") > 0)
        .then(_said("due.why_pace", lang))
        .otherwise(_said("due.why_plan", lang))
    )
    why = (
        pl.when(pl.col("late").is_null())
        .then("fault")
        .when(paused & pl.col("late"))
        .then(pl.concat_str(_said("due.why_paused_late", lang), tail))
        .when(paused)
        .then(_said("due.why_paused", lang))
        .when("overdue")
        .then(pl.concat_str(_said("due.why_overdue", lang), tail))
        .when("late")
        .then(pl.concat_str(_said("due.why_late", lang), tail))
        .otherwise(_said("due.why_in_time", lang))
    )
    return _named(rows.with_columns(why=why), lang)


def summary_words(months: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Return the rows of `deadlines.summary` in words, with the columns of `MONTHS`; 0 is left empty."""
    counts = pl.col(*procedure.STATES, *deadlines.COLOURS, "on_time", "late", "behind")
    return months.with_columns(counts.replace(0, None)).with_columns(
        month=_month(),
        paid_in_time=pl.col("on_time"),
        paid_late=pl.col("late"),
        behind_cnt=pl.col("behind"),
        oldest_role=_roles("oldest_role", lang),
        oldest_deed=_deeds(pl.col("oldest_deed"), lang),
    )


def columns(shapes: Shapes, lang: str) -> tuple[Column, ...]:
    """Return the columns of a sheet with their headers."""
    states = _states(lang)
    return tuple(
        Column(key, states.get(key) or label(f"due.{key}", lang), kind, width) for key, kind, width in shapes
    )


def _named(rows: pl.DataFrame, lang: str) -> pl.DataFrame:
    return rows.with_columns(
        code=pl.col("fixmedins_code"),
        name=pl.col("fixmedins_name").fill_null(pl.col("fixmedins_code")),
        month=_month(),
        role=_roles("role", lang),
        deed=_deeds(pl.col("deed"), lang),
        state=state_words(rows.columns, lang),
    )


def state_words(known: Sequence[str], lang: str) -> pl.Expr:
    """Return the state in words, with what it was held from and, if `bank` is known, the bank's answer."""
    state = pl.col("state").replace_strict(_states(lang), default=None)
    held = pl.format(label("due.held", lang), pl.col("held").replace_strict(_states(lang), default=None))
    bank = pl.col("bank") if "bank" in known else pl.lit(None, pl.String)
    said = {b: label(f"due.bank_{b}", lang) for b in (deadlines.FAILED, deadlines.WAITING)}
    return (
        pl.when(pl.col("state") == procedure.HOLD)
        .then(pl.coalesce(held, state))
        .when(pl.col("state") == procedure.PAID)
        .then(state + bank.replace_strict(said, default=""))
        .otherwise(state)
    )


def _month() -> pl.Expr:
    return pl.concat_str(pl.col("clr_ym").str.head(4), pl.lit("-"), pl.col("clr_ym").str.tail(2))


def _states(lang: str) -> dict[str, str]:
    return {state: words[lang == EN] for state, words in procedure.STATES.items()}


def _roles(name: str, lang: str) -> pl.Expr:
    words = {role: words[lang == EN] for role, words in procedure.ROLES.items()}
    return pl.col(name).replace_strict(words, default=None)


def _deeds(deed: pl.Expr, lang: str) -> pl.Expr:
    words = {deed.name: deed.en if lang == EN else deed.zh for deed in procedure.DEEDS.values()}
    return deed.replace_strict(words, default=None)


def _said(key: str, lang: str) -> pl.Expr:
    """Return a sentence of the catalogue whose {placeholders} are columns."""
    parts: list[pl.Expr] = []
    for text, name, _, _ in Formatter().parse(label(key, lang)):
        parts.append(pl.lit(text))
        if name:
            parts.append(pl.col(name).cast(pl.String))
    return pl.concat_str(parts)


def _grid(book: Book, sheet: Deadlines, name: str, shapes: Shapes, lang: str) -> Grid:
    page = book.sheet(label(name, lang), paper=A3, lang=lang)
    grid = Grid(book, page, columns(shapes, lang))
    month = label("msg.month", lang).format(year=sheet.month.year, month=sheet.month.month)
    made = label("due.made", lang).format(today=sheet.today)
    grid.heading(f"{label('doc.deadlines', lang)} · {label(name, lang)}", f"{sheet.label} · {month} · {made}")
    return grid


def _fill(grid: Grid, rows: pl.DataFrame) -> None:
    grid.body(cells(rows.select(column.key for column in grid.columns)).rows())


def _batches(book: Book, sheet: Deadlines, lang: str) -> None:
    grid = _grid(book, sheet, "sheet.batches", BATCHES, lang)
    grid.header(frozen_columns=2)
    first = grid.row
    _fill(grid, watch_words(sheet.watch, lang))
    _paint(grid, first, ("state", "colour", "days_left"), lang)
    grid.finish()
    grid.row += 1
    for key in ("due.note_left", "due.note_targets", "due.note_hold", "due.note_bank"):
        grid.note(label(key, lang))


def _paint(grid: Grid, first: int, names: Iterable[str], lang: str) -> None:
    """Fill the cells of a row in the colour it names, also after somebody sorts the sheet."""
    if grid.row == first:
        return
    keys = [column.key for column in grid.columns]
    at, wanted = keys.index("colour"), [keys.index(name) for name in names]
    letter = chr(ord("A") + at)
    for colour, fill in FILLS.items():
        style = grid.book.book.add_format({"bg_color": fill})
        rule = {
            "type": "formula",
            "criteria": f'=${letter}{first + 1}="{label(f"due.{colour}", lang)}"',
            "format": style,
        }
        grid.sheet.conditional_format(first, min(wanted), grid.row - 1, max(wanted), rule)


def _late(book: Book, sheet: Deadlines, lang: str) -> None:
    grid = _grid(book, sheet, "sheet.forecast", LATE, lang)
    grid.header(frozen_columns=2)
    late = sheet.forecast.filter(pl.col("late").fill_null(value=True))
    _fill(grid, forecast_words(late, lang))
    grid.finish()
    grid.row += 1
    grid.note(label("due.others", lang).format(count=sheet.forecast.height - late.height))
    grid.note(label("due.note_pace", lang))


def _months(book: Book, sheet: Deadlines, lang: str) -> None:
    grid = _grid(book, sheet, "sheet.months", MONTHS, lang)
    grid.header(frozen_columns=1)
    _fill(grid, summary_words(sheet.summary, lang))
    grid.finish()
