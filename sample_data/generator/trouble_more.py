"""What else goes wrong in the large month, so that the other rules have something to find."""

from __future__ import annotations

import polars as pl

from sample_data.generator import stories_b, stories_more_b, stories_more_c, stories_more_d
from sample_data.generator.base import DAY, OPERATION, ROUND, SHORT, Frames
from sample_data.generator.stories_a import BLOOD, ECHO, TABLET

# Hospital items put in the place of others, as in `trouble.REPLACED`.
REPLACED = (
    (8, stories_more_b.BEDSIDE, 100, ""),  # B16
    (4, stories_more_b.STENT, 100, ""),  # B15
    (4, stories_more_b.STAPLER, 500, ""),  # B17
    (8, stories_more_b.GLYCATED, 200, ""),  # B07
    (6, stories_more_c.NEWBORN_CARE, 100, ""),  # C04
    (8, stories_more_c.MOTHERHOOD, 100, ""),  # C08
    (10, stories_more_c.DAPAGLIFLOZIN, 700, ""),  # C11
    (8, stories_more_c.EDARAVONE, 200, ""),  # C12
    (8, stories_more_c.GELATIN, 300, ""),  # C13
    (8, stories_more_c.BERRY, 700, ""),  # C14
    (6, stories_more_c.TALK, 100, ""),  # C16
    (8, stories_more_c.WORK_TRAINING, 100, ""),  # C17
    (8, stories_more_c.MANIPULATION, 1_200, ""),  # C18
)
# Items of the second and following lines of one settlement of 900 each: what may not stand together.
SETS = (
    (7, (ECHO, stories_more_b.PLAIN_ECHO)),  # B20
    (11, (stories_more_b.CATHETER, stories_more_b.PLACING)),  # B18
    (13, (stories_more_b.POTASSIUM, stories_more_b.SODIUM, stories_more_b.CHLORIDE)),  # B14
    (17, (stories_b.RESCUE, stories_b.LESSER_RESCUE)),  # B03
)
EVERY = 900
LONG_SUPPLY, DEAR = 40, 25  # D06 and D07, B02, in 1/100,000 of the lines
TAKEN_HOME = 10  # days; nobody else gets drugs for as long
IN_A_ROW = 5  # settlements with one patient, or at one till at a time


def spoil_lines(lines: pl.DataFrame, index: dict[str, int]) -> pl.DataFrame:
    """Make raw lines hit rules about what stands together, supplies, standards, idle days.

    Args:
        lines: raw lines with `draw` (see `trouble`), clr_type, beg and los of their settlements.
        index: row number of every item.
    """
    draw, visit = pl.col("draw"), pl.col("clr_type") != "21"
    lines = _sets(lines, index)
    standard = (pl.col("item") == index[stories_more_d.METFORMIN]) & (draw % 50 == 3)
    supplied = draw.is_between(90_000, 90_000 + LONG_SUPPLY) & visit & pl.col("supply").is_not_null()
    lines = lines.with_columns(
        price_set=pl.when(standard).then(2_500).otherwise("price_set"),  # B02
        supply=pl.when(supplied).then(30).otherwise("supply"),  # D06, D07
    )
    return _stays(lines, index)


def _stays(lines: pl.DataFrame, index: dict[str, int]) -> pl.DataFrame:
    """Charge some stays as they may not be: one course, idle days, operations, nursing."""
    stay, seq, item, los = pl.col("clr_type") == "21", pl.col("seq"), pl.col("item"), pl.col("los")
    plain, turn = stay & pl.col("init").is_null(), pl.col("sn") - 1 - 3 * los
    in_turn = plain & (turn >= 0) & (2 * turn < los)
    operated = plain & (los <= SHORT) & (seq % 20 == 7) & turn.is_between(1, 2)
    idle = stay & (seq % 300 == 9) & (turn >= 0)
    rounds = item == index[ROUND]
    begun = pl.col("at") - (pl.col("at") // DAY - pl.col("beg")) * DAY
    return lines.with_columns(
        item=pl.when((item == index[OPERATION]) & (seq % 20 == 3)).then(index[BLOOD])  # D09, D10
        .when(operated & (turn == 1)).then(index[stories_more_b.STONE])  # B04
        .when(operated).then(index[stories_more_b.POUCH])
        .when(in_turn & (los > 28) & (seq % 9 == 1)).then(index[stories_more_c.PUERARIN])  # C09
        .when(in_turn & (seq % 600 == 27)).then(index[stories_more_c.HAND_TEST])  # C10
        .when(rounds & (seq % 1_200 == 21)).then(index[stories_more_b.CLOSE_CARE])  # B09, B11
        .otherwise("item"),
        at=pl.when(idle | operated).then(begun).otherwise("at"),  # D08
        supply=pl.when(plain & (turn >= 0) & (seq % 800 == 87)).then(TAKEN_HOME).otherwise("supply"),
        cnt=pl.when(operated).then(100)
        .when(rounds & (pl.col("draw") % 2_000 == 7)).then(400).otherwise("cnt"),  # B10
    )  # fmt: skip


def _sets(lines: pl.DataFrame, index: dict[str, int]) -> pl.DataFrame:
    """Put what may not stand together into some settlements, and one line twice into others."""
    turn, plain = pl.col("seq") % EVERY, (pl.col("kind") == 1) & pl.col("init").is_null()
    item, cnt = pl.col("item"), pl.col("cnt")
    for place, codes in SETS:
        for number, code in enumerate(codes, start=2):
            hit = plain & (turn == place) & (pl.col("sn") == number)
            item = pl.when(hit).then(index[code]).otherwise(item)
            cnt = pl.when(hit).then(100).otherwise(cnt)
    twin = plain & (turn == 19) & (pl.col("sn") == 3) & (pl.col("sn").shift(1) == 2)  # B13
    lines = lines.with_columns(item=item, cnt=cnt)
    same = ("item", "cnt", "treat", "price_set", "short", "at", "supply")
    return lines.with_columns(pl.when(twin).then(pl.col(c).shift(1)).otherwise(c).alias(c) for c in same)


def spoil_settlements(setl: pl.DataFrame, lines: pl.DataFrame, index: dict[str, int]) -> Frames:
    """Make raw settlements hit rules about patients, diagnoses and tills."""
    seq, stay = pl.col("seq"), pl.col("clr_type") == "21"
    bought = pl.col("kind") == 2
    setl = setl.with_columns(
        diag=pl.when(stay & (seq % 90 == 31)).then(pl.lit("S82.101"))  # A19
        .when(stay & (seq % 200 == 37)).then(pl.lit("O80.900"))  # C19
        .when(stay & (seq % 300 == 41)).then(pl.lit("Z03.900")).otherwise("diag"),  # D14
        med_type=pl.when(bought & (seq % 400 == 3)).then(pl.lit("14")).otherwise("med_type"),
        dise=pl.when(bought & (seq % 400 == 3)).then(pl.lit("M03900")).otherwise("dise"),  # E11
    )  # fmt: skip
    setl, lines = _again(setl, lines)
    return _queues(setl, lines, index)


def _again(setl: pl.DataFrame, lines: pl.DataFrame) -> Frames:
    """Give some stays to the patient of the stay before (D01, D03, D15), five visits a day to one (D04)."""
    stay, seq = pl.col("clr_type") == "21", pl.col("seq")
    follows = stay & (seq % 150 == 2)
    row = seq % 2_000 < IN_A_ROW
    begins = row & ~stay & (seq % 2_000 == 0)

    def first(name: str) -> pl.Expr:
        return pl.when(begins).then(pl.col(name)).forward_fill()

    day = first("end") - pl.col("end")
    alike = row & ~stay & (pl.col("clr_type") != "41") & first("seq").is_between(seq - IN_A_ROW, seq)
    before = pl.col("clr_type").shift(1) == "21"
    moved = setl.with_columns(
        shift=pl.when(alike).then(day).otherwise(0),
        psn=pl.when(follows & before).then(pl.col("psn").shift(1)).when(alike).then(first("psn"))
        .otherwise("psn"),
        insutype=pl.when(follows & before).then(pl.col("insutype").shift(1))
        .when(alike).then(first("insutype")).otherwise("insutype"),
    )  # fmt: skip
    moved = moved.with_columns(
        pl.col("beg") + pl.col("shift"), pl.col("end") + pl.col("shift"), pl.col("at") + pl.col("shift") * DAY
    )
    told = moved.select("setl_id", "shift", insured="insutype")
    lines = lines.join(told, on="setl_id", how="left", maintain_order="left")
    lines = lines.with_columns(at=pl.col("at") + pl.col("shift") * DAY, insutype="insured")
    return moved.select(setl.columns), lines.drop("shift", "insured")


def _queues(setl: pl.DataFrame, lines: pl.DataFrame, index: dict[str, int]) -> Frames:
    """Let five customers buy the same within five minutes (E09)."""
    place, shop = pl.col("seq") % 1_000 - 500, pl.col("kind") == 2
    queued = shop & place.is_between(0, IN_A_ROW - 1)
    begun = pl.when(queued & (place == 0)).then(pl.col("at")).forward_fill()
    day = pl.when(queued & (place == 0)).then(pl.col("end")).forward_fill()
    alone = queued & begun.is_not_null()
    setl = setl.with_columns(
        at=pl.when(alone).then(begun + 60 * place).otherwise("at"),
        beg=pl.when(alone).then(day).otherwise("beg"), end=pl.when(alone).then(day).otherwise("end"),
        rate_set=pl.when(alone).then(None).otherwise("rate_set"),
    )  # fmt: skip
    lines = lines.filter(~queued | (pl.col("sn") == 1))
    today = lines.select("setl_id").join(setl.select("setl_id", "beg"), on="setl_id", maintain_order="left")
    return setl, lines.with_columns(
        item=pl.when(queued).then(index[TABLET]).otherwise("item"),
        cnt=pl.when(queued).then(1_400).otherwise("cnt"),
        at=pl.when(queued).then(today["beg"] * DAY + pl.col("at") % DAY).otherwise("at"),
    )


def spoil_tables(setl: pl.DataFrame, lines: pl.DataFrame) -> Frames:
    """Change cells of settlements that are accepted: amounts, funds, areas, balances, own codes."""
    number = pl.col("setl_id").str.slice(-6).cast(pl.Int64)
    case = pl.when(number < 700_000).then(number % 2_500).otherwise(-1)
    one = pl.lit("1.00").str.to_decimal(scale=2)
    none = one - one
    more = pl.when(case == 61).then(one).otherwise(none)
    funded = (case == 67) & (pl.col("hifp_pay").cast(pl.Decimal(16, 2), strict=False) > 1)
    moved = pl.when(funded & (pl.col("insutype") == "310")).then(one).otherwise(none)
    plain = pl.col("hifp_pay").cast(pl.Decimal(16, 2), strict=False)
    setl = setl.with_columns(
        *(pl.col(c) + more for c in ("medfee_sumamt", "inscp_amt", "psn_pay", "cash_payamt")),  # A10
        maf_pay=pl.col("maf_pay") + moved,  # A16
        hifp_pay=pl.when(moved > 0).then((plain - one).cast(pl.String)).otherwise("hifp_pay"),
        insu_admdvs=pl.when(case == 71).then(pl.lit("110101")).otherwise("insu_admdvs"),  # A17
        balc=pl.when((case == 79) & (pl.col("acct_pay") > 0)).then(-one).otherwise("balc"),  # E06
    )
    return setl, _cells(lines, case)


def _cells(lines: pl.DataFrame, case: pl.Expr) -> pl.DataFrame:
    """Change cells of lines: amounts, own codes, what is taken home, prescriptions."""
    one = pl.lit("1.00").str.to_decimal(scale=2)
    first = pl.col("bkkp_sn") == "001"
    dearer = pl.when(first & (case == 61)).then(one).otherwise(one - one)
    home = (pl.col("prd_days") == TAKEN_HOME) & (pl.col("list_type") == "101")
    one_sheet = pl.concat_str(pl.col("setl_id").str.slice(-6), pl.lit("-1"))
    return lines.with_columns(
        pl.col("det_item_fee_sumamt") + dearer, pl.col("inscp_amt") + dearer,
        medins_list_codg=pl.when(first & (case % 500 == 83)).then(pl.lit("X00000"))  # B19
        .otherwise("medins_list_codg"),
        dscg_tkdrug_flag=pl.when(home).then(pl.lit("1")).otherwise("dscg_tkdrug_flag"),  # D12
        rx_drord_no=pl.when(case % 500 == 91).then(one_sheet).otherwise("rx_drord_no"),  # D11
    )  # fmt: skip
