"""13_规则运行统计: what each rule found, what of it stood, and which rules did not run."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from settlement.labels import EN, label
from settlement.reports.dossier import Context
from settlement.reports.facts import MonthFacts
from settlement.reports.frames import cells, translated
from settlement.reports.tables import HEAD, Book, Column, Grid, Source
from settlement.reports.vocabulary import code_label

FILE = "13_规则运行统计.xlsx"
CHARTED = 15
_SUMS = ("hits", "risk", "prelim", "upheld", "dropped")

_RAN: tuple[tuple[str, str, float], ...] = (
    ("rule", "centre", 9),
    ("rule_name", "wrap", 30),
    ("national_ref", "text", 20),
    ("category", "centre", 12),
    ("grade", "centre", 10),
    ("status", "centre", 10),
    ("method_code", "wrap", 18),
    ("hits", "count", 10),
    ("institutions", "count", 10),
    ("risk", "money", 16),
    ("prelim", "money", 16),
    ("upheld", "money", 16),
    ("dropped", "money", 16),
    ("rate", "ratio", 10),
)
_NOT_RUN: tuple[tuple[str, str, float], ...] = (
    ("rule", "centre", 9),
    ("rule_name", "wrap", 32),
    ("national_ref", "text", 20),
    ("grade", "centre", 10),
    ("status", "centre", 10),
    ("missing", "wrap", 60),
)
_RANKED: tuple[tuple[str, str, float], ...] = (
    ("rule_name", "text", 36),
    ("hits", "count", 10),
    ("prelim", "money", 16),
    ("upheld", "money", 16),
)
_MONTHS: tuple[tuple[str, str, float], ...] = (
    ("rule", "centre", 9),
    ("rule_name", "wrap", 30),
    ("month", "centre", 10),
    ("hits", "count", 10),
    ("institutions", "count", 10),
    ("risk", "money", 16),
    ("prelim", "money", 16),
    ("upheld", "money", 16),
    ("dropped", "money", 16),
    ("rate", "ratio", 10),
)


def write_rule_stats(facts: MonthFacts, month: Context) -> Path:
    """Write the rule statistics of the month."""
    title = month.say("doc.rules")
    book = Book(month.folder / FILE, title, month.month)
    rules = _rules(facts)
    subtitle = f"{month.region} · {month.month_text} · {month.say('msg.unit')}"
    _ran(book, title, subtitle, rules.filter("ran"), month)
    _not_run(book, rules.filter(~pl.col("ran")), month)
    _ranking(book, rules.filter("ran"), month)
    _months(book, facts, month)
    return book.close()


def _rules(facts: MonthFacts) -> pl.DataFrame:
    """Return the rules with the columns of the sheets."""
    status = _words(facts, "status", "rule_status")
    limit, upheld = pl.col("limit_amt").cast(pl.Float64), pl.col("final_det_sumamt")
    return (
        facts.rules.with_columns(
            rule=pl.col("rule_id"),
            # Nothing missing and still not run: the status says why.
            missing=pl.when(pl.col("missing") != "").then("missing").otherwise(status),
            rule_name=pl.col("name_en" if facts.lang == EN else "name"),
            category=_words(facts, "category", "category"),
            grade=_words(facts, "grade", "grade"),
            status=status,
            method_code=_words(facts, "deduction", "deduction"),
            risk=pl.col("risk_amt"),
            prelim=pl.col("det_sumamt"),
            upheld=upheld,
            rate=pl.when(limit > 0).then(upheld.cast(pl.Float64) / limit),
        )
    ).sort("rule_id")


def _words(facts: MonthFacts, name: str, kind: str) -> pl.Expr:
    values = facts.rules[name].drop_nulls().unique()
    return translated(name, {value: code_label(kind, value, facts.lang) for value in values})


def _columns(shapes: tuple[tuple[str, str, float], ...], lang: str) -> tuple[Column, ...]:
    return tuple(Column(key, label(f"col.{key}", lang), kind, width) for key, kind, width in shapes)


def _ran(book: Book, title: str, subtitle: str, rules: pl.DataFrame, month: Context) -> None:
    sheet = book.sheet(month.say("sheet.rules"), lang=month.lang)
    columns = _columns(_RAN, month.lang)
    grid = Grid(book, sheet, columns)
    grid.heading(title, f"{subtitle} · {month.say('msg.rate')}")
    grid.header(frozen_columns=2)
    grid.body(cells(rules.select(column.key for column in columns)).rows())
    grid.finish()
    grid.totals(month.say("msg.total"), rules.select(pl.col(_SUMS).sum()).row(0, named=True), fill=HEAD)


def _not_run(book: Book, rules: pl.DataFrame, month: Context) -> None:
    sheet = book.sheet(month.say("sheet.not_run"), lang=month.lang)
    columns = _columns(_NOT_RUN, month.lang)
    grid = Grid(book, sheet, columns)
    grid.heading(month.say("sheet.not_run"), f"{month.region} · {month.month_text}")
    grid.header()
    grid.body(cells(rules.select(column.key for column in columns)).rows())
    if rules.is_empty():
        grid.note(month.say("msg.all_ran"))
    grid.finish()


def _ranking(book: Book, rules: pl.DataFrame, month: Context) -> None:
    name = month.say("sheet.chart")
    sheet = book.sheet(name, lang=month.lang)
    columns = _columns(_RANKED, month.lang)
    grid = Grid(book, sheet, columns)
    grid.heading(month.say("msg.chart_rules"), f"{month.region} · {month.month_text}")
    grid.header()
    top = (
        rules.filter((pl.col("prelim") > 0) | (pl.col("upheld") > 0))
        .sort(pl.max_horizontal("prelim", "upheld"), "rule_id", descending=[True, False])
        .head(CHARTED)
        .with_columns(rule_name=pl.format("{} {}", "rule_id", "rule_name"))
    )
    first = grid.row
    grid.body(cells(top.select(column.key for column in columns)).rows())
    grid.finish()
    if not top.is_empty():
        source = Source(name, 0, (2, 3), (first, grid.row - 1), first - 1)
        book.bars(sheet, source, month.say("msg.chart_rules"), at=(1, len(columns) + 1))


def _months(book: Book, facts: MonthFacts, month: Context) -> None:
    """The stored months side by side, rule by rule."""
    sheet = book.sheet(month.say("sheet.rule_months"), lang=month.lang)
    columns = _columns(_MONTHS, month.lang)
    grid = Grid(book, sheet, columns)
    grid.heading(month.say("sheet.rule_months"), f"{month.region} · {month.say('msg.rate')}")
    grid.header(frozen_columns=2)
    rows = facts.rule_months.with_columns(
        rule=pl.col("rule_id"),
        rule_name=pl.col("name_en" if facts.lang == EN else "name"),
        month=pl.col("clr_ym").str.replace(r"^(\d{4})", "${1}-"),
    )
    grid.body(cells(rows.select(column.key for column in columns)).rows())
    grid.finish()
