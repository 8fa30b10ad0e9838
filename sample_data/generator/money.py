"""Who pays what: the four parts of a line and the shares of a settlement, in integer 分.

The ratios and deductibles are invented; what matters is that every identity of a settlement holds.
"""

from __future__ import annotations

import polars as pl

from sample_data.generator.draw import roll, salt

FUNDS = ("hifp", "cvlserv", "hifes", "hifmi", "hifob", "hifdm", "maf", "othfund")
BUCKETS = ("fulamt", "over", "pre", "inscp")


def half_up(amount: pl.Expr, unit: int) -> pl.Expr:
    """Return amount / unit rounded half away from zero, as an integer."""
    return amount.sign() * ((amount.abs() + unit // 2) // unit)


def charge(lines: pl.DataFrame, catalogue: pl.DataFrame, level: pl.Expr) -> pl.DataFrame:
    """Add price, cap, ratio, amount and its four parts (分) to raw lines.

    Args:
        lines: columns item, cnt (1/100), insutype, kind (1 hospital, 2 pharmacy), treat (how the
            line is charged: blank as it should be, `nocap` price limit ignored, `second` as 乙类
            without own payment, `self` all self-paid, `free` 丙类 taken as in scope),
            price_set (1/10000 元 or null), short (分 paid too little by the patient).
        catalogue: see `catalogue.items`.
        level: price level of the hospital, 1 to 3.
    """
    own = catalogue.select("item", "code", "name", "list_type", "lv", "chrg", "prop310", "prop390",
                           "price1", "price2", "price3", "cap1", "cap2", "cap3")  # fmt: skip
    by_level = [pl.when(level == 1).then(f"{x}1").when(level == 2).then(f"{x}2").otherwise(f"{x}3")
                for x in ("price", "cap")]  # fmt: skip
    hospital, treat = pl.col("kind") == 1, pl.col("treat")
    ratio = (
        pl.when(pl.col("lv") != "02").then(0)
        .when(pl.col("insutype") == "340").then(0)
        .when(pl.col("insutype") == "390").then("prop390").otherwise("prop310")
    )  # fmt: skip
    lines = lines.join(own, on="item", how="left", maintain_order="left").with_columns(
        pric=pl.coalesce("price_set", by_level[0]),
        cap=pl.when(hospital).then(by_level[1]),
        ratio=ratio.cast(pl.Int64),
    )
    full = (treat == "self") | ((pl.col("lv") == "03") & (treat != "free"))
    above = pl.max_horizontal(pl.col("pric") - pl.col("cap").fill_null(pl.col("pric")), 0)
    lines = lines.with_columns(
        amt=half_up(pl.col("cnt") * pl.col("pric"), 10_000),
        over=pl.when(full | (treat == "nocap")).then(0).otherwise(half_up(pl.col("cnt") * above, 10_000)),
    ).with_columns(fulamt=pl.when(full).then("amt").otherwise(0))
    base = pl.col("amt") - pl.col("over") - pl.col("fulamt")
    lines = lines.with_columns(pre=half_up(base * pl.col("ratio"), 10_000) - pl.col("short"))
    rest = pl.col("amt") - pl.col("over") - pl.col("fulamt") - pl.col("pre")
    return lines.with_columns(inscp=rest).drop(
        "prop310", "prop390", "price1", "price2", "price3", "cap1", "cap2", "cap3"
    )


def settle(settlements: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Add totals, fund shares and the person's part (分) to raw settlements.

    Args:
        settlements: columns setl_id, psn, insutype, clr_type, level, rate_set (1/1000 or null) and
            account_set (分 or null).
        lines: charged lines of those settlements.
    """
    sums = lines.group_by("setl_id").agg(
        pl.col("amt").sum().alias("medfee"), *(pl.col(b).sum() for b in BUCKETS)
    )
    frame = settlements.join(sums, on="setl_id", how="left", maintain_order="left")
    frame = _basic(frame)
    return _rest(frame)


def _rate() -> pl.Expr:
    """Fund share of the in-scope amount above the deductible, in 1/1000."""
    stay, level = pl.col("clr_type") == "21", pl.col("level")
    kind = pl.col("insutype")
    full = kind.is_in(["340", "510"])
    resident = kind == "390"
    return pl.coalesce(
        "rate_set",
        pl.when(full).then(1000)
        .when(stay & resident).then(950 - 100 * level)
        .when(stay).then(930 - 25 * level)
        .when(resident).then(500)
        .otherwise(750 - 60 * level),
    ).cast(pl.Int64)  # fmt: skip


def _basic(frame: pl.DataFrame) -> pl.DataFrame:
    """Deductible, basic fund, and what lies above the yearly cap of the sample (3,000 / 2,000 元)."""
    stay = pl.col("clr_type") == "21"
    resident = pl.col("insutype") == "390"
    # Serials from 900000 are stories; their persons met the year's deductible in an earlier stay, so
    # that a finding on a small stay has fund money behind it.
    story = pl.col("setl_id").str.slice(-6).cast(pl.Int64) >= 900_000
    free = pl.col("insutype").is_in(["340", "510"]) | ~stay | story
    line = pl.when(free).then(0).when(resident).then(15_000 * pl.col("level") + 5_000)
    dedc = pl.min_horizontal(line.otherwise(25_000 * pl.col("level")), "inscp").cast(pl.Int64)
    frame = frame.with_columns(dedc=pl.when(_rate() == 0).then(0).otherwise(dedc))
    frame = frame.with_columns(
        basic=half_up((pl.col("inscp") - pl.col("dedc")) * _rate(), 1000),
    )
    worker = pl.col("insutype") == "310"
    top = pl.max_horizontal(pl.col("basic") - pl.when(worker).then(300_000).otherwise(200_000), 0)
    return frame.with_columns(
        hifob=pl.when(worker & stay).then(top).otherwise(0),
        hifmi=pl.when(resident & stay).then(top).otherwise(0),
    ).with_columns(hifp=pl.col("basic") - pl.col("hifob") - pl.col("hifmi"))


def _rest(frame: pl.DataFrame) -> pl.DataFrame:
    """Supplements out of what is left in scope, then account and cash."""
    worker, resident = pl.col("insutype") == "310", pl.col("insutype") == "390"
    some, psn = pl.col("basic") > 0, pl.col("psn")

    def share(who: pl.Expr, percent: int, left: str) -> pl.Expr:
        return pl.when(who & some).then(pl.col(left) * percent // 100).otherwise(0)

    frame = frame.with_columns(left=pl.col("inscp") - pl.col("dedc") - pl.col("basic"))
    frame = frame.with_columns(
        cvlserv=share(worker & (psn % 10 == 0), 50, "left"),
        maf=share(resident & (psn % 12 == 0), 60, "left"),
        hifdm=share(worker & (psn % 83 == 7), 20, "left"),
        hifes=share(worker & (psn % 29 == 3), 10, "left"),
        othfund=share(resident & (psn % 47 == 5), 10, "left"),
    )
    frame = frame.with_columns(fund=pl.sum_horizontal(FUNDS)).with_columns(
        hosp=pl.when((pl.col("clr_type") == "21") & (psn % 31 == 4))
        .then(pl.min_horizontal(pl.lit(2_000), pl.col("medfee") - pl.col("fund")))
        .otherwise(0)
    )
    frame = frame.with_columns(psn_pay=pl.col("medfee") - pl.col("fund") - pl.col("hosp"))
    has = roll(psn, salt("balance"), 80_000)
    before = pl.coalesce("account_set", pl.when(worker).then(has).otherwise(0)).cast(pl.Int64)
    frame = frame.with_columns(
        acct=pl.min_horizontal(before, pl.max_horizontal("psn_pay", pl.lit(0))), before=before
    )
    return frame.with_columns(
        mulaid=pl.when(psn % 7 == 2).then(pl.col("acct") * 30 // 100).otherwise(0),
        cash=pl.col("psn_pay") - pl.col("acct"),
        balc=pl.col("before") - pl.col("acct"),
    ).drop("basic", "left", "before")
