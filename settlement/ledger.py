"""Ledgers 台账: five books per institution and fund, each a chain of entries.

* `deposit` 保证金: withheld every month, returned or kept once a year;
* `advance` 周转金: granted, then offset by instalments;
* `carry` 追回与结转: a net below zero, clawed back from the same fund;
* `prior` 往期调整: confirmed adjustments (above zero the fund owes, below zero the institution does);
* `deferred` 暂缓: what was above the monthly quota, until the yearly clearing.

An entry has `plus_amt` and `minus_amt`, never below zero; closing = opening + plus - minus, and the
next entry opens where the last one closed. All amounts in 元.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import duckdb
import polars as pl

from settlement.errors import InvariantBroken, ReferenceError
from settlement.labels import label
from settlement.money import round_half_up, share_fen, share_sql, to_fen, to_yuan
from settlement.policy import Profile
from settlement.query import frame, hold

DEPOSIT, ADVANCE, CARRY, PRIOR, DEFERRED = "deposit", "advance", "carry", "prior", "deferred"
BOOKS = (DEPOSIT, ADVANCE, CARRY, PRIOR, DEFERRED)
NEVER_BELOW_ZERO = (DEPOSIT, ADVANCE, CARRY, DEFERRED)
WITHHELD, RETURNED, KEPT, GRANTED, OFFSET = "withheld", "returned", "kept", "granted", "offset"
CARRIED, CLAWED_BACK, CONFIRMED, SETTLED = "carried", "clawed_back", "confirmed", "settled"
DEFERRED_NOW, RELEASED = "deferred", "released"
# What a statement books, in the order of booking: (book, kind, column, sign). Clawed back before carried.
BOOKINGS: tuple[tuple[str, str, str, int], ...] = (
    (DEPOSIT, WITHHELD, "dpst_sumamt", 1),
    (ADVANCE, OFFSET, "advance_offset_amt", -1),
    (CARRY, CLAWED_BACK, "clawback_amt", -1),
    (CARRY, CARRIED, "carry_amt", 1),
    (PRIOR, SETTLED, "prior_adjust_amt", -1),
    (DEFERRED, DEFERRED_NOW, "deferred_amt", 1),
)
KEY = ("fixmedins_code", "fund_pay_type")
CHAIN = (*KEY, "book")
MONEY = pl.Decimal(16, 2)
ZERO = pl.lit(Decimal("0.00"), MONEY)
AMOUNTS = ("opening_amt", "plus_amt", "minus_amt", "closing_amt")
ENTRY = {**dict.fromkeys((*CHAIN, "kind"), pl.String), "plus_amt": MONEY, "minus_amt": MONEY}
TEN_THOUSAND = 10_000


def entries_of(statement_lines: pl.DataFrame) -> pl.DataFrame:
    """Return what the lines of monthly statements book.

    Args:
        statement_lines: fixmedins_code, fund_pay_type, and the amounts of `schemas.results.Payment`.

    Returns:
        fixmedins_code, fund_pay_type, book, kind, plus_amt, minus_amt (元), one row per amount that is
        not nil, in the order of booking.
    """
    parts = [_booked(statement_lines, book, kind, sign * pl.col(name)) for book, kind, name, sign in BOOKINGS]
    return _ordered(pl.concat(parts))


def return_entries(returned: pl.DataFrame) -> pl.DataFrame:
    """Return what the yearly return of deposits (`deposit_return`) books: paid back and kept in the fund."""
    parts = [
        _booked(returned, DEPOSIT, RETURNED, -pl.col("return_amt")),
        _booked(returned, DEPOSIT, KEPT, -pl.col("keep_amt")),
    ]
    return _ordered(pl.concat(parts))


def _booked(rows: pl.DataFrame, book: str, kind: str, amount: pl.Expr) -> pl.DataFrame:
    moved = rows.select(*KEY, book=pl.lit(book), kind=pl.lit(kind), amount=amount.cast(MONEY))
    return moved.filter(pl.col("amount") != 0).select(
        *CHAIN,
        "kind",
        plus_amt=pl.max_horizontal("amount", ZERO).cast(MONEY),
        minus_amt=pl.max_horizontal(-pl.col("amount"), ZERO).cast(MONEY),
    )


def _ordered(entries: pl.DataFrame) -> pl.DataFrame:
    return entries.sort(CHAIN, maintain_order=True)


def balances(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return fixmedins_code, fund_pay_type, book, closing_amt (元): the sum of all entries of each chain."""
    total = (pl.col("plus_amt").sum() - pl.col("minus_amt").sum()).cast(MONEY)
    return ledger.group_by(CHAIN).agg(closing_amt=total).sort(CHAIN)


def continued(ledger: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Give new entries their place at the end of the chains.

    Args:
        ledger: fixmedins_code, fund_pay_type, book, seq, plus_amt, minus_amt of every entry so far.
        entries: fixmedins_code, fund_pay_type, book, plus_amt, minus_amt and any other column, in the
            order of booking.

    Returns:
        The entries with seq, opening_amt and closing_amt, by chain.
    """
    ends = balances(ledger).join(ledger.group_by(CHAIN).agg(last=pl.col("seq").max()), on=CHAIN)
    rows = entries.join(ends, on=CHAIN, how="left", maintain_order="left").with_columns(
        pl.col("closing_amt").fill_null(0).cast(MONEY), pl.col("last").fill_null(0).cast(pl.Int64)
    )
    moved = pl.col("plus_amt") - pl.col("minus_amt")
    return (
        _ordered(rows)
        .with_columns(
            seq=pl.col("last") + pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(CHAIN),
            closing_amt=(pl.col("closing_amt") + moved.cum_sum().over(CHAIN)).cast(MONEY),
        )
        .with_columns(opening_amt=(pl.col("closing_amt") - moved).cast(MONEY))
        .select(*entries.columns, "seq", "opening_amt", "closing_amt")
    )


def roll_forward(ledger: pl.DataFrame, lang: str = "zh") -> list[str]:
    """Return what is wrong with the chains, nothing when they hold.

    Closing = opening + plus - minus; an entry opens where the one before closed, the first at nil;
    numbers have no gap; plus, minus and the balance of every book but `prior` are not below zero.

    Args:
        ledger: fixmedins_code, fund_pay_type, book, seq, opening_amt, plus_amt, minus_amt, closing_amt.
        lang: language of the sentences.
    """
    rows = ledger.sort(*CHAIN, "seq").with_columns(
        before=pl.col("closing_amt").shift(1).over(CHAIN).fill_null(0).cast(MONEY),
        seq_before=pl.col("seq").shift(1).over(CHAIN).fill_null(0),
    )
    sums = pl.col("opening_amt") + pl.col("plus_amt") - pl.col("minus_amt") != pl.col("closing_amt")
    below = (pl.col("closing_amt") < 0) & pl.col("book").is_in(NEVER_BELOW_ZERO)
    negative = (pl.col("plus_amt") < 0) | (pl.col("minus_amt") < 0)
    tests = {
        "sum": sums,
        "opening": pl.col("opening_amt") != pl.col("before"),
        "gap": pl.col("seq") != pl.col("seq_before") + 1,
        "negative": negative,
        "below": below,
    }
    return [
        label(f"ledger.{name}", lang).format(**row | {"book": label(f"book.{row['book']}", lang)})
        for name, broken in tests.items()
        for row in rows.filter(broken.fill_null(True)).iter_rows(named=True)
    ]


def opening(ledger: pl.DataFrame, plans: pl.DataFrame, month: dt.date) -> pl.DataFrame:
    """Return the balances a month's payment starts from.

    Args:
        ledger: fixmedins_code, fund_pay_type, book, plus_amt, minus_amt of all entries booked so far.
        plans: fixmedins_code, fund_pay_type, amount (元), months, first_ym (yyyyMM) of the advances.
        month: first day of the claim month.

    Returns:
        fixmedins_code, fund_pay_type, advance_offset_amt, prior_adjust_amt, clawback_amt (元), for
        `settlement.payment.calculate`; rows that are all nil are left out. What is offset is what the
        plans ask for up to this month and was not offset or repaid yet, never more than is outstanding.
    """
    open_amounts = balances(ledger).pivot("book", index=KEY, values="closing_amt")
    missing = [book for book in (ADVANCE, PRIOR, CARRY) if book not in open_amounts.columns]
    paid_back = ledger.filter(pl.col("book") == ADVANCE).group_by(KEY).agg(pl.col("minus_amt").sum())
    rows = (
        open_amounts.with_columns(pl.lit(None, MONEY).alias(book) for book in missing)
        .join(paid_back, on=KEY, how="left")
        .join(advance_due(plans, month), on=KEY, how="left")
        .with_columns(pl.selectors.decimal().fill_null(0))
    )
    due = pl.max_horizontal(pl.col("due_to_date_amt") - pl.col("minus_amt"), ZERO)
    wanted = rows.select(
        *KEY,
        advance_offset_amt=pl.min_horizontal(due, ADVANCE).cast(MONEY),
        prior_adjust_amt=pl.col(PRIOR).cast(MONEY),
        clawback_amt=pl.col(CARRY).cast(MONEY),
    )
    return wanted.filter(pl.any_horizontal(pl.selectors.decimal() != 0)).sort(KEY)


def advance_schedule(amount: Decimal, months: int) -> list[Decimal]:
    """Return the instalments in 元 by which an advance is offset; their sum is exactly the advance.

    Equal parts rounded half up, the last takes what remains: 1,000,000.00 over 7 months gives six of
    142,857.14 and one of 142,857.16. Source: 按病种付费经办管理规程(2025版) art 25.

    Raises:
        ValueError: no month, or an amount of more than two places.
    """
    if months < 1 or amount < 0:
        raise ValueError(f"周转金 {amount} 元、{months} 个月:金额不得为负,月数须不少于 1")
    whole = to_fen(amount)
    each = share_fen(whole, 1, months)
    upto = [min(each * k, whole) for k in range(months)] + [whole]
    return [to_yuan(b - a) for a, b in pairwise(upto)]


def advance_due(plans: pl.DataFrame, month: dt.date) -> pl.DataFrame:
    """Return what the plans ask to be offset, the same as `advance_schedule` gives.

    Args:
        plans: fixmedins_code, fund_pay_type, amount (元), months, first_ym (yyyyMM); an institution may
            have several of one fund.
        month: first day of the claim month.

    Returns:
        fixmedins_code, fund_pay_type, due_amt (the instalments of this month), due_to_date_amt (all up
        to this month), 元; no row for plans that begin later.
    """
    each = f"({share_sql('fen', '1', 'months')})"
    upto = "CASE WHEN {k} >= months THEN fen ELSE least(greatest({k}, 0) * {each}, fen) END"
    sums = ", ".join(
        f"(sum({text})::DECIMAL(18,0) * 0.01::DECIMAL(3,2))::DECIMAL(16,2) AS {name}"
        for name, text in (("due_amt", "now - before"), ("due_to_date_amt", "now"))
    )
    place = f"{month.year * 12 + month.month} - (first_ym[1:4]::INT * 12 + first_ym[5:6]::INT) + 1"
    with duckdb.connect() as con:
        hold(con, "plans", plans, f"*, (amount * 100)::BIGINT AS fen, {place} AS k")
        rows = frame(
            con,
            f"SELECT fixmedins_code, fund_pay_type, {sums} FROM (SELECT *, "
            f"{upto.format(k='k', each=each)} AS now, {upto.format(k='(k - 1)', each=each)} AS before "
            "FROM plans WHERE k >= 1) GROUP BY ALL ORDER BY ALL",
        )
    return rows


def advance_base(yearly_spend: Sequence[Decimal]) -> Decimal:
    """Return one month's average of the fund's spending in 元 over the past years, HALF_UP.

    11,800,000 + 12,400,000 + 12,980,000 over 36 months is 1,032,777.78.
    Source: 国家医保局办公室、财政部办公厅 notice of 2024-11 on advances of the fund.
    """
    return to_yuan(share_fen(to_fen(sum(yearly_spend, Decimal(0))), 1, 12 * len(yearly_spend)))


def instant(daily_claims: Sequence[Decimal], ratio: Decimal) -> Decimal:
    """Return what instant settlement has paid: each day's claims times the ratio, rounded day by day."""
    return sum((round_half_up(claim * ratio) for claim in daily_claims), Decimal("0.00"))


def penalty(deducted: Decimal, ratio: Decimal) -> Decimal:
    """Return a 违约金 in 元: a share of what was deducted, HALF_UP; booked apart from the funds."""
    return round_half_up(deducted * ratio)


def deposit_return(
    deposit_balances: pl.DataFrame, scores: pl.DataFrame, profile: Profile, day: dt.date
) -> pl.DataFrame:
    """Return how much of each deposit goes back at the end of the year.

    From the full score on: all; from the step score: less by the step for each point below the full
    score; from the part score: a fixed part; below it: nothing. A score of 87 gives 94 %.
    Source: 按病种付费经办管理规程(2025版) art 26; 令3号 art 34 (assessment linked to the deposit).

    Args:
        deposit_balances: `balances` of what was withheld for the year and not returned yet; other books
            are left alone.
        scores: fixmedins_code, score of the year, one row per institution.
        profile: gives deposit_full_score, deposit_step_score, deposit_step_ratio, deposit_part_score
            and deposit_part_ratio on the day.
        day: the day of the decision.

    Returns:
        fixmedins_code, fund_pay_type, deposit_amt, score, ratio, return_amt (HALF_UP), keep_amt (元).

    Raises:
        ReferenceError: an institution with a deposit has no score.
        InvariantBroken: an institution has two scores.
    """
    owed = (pl.col("book") == DEPOSIT) & (pl.col("closing_amt") != 0)
    held = deposit_balances.filter(owed).select(*KEY, deposit_amt=pl.col("closing_amt"))
    _scored(held, scores)
    points = {
        name: profile.ratio(f"deposit_{name}", day)
        for name in ("full_score", "step_score", "step_ratio", "part_score", "part_ratio")
    }
    with duckdb.connect() as con:
        hold(con, "held", held)
        hold(con, "scores", scores.select(KEY[0], pl.col("score").cast(pl.Decimal(5, 2))))
        rows = frame(con, _RETURN_SQL.format(share=share_sql("fen", "parts", str(TEN_THOUSAND)), **points))
    return rows


_RETURN_SQL = """
SELECT fixmedins_code, fund_pay_type, deposit_amt, score,
    (parts::DECIMAL(9,0) * 0.0001::DECIMAL(5,4))::DECIMAL(5,4) AS ratio,
    (back::DECIMAL(18,0) * 0.01::DECIMAL(3,2))::DECIMAL(16,2) AS return_amt,
    ((fen - back)::DECIMAL(18,0) * 0.01::DECIMAL(3,2))::DECIMAL(16,2) AS keep_amt
FROM (SELECT *, {share} AS back FROM (
    SELECT *, (deposit_amt * 100)::BIGINT AS fen,
        greatest((10000 * CASE
            WHEN score >= {full_score} THEN 1.0000
            WHEN score >= {step_score} THEN 1 - {step_ratio} * ({full_score} - score)
            WHEN score >= {part_score} THEN {part_ratio}
            ELSE 0 END)::BIGINT, 0) AS parts
    FROM held JOIN scores USING (fixmedins_code)))
ORDER BY fixmedins_code, fund_pay_type
"""


def _scored(held: pl.DataFrame, scores: pl.DataFrame) -> None:
    without = held.join(scores, on=KEY[0], how="anti")[KEY[0]].unique().sort().to_list()
    if without:
        raise ReferenceError(
            f"{len(without)} 家机构有保证金余额而没有年度考核得分:{'、'.join(without[:20])}。"
            "请在 assessment.csv 补上该年度的 score 后重新载入"
        )
    twice = scores.filter(pl.col(KEY[0]).is_duplicated())
    if twice.height:
        raise InvariantBroken(f"机构 {twice[KEY[0]][0]} 有 {twice.height} 个考核得分:只应传入一个年度的得分")
