"""Breaking and lawful lines for every row of the national knowledge tables, built as sets.

Each builder takes one knowledge table with the columns `row` (its row number) and `day` (the day that is
judged) and gives one row per line to charge: `row`, `role` (`b…` breaks the limit, `l…` keeps it), what the
line and its settlement say, and `hit`, which is true on the very lines the rule must name. A row's roles
have a person and an institution each, so that no two of them meet.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from settlement.audit import cases, engine, rules_file
from settlement.query import hold

RULES = {rule.rule_id: rule for rule in rules_file.load_all()}
MONTH = dt.date(2026, 1, 1)
CAP = 200  # price limit of every operation, in yuan
OF_SETTLEMENT = (
    "mdtrt_id", "psn_no", "fixmedins_code", "gend", "brdy", "insutype", "clr_type", "med_type", "acct_pay",
)  # fmt: skip
HIT = ["rule", "setl_id", "bkkp_sn", "grade", "part", "whole"]
MINUTE, HOUR, DAY = 60, 3600, 86400
SURE, DOUBT = "违规", "可疑"
ROLE, MAX_DAYS = pl.col("role"), pl.col("max_days")
BREAKS = ROLE.str.starts_with("b")
NOON = 12 * HOUR


def roles(columns: str, *rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=columns.split(), orient="row")


# The sex allowed, and that of the person.
SEX = roles("allowed role gend", ("1", "l", "1"), ("1", "b", "2"), ("2", "l", "2"), ("2", "b", "1"))

# Born `back` before the judged day and `plus` days later than that.
_CHILD = (
    ("l1", "-15y", 1, SURE), ("b1", "-15y", 0, DOUBT), ("b2", "-18y", 1, DOUBT), ("b3", "-18y", 0, SURE),
)  # fmt: skip
AGE = roles(
    "goods age_group rule gend role back plus grade",
    *(("drug", "儿童", "C03", "1", *person) for person in _CHILD),
    *(("item", "儿童", "C04", "2", *person) for person in _CHILD),
    ("item", "新生儿", "C04", "1", "l", "-28d", 0, SURE),
    ("item", "新生儿", "C04", "1", "b", "-29d", 0, SURE),
    ("item", "婴幼儿", "C04", "1", "l", "-36mo", 0, SURE),
    ("item", "婴幼儿", "C04", "1", "b", "-36mo", -1, SURE),
    ("item", "就业年龄", "C17", "1", "b1", "-16y", 1, SURE),
    ("item", "就业年龄", "C17", "1", "l1", "-16y", 0, SURE),
    ("item", "就业年龄", "C17", "1", "l2", "-64y", 1, SURE),
    ("item", "就业年龄", "C17", "1", "b2", "-64y", 0, SURE),
    ("item", "就业年龄", "C17", "2", "l3", "-59y", 1, SURE),
    ("item", "就业年龄", "C17", "2", "b3", "-59y", 0, SURE),
)

# Work injury is judged by what the basic fund paid, maternity by the insurance and the kind of care.
INSURANCE = roles(
    "insurance rule role insutype med_type acct_pay",
    ("工伤", "C07", "b", "310", "11", 0),
    ("工伤", "C07", "l", "310", "11", 100),
    ("生育", "C08", "b", "310", "11", 0),
    ("生育", "C08", "l1", "510", "11", 0),
    ("生育", "C08", "l2", "310", "51", 0),
)

MODE = roles(
    "mode role clr_type med_type",
    ("住院", "l", "21", "21"),
    ("住院", "b1", "11", "11"),
    ("住院", "b2", "11", "13"),
    ("住院", "b3", "41", "41"),
    ("住院或急诊", "l1", "21", "21"),
    ("住院或急诊", "l2", "11", "13"),
    ("住院或急诊", "b", "11", "11"),
    ("门诊", "l", "11", "11"),
    ("门诊", "b", "21", "21"),
)

# The contained line is charged at `clock`, the main one `after` seconds later, in visit 1 or another one.
# Without a time of day on either side an hour window becomes the day, and the hit a suspicion.
_UNTIMED = (("b2", 0, 0, 1, DOUBT), ("l2", 0, -DAY, 1, SURE))
PAIR = roles(
    "time_window role clock after main_visit grade",
    ("单日", "b", NOON, 12 * HOUR - 1, 1, SURE),
    ("单日", "l", NOON, -12 * HOUR - 1, 1, SURE),
    ("单次就诊", "b", NOON, -3 * DAY, 1, SURE),
    ("单次就诊", "l", NOON, 0, 2, SURE),
    ("同一小时", "b1", NOON, 59 * MINUTE + 59, 1, SURE),
    ("同一小时", "l1", NOON, -1, 1, SURE),
    ("6小时", "b1", NOON, -6 * HOUR, 1, SURE),
    ("6小时", "l1", NOON, -6 * HOUR - 1, 1, SURE),
    *((window, *untimed) for window in ("同一小时", "6小时") for untimed in _UNTIMED),
)

FREQUENCY = roles(
    "unit rule role more",
    ("日", "B05", "l", 0), ("日", "B05", "b", 1), ("小时", "B06", "l", 0), ("小时", "B06", "b", 1),
)  # fmt: skip

# Price of the second operation beside a dearer one, and days between the two.
SURGERY = roles(
    "role second apart", ("b1", "200", 0), ("b2", "100.01", 0), ("l1", "200", 1), ("l2", "100", 0)
).with_columns(pl.col("second").cast(pl.Decimal(16, 6)))

PLAIN = roles("role", ("l",), ("b",))


def sex(kb: pl.DataFrame) -> pl.DataFrame:
    rule = pl.col("goods").replace_strict({"drug": "C01", "item": "C02"})
    return kb.rename({"gend": "allowed"}).join(SEX, on="allowed").with_columns(rule=rule, hit=BREAKS)


def age(kb: pl.DataFrame) -> pl.DataFrame:
    born = pl.col("day").dt.offset_by(pl.col("back")) + pl.duration(days="plus")
    return kb.join(AGE, on=["goods", "age_group"]).with_columns(brdy=born, hit=BREAKS)


def insurance(kb: pl.DataFrame) -> pl.DataFrame:
    return kb.join(INSURANCE, on="insurance").with_columns(hit=BREAKS)


def mode(kb: pl.DataFrame) -> pl.DataFrame:
    return kb.join(MODE, on="mode").with_columns(rule=pl.lit("C06"), hit=BREAKS)


def level(kb: pl.DataFrame) -> pl.DataFrame:
    held = (pl.col("min_level").cast(pl.Int64) - BREAKS.cast(pl.Int64)).cast(pl.String)
    return kb.join(PLAIN, how="cross").with_columns(rule=pl.lit("C05"), hit=BREAKS, lmtpric_hosp_lv=held)


def course(kb: pl.DataFrame) -> pl.DataFrame:
    """Stays of one dose a day, and purchases that last 90 days at most: one day too many, or none."""
    total = MAX_DAYS + BREAKS.cast(pl.Int64)
    plain = kb.join(PLAIN, how="cross").with_columns(rule=pl.lit("C09"), total=total)
    stays = _series(plain, pl.col("total"), pl.lit(1)).with_columns(
        role=ROLE + "1", clr_type=pl.lit("21"), med_type=pl.lit("21"), hit=pl.col("i") > MAX_DAYS
    )
    bought = _series(plain, (pl.col("total") - 1) // 90 + 1, pl.lit(90)).with_columns(
        role=ROLE + "2",
        visit=pl.col("i"),
        prd_days=pl.min_horizontal(90, pl.col("total") - 90 * (pl.col("i") - 1)),
        hit=BREAKS & (pl.col("i") == pl.col("i").max().over("row", "role")),
    )
    whole = pl.col("prd_days").fill_null(1)
    return pl.concat([stays, bought], how="diagonal_relaxed").with_columns(whole=whole)


def pair(kb: pl.DataFrame) -> pl.DataFrame:
    both = kb.join(PAIR, on="time_window").with_columns(
        rule=pl.lit("B03"), clr_type=pl.lit("21"), med_type=pl.lit("21")
    )
    contained = both.with_columns(hilist_code="sub_code", bkkp_sn=pl.lit("1"), hit=BREAKS)
    main = both.with_columns(
        hilist_code="main_code",
        bkkp_sn=pl.lit("2"),
        clock=pl.col("clock") + pl.col("after"),
        visit=pl.col("main_visit"),
    )
    return pl.concat([contained, main], how="diagonal")


def frequency(kb: pl.DataFrame) -> pl.DataFrame:
    day = pl.when(unit="小时").then(pl.min_horizontal("max_cnt", 24)).otherwise("max_cnt")
    cnt = day.cast(pl.Decimal(16, 4)) + pl.col("more")
    return kb.join(FREQUENCY, on="unit").with_columns(cnt=cnt, hit=BREAKS).with_columns(whole="cnt")


def cycle(kb: pl.DataFrame) -> pl.DataFrame:
    """All that a cycle allows in one visit, and once more in another one a cycle later or a day sooner."""
    apart = pl.col("cycle_days") - BREAKS.cast(pl.Int64)
    rows = kb.join(PLAIN, how="cross").with_columns(rule=pl.lit("B07"))
    before = rows.with_columns(cnt="max_cnt", day=pl.col("day") - pl.duration(days=apart), visit=1)
    return pl.concat([before, rows.with_columns(visit=2, hit=BREAKS)], how="diagonal")


def item_course(kb: pl.DataFrame) -> pl.DataFrame:
    """One day too many or none as close as allowed, and two days a day too close or not."""
    extra, gap = BREAKS.cast(pl.Int64), pl.col("min_gap_days")
    plain = kb.join(PLAIN, how="cross").with_columns(rule=pl.lit("C10"))
    apart = gap.fill_null(1)
    long = _series(plain.drop_nulls("max_days"), (MAX_DAYS - 1) // apart + 1 + extra, apart).with_columns(
        role=ROLE + "1", hit=(pl.col("i") - 1) * apart + 1 > MAX_DAYS
    )
    close = _series(plain.drop_nulls("min_gap_days"), pl.lit(2), gap - extra).with_columns(
        role=ROLE + "2", hit=BREAKS & (pl.col("i") == 2)
    )
    return pl.concat([long, close], how="vertical_relaxed").with_columns(visit=pl.col("i"))


def surgery(kb: pl.DataFrame) -> pl.DataFrame:
    """Each operation beside the next one of its group, which is dearer; every one is limited to 200."""
    code, row = (pl.col(c).shift(-1).fill_null(pl.col(c).first()) for c in ("hilist_code", "row"))
    paired = kb.with_columns(beside=code.over("surgery_group"), needs=row.over("surgery_group"))
    rows = paired.join(SURGERY, how="cross").with_columns(
        rule=pl.lit("B04"), clr_type=pl.lit("21"), med_type=pl.lit("21")
    )
    second = rows.with_columns(
        bkkp_sn=pl.lit("1"), pric="second", part=pl.col("second") - CAP // 2, whole="second", hit=BREAKS
    )
    main = rows.with_columns(
        hilist_code="beside",
        bkkp_sn=pl.lit("2"),
        pric=pl.lit(300, pl.Decimal(16, 6)),
        day=pl.col("day") - pl.duration(days="apart"),
    )
    return pl.concat([second, main], how="diagonal")


def _series(rows: pl.DataFrame, count: pl.Expr, apart: pl.Expr) -> pl.DataFrame:
    """Repeat each row `count` times, `apart` days after each other, the last one on the judged day."""
    spread = rows.with_columns(n=count, apart=apart).with_columns(i=pl.int_ranges(1, pl.col("n") + 1))
    back = (pl.col("n") - pl.col("i")) * pl.col("apart")
    number = pl.col("i").cast(pl.String)
    return spread.explode("i").with_columns(bkkp_sn=number, day=pl.col("day") - pl.duration(days=back))


@dataclass(frozen=True)
class Proof:
    """How one knowledge table is proved: the rules that read it, and the builder of its lines."""

    rules: tuple[str, ...]
    lines: Callable[[pl.DataFrame], pl.DataFrame]


PROOFS = {
    "kb_sex": Proof(("C01", "C02"), sex),
    "kb_age": Proof(("C03", "C04", "C17"), age),
    "kb_insu": Proof(("C07", "C08"), insurance),
    "kb_mode": Proof(("C06",), mode),
    "kb_level": Proof(("C05",), level),
    "kb_course": Proof(("C09",), course),
    "kb_pair": Proof(("B03",), pair),
    "kb_freq": Proof(("B05", "B06"), frequency),
    "kb_cycle": Proof(("B07",), cycle),
    "kb_surgery_group": Proof(("B04",), surgery),
    "kb_item_course": Proof(("C10",), item_course),
}
DEFAULTS: dict[str, Any] = {
    "bkkp_sn": "1", "visit": 1, "clock": NOON, "clr_type": "11", "med_type": "11", "gend": "1",
    "insutype": "310", "cnt": 1, "pric": 100, "acct_pay": 0, "lmtpric_hosp_lv": "3", "part": 1, "whole": 1,
}  # fmt: skip


def lines(name: str, kb: pl.DataFrame, after: int) -> pl.DataFrame:
    """Return the lines about one knowledge table, complete with ids, times and amounts.

    Args:
        name: knowledge table.
        kb: its rows.
        after: days from publication to the judged day.
    """
    numbered = kb.with_row_index("row").with_columns(day=pl.col("begndate") + pl.duration(days=after))
    numbered = numbered.rename({"part": "goods"}, strict=False)  # a hit's `part` is a share
    made = PROOFS[name].lines(numbered)
    filled = made.with_columns(
        (pl.col(column) if column in made.columns else pl.lit(None)).fill_null(value).alias(column)
        for column, value in DEFAULTS.items()
    )
    who = pl.format("{}{}", "row", "role")
    usual = pl.col("rule").replace_strict({rule_id: rule.grade for rule_id, rule in RULES.items()})
    grade = pl.coalesce(*(["grade"] if "grade" in made.columns else []), usual)
    return filled.with_columns(
        setl_id=pl.format("{}.{}", who, "visit"),
        mdtrt_id=pl.format("M{}.{}", who, "visit"),
        psn_no=pl.format("P{}", who),
        fixmedins_code=pl.format("H{}", who),
        hit=pl.col("hit").fill_null(value=False),
        grade=grade,
        fee_ocur_time=pl.col("day").cast(pl.Datetime("us")) + pl.duration(seconds="clock"),
        det_item_fee_sumamt=(pl.col("cnt") * pl.col("pric")).cast(pl.Decimal(16, 2)),
    ).with_columns(inscp_amt="det_item_fee_sumamt")


def expected(facts: pl.DataFrame) -> pl.DataFrame:
    """Return the hits the lines must give."""
    return _hits(facts.filter("hit"))


def found(con: duckdb.DuckDBPyConnection, name: str, kb: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Return the hits the rules of a knowledge table give on the lines."""
    rules = [RULES[rule_id] for rule_id in PROOFS[name].rules]
    settlement, line = cases.submission([{"setl_id": ""}], [{}], "11")
    hold(con, "setl_rows", _like(settlement, _settlements(facts)))
    hold(con, "line_rows", _like(line, facts))
    month = engine.MonthRows(MONTH, "setl_rows", "line_rows")
    engine.open_month(con, month, _reference(name, kb, facts), rules)
    given = [engine.hits(con, rule, cases.profile({})) for rule in rules]
    named = zip(rules, given, strict=True)
    return _hits(pl.concat(hits.with_columns(rule=pl.lit(rule.rule_id)) for rule, hits in named))


def _hits(rows: pl.DataFrame) -> pl.DataFrame:
    money = pl.col("part", "whole").cast(pl.Decimal(18, 4))
    return rows.with_columns(money).select(HIT).sort(HIT)


def _settlements(facts: pl.DataFrame) -> pl.DataFrame:
    """Return the settlements of the lines, from the first to the last of them, paid by the basic fund."""
    cost, day = pl.col("det_item_fee_sumamt").sum(), pl.col("fee_ocur_time").cast(pl.Date)
    return (
        facts.group_by("setl_id")
        .agg(
            pl.col(c for c in OF_SETTLEMENT if c in facts.columns).first(),
            begndate=day.min(),
            enddate=day.max(),
            setl_time=pl.col("fee_ocur_time").max(),
            medfee_sumamt=cost,
            inscp_amt=cost,
        )
        .with_columns(hifp_pay=pl.col("inscp_amt") - pl.col("acct_pay"))
        .with_columns(fund_pay_sumamt="hifp_pay", psn_pay="acct_pay")
    )


def _reference(name: str, kb: pl.DataFrame, facts: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the knowledge table, each settlement's institution and the price limit of each code."""
    codes = facts.select("hilist_code", hilist_lmtpric_type=pl.lit("3"), hilist_pric_uplmt_amt=CAP).unique()
    houses = facts.select("fixmedins_code", "lmtpric_hosp_lv").unique()
    made = {"institution": houses, "price_limit": codes}
    return {name: kb} | {table: _like(cases.reference(table, [{}]), rows) for table, rows in made.items()}


def _like(template: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Complete rows with what the template's only row says in the columns they lack."""
    own = [column for column in template.columns if column in rows.columns]
    rest = template.drop(own)
    return rows.select(own).join(rest, how="cross").select(template.columns).cast(template.schema)
