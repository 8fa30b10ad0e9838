"""The slow rules E01 to E12: pharmacies."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from tests.rule_oracle.d_more import drugs, hit, repeated
from tests.rule_oracle.world import (
    PURCHASE,
    Hit,
    Row,
    World,
    charged,
    effective,
    every_scope,
    generic,
    in_force,
    in_line_order,
    in_settlement_order,
    known,
    past_charged,
    settlements,
    share,
)

VIOLATION, SUSPECT = "违规", "可疑"
ACCOUNT = "310200"
DUAL_CHANNEL_FROM = dt.date(2025, 1, 1)
TRACED_FROM = dt.date(2025, 7, 1)


def covered(world: World) -> list[Row]:
    """Pharmacy lines paid by a fund or from an account."""
    return [x for x in charged(world, PURCHASE) if x["inscp_amt"] > 0 or x["acct_pay"] > 0]


def line_id(row: Row) -> tuple[str, str]:
    return row["setl_id"], row["bkkp_sn"]


# --- prescriptions and trace codes -----------------------------------------------------------


def e01(world: World) -> list[Hit]:
    """无处方: none in force, or more bought than prescribed."""
    bought = charged(world, PURCHASE)
    found = []
    for line in effective(covered(world), "d"):
        listed = known(world, "kb_rx", line["d"], hilist_code=line["hilist_code"])
        if not listed:
            continue
        over = _beyond_prescribed(world, line, bought)
        if over > 0:
            dual = line["d"] >= DUAL_CHANNEL_FROM and any(row["dual_channel"] == "1" for row in listed)
            part = share(min(line["cnt"], over), line["cnt"])
            found.append(hit(line, part, VIOLATION if dual else SUSPECT))
    return found


def _beyond_prescribed(world: World, line: Row, bought: list[Row]) -> Decimal:
    """How much of what the person has bought so far no prescription covers."""
    same = generic(world)
    mine = same(line["hilist_code"])
    prescribed = [
        row
        for row in world.reference.get("erx", [])
        if row["psn_no"] == line["psn_no"] and same(row["hilist_code"]) == mine
    ]
    if not in_force(prescribed, line["d"]):
        return Decimal(line["cnt"])
    usable = [
        row["cnt"]
        for row in prescribed
        if row["begndate"] <= line["d"] and (row["enddate"] is None or row["enddate"] >= world.month)
    ]
    until = [
        other["cnt"]
        for other in bought
        if other["psn_no"] == line["psn_no"]
        and same(other["hilist_code"]) == mine
        and in_line_order(other) <= in_line_order(line)
    ]
    return sum(until, Decimal(0)) - sum(usable, Decimal(0))


def e02(world: World) -> list[Hit]:
    """无追溯码."""
    found = []
    for line in effective(covered(world), "d", TRACED_FROM):
        scanned = [row for row in world.reference.get("trace", []) if line_id(row) == line_id(line)]
        split = any(row["split_flag"] == "1" for row in scanned)
        without_code = known(world, "kb_notrace", line["d"], hilist_code=line["hilist_code"])
        missing = line["cnt"] - len(scanned)
        if line["list_type"] == "101" and missing > 0 and not split and not without_code:
            found.append(hit(line, share(missing, line["cnt"])))
    return found


def e03(world: World) -> list[Hit]:
    """追溯码重复: the first sale of a code keeps it."""
    sold = {line_id(line): line for line in charged(world, *every_scope(world)) + past_charged(world)}
    lines_of: dict[str, set[tuple[str, str]]] = defaultdict(set)
    codes_of: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in world.reference.get("trace", []):
        if row["split_flag"] == "0" and line_id(row) in sold:
            lines_of[row["trace_code"]].add(line_id(row))
            codes_of[line_id(row)].add(row["trace_code"])
    first = {
        code: min(ids, key=lambda of: (sold[of]["fee_ocur_time"], *of)) for code, ids in lines_of.items()
    }
    found = []
    for line in effective(charged(world, PURCHASE), "d", TRACED_FROM):
        own = codes_of[line_id(line)]
        again = len([code for code in own if first[code] != line_id(line)])
        if again:
            found.append(hit(line, share(again, max(line["cnt"], Decimal(len(own))))))
    return found


# --- purchases too many ----------------------------------------------------------------------


def e04(world: World) -> list[Hit]:
    """同日多店购同药: the first pharmacy of the day keeps."""
    same = generic(world)
    bought: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for line in drugs(charged(world, PURCHASE)):
        bought[line["psn_no"], line["sd"], same(line["hilist_code"])].add(line["setl_id"])
    everything = sorted(settlements(world, PURCHASE), key=in_settlement_order)
    ids = set()
    for holding in bought.values():
        ids |= _elsewhere([s for s in everything if s["setl_id"] in holding])
    days = defaultdict(list)
    for s in everything:
        days[s["psn_no"], s["sd"]].append(s)
    for own in days.values():
        if len({s["fixmedins_code"] for s in own}) >= 3:
            ids |= _elsewhere(own)
    return [Hit(s["setl_id"]) for s in effective(everything, "sd") if s["setl_id"] in ids]


def _elsewhere(ordered: list[Row]) -> set[str]:
    """Settlements at another institution than the first one's."""
    return {s["setl_id"] for s in ordered if s["fixmedins_code"] != ordered[0]["fixmedins_code"]}


def e05(world: World) -> list[Hit]:
    """短期重复购药: bought too often, or again while it lasts."""
    often = _bought_often(world)
    return often + [
        h
        for h in repeated(world, PURCHASE)
        if (h.setl_id, h.bkkp_sn) not in {(o.setl_id, o.bkkp_sn) for o in often}
    ]


def _bought_often(world: World) -> list[Hit]:
    same = generic(world)
    here = drugs(charged(world, PURCHASE))
    purchases: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for line in here + drugs(past_charged(world, PURCHASE)):
        key = (line["psn_no"], same(line["hilist_code"]), line["setl_id"])
        place = (line["d"], line["setl_time"], line["setl_id"])
        purchases[key] = min(place, purchases.get(key, place))
    found = []
    for line in effective(here, "d"):
        me = (line["psn_no"], same(line["hilist_code"]), line["setl_id"])
        window = world.number("purchases_window_days", line["d"])
        recent = [
            place
            for key, place in purchases.items()
            if key[:2] == me[:2] and place <= purchases[me] and (purchases[me][0] - place[0]).days < window
        ]
        if len(recent) >= world.number("purchases_in_window", line["d"]):
            found.append(hit(line))
    return found


def e08(world: World) -> list[Hit]:
    """大额购药."""
    everything = settlements(world, PURCHASE)
    amounts = sorted(s["medfee_sumamt"] for s in everything)
    n = len(amounts)
    found = []
    for s in effective(everything, "sd"):
        large = s["medfee_sumamt"] > world.number("large_purchase_amt", s["sd"])
        if n >= world.number("large_purchase_min_count", s["sd"]):
            place = math.ceil(world.number("large_purchase_share", s["sd"]) * n)
            large = large or s["medfee_sumamt"] > amounts[place - 1]
        if large:
            found.append(Hit(s["setl_id"]))
    return found


# --- what may not be paid --------------------------------------------------------------------


def e06(world: World) -> list[Hit]:
    """超个人账户余额."""
    return [
        Hit(s["setl_id"], share=share(min(s["acct_pay"], -s["balc"]), s["acct_pay"]), funds=ACCOUNT)
        for s in effective(settlements(world, PURCHASE), "sd")
        if s["balc"] is not None and s["balc"] < 0 and s["acct_pay"] > 0
    ]


def e07(world: World) -> list[Hit]:
    """不可支付品刷卡."""
    found = []
    for line in effective(covered(world), "d"):
        payable = line["list_type"].startswith("1") or line["list_type"] == "301"
        if not payable or known(world, "kb_forbidden", line["d"], hilist_code=line["hilist_code"]):
            found.append(hit(line))
    return found


def e11(world: World) -> list[Hit]:
    """门慢特用药不符."""
    found = []
    for line in effective(drugs(charged(world, PURCHASE)), "d"):
        chronic = line["med_type"] in world.codes("chronic_med_types", line["d"])
        if not chronic or line["dise_no"] is None or line["inscp_amt"] <= 0:
            continue
        listed = {
            row["hilist_code"] for row in known(world, "kb_chronic", line["d"], dise_no=line["dise_no"])
        }
        if listed and line["hilist_code"] not in listed:
            found.append(hit(line))
    return found


def e12(world: World) -> list[Hit]:
    """销量大于进货."""
    allowed: dict[tuple[str, str], Decimal] = {}
    for row in world.reference.get("stock", []):
        if row["clr_ym"] == world.month.strftime("%Y%m"):
            left = max(Decimal(0), row["opening_cnt"] + row["purchase_cnt"] - row["closing_cnt"])
            key = (row["fixmedins_code"], row["hilist_code"])
            allowed[key] = max(left, allowed.get(key, left))
    sold: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in covered(world):
        sold[line["fixmedins_code"], line["hilist_code"]] += line["cnt"]
    found = []
    for line in effective(covered(world), "d"):
        key = (line["fixmedins_code"], line["hilist_code"])
        if key in allowed and sold[key] > allowed[key]:
            found.append(hit(line, share(sold[key] - allowed[key], sold[key])))
    return found


# --- patterns at the till --------------------------------------------------------------------


def e09(world: World) -> list[Hit]:
    """密集刷卡: many persons in a few minutes with the same amount or the same basket."""
    baskets = defaultdict(list)
    for line in charged(world, PURCHASE):
        baskets[line["setl_id"]].append((line["hilist_code"], line["cnt"]))
    paid = [s for s in settlements(world, PURCHASE) if s["fund_pay_sumamt"] + s["acct_pay"] > 0]
    with_lines = [s for s in paid if s["setl_id"] in baskets]
    ids = set()
    for alike in _grouped(paid, lambda s: s["medfee_sumamt"]):
        ids |= _dense(world, alike)
    for alike in _grouped(with_lines, lambda s: tuple(sorted(baskets[s["setl_id"]]))):
        ids |= _dense(world, alike)
    return [Hit(s["setl_id"]) for s in effective(paid, "sd") if s["setl_id"] in ids]


def _grouped(rows: list[Row], key: Callable[[Row], Any]) -> Iterable[list[Row]]:
    """Settlements of one institution that are alike."""
    groups = defaultdict(list)
    for row in sorted(rows, key=in_settlement_order):
        groups[row["fixmedins_code"], key(row)].append(row)
    return groups.values()


def _dense(world: World, alike: list[Row]) -> set[str]:
    """Settlements inside a crowded window; a person counts once a day."""
    firsts: dict[tuple[Any, ...], Row] = {}
    for s in alike:
        firsts.setdefault((s["psn_no"], s["sd"]), s)
    return {s["setl_id"] for s in firsts.values() if _in_crowd(world, s, list(firsts.values()))}


def _in_crowd(world: World, s: Row, alike: list[Row]) -> bool:
    length = dt.timedelta(minutes=int(world.number("dense_minutes", s["sd"])))
    for start in alike:
        since, until = start["setl_time"], start["setl_time"] + length
        crowd = [other for other in alike if since <= other["setl_time"] <= until]
        if since <= s["setl_time"] <= until and len(crowd) >= world.number("dense_persons", s["sd"]):
            return True
    return False


def e10(world: World) -> list[Hit]:
    """整数/相同金额."""
    shops = defaultdict(list)
    for s in settlements(world, PURCHASE):
        if s["medfee_sumamt"] > 0:
            shops[s["fixmedins_code"]].append(s)
    return [
        Hit(s["setl_id"])
        for own in shops.values()
        for s in effective(own, "sd")
        if _conspicuous(world, s, own)
    ]


def _conspicuous(world: World, s: Row, own: list[Row]) -> bool:
    n, day = len(own), s["sd"]
    if n < world.number("round_min_count", day):
        return False
    amounts = [other["medfee_sumamt"] for other in own]
    rounded = len([amount for amount in amounts if amount % 100 == 0])
    if s["medfee_sumamt"] % 100 == 0 and rounded >= world.number("round_share", day) * n:
        return True
    return amounts.count(s["medfee_sumamt"]) >= world.number("same_amount_share", day) * n


RULES = {
    "E01": e01,
    "E02": e02,
    "E03": e03,
    "E04": e04,
    "E05": e05,
    "E06": e06,
    "E07": e07,
    "E08": e08,
    "E09": e09,
    "E10": e10,
    "E11": e11,
    "E12": e12,
}
