"""What can be charged: the catalogue, price limits, self-pay ratios and knowledge lists of a region.

Codes of services and of every drug a knowledge list names are the national ones; the other drugs and
consumables are made up (maker number 99xxx). Prices and ratios are invented.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import polars as pl

from sample_data.generator.draw import roll, salt

HERE = Path(__file__).parent
UNLISTED = "999999999990001"
EXPIRED = "002501010010000"  # out of the catalogue since 1 April
CLASS_CHANGE = "002504010190000"  # 甲类 until 15 April, 丙类 afterwards
RATIO_CHANGE = "002503080010000"  # 0.10 until 15 April, 0.15 afterwards
CAP_CHANGE = "003106010010000"  # 10 元 lower from 16 April
OPENING = date(2020, 1, 1)
CHANGE = date(2026, 4, 16)
EVE = date(2026, 4, 15)
MARCH_END = date(2026, 3, 31)
LEVEL_TENTHS = (8, 10, 12)  # price of a service by hospital level, tenths of the level-2 price
LENS_CAP = 10_000_000  # 1,000 元: cheaper than the lens's price, the patient pays the rest


@cache
def items(fillers: int = 0) -> pl.DataFrame:
    """Return one row per item with its row number `item`; prices in 1/10000 元, ratios in 1/10000.

    Args:
        fillers: number of further drugs, for months that need a long catalogue.
    """
    text = pl.read_csv(HERE / "items.csv", infer_schema=False)
    frame = text.with_columns(
        pl.col("price").cast(pl.Decimal(16, 4)).mul(10_000).cast(pl.Int64),
        pl.col("prop310", "prop390").cast(pl.Decimal(5, 4)).mul(10_000).cast(pl.Int64),
        pl.col("pools", "sex", "capped").fill_null(""),
        child=pl.col("child").eq("y").fill_null(value=False),
        min_level=pl.col("min_level").cast(pl.Int64).fill_null(1),
    )
    if fillers:
        frame = pl.concat([frame, _fillers(fillers)])
    return _with_caps(frame.with_row_index("item").with_columns(pl.col("item").cast(pl.Int64)))


def _fillers(count: int) -> pl.DataFrame:
    number = pl.int_range(count, dtype=pl.Int64)
    label = (number + 1).cast(pl.String).str.zfill(5)
    draw = roll(number, salt("filler"), 100)
    return pl.select(
        code=pl.concat_str(pl.lit("XZ"), label, pl.lit("A990A001010199"), label.str.slice(2)),
        name=pl.concat_str(pl.lit("示例药品"), label),
        list_type=pl.lit("101"),
        lv=pl.when(draw < 55).then(pl.lit("01")).otherwise(pl.lit("02")),
        chrg=pl.lit("09"),
        price=1_000 + roll(number, salt("filler price"), 200_000),
        prop310=pl.when(draw < 55).then(0).otherwise(1_000).cast(pl.Int64),
        prop390=pl.when(draw < 55).then(0).otherwise(2_000).cast(pl.Int64),
        capped=pl.lit(""),
        pools=pl.when(draw % 3 == 0).then(pl.lit("D")).otherwise(pl.lit("DOPC")),
        sex=pl.lit(""),
        child=pl.lit(value=False),
        min_level=pl.lit(1, dtype=pl.Int64),
    )


def _with_caps(frame: pl.DataFrame) -> pl.DataFrame:
    """Add price1..price3 as charged and cap1..cap3 (null = none) by hospital level."""
    service, lens = pl.col("capped") == "y", pl.col("capped") == "o"
    added: dict[str, pl.Expr] = {}
    for level, tenths in enumerate(LEVEL_TENTHS, start=1):
        scaled = pl.col("price") * tenths // 10
        added[f"price{level}"] = pl.when(service).then(scaled).otherwise("price")
        added[f"cap{level}"] = pl.when(service).then(scaled).when(lens).then(LENS_CAP)
    return frame.with_columns(**added)


def pool(catalogue: pl.DataFrame, letter: str) -> pl.Series:
    """Return the row numbers of the items of one pool (D stay, O outpatient, P pharmacy ...)."""
    return catalogue.filter(pl.col("pools").str.contains(letter))["item"]


def _dated(frame: pl.DataFrame, begin: date | None = None, end: date | None = None) -> pl.DataFrame:
    return frame.with_columns(begndate=pl.lit(begin or OPENING), enddate=pl.lit(end, dtype=pl.Date))


def hilist(catalogue: pl.DataFrame) -> pl.DataFrame:
    """Return `hilist`: the catalogue, with one expired and one reclassified item."""
    plain = catalogue.select(
        hilist_code="code", hilist_name="name", list_type="list_type", chrgitm_lv="lv",
        med_chrgitm_type="chrg", lmt_used_flag=pl.lit("0"),
    )  # fmt: skip
    code = pl.col("hilist_code")
    steady = plain.filter(~code.is_in([UNLISTED, EXPIRED, CLASS_CHANGE]))
    changed = plain.filter(code == CLASS_CHANGE)
    parts = [
        _dated(steady),
        _dated(plain.filter(code == EXPIRED), end=MARCH_END),
        _dated(changed, end=EVE),
        _dated(changed.with_columns(chrgitm_lv=pl.lit("03")), begin=CHANGE),
    ]
    return pl.concat(parts).sort("hilist_code", "begndate")


def price_limit(catalogue: pl.DataFrame) -> pl.DataFrame:
    """Return `price_limit`: one row per capped item and level, one of them lowered in mid-month."""
    long = pl.concat(
        catalogue.select(
            hilist_code="code",
            hilist_lmtpric_type=pl.lit(str(level)),
            cap=pl.col(f"cap{level}"),
        )
        for level in (1, 2, 3)
    ).drop_nulls("cap")
    changed = pl.col("hilist_code") == CAP_CHANGE
    lower = long.filter(changed).with_columns(pl.col("cap") - 100_000)
    parts = [
        _dated(long.filter(~changed)),
        _dated(long.filter(changed), end=EVE),
        _dated(lower, begin=CHANGE),
    ]
    frame = pl.concat(parts).sort("hilist_code", "hilist_lmtpric_type", "begndate")
    return frame.select(
        "hilist_code", "hilist_lmtpric_type",
        tenthousandths("cap", 4).alias("hilist_pric_uplmt_amt"), "begndate", "enddate",
    )  # fmt: skip


def selfpay(catalogue: pl.DataFrame) -> pl.DataFrame:
    """Return `selfpay`: the ratio of every 乙类 item by insurance type."""
    second = catalogue.filter(pl.col("lv") == "02")
    ratio = {"310": pl.col("prop310"), "340": pl.lit(0, dtype=pl.Int64),
             "390": pl.col("prop390"), "510": pl.col("prop310")}  # fmt: skip
    long = pl.concat(
        second.select(hilist_code="code", insutype=pl.lit(kind), ratio=value) for kind, value in ratio.items()
    )
    changed = pl.col("hilist_code") == RATIO_CHANGE
    parts = [
        _dated(long.filter(~changed)),
        _dated(long.filter(changed), end=EVE),
        _dated(long.filter(changed).with_columns(pl.col("ratio") + 500), begin=CHANGE),
    ]
    frame = pl.concat(parts).sort("hilist_code", "insutype", "begndate")
    return frame.select(
        "hilist_code", "insutype", tenthousandths("ratio", 4).alias("selfpay_prop"),
        "begndate", "enddate",
    )  # fmt: skip


def knowledge() -> dict[str, pl.DataFrame]:
    """Return the excerpts of the national lists, by table name."""
    return {
        path.stem: pl.read_csv(path, infer_schema=False)
        for path in sorted((HERE / "knowledge").glob("kb_*.csv"))
    }


def tenthousandths(column: str, places: int) -> pl.Expr:
    """Return a count of 1/10000 as an exact decimal with `places` decimals."""
    return pl.col(column).cast(pl.Decimal(20, 0)).mul(Decimal("0.0001")).cast(pl.Decimal(16, places))
