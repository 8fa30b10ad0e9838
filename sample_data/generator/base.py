"""A month of one institution in which nothing is wrong.

Every institution has its own panel of patients. A patient has at most one settlement a day and one stay,
daily items are charged once a day, something is done at least every other day of a stay, stays of up to three
days have an operation, and what is taken home lasts as long as a prescription may: no audit rule is hit.
Settlements and lines are raw here: who, when, which item, how much. `money` puts prices on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from sample_data.generator import catalogue as cat
from sample_data.generator.draw import pick, roll, salt

EPOCH = date(1970, 1, 1)
FIRST = (date(2026, 4, 1) - EPOCH).days
DAY, HOUR = 86_400, 3_600
STEP = 7_919  # a prime: visits are (patient, day) pairs taken in steps, so that none comes twice
BED, ROUND, NURSE, MONITOR = (
    "001109000010000", "001102000050000", "001201000040000", "003107010220000",
)  # fmt: skip
OXYGEN, OPERATION = "001203000010000", "003310030220000"
OPERATED = "K35.800x001"
SHORT = 3  # days: a stay as short as that is for an operation
DIAGNOSES = ("I10.x00x002", "E11.900", "J18.900", "I63.900", "K29.500", "M51.202", "N20.000", "J44.100")
CHRONIC = ("M03900", "M01600", "M00500")


@dataclass(frozen=True)
class Inst:
    """One institution as the generator sees it.

    Attributes:
        code: fixmedins_code.
        name: its name.
        kind: 1 hospital, 2 pharmacy.
        level: price level 1 to 3; a pharmacy has 1.
        last_day: last day of April it settles on in the clean month.
        chronic: its agreement covers 门诊慢特病 (med_type 14).
    """

    code: str
    name: str
    kind: int
    level: int
    last_day: int = 30
    chronic: bool = True


@dataclass(frozen=True)
class Volume:
    """How much one institution settles.

    Attributes:
        first_psn: first row of its panel in the region's people.
        stays: hospital stays.
        visits: outpatient visits or purchases.
        panel: patients of the visits.
        spread: a visit has 1 to `spread` lines besides the first.
    """

    first_psn: int
    stays: int
    visits: int
    panel: int
    spread: int = 7

    @property
    def people(self) -> int:
        """Persons the panel takes."""
        return self.stays + self.panel


Frames = tuple[pl.DataFrame, pl.DataFrame]


def clean_month(inst: Inst, volume: Volume, people: pl.DataFrame, catalogue: pl.DataFrame) -> Frames:
    """Return the raw settlements and raw lines of one institution."""
    stays = _stays(inst, volume)
    parts = [_visits(inst, volume)]
    if inst.kind == 1 and volume.stays:
        parts = [stays, parts[0], _follow_ups(inst, stays)]
    frame = pl.concat(parts, how="diagonal").with_row_index("seq")
    frame = frame.with_columns(pl.col("seq").cast(pl.Int64) + 1)
    who = people.select("psn", "gend", "brdy", "insutype")
    frame = frame.join(who, on="psn", how="left", maintain_order="left")
    frame = _describe(frame, inst)
    lines = _lines(frame, inst, volume, catalogue)
    return frame.drop("gend", "brdy", "los", "hour"), lines


def _stays(inst: Inst, volume: Volume) -> pl.DataFrame:
    row = pl.int_range(volume.stays, dtype=pl.Int64)

    def s(what: str) -> int:
        return salt(inst.code, "stay", what)

    long = roll(row, s("long"), 60) == 0
    length = 1 + roll(row, s("los"), 11)
    frame = pl.select(
        psn=volume.first_psn + row,
        los=pl.when(long).then(length + 28 + roll(row, s("more"), 20)).otherwise(length),
        end=FIRST + roll(row, s("end"), inst.last_day),
        late=(roll(row, s("late"), 8) == 0).cast(pl.Int64),
        second=roll(row, s("second"), 3 * HOUR),
        clr_type=pl.lit("21"),
    )
    late = pl.min_horizontal("late", FIRST + inst.last_day - 1 - pl.col("end"))
    return frame.select(
        "psn", "los", "end", "clr_type",
        beg=pl.col("end") - pl.col("los"),
        at=(pl.col("end") + late) * DAY + 14 * HOUR + pl.col("second"),
        hour=pl.lit(8, dtype=pl.Int64),
    )  # fmt: skip


def _visits(inst: Inst, volume: Volume) -> pl.DataFrame:
    row = pl.int_range(volume.visits, dtype=pl.Int64)
    pair = (row * STEP + 13) % (volume.panel * inst.last_day)
    frame = pl.select(
        psn=volume.first_psn + volume.stays + pair // inst.last_day,
        end=FIRST + pair % inst.last_day,
        hour=8 + roll(row, salt(inst.code, "hour"), 9),
        second=roll(row, salt(inst.code, "second"), HOUR // 2),
    )
    return _one_day(frame, inst)


def _follow_ups(inst: Inst, stays: pl.DataFrame) -> pl.DataFrame:
    """Visits of some patients three days after their stay."""
    psn = pl.col("psn")
    chosen = stays.filter(
        roll(psn, salt(inst.code, "follow"), 4) == 0, pl.col("end") + 3 < FIRST + inst.last_day
    )
    frame = chosen.select(
        "psn", end=pl.col("end") + 3, hour=pl.lit(9, dtype=pl.Int64),
        second=roll(psn, salt(inst.code, "follow second"), HOUR // 2),
    )  # fmt: skip
    return _one_day(frame, inst)


def _one_day(frame: pl.DataFrame, inst: Inst) -> pl.DataFrame:
    return frame.select(
        "psn", "end", "hour",
        beg=pl.col("end"),
        los=pl.lit(0, dtype=pl.Int64),
        at=pl.col("end") * DAY + (pl.col("hour") + 1) * HOUR + pl.col("second"),
        clr_type=pl.lit("11" if inst.kind == 1 else "41"),
    )  # fmt: skip


def _describe(frame: pl.DataFrame, inst: Inst) -> pl.DataFrame:
    """Add ids, kind of care, diagnosis and the blanks of a plain settlement."""
    seq, stay = pl.col("seq"), pl.col("clr_type") == "21"
    draw = roll(seq, salt(inst.code, "care"), 100)
    mother = pl.col("insutype") == "510"
    care = (
        pl.when(pl.lit(inst.kind == 2)).then(pl.lit("41"))
        .when(stay & mother).then(pl.lit("52")).when(stay).then(pl.lit("21"))
        .when(mother).then(pl.lit("51"))
        .when((draw < 9) & pl.lit(inst.chronic)).then(pl.lit("14"))
        .when(draw > 96).then(pl.lit("13")).otherwise(pl.lit("11"))
    )  # fmt: skip
    insured = pl.when(mother & pl.lit(inst.kind == 2)).then(pl.lit("310")).otherwise("insutype")
    frame = frame.with_columns(med_type=care, insutype=insured)
    chronic = pick(pl.Series(CHRONIC), roll(seq, salt(inst.code, "chronic"), len(CHRONIC)))
    illness = pick(pl.Series(DIAGNOSES), roll(seq, salt(inst.code, "illness"), len(DIAGNOSES)))
    blank = pl.lit(None, dtype=pl.String)
    return frame.with_columns(
        setl_id=setl_id(inst.code, seq),
        mdtrt_id=pl.concat_str(pl.lit("M"), setl_id(inst.code, seq)),
        inst=pl.lit(inst.code), kind=pl.lit(inst.kind), level=pl.lit(inst.level),
        dise=pl.when(pl.col("med_type") == "14").then(chronic),
        diag=pl.when(stay & (pl.col("los") <= SHORT)).then(pl.lit(OPERATED)).when(stay).then(illness),
        dscg_way=pl.when(stay).then(pl.lit("1")),
        die=pl.lit(None, dtype=pl.Date), refd=pl.lit("0"), init_setl_id=blank,
        rate_set=_zero_rate(seq, inst), account_set=pl.lit(None, dtype=pl.Int64),
    )  # fmt: skip


def _zero_rate(seq: pl.Expr, inst: Inst) -> pl.Expr:
    """A third of the purchases in a pharmacy are paid from the account alone."""
    alone = (roll(seq, salt(inst.code, "alone"), 3) == 0) & pl.lit(inst.kind == 2)
    return pl.when(alone).then(pl.lit(0, dtype=pl.Int64))


def setl_id(code: str, seq: pl.Expr) -> pl.Expr:
    """Return the settlement number: area and serial of the institution, then six digits."""
    return pl.concat_str(pl.lit(code[1:]), seq.cast(pl.String).str.zfill(6))


def _lines(frame: pl.DataFrame, inst: Inst, volume: Volume, catalogue: pl.DataFrame) -> pl.DataFrame:
    seq, stay = pl.col("seq"), pl.col("clr_type") == "21"
    usual = 2 + roll(seq, salt(inst.code, "count"), volume.spread)
    bought = 1 + roll(seq, salt(inst.code, "count"), max(volume.spread - 3, 2))
    treated = pl.max_horizontal(9 + usual, pl.col("los") // 2 + 3)
    count = pl.when(stay).then(3 * pl.col("los") + treated).when(pl.col("clr_type") == "41")
    frame = frame.select(
        "setl_id", "seq", "clr_type", "med_type", "beg", "end", "los", "hour", "gend", "brdy",
        "insutype", "kind", "level", n=count.then(bought).otherwise(usual),
    )  # fmt: skip
    lines = frame.with_columns(j=pl.int_ranges(0, "n", dtype=pl.Int64)).explode("j")
    lines = lines.with_columns(key=pl.col("seq") * 1_000 + pl.col("j"))
    lines = _choose(lines, inst, catalogue)
    lines = lines.with_columns(
        sn=pl.col("j") + 1, init=pl.lit(None, dtype=pl.String), treat=pl.lit(""),
        price_set=pl.lit(None, dtype=pl.Int64), short=pl.lit(0, dtype=pl.Int64),
    )  # fmt: skip
    lines = pl.concat([lines, _refunds(lines, inst)])
    return lines.select(LINE_COLUMNS)


LINE_COLUMNS = ["setl_id", "sn", "init", "at", "item", "cnt", "treat", "price_set", "short",
                "supply", "insutype", "kind", "level", "seq"]  # fmt: skip


def _choose(lines: pl.DataFrame, inst: Inst, catalogue: pl.DataFrame) -> pl.DataFrame:
    """Add the item, the quantity and the time of every line."""
    index = dict(zip(catalogue["code"], catalogue["item"], strict=True))
    slot, key = pl.col("j"), pl.col("key")
    los, stay = pl.col("los"), pl.col("clr_type") == "21"
    drawn = _drawn(inst, catalogue, key)
    lines = lines.with_columns(
        fixed=pl.when(stay & (slot < los)).then(index[BED])
        .when(stay & (slot < 2 * los)).then(index[ROUND])
        .when(stay & (slot < 3 * los)).then(index[NURSE])
        .when(stay & (slot == 3 * los)).then(index[MONITOR])
        .when(stay & (slot == 3 * los + 1) & (los <= SHORT)).then(index[OPERATION])
        .when((pl.col("clr_type") == "11") & (slot == 0)).then(cat.pool(catalogue, "V")[0])
        .cast(pl.Int64),
        item=drawn,
    ).with_columns(item=pl.coalesce("fixed", "item"))  # fmt: skip
    daily = pl.when(slot < 3 * los).then(slot % pl.max_horizontal(los, pl.lit(1)))
    turn = slot - 3 * los
    offset = daily.when(2 * turn < los).then(2 * turn).when((turn == 1) & (los <= SHORT)).then(0)
    other = roll(key, salt(inst.code, "day"), 1_000) % (los + 1)
    day = pl.when(stay).then(pl.col("beg") + offset.otherwise(other)).otherwise("beg")
    lines = lines.with_columns(at=day * DAY + pl.col("hour") * HOUR + (slot % 50) * 60)
    return _quantity(lines, inst, catalogue)


def _drawn(inst: Inst, catalogue: pl.DataFrame, key: pl.Expr) -> pl.Expr:
    """Draw an item from the pool of the kind of visit; a plain one where the person is not eligible."""
    stay = pl.col("clr_type") == "21"
    plain = catalogue.filter(
        pl.col("sex") == "", ~pl.col("child"), pl.col("min_level") == 1, pl.col("lv") != "03"
    )

    def draw(source: pl.DataFrame, what: str) -> pl.Expr:
        other = "O" if inst.kind == 1 else "P"
        at_bed, away = cat.pool(source, "D"), cat.pool(source, other)
        one = pick(at_bed, roll(key, salt(inst.code, what, "D"), at_bed.len()))
        two = pick(away, roll(key, salt(inst.code, what, other), away.len()))
        return pl.when(stay).then(one).otherwise(two)

    first = draw(catalogue, "item")
    sex, least = pick(catalogue["sex"], first), pick(catalogue["min_level"], first)
    child = pick(catalogue["child"], first)
    young = pl.col("beg") - pl.col("brdy").cast(pl.Int32) < 14 * 365
    fits = (sex.is_in(["", "9"]) | (sex == pl.col("gend"))) & (least <= inst.level)
    return pl.when(fits & (~child | young)).then(first).otherwise(draw(plain, "plain"))


def _quantity(lines: pl.DataFrame, inst: Inst, catalogue: pl.DataFrame) -> pl.DataFrame:
    index = dict(zip(catalogue["code"], catalogue["item"], strict=True))
    key, item = pl.col("key"), pl.col("item")
    kind = pick(catalogue["list_type"], item)
    small = (kind == "101") & (pick(catalogue["price"], item) < 30_000)
    draw = roll(key, salt(inst.code, "cnt"), 1_000)
    fixed = pl.col("fixed").is_not_null()
    cnt = (
        pl.when(item == index[MONITOR]).then((4 + draw % 21) * 100)
        .when(fixed).then(100)
        .when(item == index[OXYGEN]).then((2 + draw % 20) * 50)
        .when(kind == "102").then((5 + draw % 10) * 700)
        .when(small).then((1 + draw % 6) * 700)
        .when(kind == "201").then(100)
        .otherwise((1 + draw % 3) * 100)
    )  # fmt: skip
    days = pl.when(pl.col("med_type") == "13").then(3).otherwise(7)
    supply = pl.when(small & (pl.col("clr_type") != "21")).then(days)
    return lines.with_columns(cnt=cnt.cast(pl.Int64), supply=supply.cast(pl.Int64))


def _refunds(lines: pl.DataFrame, inst: Inst) -> pl.DataFrame:
    """Give back, half or in full, one in 200 of the lines with at least two units.

    What is charged in turn so that every other day of a stay has something stays as it is.
    """
    in_turn = 2 * (pl.col("j") - 3 * pl.col("los")) < pl.col("los")
    chosen = lines.filter(
        pl.col("j") > 0,
        pl.col("cnt") >= 200,
        (pl.col("clr_type") != "21") | ~in_turn,
        roll(pl.col("key"), salt(inst.code, "back"), 200) == 0,
    )
    whole = roll(pl.col("key"), salt(inst.code, "all"), 2) == 0
    return chosen.with_columns(
        init=pl.col("sn").cast(pl.String).str.zfill(3),
        sn=pl.col("n") + 1 + pl.int_range(pl.len()).over("setl_id"),
        cnt=pl.when(whole).then(-pl.col("cnt")).otherwise(-(pl.col("cnt") // 200) * 100),
        at=pl.col("at") + 1_500,
    )
