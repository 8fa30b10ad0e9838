"""A slow second opinion on the money of a month, in plain Python.

Written from the definitions alone and sharing nothing with the calculation but the list of funds:
integers of 分, fractions, dicts and loops. It exists to be compared with, so it is written to be
read, not to be fast. Settlements, lines and findings are lists of dicts; amounts are Decimal 元.

A finding is a dict with rule_id, grade, deduction, status, setl_id, bkkp_sn (None for the whole
settlement), part and whole. Results are lists in the order of the findings.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

from schemas.funds import ACCOUNT_FUND, BASIC_FUND, FUNDS, PHARMACY

Row = dict[str, Any]
Money = dict[str, int]  # fund code -> 分

LINE_AMOUNTS = (
    "det_item_fee_sumamt",
    "fulamt_ownpay_amt",
    "overlmt_selfpay",
    "preselfpay_amt",
    "inscp_amt",
)


def fen(amount: Decimal) -> int:
    """Return an amount in 分; an amount finer than a 分 is a mistake of the caller."""
    scaled = Fraction(amount) * 100
    assert scaled.denominator == 1, f"finer than a 分: {amount}"
    return scaled.numerator


def round_half_up(value: Fraction) -> int:
    """Round to a whole number, a half away from zero."""
    size = abs(value)
    whole = size.numerator // size.denominator
    if size - whole >= Fraction(1, 2):
        whole += 1
    return whole if value >= 0 else -whole


# --- which settlements and lines count -------------------------------------------------------


def valid_ids(settlements: list[Row]) -> set[str]:
    """Return the ids of the valid settlements."""
    reversed_ids = {
        (s["fixmedins_code"], s["init_setl_id"])
        for s in settlements
        if s["refd_setl_flag"] == "1" and s["init_setl_id"]
    }
    found = set()
    for s in settlements:
        if s["vali_flag"] != "1" or s["refd_setl_flag"] == "1":
            continue
        if (s["fixmedins_code"], s["setl_id"]) in reversed_ids:
            continue
        found.add(s["setl_id"])
    return found


def net_lines(lines: list[Row]) -> dict[str, list[Row]]:
    """Return the lines of each settlement after refund lines are netted into the line they name.

    A refund line (cnt < 0 with init_feedetl_sn) whose named line is not in its own settlement
    stays as it is; its amounts are negative, so it never receives a share.
    """
    by_setl: dict[str, dict[str, Row]] = defaultdict(dict)
    for line in lines:
        if not _is_refund(line):
            by_setl[line["setl_id"]][line["bkkp_sn"]] = dict(line)
    for line in lines:
        if not _is_refund(line):
            continue
        own = by_setl[line["setl_id"]]
        named = own.get(line["init_feedetl_sn"])
        if named is None or _is_refund(named):
            own[line["bkkp_sn"]] = dict(line)
            continue
        for column in ("cnt", *LINE_AMOUNTS):
            named[column] += line[column]
    return {
        setl_id: [own[sn] for sn in sorted(own) if own[sn]["cnt"] != 0] for setl_id, own in by_setl.items()
    }


def _is_refund(line: Row) -> bool:
    return bool(line["cnt"] < 0 and line["init_feedetl_sn"])


# --- (a) shares of a line --------------------------------------------------------------------


def fund_money(settlement: Row) -> Money:
    """Return what each fund pays for a settlement, account fund included, zeros left out."""
    money: Money = defaultdict(int)
    for fund in FUNDS:
        if fund.insutypes and settlement["insutype"] not in fund.insutypes:
            continue
        money[fund.code] += fen(settlement[fund.column])
    return {code: amount for code, amount in money.items() if amount != 0}


def funds_in_scope(settlement: Row) -> Money:
    """Return the fund money an audit finding can reach: the account only for pharmacies."""
    return {
        code: amount
        for code, amount in fund_money(settlement).items()
        if code != ACCOUNT_FUND or settlement["clr_type"] == PHARMACY
    }


def largest_remainder(total: int, weights: dict[str, int]) -> dict[str, int]:
    """Split `total` by weights so that the parts sum to it; tie: smaller key."""
    weights = {key: max(0, weight) for key, weight in weights.items()}
    base = sum(weights.values())
    if base == 0:
        return dict.fromkeys(weights, 0)
    exact = {key: Fraction(total * weight, base) for key, weight in weights.items()}
    parts = {key: value.numerator // value.denominator for key, value in exact.items()}
    left = total - sum(parts.values())
    by_remainder = sorted(weights, key=lambda key: (parts[key] - exact[key], key))
    for key in by_remainder[:left]:
        parts[key] += 1
    return parts


def shares(settlements: list[Row], lines: list[Row]) -> dict[tuple[str, str], Money]:
    """Return g_k(L): for each (setl_id, bkkp_sn) the fund money of that line, by fund."""
    netted = net_lines(lines)
    found: dict[tuple[str, str], Money] = defaultdict(dict)
    for s in settlements:
        own = netted.get(s["setl_id"], [])
        for code, total in funds_in_scope(s).items():
            column = "det_item_fee_sumamt" if code == ACCOUNT_FUND else "inscp_amt"
            weights = {line["bkkp_sn"]: fen(line[column]) for line in own}
            for sn, part in largest_remainder(total, weights).items():
                found[s["setl_id"], sn][code] = part
    return dict(found)


# --- (b) money of a finding ------------------------------------------------------------------


def risks(settlements: list[Row], lines: list[Row], findings: list[Row]) -> list[Money]:
    """Return the fund money at risk of each finding, by fund."""
    scope = {s["setl_id"]: funds_in_scope(s) for s in settlements}
    share = shares(settlements, lines)
    found = []
    for f in findings:
        ratio = min(Fraction(1), Fraction(f["part"]) / Fraction(f["whole"]))
        on_line = share.get((f["setl_id"], f["bkkp_sn"]), {})
        reach = scope[f["setl_id"]] if f["bkkp_sn"] is None else on_line
        only = f.get("funds")
        wanted = reach if only is None else set(only.split("|"))
        found.append({c: round_half_up(amount * ratio) for c, amount in reach.items() if c in wanted})
    return found


# --- (c) what is booked ----------------------------------------------------------------------


def counts(finding: Row) -> bool:
    """Tell whether a finding enters the preliminary deduction at all."""
    return finding["grade"] == "违规" and finding["status"] == "active" and finding["deduction"] != "D0"


def booked(findings: list[Row], amounts: list[Money]) -> list[Money]:
    """Return what each finding books, so that the same money is deducted once."""
    lines_at: dict[tuple[str, str], list[int]] = defaultdict(list)
    whole_at: dict[str, list[int]] = defaultdict(list)
    for i, f in enumerate(findings):
        if not counts(f):
            continue
        if f["bkkp_sn"] is None:
            whole_at[f["setl_id"]].append(i)
        else:
            lines_at[f["setl_id"], f["bkkp_sn"]].append(i)

    def winner(candidates: list[int]) -> int:
        return min(candidates, key=lambda i: (-sum(amounts[i].values()), findings[i]["rule_id"]))

    winners = {winner(candidates) for candidates in whole_at.values()}
    for (setl_id, _), candidates in lines_at.items():
        if setl_id not in whole_at:
            winners.add(winner(candidates))
    return [dict(amounts[i]) if i in winners else {} for i in range(len(findings))]


# --- (d) payment -----------------------------------------------------------------------------


def pay(
    claimed: int,
    deducted: int,
    ratio: Decimal,
    *,
    method_adjust: int = 0,
    quota: int | None = None,
    advance_offset: int = 0,
    prior_adjust: int = 0,
    clawback: int = 0,
) -> dict[str, int]:
    """Return one payment row in 分: every step from claimed to paid."""
    by_method = claimed - deducted + method_adjust
    deferred = 0 if quota is None else max(0, by_method - quota)
    base = by_method - deferred
    deposit = round_half_up(base * Fraction(ratio)) if base > 0 else 0
    net = base - deposit - advance_offset + prior_adjust - clawback
    return {
        "fund_appy_sum": claimed,
        "det_sumamt": deducted,
        "method_adjust_amt": method_adjust,
        "deferred_amt": deferred,
        "dpst_sumamt": deposit,
        "advance_offset_amt": advance_offset,
        "prior_adjust_amt": prior_adjust,
        "clawback_amt": clawback,
        "act_dfr_amt": max(net, 0),
        "carry_amt": max(-net, 0),
    }


def payment(
    settlements: list[Row],
    findings: list[Row],
    books: list[Money],
    ratio: Decimal,
    opening: dict[tuple[str, str], dict[str, int]] | None = None,
) -> dict[tuple[str, str], dict[str, int]]:
    """Return the payment row of each (institution, fund).

    `opening` gives, per (institution, fund), the keyword amounts of `pay` in 分. A quota or
    a method adjustment alone does not make a row: there is nothing to apply it to.
    """
    opening = opening or {}
    claimed: dict[tuple[str, str], int] = defaultdict(int)
    deducted: dict[tuple[str, str], int] = defaultdict(int)
    keys = {key for key, steps in opening.items() if set(steps) - {"quota", "method_adjust"}}
    institution = {s["setl_id"]: s["fixmedins_code"] for s in settlements}
    for s in settlements:
        keys.add((s["fixmedins_code"], BASIC_FUND[s["insutype"]]))
        for code, amount in fund_money(s).items():
            keys.add((s["fixmedins_code"], code))
            claimed[s["fixmedins_code"], code] += amount
    for f, money in zip(findings, books, strict=True):
        for code, amount in money.items():
            deducted[institution[f["setl_id"]], code] += amount
    return {
        key: pay(
            claimed[key],
            deducted[key],
            Decimal(0) if key[1] == ACCOUNT_FUND else ratio,
            **opening.get(key, {}),
        )
        for key in sorted(keys)
    }
