"""The slow rules B01 to B10: prices, repeated charges and quantities. B11 to B20 are in `b_more`."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from tests.rule_oracle import b_more
from tests.rule_oracle.b_more import Groups, grouped, on, price_cap, rows_of
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
    four_places,
    in_force,
    in_line_order,
    past_lines,
    share,
)

SIX_HOURS = dt.timedelta(hours=6)
MIDNIGHT = dt.time()
Cap = Callable[[Row], Decimal | None]


def b01(world: World) -> list[Hit]:
    """Above the price limit of the institution's level."""

    def cap(line: Row) -> Decimal | None:
        return price_cap(world, line, line["hilist_code"])

    return _over_price(world, charged(world, VISIT, STAY), cap)


def b02(world: World) -> list[Hit]:
    """Above the payment standard or the tendered price, whichever is lower."""

    def cap(line: Row) -> Decimal | None:
        highest: dict[str, Decimal] = {}
        for row in rows_of(world, "pay_standard", line):
            kind, price = row["std_type"], row["pay_std_amt"]
            highest[kind] = max(price, highest.get(kind, price))
        return min(highest.values(), default=None)

    return _over_price(world, charged(world, VISIT, STAY, PURCHASE), cap)


def b03(world: World) -> list[Hit]:
    """An item charged beside one that contains it."""
    found = []
    everything = charged(world, VISIT, STAY)
    for sub in effective(everything, "d"):
        grades = {
            _proof(sub, main, pair["time_window"])
            for pair in in_force(world.reference.get("kb_pair", []), sub["d"])
            if pair["sub_code"] == sub["hilist_code"]
            for main in everything
            if main["hilist_code"] == pair["main_code"] and main is not sub and _same_place(main, sub)
        }
        if grades - {""}:
            found.append(on(sub, grade="违规" if "违规" in grades else "可疑"))
    return found


def b04(world: World) -> list[Hit]:
    """Several operations of one group on one day, the lesser ones at more than half price."""
    groups: Groups = defaultdict(list)
    for line in charged(world, STAY):
        if line["inscp_amt"] <= 0:
            continue
        for name in {row["surgery_group"] for row in rows_of(world, "kb_surgery_group", line)}:
            groups[line["mdtrt_id"], line["psn_no"], line["d"], name].append(line)
    largest: dict[tuple[str, str], Hit] = {}
    for group in groups.values():
        price = {code: max(x["pric"] for x in own) for code, own in grouped(group, "hilist_code").items()}
        main = min(price, key=lambda code: (-price[code], code))
        for line in effective(group, "d"):
            reduced = Fraction(world.number("surgery_ratio", line["d"])) * _full_price(world, line)
            if line["hilist_code"] == main or line["pric"] <= reduced:
                continue
            hit = on(line, share(four_places(Fraction(line["pric"]) - reduced), line["pric"]))
            at = (line["setl_id"], line["bkkp_sn"])
            largest[at] = max(hit, largest.get(at, hit), key=lambda h: h.share)
    return list(largest.values())


def b05(world: World) -> list[Hit]:
    """More often on a day than allowed."""
    return _over_a_day(world, "日", lambda limit, day: limit)


def b06(world: World) -> list[Hit]:
    """More hours on a day than it has."""
    return _over_a_day(world, "小时", lambda limit, day: min(limit, world.number("day_hours", day)))


def b07(world: World) -> list[Hit]:
    """More often within a cycle than allowed."""
    past = [x for x in past_lines(world) if x["clr_type"] in (VISIT, STAY) and x["cnt"] > 0]
    now = charged(world, VISIT, STAY)
    by_item = grouped(past + now, "psn_no", "hilist_code")
    found = []
    for line in effective(now, "d"):
        over = []
        for row in rows_of(world, "kb_cycle", line):
            begin = line["d"] - dt.timedelta(days=row["cycle_days"])
            times = sum(
                x["cnt"]
                for x in by_item[line["psn_no"], line["hilist_code"]]
                if begin < x["d"] <= line["d"] and in_line_order(x) <= in_line_order(line)
            )
            over.append(min(line["cnt"], times - row["max_cnt"]))
        if over and min(over) > 0:
            found.append(on(line, share(min(over), line["cnt"])))
    return found


def b08(world: World) -> list[Hit]:
    """More bed days charged than stayed."""
    return _over_stay(world, "01", "bed_day_tolerance")


def b09(world: World) -> list[Hit]:
    """More days of nursing charged than stayed."""
    return _over_stay(world, "07", "nursing_day_tolerance")


def b10(world: World) -> list[Hit]:
    """More days of examination charged than stayed."""
    return _over_stay(world, "02", "exam_day_tolerance")


# --- what they share -------------------------------------------------------------------------


def _over_price(world: World, candidates: list[Row], cap_of: Cap) -> list[Hit]:
    found = []
    for line in effective(candidates, "d"):
        cap = cap_of(line)
        if cap is None or line["pric"] <= cap or line["inscp_amt"] <= 0:
            continue
        excess = Fraction(line["pric"] - cap) * Fraction(line["cnt"]) - Fraction(line["overlmt_selfpay"])
        if excess > world.number("price_tolerance", line["d"]):
            found.append(on(line, share(four_places(excess), line["inscp_amt"] + line["preselfpay_amt"])))
    return found


def _proof(sub: Row, main: Row, window: str) -> str:
    if window == "单次就诊":
        return "违规" if main["mdtrt_id"] == sub["mdtrt_id"] else ""
    same_day = main["d"] == sub["d"]
    if window == "单日":
        return "违规" if same_day else ""
    one, other = main["fee_ocur_time"], sub["fee_ocur_time"]
    if MIDNIGHT in (one.time(), other.time()):
        return "可疑" if same_day else ""
    near = same_day and one.hour == other.hour if window == "同一小时" else abs(one - other) <= SIX_HOURS
    return "违规" if near else ""


def _same_place(one: Row, other: Row) -> bool:
    return one["psn_no"] == other["psn_no"] and one["fixmedins_code"] == other["fixmedins_code"]


def _full_price(world: World, line: Row) -> Fraction:
    cap = price_cap(world, line, line["hilist_code"])
    return Fraction(line["pric"] if cap is None else max(cap, line["pric"]))


def _over_a_day(world: World, unit: str, limited: Callable[[Decimal, dt.date], Decimal]) -> list[Hit]:
    found = []
    days = grouped(charged(world, VISIT, STAY), "psn_no", "fixmedins_code", "d", "hilist_code")
    for group in days.values():
        limits = [row["max_cnt"] for row in rows_of(world, "kb_freq", group[0]) if row["unit"] == unit]
        if limits:
            found += _excess(effective(group, "d"), group, limited(max(limits), group[0]["d"]))
    return found


def _over_stay(world: World, med_chrgitm_type: str, tolerance: str) -> list[Hit]:
    found = []
    concerned = [x for x in charged(world, STAY) if x["med_chrgitm_type"] == med_chrgitm_type]
    for group in grouped(concerned, "setl_id").values():
        allowed = bed_days(group[0]) + world.number(tolerance, group[0]["enddate"])
        found += _excess(effective(group, "enddate"), group, allowed)
    return found


def _excess(judged: list[Row], group: list[Row], allowed: Decimal) -> list[Hit]:
    total = sum(line["cnt"] for line in group)
    if total <= allowed:
        return []
    return [on(line, share(total - allowed, total)) for line in judged]


RULES = {
    "B01": b01,
    "B02": b02,
    "B03": b03,
    "B04": b04,
    "B05": b05,
    "B06": b06,
    "B07": b07,
    "B08": b08,
    "B09": b09,
    "B10": b10,
} | b_more.RULES
