"""The slow rules A01 to A19: who may claim, and whether the figures agree with themselves."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction

from schemas.funds import POOLED_COLUMNS
from tests import oracle
from tests.rule_oracle.world import (
    PURCHASE,
    STAY,
    VISIT,
    Hit,
    Row,
    World,
    charged,
    claimed,
    diagnoses,
    effective,
    in_force,
    in_settlement_order,
    lines,
    settlements,
    share,
)

ALL = (STAY, VISIT, PURCHASE)
NOTHING = Fraction(0)
FUND_CODES = {
    "cvlserv_pay": "320100",
    "hifob_pay": "330100",
    "hifdm_pay": "350100",
    "hifes_pay": "370100",
    "hifmi_pay": "390200",
    "maf_pay": "610100",
    "othfund_pay": "999997",
}
TOTALS = ("fixmedins_setl_cnt", "medfee_sumamt", "fund_pay_sumamt", "acct_pay", "cash_payamt")


def a01(world: World) -> list[Hit]:
    """The same settlement twice."""
    content: dict[str, Counter[tuple[object, ...]]] = defaultdict(Counter)
    for line in lines(world, *ALL):
        content[line["setl_id"]][line["hilist_code"], line["cnt"], line["pric"], line["d"]] += 1
    same = ("psn_no", "fixmedins_code", "med_type", "begndate", "enddate", "medfee_sumamt")
    groups: dict[object, list[Row]] = defaultdict(list)
    for s in settlements(world, *ALL):
        key = (*(s[column] for column in same), frozenset(content[s["setl_id"]].items()))
        groups[key].append(s)
    again = [s for group in groups.values() for s in sorted(group, key=in_settlement_order)[1:]]
    return _whole(effective(again, "sd"))


def a02(world: World) -> list[Hit]:
    """Claimed although refunded, with no reversal in this month's file."""
    here = {
        (s["fixmedins_code"], s["init_setl_id"])
        for s in world.settlements
        if s["refd_setl_flag"] == "1" and s["medfee_sumamt"] <= 0
    }
    before = {
        s["init_setl_id"]
        for s in world.past_settlements
        if s["refd_setl_flag"] == "1" and s["medfee_sumamt"] <= 0
    }
    hit = [
        s
        for s in effective(claimed(world, *ALL), "sd")
        if s["medfee_sumamt"] > 0
        and (s["refd_setl_flag"] == "1" or s["setl_id"] in before)
        and (s["fixmedins_code"], s["setl_id"]) not in here
    ]
    return _whole(hit)


def a03(world: World) -> list[Hit]:
    """No agreement in force."""
    judged = effective(settlements(world, *ALL), "sd", dt.date(2021, 2, 1))
    return _whole(s for s in judged if not _agreements(world, s, "1", _served(s)))


def a04(world: World) -> list[Hit]:
    """Settled while the agreement was suspended; a stay begun before that is only suspicious."""
    found = []
    for s in _judged(world):
        suspended = _agreements(world, s, "2", s["sd"])
        if not suspended:
            continue
        admitted_before = s["clr_type"] == STAY and all(s["begndate"] < a["begndate"] for a in suspended)
        found.append(Hit(s["setl_id"], grade="可疑" if admitted_before else "违规"))
    return found


def a05(world: World) -> list[Hit]:
    """A kind of care that no agreement in force covers."""
    found = []
    for s in _judged(world):
        scopes = [a["med_type_scope"] for a in _agreements(world, s, "1", _served(s))]
        covered = any(scope == "*" or s["med_type"] in scope.replace(" ", "").split("|") for scope in scopes)
        if scopes and not covered:
            found.append(Hit(s["setl_id"]))
    return found


def a06(world: World) -> list[Hit]:
    """The person was not insured."""

    def insured(s: Row) -> bool:
        day = s["begndate"] if s["clr_type"] == STAY else s["sd"]
        return any(
            c["psn_no"] == s["psn_no"] and c["insutype"] == s["insutype"] and c["status"] == "1"
            for c in in_force(world.reference.get("coverage", []), day)
        )

    return _whole(s for s in _judged(world) if not insured(s))


def a07(world: World) -> list[Hit]:
    """Charged after death: a visit or purchase as a whole, of a stay the lines."""
    died = {p["psn_no"]: p["die_date"] for p in world.reference.get("person", [])}
    death = {s["setl_id"]: died.get(s["psn_no"]) or s["die_date"] for s in settlements(world, *ALL)}

    def after(row: Row, day: dt.date) -> bool:
        last = death[row["setl_id"]]
        return last is not None and day > last

    found = _whole(s for s in _judged(world) if s["clr_type"] != STAY and after(s, s["sd"]))
    return found + [_on(line) for line in effective(charged(world, STAY), "d") if after(line, line["d"])]


def a08(world: World) -> list[Hit]:
    """Settled outside the claim month."""
    return _whole(s for s in _judged(world) if not world.month <= s["sd"] <= world.last_day)


def a09(world: World) -> list[Hit]:
    """Amounts of a settlement that do not add up."""
    charges: dict[str, Decimal] = defaultdict(Decimal)
    for line in world.lines:
        charges[line["setl_id"]] += line["det_item_fee_sumamt"] or 0

    def adds_up(s: Row) -> bool:
        fund, medfee = _sum(s, "fund_pay_sumamt"), _sum(s, "medfee_sumamt")
        paid = _sum(s, "fund_pay_sumamt", "acct_pay", "cash_payamt", "ownpay_hosp_part")
        return charges[s["setl_id"]] == medfee and _sum(s, *POOLED_COLUMNS) == fund and paid == medfee

    judged = effective(claimed(world, *ALL), "sd")
    return _whole(s for s in judged if s["vali_flag"] == "1" and not adds_up(s))


def a10(world: World) -> list[Hit]:
    """Price times quantity is not the amount."""
    found = []
    for line in effective(charged(world, *ALL), "d"):
        exact = _cents(Fraction(line["pric"]) * Fraction(line["cnt"]))
        over = Fraction(line["det_item_fee_sumamt"]) - exact
        allowed = world.number("line_amount_tolerance", line["d"]) * max(Decimal(1), line["cnt"])
        if abs(over) > allowed:
            in_scope = line["inscp_amt"]
            found.append(_on(line, share(max(NOTHING, over), in_scope) if in_scope > 0 else NOTHING))
    return found


def a11(world: World) -> list[Hit]:
    """A code that the catalogue does not have on the day."""
    return [_on(line) for line in _in_scope(world) if not _catalogued(world, line)]


def a12(world: World) -> list[Hit]:
    """An item outside the catalogue's payable classes."""
    found = []
    for line in _in_scope(world):
        classes = {row["chrgitm_lv"] for row in _catalogued(world, line)}
        if classes == {"03"}:
            found.append(_on(line))
    return found


def a13(world: World) -> list[Hit]:
    """Paid too little first by the person."""
    found = []
    for line in _in_scope(world):
        props = [
            row["selfpay_prop"]
            for row in in_force(world.reference.get("selfpay", []), line["d"])
            if row["hilist_code"] == line["hilist_code"] and row["insutype"] == line["insutype"]
        ]
        if not props:
            continue
        base = line["det_item_fee_sumamt"] - line["fulamt_ownpay_amt"] - line["overlmt_selfpay"]
        required = _cents(Fraction(base) * Fraction(min(props)))
        short = required - Fraction(line["preselfpay_amt"])
        if short > world.number("selfpay_tolerance", line["d"]):
            found.append(_on(line, share(short, line["inscp_amt"])))
    return found


def a14(world: World) -> list[Hit]:
    """Given back more than charged, or an amount without a quantity."""
    valid = {s["setl_id"] for s in settlements(world, *ALL)}
    raw = [line for line in world.lines if line["setl_id"] in valid]
    own = {(line["setl_id"], line["bkkp_sn"]): line for line in raw}
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for line in raw:
        named = (line["setl_id"], line["init_feedetl_sn"])
        nets = line["cnt"] < 0 and named in own and own[named]["cnt"] >= 0
        groups[named if nets else (line["setl_id"], line["bkkp_sn"])].append(line)
    found = []
    for (setl_id, bkkp_sn), group in groups.items():
        cnt = sum(line["cnt"] for line in group)
        amount = sum(line["det_item_fee_sumamt"] for line in group)
        day = own[setl_id, bkkp_sn]["fee_ocur_time"].date()
        if (cnt < 0 or (cnt == 0 and amount != 0)) and effective([{"d": day}], "d"):
            found.append(Hit(setl_id, bkkp_sn, NOTHING))
    return found


def a15(world: World) -> list[Hit]:
    """The institution's totals are not the centre's."""
    month = f"{world.month:%Y%m}"
    centre = [c for c in world.reference.get("centre_sum", []) if c["clr_ym"] == month]
    hits = {}
    for total in world.declared:
        if total["clr_ym"] != month or not _differs(total, centre):
            continue
        concerned = [s for s in claimed(world, *ALL) if _total_key(s) == _total_key(total)]
        for first in effective(sorted(concerned, key=in_settlement_order)[:1], "sd"):
            hits[first["setl_id"]] = Hit(first["setl_id"], share=NOTHING)
    return list(hits.values())


def a16(world: World) -> list[Hit]:
    """Funds that cannot pay for this kind of insurance."""
    found = []
    for s in _judged(world):
        allowed = {
            row["fund_pay_type"]
            for row in in_force(world.reference.get("insu_fund", []), s["sd"])
            if row["insutype"] == s["insutype"]
        }
        paying = {code for column, code in FUND_CODES.items() if (s[column] or 0) > 0}
        if allowed and paying - allowed:
            found.append(Hit(s["setl_id"], funds="|".join(sorted(paying - allowed))))
    return found


def a17(world: World) -> list[Hit]:
    """Insured elsewhere."""
    found = []
    for s in _judged(world):
        local = [row["admdvs_prefix"] for row in in_force(world.reference.get("pool_area", []), s["sd"])]
        if local and s["insu_admdvs"] is not None and not s["insu_admdvs"].startswith(tuple(local)):
            found.append(Hit(s["setl_id"]))
    return found


def a18(world: World) -> list[Hit]:
    """Already reimbursed to the person by hand."""
    visit = ("psn_no", "fixmedins_code", "begndate", "enddate", "medfee_sumamt")
    by_hand = world.reference.get("manual_reimbursement", [])
    invoices = {row["invono"] for row in by_hand} - {None}
    visits = {tuple(row[column] for column in visit) for row in by_hand}
    return _whole(
        s
        for s in _judged(world)
        if s.get("invono") in invoices or tuple(s[column] for column in visit) in visits
    )


def a19(world: World) -> list[Hit]:
    """An injury, for which a third party may have to pay."""
    pledged = {row["setl_id"] for row in world.reference.get("injury_pledge", [])}
    codes = diagnoses(world)
    return _whole(
        s
        for s in _judged(world)
        if s["setl_id"] not in pledged and any(_is_injury(code) for code in codes[s["setl_id"]])
    )


# --- what they share -------------------------------------------------------------------------


def _judged(world: World) -> list[Row]:
    return effective(settlements(world, *ALL), "sd")


def _in_scope(world: World) -> list[Row]:
    return [line for line in effective(charged(world, *ALL), "d") if line["inscp_amt"] > 0]


def _whole(found) -> list[Hit]:
    return [Hit(s["setl_id"]) for s in found]


def _on(line: Row, of_it: Fraction = Fraction(1)) -> Hit:
    return Hit(line["setl_id"], line["bkkp_sn"], of_it)


def _cents(value: Fraction) -> Fraction:
    return Fraction(oracle.round_half_up(value * 100), 100)


def _sum(row: Row, *columns: str) -> Decimal:
    return sum((row[column] or Decimal(0) for column in columns), Decimal(0))


def _served(s: Row) -> dt.date:
    day: dt.date = s["enddate"] if s["clr_type"] == STAY else s["sd"]
    return day


def _agreements(world: World, s: Row, cntr_stas: str, day: dt.date) -> list[Row]:
    return [
        row
        for row in in_force(world.reference.get("agreement", []), day)
        if row["fixmedins_code"] == s["fixmedins_code"] and row["cntr_stas"] == cntr_stas
    ]


def _catalogued(world: World, line: Row) -> list[Row]:
    dated = in_force(world.reference.get("hilist", []), line["d"])
    return [row for row in dated if row["hilist_code"] == line["hilist_code"]]


def _total_key(row: Row) -> tuple[str, str, str]:
    return row["fixmedins_code"], row["insutype"], row["clr_type"]


def _differs(total: Row, centre: list[Row]) -> bool:
    known = [c for c in centre if c["fixmedins_code"] == total["fixmedins_code"]]
    same = [c for c in known if _total_key(c) == _total_key(total)]
    if not same:
        return bool(known)
    return any(
        None not in (c[column], total[column]) and c[column] != total[column]
        for c in same
        for column in TOTALS
    )


def _is_injury(code: str) -> bool:
    number = code[1:3]
    if len(number) < 2 or not (number.isascii() and number.isdigit()):
        return False
    return code[0] == "S" or (code[0] == "T" and int(number) <= 98)


RULES = {
    "A01": a01,
    "A02": a02,
    "A03": a03,
    "A04": a04,
    "A05": a05,
    "A06": a06,
    "A07": a07,
    "A08": a08,
    "A09": a09,
    "A10": a10,
    "A11": a11,
    "A12": a12,
    "A13": a13,
    "A14": a14,
    "A15": a15,
    "A16": a16,
    "A17": a17,
    "A18": a18,
    "A19": a19,
}
