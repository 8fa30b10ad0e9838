"""The slow rules C09, C10, C11 and C18, which count over time; and what all C rules share."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests import oracle
from tests.rule_oracle.world import (
    PURCHASE,
    STAY,
    VISIT,
    Hit,
    Row,
    World,
    charged,
    effective,
    every_scope,
    in_line_order,
    known,
    past_charged,
    share,
)

ALL = (STAY, VISIT, PURCHASE)
TREATED = (STAY, VISIT)


def paid(world: World, *scope: str) -> list[Row]:
    """Lines with an amount in scope of the insurance, of all dates."""
    return [line for line in charged(world, *scope) if line["inscp_amt"] > 0]


def past_paid(world: World, *scope: str) -> list[Row]:
    return [line for line in past_charged(world, *scope) if line["inscp_amt"] > 0]


def hit(line: Row, part: Fraction = Fraction(1), grade: str = "") -> Hit:
    return Hit(line["setl_id"], line["bkkp_sn"], part, grade)


def rows_of(world: World, table: str, line: Row, **columns: Any) -> list[Row]:
    """Rows of a table for the code of the line, in force on its day."""
    return known(world, table, line["d"], hilist_code=line["hilist_code"], **columns)


def starts(codes: list[str], rows: list[Row], column: str) -> bool:
    return any(code.startswith(row[column]) for code in codes for row in rows)


# --- courses ---------------------------------------------------------------------------------


def c09(world: World) -> list[Hit]:
    """药品限支付疗程: days of a stay, or days supplied in a course of visits."""
    here = paid(world, *TREATED)
    stays = _days(line for line in here if line["clr_type"] == STAY)
    supplied = _supplies(here + past_paid(world, VISIT))
    found = []
    for line in effective(here, "d"):
        limits = [row["max_days"] for row in rows_of(world, "kb_course", line)]
        if not limits:
            continue
        if line["clr_type"] == STAY:
            if stays[_in_stay(line)].index(line["d"]) >= max(limits):
                found.append(hit(line))
        elif line["prd_days"] is not None and _supply(line) > 0:
            over = _course_days(world, supplied[_person(line)], line) - max(limits)
            if over > 0:
                found.append(hit(line, share(min(_supply(line), over), _supply(line))))
    return found


def _in_stay(line: Row) -> tuple[str, ...]:
    return line["psn_no"], line["mdtrt_id"], line["hilist_code"]


def _person(line: Row) -> tuple[str, ...]:
    return line["psn_no"], line["hilist_code"]


def _days(
    lines: Any, key: Callable[[Row], tuple[str, ...]] = _in_stay
) -> dict[tuple[str, ...], list[dt.date]]:
    """Distinct days in order, by key."""
    found: dict[tuple[str, ...], set[dt.date]] = defaultdict(set)
    for line in lines:
        found[key(line)].add(line["d"])
    return {of: sorted(days) for of, days in found.items()}


def _supply(line: Row) -> int:
    return math.floor(line["prd_days"])


def _supplies(lines: list[Row]) -> dict[tuple[str, ...], list[Row]]:
    """Outpatient lines with days supplied, by person and code, in order."""
    found = defaultdict(list)
    for line in sorted(lines, key=lambda x: (x["d"], x["setl_time"], x["setl_id"], x["bkkp_sn"])):
        if line["clr_type"] == VISIT and line["prd_days"] is not None:
            found[_person(line)].append(line)
    return found


def _course_days(world: World, ordered: list[Row], line: Row) -> int:
    """Days supplied in the line's course, up to and including the line."""
    gap = world.number("course_gap_days", line["d"])
    total, until = 0, None
    for row in ordered:
        if until is not None and (row["d"] - until).days > gap:
            total = 0
        total += _supply(row)
        ends = row["d"] + dt.timedelta(days=_supply(row))
        until = ends if until is None else max(until, ends)
        if (row["setl_id"], row["bkkp_sn"]) == (line["setl_id"], line["bkkp_sn"]):
            break
    return total


def c10(world: World) -> list[Hit]:
    """项目限支付疗程."""
    here = paid(world, *TREATED)
    days = _days(here + past_paid(world, *TREATED), _person)
    found = []
    for line in effective(here, "d"):
        limits = rows_of(world, "kb_item_course", line)
        gap, number = _place_in_course(world, days[_person(line)], line["d"])
        if limits and all(_beyond_course(row, gap, number) for row in limits):
            found.append(hit(line))
    return found


def _place_in_course(world: World, days: list[dt.date], day: dt.date) -> tuple[int | None, int]:
    """Days since the day before, and the day's number within its course, days without treatment counted."""
    longest = world.number("course_gap_days", day)
    until = days[: days.index(day) + 1]
    gaps = [(b - a).days for a, b in pairwise(until)]
    number = 1
    for gap in reversed(gaps):
        if gap > longest:
            break
        number += gap
    return (gaps[-1] if gaps else None), number


def _beyond_course(row: Row, gap: int | None, number: int) -> bool:
    too_soon = row["min_gap_days"] is not None and gap is not None and gap < row["min_gap_days"]
    return too_soon or (row["max_days"] is not None and number > row["max_days"])


def c11(world: World) -> list[Hit]:
    """限二线: nothing of the first line tried before."""
    taken = charged(world, *every_scope(world)) + past_charged(world)
    found = []
    for line in effective(paid(world, *TREATED), "d"):
        first = {row["first_line_code"] for row in rows_of(world, "kb_line", line)}
        reach = world.number("first_line_days", line["d"])
        tried = [
            t
            for t in taken
            if t["psn_no"] == line["psn_no"]
            and t["hilist_code"] in first
            and t["fee_ocur_time"] < line["fee_ocur_time"]
            and (line["d"] - t["d"]).days <= reach
        ]
        if first and not tried:
            found.append(hit(line))
    return found


# --- money -----------------------------------------------------------------------------------


def c18(world: World) -> list[Hit]:
    """超限定报销总额: fund money of a group of codes per person and year."""
    base = {s["setl_id"]: s["inscp_amt"] for s in world.settlements}
    here = [x | {"setl_inscp_amt": base[x["setl_id"]]} for x in charged(world, *TREATED)]
    mine = {(x["setl_id"], x["bkkp_sn"]) for x in effective(here, "d")}
    spent: dict[tuple[str, str, int], int] = defaultdict(int)
    found = []
    for line in sorted(here + past_charged(world, *TREATED), key=in_line_order):
        money = _fund_money(line)
        caps = _caps(world, line)
        over = [Fraction(0)]
        for group, cap in caps.items():
            year = (line["psn_no"], group, line["d"].year)
            spent[year] += money
            over.append(spent[year] - cap)
        if money > 0 and max(over) > 0 and (line["setl_id"], line["bkkp_sn"]) in mine:
            found.append(hit(line, share(max(over), money)))
    return found


def _caps(world: World, line: Row) -> dict[str, Fraction]:
    """Highest cap, in 分, of each group the line's code is in."""
    caps: dict[str, Fraction] = {}
    for row in rows_of(world, "kb_cap", line):
        cap = Fraction(row["cap_amt"]) * 100
        caps[row["cap_group"]] = max(cap, caps.get(row["cap_group"], cap))
    return caps


def _fund_money(line: Row) -> int:
    """The line's part of the settlement's fund money, in 分."""
    if line["inscp_amt"] <= 0 or line["setl_inscp_amt"] == 0:
        return 0
    exact = Fraction(line["fund_pay_sumamt"]) * Fraction(line["inscp_amt"]) / Fraction(line["setl_inscp_amt"])
    return oracle.round_half_up(exact * 100)


RULES = {
    "C09": c09,
    "C10": c10,
    "C11": c11,
    "C18": c18,
}
