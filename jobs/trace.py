"""A payment traced down to its rows, and a row up to the bank: every step with who, when, by what.

Down: statement line, clearing, findings with their decisions, rules, parameters and reference versions,
fee lines and settlements. Up: findings, decision, statement line, order, the bank's answer. What is shown
under a line adds up to it, and the sums are shown. Persons are masked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from jobs import standing
from jobs.books import Month, connect
from schemas.funds import FUNDS
from settlement import masking, procedure, store
from settlement.errors import SettlementError
from settlement.query import frame
from settlement.store import batches, payments, trail

Facts = dict[str, Any]
FUND_CODES = frozenset(fund.code for fund in FUNDS)
PLUS = ("fund_appy_sum", "method_adjust_amt", "prior_adjust_amt", "carry_amt")
MINUS = ("det_sumamt", "deferred_amt", "dpst_sumamt", "advance_offset_amt", "clawback_amt")
AMOUNTS = (
    "fund_appy_sum", "det_sumamt", "method_adjust_amt", "deferred_amt", "dpst_sumamt", "advance_offset_amt",
    "prior_adjust_amt", "clawback_amt", "act_dfr_amt", "carry_amt",
)  # fmt: skip
ZERO = Decimal("0.00")
# The source of a decision on one finding is its id.
ONE = re.compile("[0-9a-f]{16}")
OF_FINDING = (
    "finding_id", "rule_id", "rule_name", "rule_digest", "grade", "setl_id", "bkkp_sn", "psn_no", "psn_name",
    "fee_ocur_time", "begndate", "enddate", "hilist_code", "hilist_name", "det_item_fee_sumamt", "vola_cont",
    "vola_cont_en", "evidence", "related", "parameters", "basis", "reply", "decision", "decision_reason",
    "reviewer", "decided_on",
)  # fmt: skip
OF_SETTLEMENT = (
    "setl_id", "psn_no", "psn_name", "insutype", "clr_type", "med_type", "begndate", "enddate", "setl_time",
)  # fmt: skip


def named(month: Month, ident: str) -> tuple[str, str] | None:
    """Return institution and fund when an id is a payment's or a bank order's; None for any other id."""
    code, _, fund = ident.partition("/")
    if fund in FUND_CODES:
        return code, fund
    with month.home.engine.connect() as db:
        rows = payments.orders(db, month.region, month.office.clr_ym)
    hit = rows.filter(pl.col("business_no") == ident)
    return (hit["fixmedins_code"][0], hit["fund_pay_type"][0]) if hit.height else None


def of_payment(month: Month, code: str, fund: str) -> Facts:
    """Trace what an institution is paid from a fund, down to settlements and fee lines.

    Raises:
        SettlementError: the institution has no statement line of that fund.
    """
    line = next((each for each in lines_of(month, code) if each["fund_pay_type"] == fund), None)
    if line is None:
        raise SettlementError(
            f"{month.region} {month.first:%Y-%m} 机构 {code} 没有基金 {fund} 的结算单。"
            "请核对机构编码与基金,或先运行 calculate。"
        )
    run = store.newest(month.home, month.region, month.first, "clearing_fund")
    cleared = store.read_kept(month.home, run, "clearing_fund")
    mine = (pl.col("fixmedins_code") == code) & (pl.col("fund_pay_type") == fund)
    clearing = cleared.filter(mine).drop("fixmedins_code", "fund_pay_type").to_dicts()
    found = _findings(month, code, fund)
    settlements = _settlements(month, code, fund)
    return {
        "kind": "payment",
        "region": month.region,
        "month": f"{month.first:%Y-%m}",
        "fixmedins_code": code,
        "fixmedins_name": month.names().get(code, ""),
        "fund_pay_type": fund,
        "line": line,
        "checks": _checks(line, clearing, found, settlements),
        "steps": steps_of(month, code),
        "clearing": clearing,
        "findings": found,
        "settlements": settlements,
        **rested_on(month, code, sorted({each["rule_id"] for each in found})),
    }


def lines_of(month: Month, code: str, funds: Sequence[str] = ()) -> list[Facts]:
    """Return the lines of an institution's statement, of some funds or all, with orders and bank results."""
    region, clr_ym = month.region, month.office.clr_ym
    with month.home.engine.connect() as db:
        rows = payments.statement_lines(db, region, clr_ym).filter(pl.col("fixmedins_code") == code)
        orders = payments.orders(db, region, clr_ym).filter(pl.col("fixmedins_code") == code)
        trails = trail.orders(db, region, clr_ym)
    people = store.users.full_names(month.home)
    names = ("business_no", "attempt", "amount", "bankacct", "day", "result", "fail_reason", "bank_day")
    lines = []
    for row in rows.drop("batch_id", "fixmedins_code").iter_rows(named=True):
        mine = orders.filter(pl.col("fund_pay_type") == row["fund_pay_type"]).select(names).to_dicts()
        for order in mine:
            facts = trails[order["business_no"]]
            order |= {**facts, "actor": people.get(facts["actor"], facts["actor"])}
            order["bankacct"] = masking.mask("bankacct", order["bankacct"])
        if not funds or row["fund_pay_type"] in funds:
            lines.append({**row, "orders": mine})
    return lines


def steps_of(month: Month, code: str) -> list[Facts]:
    """Return the steps of an institution's live batch with person, time and entry of the log."""
    with month.home.engine.connect() as db:
        mine = batches.find(db, month.region, month.office.clr_ym, codes=[code])
        rows = trail.steps(db, [b.id for b in mine if b.state != procedure.RETURNED])
    people = store.users.full_names(month.home)
    return [{**row, "actor": people.get(row["actor"], row["actor"])} for row in rows]


def _checks(line: Facts, clearing: list[Facts], found: list[Facts], settlements: list[Facts]) -> list[Facts]:
    """Hold each sum of what is shown against the line; the last attempt of an order against what is paid."""

    def total(rows: list[Facts], name: str) -> Decimal:
        return sum((row[name] for row in rows), ZERO)

    net = sum(line[n] for n in PLUS) - sum(line[n] for n in MINUS)
    pairs = [
        ("settlements", total(settlements, "fund_amt"), line["fund_appy_sum"]),
        ("cleared_claimed", total(clearing, "fund_appy_sum"), line["fund_appy_sum"]),
        ("cleared_deducted", total(clearing, "det_sumamt"), line["det_sumamt"]),
        ("findings", total(found, "final_det_sumamt"), line["det_sumamt"]),
        ("identity", net, line["act_dfr_amt"]),
    ]
    if line["orders"]:
        pairs.append(("order", line["orders"][-1]["amount"], line["act_dfr_amt"]))
    return [{"check": name, "left": a, "right": b, "ok": a == b} for name, a, b in pairs]


def _findings(month: Month, code: str, fund: str) -> list[Facts]:
    """The findings of an institution that touch a fund, with that fund's part of their money."""
    now = standing.standing(month.office)
    part = now.finding_funds.filter(pl.col("fund_pay_type") == fund)
    part = part.select("finding_id", "det_sumamt", "final_det_sumamt")
    rows = standing.details(month.office, now).filter(pl.col("fixmedins_code") == code)
    shown = rows.select(OF_FINDING).join(part, on="finding_id").sort("finding_id")
    return with_decisions(month, shown.to_dicts())


def with_decisions(month: Month, rows: list[Facts]) -> list[Facts]:
    """Give findings the entry of the log that recorded their decision, and mask whose they are."""
    with month.home.engine.connect() as db:
        entries = trail.decisions(db, month.region, month.office.clr_ym)
    people = store.users.full_names(month.home)
    by_finding = {entry["source"]: entry for entry in entries}
    by_day: dict[tuple[Any, Any], list[Facts]] = {}
    for entry in (each for each in entries if not ONE.fullmatch(each["source"])):
        by_day.setdefault((people.get(entry["actor"], entry["actor"]), entry["day"]), []).append(entry)
    told = []
    for row in rows:
        own = by_finding.get(row["finding_id"])
        of_day = [own] if own else by_day.get((row["reviewer"], row["decided_on"]), [])
        # Decisions on many at once are one entry each: all of that person's on the day.
        logged = [{name: entry[name] for name in ("log", "at", "hash")} for entry in of_day]
        told.append({**_masked(row), "decision_log": logged})
    return told


def _masked(row: Mapping[str, Any]) -> Facts:
    """A row with its person masked, also in what people wrote."""
    shown = dict(row)
    for name in ("psn_no", "psn_name"):
        if shown.get("decision_reason"):
            shown["decision_reason"] = masking.mask_text(name, row[name], shown["decision_reason"])
        shown[name] = masking.mask(name, row[name])
    return shown


def _settlements(month: Month, code: str, fund: str) -> list[Facts]:
    """The accepted settlements that moved a fund, each with what it claims of it (元, with its sign)."""
    about = next(each for each in FUNDS if each.code == fund)
    names = ", ".join(OF_SETTLEMENT)
    kinds = ", ".join(f"'{kind}'" for kind in about.insutypes)
    mine = f"AND insutype IN ({kinds})" if kinds else ""
    con = connect(month)
    try:
        rows = frame(
            con,
            f"SELECT {names}, {about.column} AS fund_amt FROM accepted_setl "
            f"WHERE fixmedins_code = $1 AND {about.column} <> 0 {mine} ORDER BY setl_id",
            [code],
        )
    finally:
        con.close()
    return [_masked(row) for row in rows.iter_rows(named=True)]


def rested_on(month: Month, code: str, rule_ids: Sequence[str]) -> Facts:
    """Return what an institution's month was computed with: runs, rules, parameters, reference versions."""
    with month.home.engine.connect() as db:
        live = [
            b for b in batches.find(db, month.region, month.office.clr_ym, codes=[code])
            if b.state != procedure.RETURNED
        ]  # fmt: skip
        frozen = payments.statements(db, month.region, month.office.clr_ym)
        settled = frozen.filter(pl.col("fixmedins_code") == code)["run_id"].to_list()
        wanted = {ident for ident in (*(b.run_id for b in live), *settled) if ident}
        runs = [r for r in store.runs(month.home, month.region, month.first) if r["id"] in wanted]
        paths = {path for run in runs for path in run["basis"]["reference"].values()}
        references = trail.references(db, month.region, paths)
    described = [
        (run, json.loads(store.kept_path(month.home, run, "run").read_text(encoding="utf-8"))) for run in runs
    ]
    first = described[0][1] if described else {"rules": {}, "parameters": []}
    rules = [_rule(month, ident, first) for ident in rule_ids]
    used = {name for rule in rules for name in rule["parameters"]}
    return {
        "rules": rules,
        "parameters": [each for each in first["parameters"] if each["name"] in used],
        "references": references,
        "runs": [_run(run, said) for run, said in described],
    }


def _rule(month: Month, ident: str, said: Facts) -> Facts:
    """A rule as the run had it: its digest then, its law, and what this program's rule of that id says."""
    rule = next((each for each in month.rules if each.rule_id == ident), None)
    then = said["rules"].get(ident, "")
    facts: Facts = {"rule_id": ident, "digest": then, "unchanged": rule is not None and rule.digest == then}
    if rule is None:
        return {**facts, "name": "", "name_en": "", "basis": [], "parameters": [], "reads": []}
    return {
        **facts,
        "name": rule.name,
        "name_en": rule.name_en,
        "basis": [f"{month.profile.sources[s]['title']} {article}" for s, article in rule.basis],
        "parameters": sorted(rule.parameters),
        "reads": sorted(rule.named & set(month.reference)),
    }


def _run(run: Facts, said: Facts) -> Facts:
    return {
        "run": run["id"],
        "stage": run["stage"],
        "ran_on": run["ran_on"],
        "fingerprint": run["fingerprint"],
        "policy": said["policy"],
        "code": said["code"]["digest"],
        "versions": said["versions"],
    }


def of_line(month: Month, code: str, rows: pl.DataFrame, funds: Sequence[str]) -> Facts:
    """Trace findings up: to their decision, the lines of the statement, the orders, the bank's answer.

    Args:
        month: the month.
        code: the institution.
        rows: findings of it, as `standing.details` gives them.
        funds: the funds whose lines are shown, empty for all.
    """
    shown = rows.select(*OF_FINDING, "det_sumamt", "final_det_sumamt").sort("finding_id").to_dicts()
    return {
        "findings": with_decisions(month, shown),
        "payments": lines_of(month, code, funds),
        "steps": steps_of(month, code),
        **rested_on(month, code, sorted(set(rows["rule_id"]))),
    }


def moved_funds(settlement: Mapping[str, Any]) -> list[str]:
    """Return the codes of the funds a settlement claims money from."""
    return [
        fund.code
        for fund in FUNDS
        if settlement[fund.column] and (not fund.insutypes or settlement["insutype"] in fund.insutypes)
    ]
