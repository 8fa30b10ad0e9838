"""The slow rules D06, D07 and D11 to D13: drugs and doctors."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from tests.rule_oracle.world import (
    PURCHASE,
    STAY,
    VISIT,
    Hit,
    Row,
    World,
    charged,
    effective,
    generic,
    in_line_order,
    known,
    past_charged,
    share,
)


def hit(line: Row, part: Fraction = Fraction(1), grade: str = "") -> Hit:
    return Hit(line["setl_id"], line["bkkp_sn"], part, grade)


def drugs(lines: list[Row]) -> list[Row]:
    return [line for line in lines if line["list_type"].startswith("1")]


def d06(world: World) -> list[Hit]:
    """超量开药."""
    found = []
    for line in effective(drugs(charged(world, VISIT, PURCHASE)), "d"):
        by_account = line["clr_type"] == PURCHASE and line["acct_pay"] > 0
        if line["prd_days"] is None or not (line["inscp_amt"] > 0 or by_account):
            continue
        over = line["prd_days"] - _days_allowed(world, line)
        if over > 0:
            found.append(hit(line, share(over, line["prd_days"])))
    return found


def _days_allowed(world: World, line: Row) -> Decimal:
    kind, day = line["med_type"], line["d"]
    if kind == str(world.parameter("emergency_med_type", day)):
        return world.number("rx_days_emergency", day)
    if kind in world.codes("long_rx_med_types", day):
        return world.number("rx_days_long", day)
    if kind in world.codes("chronic_med_types", day):
        return world.number("rx_days_chronic", day)
    return world.number("rx_days_plain", day)


def d07(world: World) -> list[Hit]:
    """重复开药."""
    return repeated(world, VISIT, PURCHASE)


def repeated(world: World, *scope: str) -> list[Hit]:
    """Drug lines charged while the same generic of an earlier settlement still lasts."""
    same = generic(world)
    here = [line for line in drugs(charged(world, *scope)) if _supply(line) > 0]
    before = [line for line in drugs(past_charged(world, *scope)) if _supply(line) > 0]
    courses = defaultdict(list)
    for line in here + before:
        courses[line["psn_no"], same(line["hilist_code"]), line["setl_id"]].append(line)
    order, cover = {}, {}
    for key, own in courses.items():
        order[key] = (min(line["d"] for line in own), own[0]["setl_time"], own[0]["setl_id"])
        cover[key] = max(line["d"] + dt.timedelta(days=_supply(line)) for line in own)
    found = []
    for line in effective(here, "d"):
        me = (line["psn_no"], same(line["hilist_code"]), line["setl_id"])
        covers = [cover[key] for key in courses if key[:2] == me[:2] and order[key] < order[me]]
        overlap = max(((until - line["d"]).days for until in covers), default=0)
        if overlap > world.number("duplicate_tolerance_days", line["d"]):
            found.append(hit(line, share(min(overlap, _supply(line)), _supply(line))))
    return found


def _supply(line: Row) -> int:
    return 0 if line["prd_days"] is None else math.floor(line["prd_days"])


def d11(world: World) -> list[Hit]:
    """药品种类超标."""
    prescriptions = defaultdict(list)
    for line in charged(world, VISIT):
        if line["list_type"] == "101" and line["rx_drord_no"] is not None:
            prescriptions[line["setl_id"], line["rx_drord_no"]].append(line)
    found = []
    for own in prescriptions.values():
        place = _kinds(own)
        for line in effective(own, "d"):
            if place[line["hilist_code"]] > world.number("rx_kinds_max", line["d"]):
                found.append(hit(line))
    return found


def _kinds(lines: list[Row]) -> dict[str, int]:
    """Number of each code, in the order of their first lines."""
    place: dict[str, int] = {}
    for line in sorted(lines, key=in_line_order):
        place.setdefault(line["hilist_code"], len(place) + 1)
    return place


def d12(world: World) -> list[Hit]:
    """出院带药超量."""
    taken = defaultdict(list)
    for line in drugs(charged(world, STAY)):
        if line["dscg_tkdrug_flag"] == "1":
            taken[line["setl_id"]].append(line)
    found = []
    for own in taken.values():
        place = _kinds(own)
        for line in effective(own, "d"):
            limit = "take_home_days_acute" if line["dise_no"] is None else "take_home_days_chronic"
            over = (line["prd_days"] or 0) - world.number(limit, line["d"])
            if place[line["hilist_code"]] > world.number("take_home_kinds_max", line["d"]):
                found.append(hit(line))
            elif over > 0:
                found.append(hit(line, share(over, line["prd_days"])))
    return found


def d13(world: World) -> list[Hit]:
    """医师支付资格."""
    found = []
    for line in effective(charged(world, STAY, VISIT), "d"):
        rows = known(world, "staff", line["d"], bilg_dr_code=line["bilg_dr_code"])
        status = {row["pay_status"] for row in rows}
        emergency = line["med_type"] == str(world.parameter("emergency_med_type", line["d"]))
        if line["inscp_amt"] > 0 and not emergency and status & {"2", "3"} and "1" not in status:
            found.append(hit(line))
    return found


RULES = {
    "D06": d06,
    "D07": d07,
    "D11": d11,
    "D12": d12,
    "D13": d13,
}
