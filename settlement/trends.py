"""Month on month: what was claimed, deducted and paid by institution, rule, fund and kind of care.

Everything is reckoned on whole numbers (分, counts, ten-thousandths) and becomes decimals at the end, so a
ratio is exact to its four places, rounded half up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl

from schemas.funds import FUNDS, Fund
from settlement.errors import SettlementError
from settlement.query import frame

TOTAL, INSTITUTION, RULE, FUND = "total", "institution", "rule", "fund"
MED_TYPE, CLR_TYPE = "med_type", "clr_type"
DIMENSIONS = (TOTAL, INSTITUTION, RULE, FUND, MED_TYPE, CLR_TYPE)
COUNT, MONEY, RATE = "count", "money", "rate"
# Measures of a dimension: name and kind; the first counts, the second is the money that a base is judged by.
COMMON = (("settlements", COUNT), ("claimed", MONEY), ("medfee", MONEY), ("deducted", MONEY),
          ("average", MONEY), ("refusal_rate", RATE))  # fmt: skip
PAID = ("paid", MONEY)
MEASURES: dict[str, tuple[tuple[str, str], ...]] = {
    TOTAL: (*COMMON, PAID),
    INSTITUTION: (*COMMON, PAID),
    RULE: (("hits", COUNT), ("risk", MONEY), ("prelim", MONEY), ("deducted", MONEY)),
    FUND: (("settlements", COUNT), ("claimed", MONEY), ("deducted", MONEY), ("refusal_rate", RATE), PAID),
    MED_TYPE: COMMON,
    CLR_TYPE: COMMON,
}
# What a measure's own base is judged by, where that is not the measure itself.
BASED_ON = {"average": "medfee", "refusal_rate": "claimed"}
SCALE = 10_000
FACTOR = {COUNT: Decimal(1), MONEY: Decimal("0.01"), RATE: Decimal("0.0001")}
NEW = "new"


@dataclass(frozen=True)
class Stored:
    """The kept tables of one month's newest run; `payment` is None before anything was settled."""

    clr_ym: str
    settlements: Path
    findings: Path
    finding_funds: Path
    payment: Path | None


@dataclass(frozen=True)
class Alert:
    """When a change is worth a look.

    Attributes:
        share: |change| above it is an alert.
        least_amount: a base below it (元) is shown and not alerted.
        least_count: nor is one of fewer settlements (of a rule: findings).
    """

    share: Decimal = Decimal("0.30")
    least_amount: Decimal = Decimal(1000)
    least_count: int = 10


def trends(con: duckdb.DuckDBPyConnection, months: Sequence[Stored], alert: Alert) -> dict[str, pl.DataFrame]:
    """Return the months side by side, by dimension.

    Args:
        con: an engine.
        months: the stored months, in order; a month is compared with the calendar month before it.
        alert: when a change is an alert.

    Returns:
        By dimension, sorted by key and month: key; clr_ym; its `MEASURES` (counts, 元, rates of four places);
        `<measure>_change` (of four places; null without a month before, or where that was zero or less);
        alerts: measures whose change is an alert, joined by `|`, or `new`; small: there is a month before
        and its base is too small for alerts. What was there the month before and is no longer has zeros.

    Raises:
        SettlementError: no month is stored.
    """
    if not months:
        raise SettlementError("在所给的范围内没有已有结果的月份。请核对 --region 与 --months。")
    _open(con, months)
    known = [_ordinal(month.clr_ym) for month in months]
    found = {}
    for name in DIMENSIONS:
        rows = _with_ratios(frame(con, _SQL[name]), name)
        found[name] = _compared(rows, name, known, alert)
    return found


def _ordinal(clr_ym: str) -> int:
    return int(clr_ym[:4]) * 12 + int(clr_ym[4:])


def _open(con: duckdb.DuckDBPyConnection, months: Sequence[Stored]) -> None:
    """Name the stored tables of all months, each with its month."""

    def union(name: str, paths: list[tuple[str, Path]], empty: str = "") -> None:
        parts = [
            f"SELECT '{clr_ym}' AS clr_ym, * FROM read_parquet('{str(path).replace(chr(39), chr(39) * 2)}')"
            for clr_ym, path in paths
        ]
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {' UNION ALL BY NAME '.join(parts) or empty}")

    union("setl", [(m.clr_ym, m.settlements) for m in months])
    union("finding", [(m.clr_ym, m.findings) for m in months])
    union("finding_fund", [(m.clr_ym, m.finding_funds) for m in months])
    none = (
        "SELECT NULL::VARCHAR AS clr_ym, NULL::VARCHAR AS fixmedins_code, NULL::VARCHAR AS fund_pay_type, "
        "NULL::DECIMAL(16,2) AS act_dfr_amt WHERE false"
    )
    union("payment", [(m.clr_ym, m.payment) for m in months if m.payment], none)
    con.execute(f"CREATE OR REPLACE TEMP VIEW claim AS {' UNION ALL '.join(map(_claim, FUNDS))}")


def _claim(fund: Fund) -> str:
    """What settlements claim of one fund."""
    column, code, kinds = fund.column, fund.code, fund.insutypes
    mine = f"AND insutype IN ({', '.join(repr(kind) for kind in kinds)})" if kinds else ""
    return (
        f"SELECT clr_ym, setl_id, '{code}' AS key, {column} AS amount FROM setl "
        f"WHERE {column} IS NOT NULL AND {column} <> 0 {mine}"
    )


def _fen(amount: str) -> str:
    return f"coalesce((sum({amount}) * 100)::BIGINT, 0)"


def _of_settlements(key: str, paid: bool) -> str:
    """A dimension that is a column of the settlements."""
    given = f"""
        SELECT clr_ym, {key} AS key, count(*) AS settlements, {_fen("fund_pay_sumamt + acct_pay")} AS claimed,
            {_fen("medfee_sumamt")} AS medfee
        FROM setl GROUP BY ALL"""
    lost = f"""
        SELECT f.clr_ym, {key.replace("fixmedins_code", "s.fixmedins_code")} AS key,
            {_fen("f.final_det_sumamt")} AS deducted
        FROM finding AS f JOIN setl AS s USING (clr_ym, setl_id) GROUP BY ALL"""
    money = f"SELECT clr_ym, {key} AS key, {_fen('act_dfr_amt')} AS paid FROM payment GROUP BY ALL"
    return f"""
        SELECT g.*, coalesce(l.deducted, 0) AS deducted{", p.paid" if paid else ""}
        FROM ({given}) AS g LEFT JOIN ({lost}) AS l USING (clr_ym, key)
        {f"LEFT JOIN ({money}) AS p USING (clr_ym, key)" if paid else ""}"""


_SQL = {
    TOTAL: _of_settlements("''", paid=True),
    INSTITUTION: _of_settlements("fixmedins_code", paid=True),
    MED_TYPE: _of_settlements("med_type", paid=False),
    CLR_TYPE: _of_settlements("clr_type", paid=False),
    FUND: f"""
        SELECT g.*, coalesce(l.deducted, 0) AS deducted, p.paid
        FROM (SELECT clr_ym, key, count(*) AS settlements, {_fen("amount")} AS claimed
            FROM claim GROUP BY ALL) AS g
        LEFT JOIN (SELECT clr_ym, fund_pay_type AS key, {_fen("final_det_sumamt")} AS deducted
            FROM finding_fund GROUP BY ALL) AS l USING (clr_ym, key)
        LEFT JOIN (SELECT clr_ym, fund_pay_type AS key, {_fen("act_dfr_amt")} AS paid
            FROM payment GROUP BY ALL) AS p USING (clr_ym, key)""",
    RULE: f"""
        SELECT clr_ym, rule_id AS key, count(*) AS hits, {_fen("risk_amt")} AS risk,
            {_fen("det_sumamt")} AS prelim, {_fen("final_det_sumamt")} AS deducted
        FROM finding GROUP BY ALL""",
}


def _with_ratios(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Add the average charge of a settlement and the share of the claim that was refused."""
    wanted = {measure for measure, _ in MEASURES[name]}
    made = {
        "average": _quotient(pl.col("medfee"), pl.col("settlements")) if "average" in wanted else None,
        "refusal_rate": _quotient(pl.col("deducted") * SCALE, pl.col("claimed"))
        if "refusal_rate" in wanted
        else None,
    }
    return rows.with_columns(**{n: e for n, e in made.items() if e is not None})


def _quotient(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Part / whole as the nearest whole number, half away from zero; null unless whole is above zero."""
    return pl.when(whole > 0).then(part.sign() * ((2 * part.abs() + whole) // (2 * whole)))


def _compared(rows: pl.DataFrame, name: str, known: list[int], alert: Alert) -> pl.DataFrame:
    """Put each month beside the calendar month before it."""
    measures = [measure for measure, _ in MEASURES[name]]
    at = (
        pl.col("clr_ym").str.head(4).cast(pl.Int64) * 12 + pl.col("clr_ym").str.tail(2).cast(pl.Int64)
    ).alias("m")
    now = rows.with_columns(at).select("key", "m", *measures)
    before = now.select("key", pl.col("m") + 1, *(pl.col(n).alias(f"{n}_before") for n in measures))
    both = now.join(before, on=["key", "m"], how="full", coalesce=True).filter(pl.col("m").is_in(known))
    count, amount = measures[:2]
    was = pl.col(f"{count}_before").is_not_null()
    gone = pl.col(count).is_null()
    # Gone means nothing of it, not unknown; but its average and its rate are no numbers.
    plain = [n for n, kind in MEASURES[name] if kind != RATE and n != "average"]
    full = both.with_columns(pl.when(gone).then(0).otherwise(n).alias(n) for n in plain)
    change = [
        _quotient((pl.col(n) - pl.col(f"{n}_before")) * SCALE, pl.col(f"{n}_before")).alias(f"{n}_change")
        for n in measures
    ]
    full = full.with_columns(change)
    least = int(alert.least_amount * 100)
    base = (pl.col(f"{count}_before") >= alert.least_count) & (pl.col(f"{amount}_before") >= least)
    fresh = ~was & pl.col("m").is_in([m + 1 for m in known])
    large = (pl.col(count) >= alert.least_count) & (pl.col(amount) >= least)
    words = [
        pl.when(base & _is_alert(n, n == count, least, alert.share)).then(pl.lit(n)) for n in measures
    ]  # fmt: skip
    told = pl.concat_str(
        pl.when(fresh & large).then(pl.lit(NEW)), *words, separator="|", ignore_nulls=True
    ).alias("alerts")
    small = was & ~base.fill_null(value=False)
    return _decimals(full.with_columns(told, small.alias("small")), name)


def _is_alert(measure: str, counts: bool, least: int, share: Decimal) -> pl.Expr:
    """Whether a change is above the share, and an amount's own base large enough."""
    base = pl.col(f"{BASED_ON.get(measure, measure)}_before")
    large = pl.lit(value=True) if counts else base >= least
    return large & (pl.col(f"{measure}_change").abs() > int(share * SCALE))


def _decimals(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Turn whole numbers into what they stand for, and the month's number into yyyyMM."""

    def exact(column: str, kind: str) -> pl.Expr:
        if kind == COUNT:
            return pl.col(column).cast(pl.Int64)
        scale = 2 if kind == MONEY else 4
        factor = pl.lit(FACTOR[kind], pl.Decimal(5, scale))
        return (pl.col(column).cast(pl.Decimal(18, 0)) * factor).cast(pl.Decimal(18, scale))

    month = pl.format(
        "{}{}", (pl.col("m") - 1) // 12, ((pl.col("m") - 1) % 12 + 1).cast(pl.String).str.zfill(2)
    )
    each = [
        e
        for n, kind in MEASURES[name]
        for e in (exact(n, kind), exact(f"{n}_before", kind), exact(f"{n}_change", RATE))
    ]
    return rows.select("key", month.alias("clr_ym"), *each, "alerts", "small").sort("key", "clr_ym")


def alerts_of(found: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return one row per alert: dimension, clr_ym, key, measure, before, now, change."""
    kind = {"before": pl.Decimal(18, 4), "now": pl.Decimal(18, 4), "change": pl.Decimal(18, 4)}
    texts = dict.fromkeys(("dimension", "clr_ym", "key", "measure"), pl.String)
    parts = [pl.DataFrame(schema={**texts, **kind})]
    for name, rows in found.items():
        told = rows.filter(pl.col("alerts") != "").with_columns(
            pl.col("alerts").str.split("|").alias("measure")
        )
        listed = told.explode("measure")
        for measure, _ in MEASURES[name]:
            parts.append(
                listed.filter(pl.col("measure") == measure).select(
                    pl.lit(name).alias("dimension"), "clr_ym", "key", "measure",
                    pl.col(f"{measure}_before").cast(kind["before"]).alias("before"),
                    pl.col(measure).cast(kind["now"]).alias("now"),
                    pl.col(f"{measure}_change").alias("change"),
                )
            )  # fmt: skip
        amount = MEASURES[name][1][0]
        fresh = listed.filter(pl.col("measure") == NEW).with_columns(
            pl.lit(None, kind["before"]).alias("before"), pl.lit(None, kind["change"]).alias("change")
        )
        now = pl.col(amount).cast(kind["now"]).alias("now")
        parts.append(
            fresh.select(pl.lit(name).alias("dimension"), "clr_ym", "key", "measure", "before", now, "change")
        )
    # The newest month first, and in it the largest change.
    order = [pl.col("clr_ym"), pl.col("change").abs(), pl.col("dimension"), pl.col("key"), pl.col("measure")]
    return pl.concat(parts).sort(order, descending=[True, True, False, False, False], nulls_last=True)
