"""Ledgers 台账: prior-period adjustments, advances, and the yearly return of deposits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from jobs.books import open_month
from jobs.office import Office, permit
from schemas.funds import FUND_NAMES
from settlement import ledger, policy, store
from settlement.errors import ProcedureError, ReferenceError
from settlement.money import to_fen
from settlement.store import books

ONE: dict[str, Any] = {
    "fixmedins_code": pl.String, "fund_pay_type": pl.String, "book": pl.String, "kind": pl.String,
    "plus_amt": pl.Decimal(16, 2), "minus_amt": pl.Decimal(16, 2), "source": pl.String, "note": pl.String,
}  # fmt: skip


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except ArithmeticError:
        raise ProcedureError(f"金额 {text!r} 不是数字,应为元,最多两位小数。") from None
    if not amount.is_finite() or amount != amount.quantize(Decimal("0.01")):
        raise ProcedureError(f"金额 {text} 最多两位小数。")
    return amount


def _fund(code: str) -> str:
    if code not in FUND_NAMES:
        raise ProcedureError(f"基金 {code} 无法识别,可用:{'、'.join(FUND_NAMES)}")
    return code


def _known(office: Office, code: str) -> str:
    rows = store.read_reference(office.home, office.region).get("institution")
    if rows is None or code not in set(rows["fixmedins_code"]):
        raise ProcedureError(f"{office.region} 的机构名录没有 {code}。请核对机构编码。")
    return code


def _again(row: dict[str, Any], act: store.Act, facts: dict[str, Any]) -> bool:
    """Whether somebody enters the very same thing a second time on one day, as after a power cut."""
    return {**facts, "actor": act.actor, "day": act.day, "reason": act.reason}.items() <= row.items()


@dataclass(frozen=True)
class Adjustment:
    """A prior-period adjustment as somebody wishes to enter it.

    Attributes:
        institution: code.
        fund: fund_pay_type.
        amount: 元, with sign: above zero the fund pays more, below zero less.
        about: month it is about, YYYY-MM.
        finding: finding it is about, may be empty.
        reason: why.
    """

    institution: str
    fund: str
    amount: str
    about: str
    finding: str
    reason: str


def adjust(office: Office, wish: Adjustment) -> int:
    """Enter a prior-period adjustment; returns its number, the same one when it is entered again that day.

    It enters the institution's next statement once another person has confirmed it; the closed month
    it is about stays as it is.

    Raises:
        ProcedureError: the actor may not, or something of it is not valid.
    """
    act = permit(office, "adjust", wish.reason)
    value = _amount(wish.amount)
    if not value or not wish.reason.strip():
        raise ProcedureError("往期调整的金额不得为零,并须用 --reason 写明依据。")
    try:
        month = dt.datetime.strptime(wish.about, "%Y-%m").date()  # noqa: DTZ007 - a month
    except ValueError:
        raise ProcedureError(f"--about 应为 YYYY-MM,收到 {wish.about!r}") from None
    facts: dict[str, Any] = {
        "fixmedins_code": _known(office, wish.institution), "fund_pay_type": _fund(wish.fund),
        "amount_fen": to_fen(value), "about_ym": f"{month:%Y%m}", "finding_id": wish.finding,
    }  # fmt: skip
    with store.writing(office.home) as db:
        for row in books.adjustments(db, office.region):
            if _again(row, act, facts):
                return int(row["id"])
        ident = books.add_adjustment(db, act, facts)
        store.log.write(db, act, store.Change(f"adjustment:{ident}", {}, facts))
    return ident


def confirm_adjustment(office: Office, ident: int) -> None:
    """Confirm an adjustment that somebody else entered; it is booked and enters the next statement.

    Raises:
        ProcedureError: the actor may not, entered it, or it is unknown or confirmed already.
    """
    act = permit(office, "confirm_adjust")
    with store.writing(office.home) as db:
        found = [row for row in books.adjustments(db, office.region) if row["id"] == ident]
        if not found:
            raise ProcedureError(f"{office.region} 没有编号 {ident} 的往期调整。")
        row = found[0]
        if row["confirmed_by"]:
            raise ProcedureError(f"往期调整 {ident} 已由 {row['confirmed_by']} 确认。")
        if row["actor"] == office.actor:
            raise ProcedureError(f"往期调整 {ident} 由 {office.actor} 登记,须由另一人确认。")
        books.confirm_adjustment(db, act, ident)
        amount = Decimal(row["amount_fen"]).scaleb(-2)
        plus, minus = max(amount, Decimal(0)), max(-amount, Decimal(0))
        entry = (row["fixmedins_code"], row["fund_pay_type"], ledger.PRIOR, ledger.CONFIRMED, plus, minus,
                 f"adjustment:{ident}", f"{row['about_ym']} {row['reason']}")  # fmt: skip
        books.post(db, act, pl.DataFrame([entry], schema=ONE, orient="row"))
        store.log.write(db, act, store.Change(f"adjustment:{ident}", {}, {"confirmed_by": act.actor}))


def advance(office: Office, code: str, fund: str, amount: str, months: int, reason: str) -> int:
    """Enter an advance that was paid out, and the months it is offset over, from the office's month on.

    The very same one entered again on the day is the one that is there.

    Raises:
        ProcedureError: the actor may not, or something of it is not valid.
    """
    act = permit(office, "advance", reason)
    value = _amount(amount)
    if value <= 0 or months < 1:
        raise ProcedureError("周转金的金额与抵扣月数都须大于零。")
    facts: dict[str, Any] = {
        "fixmedins_code": _known(office, code), "fund_pay_type": _fund(fund), "amount_fen": to_fen(value),
        "months": months, "first_ym": office.clr_ym,
    }  # fmt: skip
    with store.writing(office.home) as db:
        for row in books.advances(db, office.region).iter_rows(named=True):
            if _again(row, act, facts):
                return int(row["id"])
        ident = books.add_advance(db, act, facts)
        entry = (code, fund, ledger.ADVANCE, ledger.GRANTED, value, Decimal(0), f"advance:{ident}", reason)
        books.post(db, act, pl.DataFrame([entry], schema=ONE, orient="row"))
        store.log.write(db, act, store.Change(f"advance:{ident}", {}, facts))
    return ident


def return_deposits(office: Office, year: int) -> pl.DataFrame:
    """Return the deposits of a year by each institution's score; what is kept goes to the fund.

    What is returned is paid with the next statement, as an adjustment in the institution's favour.

    Returns:
        What `settlement.ledger.deposit_return` gives, of the institutions not returned before.

    Raises:
        ReferenceError: no scores are loaded for the year, or an institution has none.
    """
    act = permit(office, "return_deposit")
    month = open_month(office)
    scores = month.reference.get("assessment")
    if scores is None:
        raise ReferenceError(f"{office.region} 没有载入 assessment.csv(年度考核得分),请先 reference load。")
    profile = policy.load(office.region)
    with store.writing(office.home) as db:
        entries = books.entries(db, office.region)
        source, held = _round(entries, year), _held(entries, year)
        given = ledger.deposit_return(held, _scores(scores, year), profile, dt.date(year, 12, 31))
        booked = ledger.return_entries(given).with_columns(source=pl.lit(source), note=pl.lit(str(year)))
        paid = given.filter(pl.col("return_amt") > 0).select(
            "fixmedins_code", "fund_pay_type", book=pl.lit(ledger.PRIOR), kind=pl.lit(ledger.CONFIRMED),
            plus_amt="return_amt", minus_amt=pl.lit(Decimal("0.00"), pl.Decimal(16, 2)),
            source=pl.lit(source), note=pl.lit(f"{year} 年度质量保证金清退"),
        )  # fmt: skip
        count = books.post(db, act, booked) + books.post(db, act, paid)
        if count:
            total = str(given["return_amt"].sum() or 0)
            store.log.write(
                db, act, store.Change(source, {}, {"institutions": given.height, "returned": total})
            )
    return given


def _held(entries: pl.DataFrame, year: int) -> pl.DataFrame:
    """What was withheld for the months of a year and neither returned nor kept yet."""
    source = pl.col("source")
    mine = source.str.contains(f"^statement:{year}") | source.str.contains(f"^deposit:{year}(:|$)")
    key = ["fixmedins_code", "fund_pay_type"]
    deposits = entries.filter((pl.col("book") == ledger.DEPOSIT) & mine)
    sums = deposits.group_by(key).agg(closing_amt=pl.col("plus_amt").sum() - pl.col("minus_amt").sum())
    held = sums.filter(pl.col("closing_amt") > 0)
    return held.with_columns(book=pl.lit(ledger.DEPOSIT)).sort(key)


def _round(entries: pl.DataFrame, year: int) -> str:
    """The name of this return: a month settled after the first one has a return of its own."""
    rounds = entries.filter(pl.col("source").str.contains(f"^deposit:{year}(:|$)"))["source"].n_unique()
    return f"deposit:{year}" if not rounds else f"deposit:{year}:{rounds + 1}"


def _scores(scores: pl.DataFrame, year: int) -> pl.DataFrame:
    return scores.filter(pl.col("year").cast(pl.String) == str(year)).select("fixmedins_code", "score")
