"""09_追回与结转台账, 10_保证金台账, 11_周转金台账: opening, plus, minus, closing by institution and fund."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from settlement.labels import LABELS, label
from settlement.reports.dossier import Context
from settlement.reports.facts import MonthFacts
from settlement.reports.frames import cells, translated
from settlement.reports.prepare import BALANCE, BOOK_ORDER, balances, month_books, names
from settlement.reports.tables import HEAD, Book, Column, Grid
from settlement.reports.vocabulary import fund_label

CODE, FUND = "fixmedins_code", "fund_pay_type"
# file, title, and the books it shows, each on a sheet of its own
FILES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("09_追回与结转台账.xlsx", "doc.carry_ledger", ("carry", "prior", "deferred")),
    ("10_保证金台账.xlsx", "doc.deposit_ledger", ("deposit",)),
    ("11_周转金台账.xlsx", "doc.advance_ledger", ("advance",)),
)
_WHO: tuple[tuple[str, str, float], ...] = (
    ("no", "count", 10),
    ("code", "text", 16),
    ("name", "wrap", 30),
    ("fund", "wrap", 28),
)
_AMOUNTS: tuple[tuple[str, str, float], ...] = tuple((key, "money", 17) for key in BALANCE)


def write_ledgers(facts: MonthFacts, month: Context) -> list[Path]:
    """Write the ledgers that have entries.

    Raises:
        InvariantBroken: an entry does not roll forward.
    """
    summed = _named(balances(facts.books, f"{facts.month:%Y%m}"), facts, month)
    entries = _named(month_books(facts), facts, month).rename({f"{key}_amt": key for key in BALANCE})
    written = []
    for file, title, books in FILES:
        mine = pl.col("book").is_in(books)
        shown = summed.filter(mine, pl.any_horizontal(pl.col(BALANCE) != 0))
        if not shown.is_empty():
            written.append(_ledger(file, title, shown, entries.filter(mine), month))
    return written


def _named(rows: pl.DataFrame, facts: MonthFacts, month: Context) -> pl.DataFrame:
    """Add the words; the order stays: by book, institution and fund, then as it was booked."""
    funds = {code: fund_label(code, month.lang) for code in rows[FUND].unique()}
    known = rows.join(names(facts), on=CODE, how="left", maintain_order="left")
    return known.with_columns(name=pl.coalesce("name", CODE), code=pl.col(CODE), fund=translated(FUND, funds))


def _ledger(file: str, title: str, summed: pl.DataFrame, entries: pl.DataFrame, month: Context) -> Path:
    book = Book(month.folder / file, month.say(title), month.month, entries.height)
    for (name,), rows in summed.group_by("book", maintain_order=True):
        _balances(book, month.say(title), str(name), rows, month)
    _entries(book, month.say(title), entries, month)
    return book.close()


def _balances(book: Book, title: str, name: str, rows: pl.DataFrame, month: Context) -> None:
    """Write one book's balances with their totals by fund and in all."""
    said = month.say(f"book.{name}")
    grid = _grid(book, said, title, (*_WHO, *_AMOUNTS), month)
    shown = rows.with_columns(no=pl.int_range(1, pl.len() + 1))
    grid.body(cells(shown.select(column.key for column in grid.columns)).rows())
    grid.finish()
    for (fund,), part in rows.sort(FUND, CODE).group_by("fund", maintain_order=True):
        grid.totals(month.say("msg.subtotal"), {"fund": str(fund), **_sums(part)})
    grid.totals(month.say("msg.total"), _sums(rows), fill=HEAD)


def _entries(book: Book, title: str, rows: pl.DataFrame, month: Context) -> None:
    """Write every entry in the order it was booked."""
    shapes = (
        *_WHO,
        ("book", "wrap", 18.0),
        ("kind", "wrap", 22.0),
        *_AMOUNTS,
        ("month", "centre", 11.0),
        ("note", "wrap", 34.0),
    )
    grid = _grid(book, month.say("sheet.bookings"), title, shapes, month)
    words = {name: month.say(f"book.{name}") for name in BOOK_ORDER}
    kinds = {kind: _kind(kind, month.lang) for kind in rows["kind"].drop_nulls().unique()}
    shown = rows.with_columns(
        no=pl.int_range(1, pl.len() + 1),
        book=translated("book", words),
        kind=translated("kind", kinds),
        month=pl.col("clr_ym"),
    )
    grid.body(cells(shown.select(column.key for column in grid.columns)).rows())
    grid.finish()


def _kind(kind: str, lang: str) -> str:
    key = f"kind.{kind}"
    return label(key, lang) if key in LABELS else kind


def _grid(
    book: Book, name: str, title: str, shapes: tuple[tuple[str, str, float], ...], month: Context
) -> Grid:
    sheet = book.sheet(name, lang=month.lang)
    columns = [Column(key, month.say(f"col.{key}"), kind, width) for key, kind, width in shapes]
    grid = Grid(book, sheet, columns)
    subtitle = (month.region, month.month_text, month.say("msg.unit"), month.say("msg.rolls"))
    grid.heading(f"{title} · {name}", " · ".join(subtitle))
    grid.header(frozen_columns=3)
    return grid


def _sums(rows: pl.DataFrame) -> dict[str, object]:
    return rows.select(pl.col(BALANCE).sum()).row(0, named=True)
