"""The slow rules D01 to D15: how institutions and persons behave. Drugs and doctors are in `d_more`."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.rule_oracle import d_more
from tests.rule_oracle.d_more import hit
from tests.rule_oracle.world import (
    PURCHASE,
    STAY,
    VISIT,
    Hit,
    Row,
    World,
    bed_days,
    charged,
    effective,
    in_settlement_order,
    known,
    past_settlements,
    settlements,
    share,
)

VIOLATION, SUSPECT = "违规", "可疑"
BED, EXAM, TEST, SURGERY, NURSING = "01", "03", "04", "06", "07"
IDLE = (BED, "02", NURSING)
TREATMENT_AND_DRUGS = ("05", "09", "10", "11")
DEATH = "5"


def stays(world: World) -> list[Row]:
    return [s for s in settlements(world, STAY) if s["enddate"] >= s["begndate"]]


def past_stays(world: World) -> list[Row]:
    return [s for s in past_settlements(world) if s["clr_type"] == STAY and s["enddate"] >= s["begndate"]]


def in_stay_order(s: Row) -> tuple[Any, ...]:
    return s["begndate"], s["enddate"], s["setl_time"], s["setl_id"]


def exempt(world: World, s: Row, day: dt.date) -> bool:
    """Whether the main diagnosis is one that brings a person back by plan; none is not."""
    code = s["dscg_maindiag_code"] or ""
    return any(code.startswith(prefix) for prefix in world.codes("readmission_exempt_diags", day))


# --- stays that follow or overlap ------------------------------------------------------------


def d01(world: World) -> list[Hit]:
    """分解住院."""
    everything = stays(world) + past_stays(world)
    return [
        Hit(s["setl_id"])
        for s in effective(stays(world), "begndate")
        if s["med_type"] not in world.codes("emergency_stay_med_types", s["begndate"])
        and any(_same_disease(s, before) for before in _left_before(world, s, everything, "readmission_days"))
    ]


def d15(world: World) -> list[Hit]:
    """31日再入院."""
    everything = stays(world) + past_stays(world)
    return [
        Hit(s["setl_id"])
        for s in effective(stays(world), "begndate")
        if _left_before(world, s, everything, "unplanned_days")
    ]


def _left_before(world: World, s: Row, everything: list[Row], window: str) -> list[Row]:
    """Earlier stays at the institution that the person left within the window, neither one exempt."""
    day = s["begndate"]
    if exempt(world, s, day):
        return []
    return [
        before
        for before in everything
        if in_stay_order(before) < in_stay_order(s)
        and (before["psn_no"], before["fixmedins_code"]) == (s["psn_no"], s["fixmedins_code"])
        and not exempt(world, before, day)
        and before["dscg_way"] is not None
        and before["dscg_way"] not in world.codes("transfer_ways", day)
        and 0 <= (day - before["enddate"]).days <= world.number(window, day)
    ]


def _same_disease(s: Row, before: Row) -> bool:
    one, other = s["dscg_maindiag_code"], before["dscg_maindiag_code"]
    return bool(one and other and one[:3] == other[:3])


def d02(world: World) -> list[Hit]:
    """住院期间他处门诊/购药."""
    inpatient = settlements(world, STAY)
    found = []
    for s in effective(settlements(world, VISIT, PURCHASE), "sd"):
        emergency = s["med_type"] == str(world.parameter("emergency_med_type", s["sd"]))
        paid = s["fund_pay_sumamt"] > 0 or s["acct_pay"] > 0
        inside = [
            stay
            for stay in inpatient
            if stay["psn_no"] == s["psn_no"] and stay["begndate"] < s["sd"] < stay["enddate"]
        ]
        if paid and inside and not emergency:
            found.append(Hit(s["setl_id"], grade=VIOLATION if s["fund_pay_sumamt"] > 0 else SUSPECT))
    return found


def d03(world: World) -> list[Hit]:
    """住院重叠."""
    everything = stays(world) + past_stays(world)
    found = []
    for s in effective(stays(world), "begndate"):
        places = {
            before["fixmedins_code"]
            for before in everything
            if before["psn_no"] == s["psn_no"]
            and _nightless_first(before) < _nightless_first(s)
            and before["enddate"] > s["begndate"]
        }
        if places:
            found.append(Hit(s["setl_id"], grade=VIOLATION if s["fixmedins_code"] in places else SUSPECT))
    return found


def _nightless_first(s: Row) -> tuple[Any, ...]:
    return s["begndate"], s["enddate"] != s["begndate"], s["setl_time"], s["setl_id"]


def d05(world: World) -> list[Hit]:
    """频繁住院."""
    everything = stays(world) + past_stays(world)
    found = []
    for s in effective(stays(world), "begndate"):
        day = s["begndate"]
        until = [
            other["begndate"]
            for other in everything
            if other["psn_no"] == s["psn_no"]
            and in_stay_order(other) <= in_stay_order(s)
            and not exempt(world, other, day)
        ]
        window = [b for b in until if (day - b).days < world.number("stays_window_days", day)]
        year = [b for b in until if b.year == day.year]
        often = len(window) > world.number("stays_per_window", day)
        if (often or len(year) > world.number("stays_per_year", day)) and not exempt(world, s, day):
            found.append(Hit(s["setl_id"]))
    return found


def d04(world: World) -> list[Hit]:
    """频繁门诊."""
    per_day: dict[tuple[Any, ...], int] = defaultdict(int)
    per_month: dict[tuple[Any, ...], int] = defaultdict(int)
    found = []
    for s in sorted(settlements(world, VISIT), key=in_settlement_order):
        today, month = (s["psn_no"], s["sd"]), (s["psn_no"], s["sd"].year, s["sd"].month)
        per_day[today] += 1
        per_month[month] += 1
        many = per_day[today] > world.number("visits_per_day", s["sd"])
        if many or per_month[month] > world.number("visits_per_month", s["sd"]):
            found += [Hit(x["setl_id"]) for x in effective([s], "sd")]
    return found


# --- stays without need ----------------------------------------------------------------------


def d08(world: World) -> list[Hit]:
    """挂床."""
    charges = _charges(world)
    found = []
    for s in effective(stays(world), "enddate"):
        own = charges[s["setl_id"]]
        nights = (s["enddate"] - s["begndate"]).days
        if not own or nights < world.number("idle_min_bed_days", s["enddate"]):
            continue
        if all(_idle(line) for line in own):
            found.append(Hit(s["setl_id"]))
            continue
        active = {line["d"] for line in own if not _idle(line)}
        empty = _idle_days(s, active, world.number("idle_run_days", s["enddate"]))
        found += [hit(line) for line in own if _idle(line) and line["d"] in empty]
    return found


def _charges(world: World) -> dict[str, list[Row]]:
    """Lines of each stay."""
    found = defaultdict(list)
    for line in charged(world, STAY):
        found[line["setl_id"]].append(line)
    return found


def _idle(line: Row) -> bool:
    name = line["hilist_name"] or ""
    return line["med_chrgitm_type"] in IDLE or "取暖" in name or "空调" in name


def _idle_days(s: Row, active: set[dt.date], least: Decimal) -> set[dt.date]:
    """Days of the long runs without an active day, from admission to the day before discharge."""
    found: set[dt.date] = set()
    run: list[dt.date] = []
    for n in range((s["enddate"] - s["begndate"]).days + 1):
        day = s["begndate"] + dt.timedelta(days=n)
        if day == s["enddate"] or day in active:
            found |= set(run) if len(run) >= least else set()
            run = []
        else:
            run.append(day)
    return found


def d09(world: World) -> list[Hit]:
    """低标入院."""
    charges = _charges(world)
    found = []
    for s in effective(stays(world), "enddate"):
        if _main_diagnosis_in(world, "kb_lowdiag", s) or _only_examined(world, s, charges[s["setl_id"]]):
            found.append(Hit(s["setl_id"]))
    return found


def _main_diagnosis_in(world: World, table: str, s: Row) -> bool:
    code = s["dscg_maindiag_code"] or ""
    return any(code.startswith(row["diag_prefix"]) for row in known(world, table, s["enddate"]))


def _only_examined(world: World, s: Row, own: list[Row]) -> bool:
    day = s["enddate"]
    if bed_days(s) > world.number("low_stay_days", day) or _operated(world, s, own):
        return False
    total = _amount(own)
    examined = _amount([line for line in own if line["med_chrgitm_type"] in (EXAM, TEST)])
    treated = _amount([line for line in own if line["med_chrgitm_type"] in TREATMENT_AND_DRUGS])
    most = examined >= world.number("low_exam_share", day) * total
    return total > 0 and most and treated <= world.number("low_treat_share", day) * total


def _amount(lines: list[Row]) -> Decimal:
    return sum((line["det_item_fee_sumamt"] for line in lines), Decimal(0))


def _operated(world: World, s: Row, own: list[Row]) -> bool:
    """An operation on record or a line for one."""
    recorded = any(o["setl_id"] == s["setl_id"] for o in world.operations)
    return recorded or any(line["med_chrgitm_type"] == SURGERY for line in own)


def d10(world: World) -> list[Hit]:
    """短住院."""
    charges = _charges(world)
    found = []
    for s in effective(stays(world), "enddate"):
        short = bed_days(s) <= world.number("short_stay_days", s["enddate"])
        explained = {DEATH} | world.codes("transfer_ways", s["enddate"])
        if short and s["dscg_way"] not in explained and not _operated(world, s, charges[s["setl_id"]]):
            found.append(Hit(s["setl_id"]))
    return found


def d14(world: World) -> list[Hit]:
    """高套."""
    found = []
    for s in effective(settlements(world, STAY), "enddate"):
        wrong = [
            row
            for row in world.reference.get("drg_result", [])
            if row["setl_id"] == s["setl_id"] and row["billed_group"] != row["audited_group"]
        ]
        if wrong:
            found.append(Hit(s["setl_id"], share=min(_overbilled(s, row) for row in wrong)))
        elif _main_diagnosis_in(world, "kb_nogroup", s):
            found.append(Hit(s["setl_id"], share=Fraction(0)))
    return found


def _overbilled(s: Row, row: Row) -> Fraction:
    if s["fund_pay_sumamt"] <= 0:
        return Fraction(0)
    return share(max(Decimal(0), row["billed_std_amt"] - row["audited_std_amt"]), s["fund_pay_sumamt"])


RULES = {
    "D01": d01,
    "D02": d02,
    "D03": d03,
    "D04": d04,
    "D05": d05,
    "D08": d08,
    "D09": d09,
    "D10": d10,
    "D14": d14,
    "D15": d15,
} | d_more.RULES
