"""Payment 结算: from claimed and deducted to paid, per institution and fund.

Order of steps, each in 分: claimed C, upheld deductions D, A = C - D, amount by payment method B,
monthly quota (excess deferred), quality deposit Q = round(B x ratio) or 0 when nothing is payable, advances
offset, prior-period adjustment, clawback; a net below zero pays 0 and is carried in the same fund.
Funds never net each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import duckdb
import polars as pl

from schemas.funds import ACCOUNT_FUND, BASIC_FUND, FUNDS
from schemas.layout import table
from schemas.results import Clearing, ClearingFund, Payment
from settlement.errors import InvariantBroken
from settlement.policy import Profile
from settlement.query import frame, hold

KEY = ("fixmedins_code", "fund_pay_type")
GROUP = ("fixmedins_code", "insutype", "clr_type")
BALANCES = ("quota_amt", "advance_offset_amt", "prior_adjust_amt", "clawback_amt")
TOTALS = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "cash_payamt")


def by_item(claims: pl.DataFrame) -> pl.DataFrame:
    """Payment by item: the approved amount is paid as it is, nothing is adjusted.

    Args:
        claims: institution x fund with the approved amount.

    Returns:
        fixmedins_code, fund_pay_type, method_adjust_amt (元); no rows here.
    """
    return claims.select(*KEY, pl.lit(Decimal("0.00"), pl.Decimal(16, 2)).alias("method_adjust_amt")).head(0)


METHODS: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {"by_item": by_item}


def clear(
    con: duckdb.DuckDBPyConnection, settlements: str, deductions: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sum a month's accepted settlements with their sign, so that reversals net by themselves.

    Args:
        con: connection that holds the relation.
        settlements: relation of accepted settlements, setl_d columns.
        deductions: setl_id, fund_pay_type, det_sumamt (元) of upheld findings.

    Returns:
        `clearing` and `clearing_fund` (schemas.results), sorted by key. A fund has a row when it is
        the basic fund of the insurance type or any settlement of the group moved it.
    """
    hold(con, "upheld", deductions)
    group = ", ".join(GROUP)
    funds = dict.fromkeys(f.column for f in FUNDS)
    sums = ", ".join(f"sum({c}) AS {c}" for c in dict.fromkeys((*TOTALS, *funds)))
    moved = ", ".join(f"bool_or({c} <> 0) AS moved_{c}" for c in funds)
    wide = frame(
        con,
        f"SELECT {group}, count(*) AS setl_cnt, {sums}, {moved} FROM {settlements} GROUP BY {group}",
    )
    deducted = frame(
        con,
        f"SELECT {group}, fund_pay_type, sum(det_sumamt) AS det_sumamt FROM upheld "
        f"JOIN {settlements} USING (setl_id) GROUP BY {group}, fund_pay_type",
    )
    return _clearing(wide, deducted), _clearing_fund(wide, deducted)


def _clearing(wide: pl.DataFrame, deducted: pl.DataFrame) -> pl.DataFrame:
    per_group = deducted.group_by(GROUP).agg(pl.col("det_sumamt").sum())
    joined = wide.join(per_group, on=GROUP, how="left").with_columns(pl.col("det_sumamt").fill_null(0))
    return typed(joined, Clearing)


def _clearing_fund(wide: pl.DataFrame, deducted: pl.DataFrame) -> pl.DataFrame:
    parts = []
    for fund in FUNDS:
        mine = pl.col("insutype").is_in(fund.insutypes) if fund.insutypes else pl.lit(True)
        basic = pl.col("insutype").replace_strict(BASIC_FUND, default=None) == fund.code
        parts.append(
            wide.filter(mine & (pl.col(f"moved_{fund.column}") | basic)).select(
                *GROUP,
                pl.lit(fund.code).alias("fund_pay_type"),
                pl.col(fund.column).alias("fund_appy_sum"),
            )
        )
    rows = pl.concat(parts).join(deducted, on=(*GROUP, "fund_pay_type"), how="left")
    rows = rows.with_columns(pl.col("det_sumamt").fill_null(0))
    return typed(rows.with_columns(dfr_amt=pl.col("fund_appy_sum") - pl.col("det_sumamt")), ClearingFund)


def typed(rows: pl.DataFrame, model: type) -> pl.DataFrame:
    """Give a frame a model's columns, order and types, sorted by the model's key."""
    about = table(model)
    cast = [pl.col(name).cast(dtype) for name, dtype in about.schema.items()]
    return rows.select(cast).sort(about.key, nulls_last=False)


def calculate(
    clearing_fund: pl.DataFrame, balances: pl.DataFrame, profile: Profile, month: dt.date
) -> pl.DataFrame:
    """Work out what each institution is paid from each fund.

    Args:
        clearing_fund: claimed and deducted (schemas.results.ClearingFund).
        balances: fixmedins_code, fund_pay_type and any of quota_amt, advance_offset_amt,
            prior_adjust_amt, clawback_amt (元); a null quota is no quota.
        profile: gives deposit_ratio and account_deposit_ratio on the month's last day.
        month: first day of the claim month.

    Returns:
        `payment`, one row per institution and fund with a claim or a balance, sorted.

    Raises:
        PolicyError: the profile has no deposit ratio for the month.
        InvariantBroken: a row's identity does not hold.
    """
    last = (month.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    claims = clearing_fund.group_by(KEY).agg(pl.col("fund_appy_sum", "det_sumamt").sum())
    adjust = METHODS[str(profile.value("payment_method", last))](claims)
    given = [name for name in BALANCES if name in balances.columns]
    rows = claims.join(balances.select(*KEY, *given), on=KEY, how="full", coalesce=True)
    rows = rows.join(adjust, on=KEY, how="left")
    rows = rows.with_columns(pl.lit(None, pl.Decimal(16, 2)).alias(n) for n in BALANCES if n not in given)
    ratios = {
        "pooled": profile.ratio("deposit_ratio", last),
        "account": profile.ratio("account_deposit_ratio", last),
    }
    paid = _yuan(_steps(_fen(rows), ratios))
    check(paid)
    return paid


def _fen(rows: pl.DataFrame) -> pl.DataFrame:
    """All amounts as integer 分; missing ones are 0, a missing quota stays missing."""
    names = ["fund_appy_sum", "det_sumamt", "method_adjust_amt", *BALANCES]
    fen = [(pl.col(n) * 100).cast(pl.Int64).alias(n) for n in names]
    rows = rows.with_columns(fen)
    return rows.with_columns(pl.col(n).fill_null(0) for n in names if n != "quota_amt")


def _steps(rows: pl.DataFrame, ratios: dict[str, Decimal]) -> pl.DataFrame:
    """Apply the order of steps to integer 分."""
    rows = rows.with_columns(
        due=pl.col("fund_appy_sum") - pl.col("det_sumamt") + pl.col("method_adjust_amt")
    ).with_columns(deferred_amt=(pl.col("due") - pl.col("quota_amt")).clip(lower_bound=0).fill_null(0))
    rows = rows.with_columns(base=pl.col("due") - pl.col("deferred_amt"))
    deposit = pl.when(pl.col("fund_pay_type") == ACCOUNT_FUND)
    chosen = deposit.then(_ratio("base", ratios["account"])).otherwise(_ratio("base", ratios["pooled"]))
    rows = rows.with_columns(dpst_sumamt=pl.when(pl.col("base") > 0).then(chosen).otherwise(0))
    net = (
        pl.col("base")
        - pl.col("dpst_sumamt")
        - pl.col("advance_offset_amt")
        + pl.col("prior_adjust_amt")
        - pl.col("clawback_amt")
    )
    return rows.with_columns(act_dfr_amt=net.clip(lower_bound=0), carry_amt=(-net).clip(lower_bound=0))


def _ratio(column: str, ratio: Decimal) -> pl.Expr:
    """Integer 分 times a ratio of at most four places, HALF_UP, for amounts above zero."""
    parts, whole = int(ratio * 10000), 10000
    if Decimal(parts) != ratio * 10000:
        raise InvariantBroken(f"比例 {ratio} 超过四位小数")
    # 128 bits: 分 times ten thousandths outgrows 64 bits near 10^13 元
    return ((pl.col(column).cast(pl.Int128) * (2 * parts) + whole) // (2 * whole)).cast(pl.Int64)


def _yuan(rows: pl.DataFrame) -> pl.DataFrame:
    """Integer 分 back to 元 with two places, exactly."""
    names = [n for n, t in table(Payment).schema.items() if isinstance(t, pl.Decimal)]
    hundredth = pl.lit(Decimal("0.01"), pl.Decimal(3, 2))
    return typed(
        rows.with_columns((pl.col(n).cast(pl.Decimal(18, 0)) * hundredth).alias(n) for n in names), Payment
    )


def check(payment: pl.DataFrame) -> None:
    """Raise InvariantBroken unless every row keeps the payment identity and signs.

    fund_appy_sum = det - method_adjust + deferred + deposit + advance - prior + clawback + paid - carry.
    """
    right = (
        pl.col("det_sumamt")
        - pl.col("method_adjust_amt")
        + pl.col("deferred_amt")
        + pl.col("dpst_sumamt")
        + pl.col("advance_offset_amt")
        - pl.col("prior_adjust_amt")
        + pl.col("clawback_amt")
        + pl.col("act_dfr_amt")
        - pl.col("carry_amt")
    )
    wrong = payment.filter(
        (pl.col("fund_appy_sum") != right)
        | (pl.col("act_dfr_amt") < 0)
        | (pl.col("carry_amt") < 0)
        | ((pl.col("act_dfr_amt") > 0) & (pl.col("carry_amt") > 0))
    )
    if wrong.height:
        row = wrong.row(0, named=True)
        raise InvariantBroken(
            f"拨付恒等式不成立:机构 {row['fixmedins_code']} 基金 {row['fund_pay_type']},"
            f"申报 {row['fund_appy_sum']} 元,实拨 {row['act_dfr_amt']} 元"
        )
