"""01_拨付汇总表: what each institution is paid out of each fund, for those who sign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from settlement.labels import label
from settlement.masking import mask_all
from settlement.reports.dossier import Context
from settlement.reports.facts import MonthFacts
from settlement.reports.frames import cells, translated
from settlement.reports.prepare import newest
from settlement.reports.tables import A3, HEAD, Book, Column, Grid, Source
from settlement.reports.vocabulary import code_label, fund_label

CODE, FUND = "fixmedins_code", "fund_pay_type"
FILE = "01_拨付汇总表.xlsx"
CHARTED = 20

_MONEY = (
    "claimed",
    "prelim",
    "withdrawn",
    "final",
    "allowed",
    "method",
    "by_method",
    "deferred",
    "deposit",
    "advance",
    "prior",
    "clawback",
    "carry",
    "paid",
)
_COLUMNS: tuple[tuple[str, str, float], ...] = (
    ("no", "count", 5),
    ("region", "wrap", 9),
    ("month", "centre", 9),
    ("submission", "wrap", 16),
    ("code", "text", 15),
    ("name", "wrap", 24),
    ("type", "wrap", 10),
    ("level", "text", 9),
    ("fund", "wrap", 19),
    ("setl_cnt", "count", 9),
    ("medfee", "money", 15),
    *((key, "money", 13.5) for key in _MONEY),
    ("acctname", "wrap", 20),
    ("bankacct", "text", 11),
    ("bank", "wrap", 18),
    ("deadline", "date", 11),
)


def write_summary(facts: MonthFacts, month: Context) -> Path:
    """Write the payment summary of the month."""
    title = month.say("doc.summary")
    book = Book(month.folder / FILE, title, month.month)
    rows = payments(facts)
    _payments(book, title, rows, month)
    _by_fund(book, rows, month)
    _by_institution(book, rows, month)
    return book.close()


def payments(facts: MonthFacts) -> pl.DataFrame:
    """Return one row per institution and fund with the columns of the summary, in order."""
    steps = facts.payment.join(_prelim(facts), on=[CODE, FUND], how="left").select(
        CODE,
        FUND,
        claimed=pl.col("fund_appy_sum"),
        # Without findings of its own a fund's preliminary deduction is what was deducted.
        prelim=pl.coalesce("prelim", "det_sumamt"),
        final=pl.col("det_sumamt"),
        allowed=pl.col("fund_appy_sum") - pl.col("det_sumamt"),
        method=pl.col("method_adjust_amt"),
        by_method=pl.col("fund_appy_sum") - pl.col("det_sumamt") + pl.col("method_adjust_amt"),
        deferred=pl.col("deferred_amt"),
        deposit=pl.col("dpst_sumamt"),
        advance=pl.col("advance_offset_amt"),
        prior=pl.col("prior_adjust_amt"),
        clawback=pl.col("clawback_amt"),
        carry=pl.col("carry_amt"),
        paid=pl.col("act_dfr_amt"),
    )
    # A suspicion has no preliminary deduction, so more may be upheld than was deducted at first.
    withdrawn = pl.max_horizontal(pl.col("prelim") - pl.col("final"), pl.lit(0))
    steps = steps.with_columns(withdrawn=withdrawn.cast(pl.Decimal(16, 2)))
    return _named(steps, facts).sort(CODE, FUND)


def _prelim(facts: MonthFacts) -> pl.DataFrame:
    owners = facts.details.select("finding_id", CODE)
    return (
        facts.finding_funds.join(owners, on="finding_id")
        .group_by(CODE, FUND)
        .agg(pl.col("det_sumamt").sum().alias("prelim"))
    )


def _named(steps: pl.DataFrame, facts: MonthFacts) -> pl.DataFrame:
    """Add who the institution is; settlements and charges go on its first row only, to add up."""
    about = facts.submissions.sort(pl.col("status") != "ACCEPTED").unique(
        CODE, keep="first", maintain_order=True
    )
    known = newest(facts.institutions)
    counts = facts.clearing.group_by(CODE).agg(
        setl_cnt=pl.col("setl_cnt").sum(), medfee=pl.col("medfee_sumamt").sum()
    )
    joined = (
        steps.join(
            about.select(CODE, "submission", "deadline_on", "fixmedins_name", "fixmedins_type"),
            on=CODE,
            how="left",
        )
        .join(known, on=CODE, how="left", suffix="_known")
        .join(counts, on=CODE, how="left")
        .sort(CODE, FUND)
    )
    first = pl.int_range(pl.len()).over(CODE) == 0
    return joined.with_columns(
        pl.when(first).then(pl.col("setl_cnt", "medfee")).otherwise(None),
        no=pl.int_range(1, pl.len() + 1),
        region=pl.lit(facts.label),
        month=pl.lit(facts.month.strftime("%Y-%m")),
        code=pl.col(CODE),
        name=pl.coalesce("fixmedins_name", "fixmedins_name_known", CODE),
        type=_worded(about, "fixmedins_type", facts.lang),
        level=_worded(known, "hosp_lv", facts.lang),
        fund=_funds(steps, facts.lang),
        bankacct=pl.col("bankacct").map_batches(_mask),
        bank=pl.col("bank_name"),
        deadline=pl.col("deadline_on"),
    )


def _worded(known: pl.DataFrame, name: str, lang: str) -> pl.Expr:
    values = known[name].drop_nulls().unique()
    return translated(name, {value: code_label(name, value, lang) for value in values})


def _funds(steps: pl.DataFrame, lang: str) -> pl.Expr:
    return translated(FUND, {code: fund_label(code, lang) for code in steps[FUND].unique()})


def _mask(column: pl.Series) -> pl.Series:
    return pl.Series(column.name, mask_all("bankacct", column), dtype=pl.String)


def _columns(shapes: tuple[tuple[str, str, float], ...], lang: str) -> tuple[Column, ...]:
    return tuple(Column(key, label(f"col.{key}", lang), kind, width) for key, kind, width in shapes)


def _subtitle(month: Context) -> str:
    return f"{month.region} · {month.month_text} · {month.say('msg.unit')}"


def _payments(book: Book, title: str, rows: pl.DataFrame, month: Context) -> None:
    sheet = book.sheet(month.say("sheet.summary"), paper=A3, lang=month.lang)
    columns = _columns(_COLUMNS, month.lang)
    grid = Grid(book, sheet, columns)
    grid.heading(title, f"{_subtitle(month)} · {month.say('msg.first_row')}")
    grid.header(frozen_columns=6)
    grid.body(cells(rows.select(column.key for column in columns)).rows())
    grid.finish()
    for code, part in rows.sort(FUND, CODE).group_by(FUND, maintain_order=True):
        name = fund_label(str(code[0]), month.lang)
        grid.totals(month.say("msg.subtotal"), {"fund": name, **_sums(part, _MONEY)})
    grid.totals(month.say("msg.total"), _sums(rows, ("setl_cnt", "medfee", *_MONEY)), fill=HEAD)
    grid.row += 1
    sheet.write_string(grid.row, 1, month.say("msg.approve_line"), book.format("text"))


def _sums(rows: pl.DataFrame, names: tuple[str, ...]) -> dict[str, Any]:
    return rows.select(pl.col(names).sum()).row(0, named=True)


def _by_fund(book: Book, rows: pl.DataFrame, month: Context) -> None:
    sheet = book.sheet(month.say("sheet.by_fund"), lang=month.lang)
    shapes = (
        ("fund", "wrap", 32.0),
        ("institutions", "count", 9.0),
        *((key, "money", 15.0) for key in _MONEY),
    )
    columns = _columns(shapes, month.lang)
    grid = Grid(book, sheet, columns)
    grid.heading(f"{month.say('doc.summary')} · {month.say('sheet.by_fund')}", _subtitle(month))
    grid.header(frozen_columns=1)
    funds = rows.group_by(FUND, "fund").agg(pl.len().alias("institutions"), pl.col(_MONEY).sum())
    shown = funds.sort(FUND).select(column.key for column in columns)
    grid.body(cells(shown).rows())
    grid.finish()
    total = {"institutions": rows[CODE].n_unique(), **_sums(rows, _MONEY)}
    grid.totals(month.say("msg.total"), total, fill=HEAD)


def _by_institution(book: Book, rows: pl.DataFrame, month: Context) -> None:
    name = month.say("sheet.by_institution")
    sheet = book.sheet(name, lang=month.lang)
    shapes = (
        ("name", "wrap", 30.0),
        ("code", "text", 16.0),
        ("type", "text", 14.0),
        ("setl_cnt", "count", 10.0),
        ("medfee", "money", 16.0),
        ("claimed", "money", 16.0),
        ("final", "money", 16.0),
        ("deposit", "money", 16.0),
        ("paid", "money", 16.0),
    )
    columns = _columns(shapes, month.lang)
    grid = Grid(book, sheet, columns)
    grid.heading(f"{month.say('doc.summary')} · {name}", _subtitle(month))
    grid.header(frozen_columns=1)
    money = ("setl_cnt", "medfee", "claimed", "final", "deposit", "paid")
    listed = (
        rows.group_by(CODE, "name", "code", "type")
        .agg(pl.col(money).sum())
        .sort("claimed", CODE, descending=[True, False])
        .select(column.key for column in columns)
    )
    first = grid.row
    grid.body(cells(listed).rows())
    last = min(grid.row - 1, first + CHARTED - 1)
    grid.finish()
    grid.totals(month.say("msg.total"), _sums(rows, money), fill=HEAD)
    if last >= first:
        source = Source(name, 0, (5, 8), (first, last), first - 1)
        book.bars(sheet, source, month.say("msg.chart_institutions"), at=(1, len(columns) + 1))
