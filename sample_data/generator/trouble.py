"""What goes wrong in the large month: lines and settlements that hit a rule, rows that are returned."""

from __future__ import annotations

import polars as pl

from sample_data.generator import catalogue as cat
from sample_data.generator import stories_a, stories_b, stories_c, trouble_more
from sample_data.generator.base import DAY, FIRST, MONITOR, NURSE, Frames
from sample_data.generator.draw import roll, salt

# (share in 1/100,000 of the lines, item put in its place, quantity in 1/100, how it is charged)
REPLACED = (
    (30, stories_a.VITAMIN, 200, "free"),  # A12
    (30, cat.UNLISTED, 100, ""),  # A11
    (40, stories_c.WOMEN, 700, ""),  # C01 for men
    (20, stories_c.FAT, 100, ""),  # C06 in visits
    (25, stories_c.CHILD, 700, ""),  # C03 for grown-ups
    (20, stories_c.INJURY, 100, ""),  # C07
    (20, MONITOR, 3_000, ""),  # B06
    (15, stories_c.SMEAR, 100, ""),  # C02 for men
    (10, stories_c.LUCENTIS, 100, ""),  # C05 below level 3
)
PRICED_UP, SHORT, MOVED = 60, 40, 20  # B01, A13, B12, in the same unit
DOUBLED = 150  # B05: nursing twice, in 1/100,000 of the lines (of nursing lines only)
UNIT = 100_000


def spoil_lines(lines: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Make some raw lines hit a rule about lines."""
    index = dict(zip(items["code"], items["item"], strict=True))
    draw = roll(pl.col("seq") * 1_000 + pl.col("sn"), salt("trouble"), UNIT)
    plain = pl.col("init").is_null() & (pl.col("cnt") > 0)
    lines = lines.with_columns(draw=pl.when(plain).then(draw).otherwise(UNIT))
    item, cnt, treat = pl.col("item"), pl.col("cnt"), pl.col("treat")
    first = 0
    for share, code, quantity, how in (*REPLACED, *trouble_more.REPLACED):
        hit = pl.col("draw").is_between(first, first + share - 1)
        if (share, code, quantity, how) not in REPLACED:
            hit &= pl.col("kind") == 1
        item = pl.when(hit).then(index[code]).otherwise(item)
        cnt = pl.when(hit).then(quantity).otherwise(cnt)
        treat = pl.when(hit).then(pl.lit(how)).otherwise(treat)
        first += share
    lines = lines.with_columns(item=item, cnt=cnt, treat=treat)
    lines = _priced_up(lines, items, first)
    lines = _pairs(_moved(lines, index, first + PRICED_UP), index)
    return trouble_more.spoil_lines(lines, index).drop("draw")


def _priced_up(lines: pl.DataFrame, items: pl.DataFrame, first: int) -> pl.DataFrame:
    """Charge some services a fifth above the cap, some 乙类 items with too little own payment."""
    capped = items["capped"] == "y"
    usual = pl.coalesce(
        pl.when(pl.col("level") == level).then(pl.lit(items[f"price{level}"]).gather("item"))
        for level in (1, 2, 3)
    )
    dear = pl.col("draw").is_between(first, first + PRICED_UP - 1)
    dear &= pl.lit(capped).gather("item") & (pl.col("kind") == 1)
    short = pl.col("draw").is_between(first + PRICED_UP, first + PRICED_UP + SHORT - 1)
    short &= pl.lit(items["lv"] == "02").gather("item") & (pl.col("insutype") != "340")
    return lines.with_columns(
        price_set=pl.when(dear).then(usual * 12 // 10).otherwise("price_set"),
        treat=pl.when(dear).then(pl.lit("nocap")).otherwise("treat"),
        short=pl.when(short).then(2).otherwise("short"),
    )


def _moved(lines: pl.DataFrame, index: dict[str, int], first: int) -> pl.DataFrame:
    """Charge some lines forty days early, some nursing lines twice."""
    early = pl.col("draw").is_between(first + SHORT, first + SHORT + MOVED - 1)
    twice = (pl.col("draw") > UNIT - DOUBLED) & (pl.col("draw") < UNIT)
    nursing = twice & (pl.col("item") == index[NURSE])
    return lines.with_columns(
        at=pl.when(early).then(pl.col("at") - 40 * DAY).otherwise("at"),
        cnt=pl.when(nursing).then(200).otherwise("cnt"),
    )


def _pairs(lines: pl.DataFrame, index: dict[str, int]) -> pl.DataFrame:
    """Put a repeat-charge pair into one settlement of 900."""
    chosen = (pl.col("seq") % 900 == 5) & (pl.col("kind") == 1)
    main, sub = chosen & (pl.col("sn") == 2), chosen & (pl.col("sn") == 3)
    return lines.with_columns(
        item=pl.when(main).then(index[stories_b.TOLERANCE])
        .when(sub).then(index[stories_b.GLUCOSE]).otherwise("item"),
    )  # fmt: skip


def spoil_settlements(setl: pl.DataFrame, lines: pl.DataFrame, items: pl.DataFrame) -> Frames:
    """Make some raw settlements hit a rule about whole settlements."""
    index = dict(zip(items["code"], items["item"], strict=True))
    setl, lines = trouble_more.spoil_settlements(setl, lines, index)
    seq, visit = pl.col("seq"), pl.col("clr_type") != "21"
    setl = setl.with_columns(
        refd=pl.when(visit & (seq % 4_000 == 19)).then(pl.lit("1")).otherwise("refd"),  # A02
        at=pl.when(visit & (seq % 4_000 == 23)).then(FIRST * DAY - 1).otherwise("at"),  # A08
    )
    setl, lines = _same_patient(setl, lines)
    return _again(setl, lines)


def _same_patient(setl: pl.DataFrame, lines: pl.DataFrame) -> Frames:
    """Give one visit in 1,000 to a patient who is in hospital that day (D02)."""
    visits = setl.filter(pl.col("clr_type") == "11", pl.col("seq") % 1_000 == 29)
    stays = setl.filter(pl.col("clr_type") == "21", pl.col("beg") > FIRST, pl.col("end") - pl.col("beg") > 2)
    many = min(visits.height, stays.height)
    moved = (
        visits.head(many)
        .select("setl_id", "end")
        .with_columns(stays.head(many).select("psn", insured="insutype", day=pl.col("beg") + 1))
    )
    moved = moved.select("setl_id", "insured", host="psn", shift=pl.col("day") - pl.col("end"))
    shift = pl.col("shift").fill_null(0)
    joined = setl.join(moved, on="setl_id", how="left", maintain_order="left")
    setl = joined.with_columns(
        psn=pl.coalesce("host", "psn"), insutype=pl.coalesce("insured", "insutype"),
        beg=pl.col("beg") + shift, end=pl.col("end") + shift, at=pl.col("at") + shift * DAY,
    ).select(setl.columns)  # fmt: skip
    joined = lines.join(moved, on="setl_id", how="left", maintain_order="left")
    lines = joined.with_columns(
        insutype=pl.coalesce("insured", "insutype"), at=pl.col("at") + shift * DAY
    ).select(lines.columns)
    return setl, lines


def _again(setl: pl.DataFrame, lines: pl.DataFrame) -> Frames:
    """Settle one visit in 3,000 a second time (A01)."""
    chosen = setl.filter(pl.col("seq") % 3_000 == 31, pl.col("clr_type") != "21")
    fresh = chosen.select(
        "setl_id",
        later=pl.concat_str(pl.col("setl_id").str.slice(0, 11), pl.lit("7"),
                            pl.col("setl_id").str.slice(-5)),
    )  # fmt: skip
    copies = chosen.join(fresh, on="setl_id").with_columns(
        setl_id="later", at=pl.col("at") + 30, mdtrt_id=pl.concat_str(pl.lit("M"), "later")
    )
    copied = lines.join(fresh, on="setl_id", maintain_order="left").with_columns(setl_id="later")
    return (
        pl.concat([setl, copies.select(setl.columns)]),
        pl.concat([lines, copied.select(lines.columns)]),
    )


def spoil_tables(setl: pl.DataFrame, lines: pl.DataFrame) -> Frames:
    """Break one settlement in 500 so that it must be returned: cells and identities."""
    number = pl.col("setl_id").str.slice(-6).cast(pl.Int64)
    case = pl.when(number < 700_000).then(number % 2_500).otherwise(-1)
    one = pl.lit("1.00").str.to_decimal(scale=2)
    setl = setl.with_columns(
        certno=pl.when(case == 41).then(None).otherwise("certno"),  # R01
        mdtrt_cert_type=pl.when(case == 43).then(pl.lit("09")).otherwise("mdtrt_cert_type"),  # R05
        hifp_pay=pl.when(case == 47).then(pl.lit("1,0.50"))  # R03
        .otherwise(pl.col("hifp_pay").cast(pl.String)),
        ownpay_hosp_part=pl.col("ownpay_hosp_part")
        + pl.when(case == 53).then(one).otherwise(one - one),  # R10
    )  # fmt: skip
    bad = (pl.col("bkkp_sn") == "001") & (case == 59)
    amount = pl.col("det_item_fee_sumamt")
    lines = lines.with_columns(
        det_item_fee_sumamt=pl.when(bad).then(amount + one).otherwise(amount)  # R16
    )
    return trouble_more.spoil_tables(setl, lines)
