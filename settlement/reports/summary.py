"""01_拨付汇总表: what each institution is paid out of each fund, for those who sign."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from settlement import procedure
from settlement.labels import EN, LABELS, label
from settlement.masking import mask_all
from settlement.reports.dossier import Context
from settlement.reports.facts import MonthFacts
from settlement.reports.frames import cells, translated
from settlement.reports.prepare import batches, newest
from settlement.reports.proof import named
from settlement.reports.tables import A3, HEAD, LINE_HEIGHT, Book, Column, Grid, Source, lines
from settlement.reports.vocabulary import code_label, fund_label

CODE, FUND = "fixmedins_code", "fund_pay_type"
FILE = "01_拨付汇总表.xlsx"
CHARTED = 20

_MONEY = (
    "claimed",
    "prelim",
    "withdrawn",
    "confirmed",
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
    "held",
    "paid",
)
_COLUMNS: tuple[tuple[str, str, float], ...] = (
    ("no", "count", 8.5),
    ("region", "wrap", 8),
    ("month", "centre", 8),
    ("submission", "wrap", 16),
    ("code", "text", 15),
    ("name", "wrap", 20),
    ("type", "wrap", 9),
    ("level", "wrap", 9),
    ("pay_method", "wrap", 9),
    ("fund", "wrap", 17),
    ("setl_cnt", "count", 8),
    ("medfee", "money", 14.5),
    *((key, "money", 13) for key in _MONEY),
    ("acctname", "wrap", 16),
    ("bankacct", "text", 10),
    ("bank", "wrap", 14),
    ("approved_by", "wrap", 10),
    ("approved_on", "date", 11),
    ("deadline", "date", 11),
    ("paid_on", "date", 11),
    ("overdue", "centre", 7),
    ("status", "centre", 13),
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
    """Return one row per institution and fund with the columns of the summary, in order.

    An institution without a payment (refused, on hold, not settled yet) has one row with its state and
    no amounts. What a batch on hold is due stands in `held`, and its `paid` is 0.
    """
    steps = facts.payment.join(_review(facts), on=[CODE, FUND], how="left").select(
        CODE,
        FUND,
        claimed=pl.col("fund_appy_sum"),
        # Without findings of its own a fund's preliminary deduction is what was deducted.
        prelim=pl.coalesce("prelim", "det_sumamt"),
        withdrawn=pl.col("withdrawn").fill_null(0),
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
        due=pl.col("act_dfr_amt"),
    )
    # A suspicion has no preliminary deduction, so more may be upheld than was deducted at first.
    steps = steps.with_columns(confirmed=pl.col("final") - pl.col("prelim") + pl.col("withdrawn"))
    known = batches(facts).rename({"state": "at"})
    nothing = pl.when(pl.col("due").is_null()).then(None).otherwise(0).cast(pl.Decimal(16, 2))
    on_hold = pl.col("at") == procedure.HOLD
    rows = known.join(steps, on=CODE, how="left").with_columns(
        held=pl.when(on_hold).then("due").otherwise(nothing),
        paid=pl.when(on_hold).then(nothing).otherwise("due"),
    )
    return _named(rows, facts)


def _review(facts: MonthFacts) -> pl.DataFrame:
    """What was deducted at first and what of it was taken back, finding by finding, summed by fund."""
    owners = facts.details.select("finding_id", CODE)
    less = (pl.col("det_sumamt") - pl.col("final_det_sumamt")).alias("less")
    return (
        facts.finding_funds.join(owners, on="finding_id")
        .with_columns(less)
        .group_by(CODE, FUND)
        .agg(
            pl.col("det_sumamt").sum().alias("prelim"),
            pl.col("less").filter(pl.col("less") > 0).sum().alias("withdrawn"),
        )
    )


def _named(rows: pl.DataFrame, facts: MonthFacts) -> pl.DataFrame:
    """Add who the institution is; settlements and charges go on its first row only, to add up."""
    about = facts.submissions.sort(pl.col("status") != "ACCEPTED", "submission").unique(
        CODE, keep="first", maintain_order=True
    )
    known = newest(facts.institutions)
    counts = facts.clearing.group_by(CODE).agg(
        setl_cnt=pl.col("setl_cnt").sum(), medfee=pl.col("medfee_sumamt").sum()
    )
    joined = (
        rows.join(
            about.select(CODE, "submission", "deadline_on", "fixmedins_name", "fixmedins_type"),
            on=CODE,
            how="left",
        )
        .join(known, on=CODE, how="left", suffix="_known")
        .join(counts, on=CODE, how="left")
        .sort(CODE, FUND)
    )
    first, lang = pl.int_range(pl.len()).over(CODE) == 0, facts.lang
    payee = ("acctname", "bankacct", "bank_name")
    joined = joined.with_columns(pl.when(pl.col(FUND).is_not_null()).then(pl.col(payee)))
    return joined.with_columns(
        pl.when(first).then(pl.col("setl_cnt", "medfee")).otherwise(None),
        no=pl.int_range(1, pl.len() + 1),
        region=pl.lit(facts.label),
        month=pl.lit(facts.month.strftime("%Y-%m")),
        code=pl.col(CODE),
        name=pl.coalesce("fixmedins_name", "fixmedins_name_known", CODE),
        type=_worded(about, "fixmedins_type", lang),
        level=_worded(known, "hosp_lv", lang),
        pay_method=pl.when(pl.col(FUND).is_not_null()).then(pl.lit(_pay_method(facts))),
        fund=_funds(facts.payment, lang),
        bankacct=pl.col("bankacct").map_batches(_mask, return_dtype=pl.String),
        bank=pl.col("bank_name"),
        deadline=pl.coalesce("limit_on", "deadline_on"),
        overdue=_yes_no("overdue", lang),
        status=translated("at", {code: words[lang == EN] for code, words in procedure.STATES.items()}),
    )


def _yes_no(name: str, lang: str) -> pl.Expr:
    yes, no = (pl.lit(label(key, lang)) for key in ("msg.yes", "msg.no"))
    return pl.when(pl.col(name)).then(yes).when(pl.col(name).not_()).then(no).otherwise(pl.lit(""))


def _pay_method(facts: MonthFacts) -> str:
    """The month's payment method in words, as the run recorded it; empty when it did not."""
    parameters = facts.run.get("parameters")
    recorded = {} if isinstance(parameters, str) else dict(named(parameters))
    found = recorded.get("payment_method")
    value = found.get("value") if isinstance(found, Mapping) else found
    key = f"method.{value}"
    return label(key, facts.lang) if key in LABELS else str(value or "")


def _worded(known: pl.DataFrame, name: str, lang: str) -> pl.Expr:
    values = known[name].drop_nulls().unique()
    return translated(name, {value: code_label(name, value, lang) for value in values})


def _funds(payment: pl.DataFrame, lang: str) -> pl.Expr:
    return translated(FUND, {code: fund_label(code, lang) for code in payment[FUND].unique()})


def _mask(column: pl.Series) -> pl.Series:
    return pl.Series(column.name, mask_all("bankacct", column), dtype=pl.String)


def _columns(shapes: tuple[tuple[str, str, float], ...], lang: str) -> tuple[Column, ...]:
    return tuple(Column(key, label(f"col.{key}", lang), kind, width) for key, kind, width in shapes)


def _subtitle(month: Context) -> str:
    return f"{month.region} · {month.month_text} · {month.say('msg.unit')}"


def _payments(book: Book, title: str, rows: pl.DataFrame, month: Context) -> None:
    sheet = book.sheet(month.say("sheet.summary"), paper=A3, lang=month.lang)
    columns = [_fitted(column, rows) for column in _columns(_COLUMNS, month.lang)]
    grid = Grid(book, sheet, columns)
    grid.heading(title, f"{_subtitle(month)} · {month.say('msg.first_row')}")
    grid.header(62, frozen_columns=6)
    first = grid.row
    shown = rows.select(column.key for column in columns)
    grid.body(cells(shown).rows())
    late = (rows["overdue"] == month.say("msg.yes")).arg_true()
    for at in late:
        word = month.say("msg.yes")
        sheet.write_string(first + at, shown.columns.index("overdue"), word, book.format("alarm"))
    grid.finish()
    room = next(int(column.width) - 2 for column in columns if column.key == "fund")
    for code, part in rows.drop_nulls(FUND).sort(FUND, CODE).group_by(FUND, maintain_order=True):
        name = fund_label(str(code[0]), month.lang)
        sheet.set_row(grid.row, LINE_HEIGHT * lines(name, room) + 4)
        grid.totals(month.say("msg.subtotal"), {"fund": name, **_sums(part, _MONEY)})
    grid.totals(month.say("msg.total"), _sums(rows, ("setl_cnt", "medfee", *_MONEY)), fill=HEAD)
    grid.row += 1
    for text in (_institutions(rows, month), month.say("msg.summary_steps"), month.say("msg.approve_line")):
        sheet.write_string(grid.row, 1, text, book.format("text"))
        grid.row += 1


def _institutions(rows: pl.DataFrame, month: Context) -> str:
    """How many institutions there are, and how they divide by state."""
    states = rows.group_by("at", "status").agg(pl.col(CODE).n_unique())
    ordered = states.sort(CODE, "at", descending=[True, False]).rows()
    parts = " + ".join(f"{status} {count}" for _, status, count in ordered)
    return month.say("msg.institutions", count=rows[CODE].n_unique(), parts=parts)


def _fitted(column: Column, rows: pl.DataFrame) -> Column:
    """Make a column of amounts as wide as its total needs: the page has many, most of them nil."""
    if column.kind != "money":
        return column
    amount = pl.col(column.key)
    ends = rows.select(total=amount.sum(), least=amount.min(), most=amount.max()).row(0)
    widest = max(len(f"{Decimal(end or 0):,.2f}") for end in ends)
    return column._replace(width=max(9.5, 1.15 * widest + 1))


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
    settled = rows.drop_nulls(FUND)
    funds = settled.group_by(FUND, "fund").agg(pl.len().alias("institutions"), pl.col(_MONEY).sum())
    shown = funds.sort(FUND).select(column.key for column in columns)
    grid.body(cells(shown).rows())
    grid.finish()
    total = {"institutions": settled[CODE].n_unique(), **_sums(rows, _MONEY)}
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
        ("held", "money", 16.0),
        ("paid", "money", 16.0),
        ("status", "centre", 12.0),
    )
    columns = _columns(shapes, month.lang)
    grid = Grid(book, sheet, columns)
    grid.heading(f"{month.say('doc.summary')} · {name}", _subtitle(month))
    grid.header(frozen_columns=1)
    money = ("setl_cnt", "medfee", "claimed", "final", "deposit", "held", "paid")
    listed = (
        rows.group_by(CODE, "name", "code", "type", "status")
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
        source = Source(name, 0, (5, 9), (first, last), first - 1)
        book.bars(sheet, source, month.say("msg.chart_institutions"), at=(1, len(columns) + 1))
