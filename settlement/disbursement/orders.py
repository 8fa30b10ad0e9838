"""Payment orders: what is paid to whom from which account, under a number of its own.

A business number is made from what it pays and the attempt, so the same order always has the same
number and the bank can refuse a second one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re

import duckdb
import polars as pl

from schemas.banking import BankOrder
from schemas.layout import table
from settlement.errors import InvariantBroken
from settlement.labels import LABELS
from settlement.query import frame, hold

KEY = ("fixmedins_code", "fund_pay_type")
ORDER = table(BankOrder)
FIELDS = tuple(ORDER.schema)
PAYER = dict.fromkeys((KEY[1], "payer_acct", "payer_name"), pl.String)
PAYEE = ("bankacct", "acctname", "bank_name", "bankcode")
BANKCODE = r"^[0-9]{12}$"
# Institutions are paid to accounts of the institution, not of a person.
PUBLIC = "1"
MOST_ATTEMPTS = 99
HASH_LENGTH = 16
_MONTH = re.compile(r"[0-9]{4}(0[1-9]|1[0-2])")
_FUND = re.compile(r"[0-9A-Z]{1,6}")


def in_force(rows: pl.DataFrame, day: dt.date) -> pl.DataFrame:
    """Return the rows of a dated reference table that are in force on a day, both ends included."""
    open_end = pl.col("enddate").is_null() | (pl.col("enddate") >= day)
    return rows.filter((pl.col("begndate") <= day) & open_end)


def business_no(region: str, clr_ym: str, fixmedins_code: str, fund_pay_type: str, attempt: int) -> str:
    """Return the business number of an order: YB, month, fund, attempt, and a hash of all it pays.

    At most 32 characters of 0-9 and A-Z, e.g. `YB20260431010001` and 16 digits of the hash.

    Raises:
        InvariantBroken: the month is not yyyyMM, the fund no code, or the attempt not 1 to 99.
    """
    sound = _MONTH.fullmatch(clr_ym) and _FUND.fullmatch(fund_pay_type)
    if not sound or not 1 <= attempt <= MOST_ATTEMPTS:
        raise InvariantBroken(
            f"无法编业务号:结算年月 {clr_ym}、基金 {fund_pay_type}、第 {attempt} 次拨付"
            f"(年月须为 yyyyMM,次数须为 1 至 {MOST_ATTEMPTS})"
        )
    text = f"{region}|{clr_ym}|{fixmedins_code}|{fund_pay_type}|{attempt}"
    mark = hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH].upper()
    return f"YB{clr_ym}{fund_pay_type}{attempt:02d}{mark}"


def numbered(rows: pl.DataFrame, region: str, clr_ym: str) -> pl.DataFrame:
    """Add `business_no` to rows of fixmedins_code, fund_pay_type, attempt; the same as `business_no` gives.

    Raises:
        InvariantBroken: see `business_no`, or two rows would get one number.
    """
    wrong = rows.filter(
        ~pl.col("attempt").is_between(1, MOST_ATTEMPTS)
        | ~pl.col("fund_pay_type").str.contains(f"^{_FUND.pattern}$")
    )
    for row in wrong.head(1).iter_rows(named=True):
        business_no(region, clr_ym, row["fixmedins_code"], row["fund_pay_type"], row["attempt"])
    business_no(region, clr_ym, "", "0", 1)
    with duckdb.connect() as con:
        hold(con, "due", rows.with_row_index("place"))
        made = frame(
            con,
            "SELECT * EXCLUDE (place), 'YB' || $month || fund_pay_type || lpad(attempt::VARCHAR, 2, '0') || "
            "upper(left(sha256($region || '|' || $month || '|' || fixmedins_code || '|' || fund_pay_type "
            f"|| '|' || attempt::VARCHAR), {HASH_LENGTH})) AS business_no FROM due ORDER BY place",
            {"region": region, "month": clr_ym},
        )
    if made["business_no"].n_unique() != made.height:
        raise InvariantBroken(f"{region} {clr_ym} 的拨付指令业务号有重复:同一机构同一基金只能有一条指令")
    return made


def outstanding(lines: pl.DataFrame, orders: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """Return the statement lines an order may be written for: no order yet, or every one so far failed.

    Args:
        lines: fixmedins_code, fund_pay_type, act_dfr_amt (元) and any other column.
        orders: fixmedins_code, fund_pay_type, attempt, business_no of the orders written so far.
        results: business_no, result (PAID or FAILED) of the answers recorded so far.

    Returns:
        The lines above zero that nothing is under way for, with `attempt`: 1 or the next number.
    """
    known = orders.select(*KEY, "attempt", "business_no").join(
        results.select("business_no", "result"), on="business_no", how="left"
    )
    failed = pl.col("result").eq_missing(pl.lit("FAILED"))
    tried = known.group_by(KEY).agg(open=(~failed).any(), attempt=pl.col("attempt").max() + 1)
    rows = lines.filter(pl.col("act_dfr_amt") > 0).join(tried, on=KEY, how="left")
    free = rows.filter(~pl.col("open").fill_null(False)).drop("open").sort(KEY)
    return free.with_columns(pl.col("attempt").fill_null(1).cast(pl.Int64))


def payables(
    lines: pl.DataFrame,
    institutions: pl.DataFrame,
    fund_accounts: pl.DataFrame | None,
    attempts: pl.DataFrame,
    region: str,
    clr_ym: str,
) -> pl.DataFrame:
    """Write the payment orders of statement lines.

    Args:
        lines: fixmedins_code, fund_pay_type, act_dfr_amt (元); what is not above zero is not paid.
        institutions: `institution` rows in force on the day of payment, one per institution.
        fund_accounts: `fund_account` rows in force on that day, None when the table is not loaded.
        attempts: fixmedins_code, fund_pay_type, attempt of the orders to write; 1 where there is no row.
        region: profile name, part of the business number.
        clr_ym: claim month yyyyMM.

    Returns:
        The columns of `schemas.banking.BankOrder`, then fixmedins_code, fund_pay_type, attempt; sorted by
        paying account (fund where there is none), institution, fund; `no` counts within a file. An
        institution without an account has empty cells: see `ready`.

    Raises:
        InvariantBroken: a line, institution or account stands twice, or money was lost.
    """
    due = lines.filter(pl.col("act_dfr_amt") > 0).select(*KEY, amount=pl.col("act_dfr_amt"))
    accounts = pl.DataFrame(schema=PAYER) if fund_accounts is None else fund_accounts
    for what, rows, key in (
        ("月结算行", due, list(KEY)),
        ("机构名录", institutions, [KEY[0]]),
        ("付款账户", accounts, [KEY[1]]),
        ("拨付次数", attempts, list(KEY)),
    ):
        _once(what, rows, key)
    rows = (
        due.join(institutions.select(KEY[0], *PAYEE), on=KEY[0], how="left")
        .join(accounts.select(*PAYER), on=KEY[1], how="left")
        .join(attempts.select(*KEY, "attempt"), on=KEY, how="left")
        .with_columns(pl.col("attempt").fill_null(1).cast(pl.Int64), purpose=_purpose(clr_ym))
        .with_columns(public_flag=pl.lit(PUBLIC))
    )
    made = in_files(numbered(rows, region, clr_ym)).select(*FIELDS, *KEY, "attempt").cast(ORDER.schema)  # type: ignore[arg-type]
    if (made.height, made["amount"].sum()) != (due.height, due["amount"].sum()):
        raise InvariantBroken(f"{region} {clr_ym} 的拨付指令与月结算单应付合计不符")
    return made


def in_files(rows: pl.DataFrame) -> pl.DataFrame:
    """Sort orders by paying account (fund where there is none) and count them within each file."""
    rows = rows.with_columns(part=file_key()).sort("part", *KEY)
    return rows.with_columns(no=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("part")).drop("part")


def file_key() -> pl.Expr:
    """Return what decides the file of an order: its paying account, or its fund."""
    return pl.coalesce("payer_acct", pl.format("基金{}", "fund_pay_type"))


def ready() -> pl.Expr:
    """Return whether an order can go to the bank: account, payee, bank and a bank code of 12 digits."""
    sound = pl.col("bankcode").fill_null("").str.contains(BANKCODE)
    return pl.all_horizontal(*map(filled, PAYEE), sound)


def filled(name: str) -> pl.Expr:
    """Return whether a text column has a value."""
    return pl.col(name).fill_null("").str.strip_chars() != ""


def _purpose(clr_ym: str) -> pl.Expr:
    """What the payee reads, at most 20 characters, e.g. 医保202604职工统筹; Chinese as the bank wants it."""
    prefix = "fund_short."
    names = {key.removeprefix(prefix): zh for key, (zh, _) in LABELS.items() if key.startswith(prefix)}
    return pl.format(f"医保{clr_ym}{{}}", pl.col("fund_pay_type").replace(names))


def _once(what: str, rows: pl.DataFrame, key: list[str]) -> None:
    twice = rows.filter(pl.struct(key).is_duplicated())
    if twice.height:
        at = " ".join(map(str, twice.select(key).row(0)))
        raise InvariantBroken(f"{what} {at} 有 {twice.height} 行,应只有一行")
