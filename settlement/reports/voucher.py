"""08_基金拨付凭证摘要: the month as debit and credit per fund and paying account, for the fund's books.

Subjects by the names of 社会保险基金会计制度 (财会〔2017〕28号). What is held back and what the bank has not
paid yet is owed to the institutions (暂收款); advances, and shortfalls carried to a later month, are owed by
them (暂付款). Penalties (违约金) are no fund expenditure and are not in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from settlement.errors import InvariantBroken
from settlement.labels import EN
from settlement.reports.dossier import Context
from settlement.reports.facts import MonthFacts
from settlement.reports.frames import cells, translated
from settlement.reports.prepare import month_books
from settlement.reports.tables import HEAD, Book, Column, Grid
from settlement.reports.vocabulary import fund_label

FILE = "08_基金拨付凭证摘要.xlsx"
CODE, FUND = "fixmedins_code", "fund_pay_type"
DEBIT, CREDIT = "debit", "credit"
_MONEY = pl.Decimal(16, 2)


@dataclass(frozen=True)
class Entry:
    """One kind of entry: its side, subject and text, in Chinese and English."""

    side: str
    subject: tuple[str, str]
    text: tuple[str, str]


_ADJUSTED = ("暂收款—往期调整", "payable: prior-period adjustments")
_KEPT = ("暂收款—质量保证金", "payable: quality deposit")
_ADVANCED = ("暂付款—预拨与周转金", "receivable: advances")
_CASH = ("支出户存款", "cash in the payment account")
_OWED_BY = ("暂付款—应收定点机构款", "receivable from institutions")
ENTRIES: dict[str, Entry] = {
    "expense": Entry(
        DEBIT, ("基金支出—待遇支出", "fund expenditure: benefits"), ("本月核定支出", "approved this month")
    ),
    "prior": Entry(DEBIT, _ADJUSTED, ("本月结清往期调整", "prior-period adjustments settled")),
    "carry": Entry(DEBIT, _OWED_BY, ("不足部分结转下期", "shortfall carried to next month")),
    "adjust": Entry(
        DEBIT,
        ("基金支出—往期调整", "fund expenditure: prior periods"),
        ("确认往期调整", "adjustments confirmed"),
    ),
    "deposit_back": Entry(DEBIT, _KEPT, ("年度清退与考核扣留", "yearly return, kept part included")),
    "granted": Entry(DEBIT, _ADVANCED, ("拨出周转金", "advances granted")),
    "deposit": Entry(CREDIT, _KEPT, ("预留质量保证金", "quality deposit held")),
    "advance": Entry(
        CREDIT, _ADVANCED, ("预拨、周转金与直接结算抵扣", "advances and direct payments offset")
    ),
    "clawback": Entry(CREDIT, _OWED_BY, ("往期结转追回", "clawed back")),
    "owed": Entry(CREDIT, _ADJUSTED, ("确认的往期调整与保证金清退", "adjustments and deposits to be paid")),
    "kept": Entry(
        CREDIT,
        ("基金支出—待遇支出", "fund expenditure: benefits"),
        ("考核扣留的保证金冲减支出", "deposits kept by assessment"),
    ),
    "bank": Entry(CREDIT, _CASH, ("拨付", "paid by bank")),
    "granted_bank": Entry(CREDIT, _CASH, ("拨出周转金", "advances granted")),
    "open": Entry(
        CREDIT,
        ("暂收款—待拨付定点机构款", "payable: to be paid"),
        ("核定未拨付", "approved, not paid yet"),
    ),
}
# What ledger entries book besides the monthly payment: (book, kind) -> entry and sign of plus - minus.
# A deposit that goes back is confirmed in the `prior` book too, which is no expenditure: it was one when
# the deposit was held.
BOOKED: dict[tuple[str, str], tuple[tuple[str, int], ...]] = {
    ("deposit", "returned"): (("deposit_back", -1), ("adjust", 1)),
    ("deposit", "kept"): (("deposit_back", -1), ("kept", -1)),
    ("prior", "confirmed"): (("adjust", 1), ("owed", 1)),
    ("advance", "granted"): (("granted", 1), ("granted_bank", 1)),
}


def write_voucher(facts: MonthFacts, month: Context) -> list[Path]:
    """Write the voucher summary; nothing when nothing was settled.

    Raises:
        InvariantBroken: debit and credit of a fund differ, or the bank paid more than was due.
    """
    if facts.payment.is_empty():
        return []
    lines = voucher(facts.payment, facts.orders, month_books(facts))
    title = month.say("doc.voucher")
    book = Book(month.folder / FILE, title, month.month)
    sheet = book.sheet(month.say("sheet.voucher"), lang=month.lang)
    grid = Grid(book, sheet, _columns(month))
    grid.heading(title, f"{month.region} · {month.month_text} · {month.say('msg.unit')}")
    grid.header()
    grid.body(cells(_shown(lines, month)).rows())
    grid.finish()
    for (fund,), part in lines.group_by(FUND, maintain_order=True):
        sums = part.select(pl.col(DEBIT, CREDIT).sum()).row(0, named=True)
        grid.totals(month.say("msg.subtotal"), {"fund": fund_label(str(fund), month.lang), **sums})
    total = lines.select(pl.col(DEBIT, CREDIT).sum()).row(0, named=True)
    grid.totals(month.say("msg.total"), total, fill=HEAD)
    grid.row += 1
    said = {side: f"{amount:,.2f}" for side, amount in total.items()}
    for text in (month.say("msg.balanced", **said), month.say("msg.no_penalty")):
        sheet.write_string(grid.row, 0, text, book.format("text"))
        grid.row += 1
    return [book.close()]


def voucher(payment: pl.DataFrame, orders: pl.DataFrame, books: pl.DataFrame) -> pl.DataFrame:
    """Return the entries of a month, one row per fund, kind of entry and paying account.

    Args:
        payment: `payment` of the settled batches (schemas.results.Payment).
        orders: bank orders (facts.ORDERS); only those the bank paid count.
        books: ledger entries of the month (facts.BOOKS); those of `BOOKED` count, the others say what
            the payment says.

    Returns:
        fund_pay_type, entry (key of `ENTRIES`), payer_acct (text, only with `bank`), batches (how many
        institutions it sums), debit, credit (元, never below 0), in order.

    Raises:
        InvariantBroken: debit and credit of a fund differ, or the bank paid more than was due.
    """
    paid = orders.filter(pl.col("result") == "PAID")
    parts = [_settled(payment), _bank(paid), _open(payment, paid), *_booked(books)]
    rows = pl.concat(parts).filter(pl.col("amount") != 0)
    sides = pl.col("entry").replace_strict({key: entry.side for key, entry in ENTRIES.items()})
    summed = (
        rows.group_by(FUND, "entry", "payer_acct")
        .agg(pl.col("amount").sum().cast(_MONEY), pl.col(CODE).n_unique().cast(pl.Int64).alias("batches"))
        .filter(pl.col("amount") != 0)
        # A month of refunds turns an amount below zero: it stands on the other side then.
        .with_columns(on_debit=(sides == DEBIT) != (pl.col("amount") < 0))
    )
    nothing = pl.lit(0).cast(_MONEY)
    lines = summed.select(
        FUND,
        "entry",
        "payer_acct",
        "batches",
        pl.when("on_debit").then(pl.col("amount").abs()).otherwise(nothing).alias(DEBIT),
        pl.when("on_debit").then(nothing).otherwise(pl.col("amount").abs()).alias(CREDIT),
    ).sort(FUND, pl.col("entry").cast(pl.Enum(list(ENTRIES))), "payer_acct")
    _check(lines)
    return lines


def _settled(payment: pl.DataFrame) -> pl.DataFrame:
    """The entries that follow from the payment itself, by institution and fund."""
    spent = pl.col("fund_appy_sum") - pl.col("det_sumamt") + pl.col("method_adjust_amt")
    amounts = {
        "expense": spent - pl.col("deferred_amt"),
        "prior": pl.col("prior_adjust_amt"),
        "carry": pl.col("carry_amt"),
        "deposit": pl.col("dpst_sumamt"),
        "advance": pl.col("advance_offset_amt"),
        "clawback": pl.col("clawback_amt"),
    }
    wide = payment.select(CODE, FUND, **{name: amount.cast(_MONEY) for name, amount in amounts.items()})
    long = wide.unpivot(index=[CODE, FUND], variable_name="entry", value_name="amount")
    return long.select(CODE, FUND, "entry", pl.lit("").alias("payer_acct"), "amount")


def _booked(books: pl.DataFrame) -> list[pl.DataFrame]:
    """The entries that follow from ledger entries outside the payment."""
    moved = pl.col("plus_amt") - pl.col("minus_amt")
    return [
        books.filter(pl.col("book") == book, pl.col("kind") == kind).select(
            CODE,
            FUND,
            pl.lit(entry).alias("entry"),
            pl.lit("").alias("payer_acct"),
            (moved * sign).cast(_MONEY).alias("amount"),
        )
        for (book, kind), entries in BOOKED.items()
        for entry, sign in entries
    ]


def _bank(paid: pl.DataFrame) -> pl.DataFrame:
    return paid.select(
        CODE,
        FUND,
        pl.lit("bank").alias("entry"),
        pl.col("payer_acct").fill_null(""),
        pl.col("amount").cast(_MONEY),
    )


def _open(payment: pl.DataFrame, paid: pl.DataFrame) -> pl.DataFrame:
    """What is due and the bank has not paid, by institution and fund."""
    key = [CODE, FUND]
    done = paid.group_by(key).agg(pl.col("amount").sum().alias("done"))
    due = payment.select(*key, due=pl.col("act_dfr_amt"))
    joined = due.join(done, on=key, how="full", coalesce=True)
    joined = joined.with_columns(pl.col("due", "done").fill_null(0))
    wrong = joined.filter(pl.col("done") > pl.col("due")).sort(key)
    if wrong.height:
        row = wrong.row(0, named=True)
        raise InvariantBroken(
            f"银行已付多于应付:机构 {row[CODE]} 基金 {row[FUND]},应付 {row['due']} 元,"
            f"已付 {row['done']} 元;请核对银行回单"
        )
    amount = (pl.col("due") - pl.col("done")).cast(_MONEY).alias("amount")
    return joined.select(*key, pl.lit("open").alias("entry"), pl.lit("").alias("payer_acct"), amount)


def _check(lines: pl.DataFrame) -> None:
    """Raise unless debit = credit for every fund, and so in all."""
    sums = lines.group_by(FUND).agg(pl.col(DEBIT, CREDIT).sum()).sort(FUND)
    wrong = sums.filter(pl.col(DEBIT) != pl.col(CREDIT))
    if wrong.height:
        fund, debit, credit = wrong.row(0)
        raise InvariantBroken(
            f"凭证借贷不平:基金 {fund},借方 {debit} 元,贷方 {credit} 元;请核对该基金的拨付计算"
        )


def _columns(month: Context) -> tuple[Column, ...]:
    shapes = (
        ("no", "count", 10.0),
        ("fund", "wrap", 28.0),
        ("side", "centre", 8.0),
        ("subject", "wrap", 30.0),
        ("text", "wrap", 28.0),
        ("payer_acct", "text", 24.0),
        ("month", "centre", 10.0),
        ("batches", "count", 10.0),
        ("debit", "money", 18.0),
        ("credit", "money", 18.0),
    )
    return tuple(Column(key, month.say(f"col.{key}"), kind, width) for key, kind, width in shapes)


def _shown(lines: pl.DataFrame, month: Context) -> pl.DataFrame:
    """The entries in words, in the order of the columns."""
    english = month.lang == EN
    sides = {side: month.say(f"side.{side}") for side in (DEBIT, CREDIT)}
    side = pl.when(pl.col(DEBIT) > 0).then(pl.lit(sides[DEBIT])).otherwise(pl.lit(sides[CREDIT]))
    return lines.select(
        pl.int_range(1, pl.len() + 1).alias("no"),
        translated(FUND, {code: fund_label(code, month.lang) for code in lines[FUND].unique()}).alias("fund"),
        side.alias("side"),
        translated("entry", {key: entry.subject[english] for key, entry in ENTRIES.items()}).alias("subject"),
        translated("entry", {key: entry.text[english] for key, entry in ENTRIES.items()}).alias("text"),
        "payer_acct",
        pl.lit(f"{month.month:%Y-%m}").alias("month"),
        "batches",
        *(pl.when(pl.col(one) != 0).then(one) for one in (DEBIT, CREDIT)),
    )
