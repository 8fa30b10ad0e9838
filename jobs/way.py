"""The way a finding and its batch took: notice, answers, decisions, booking, statement, signatures, bank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from jobs.office import Office
from schemas.funds import FUND_NAMES
from settlement import masking, procedure, store
from settlement.labels import label
from settlement.reports.prepare import balances
from settlement.store import batches, books, history, payments
from settlement.store.findings import yuan

ORDER = (
    "business_no", "fund_pay_type", "attempt", "amount", "bankacct", "day", "result", "fail_reason",
    "bank_day",
)  # fmt: skip


def of_finding(
    office: Office, finding: dict[str, Any], every: pl.DataFrame, person: Mapping[str, str | None]
) -> dict[str, Any]:
    """Return what happened to a finding after the audit.

    Args:
        office: whose month.
        finding: the finding as it stands (schemas.results.Finding).
        every: all findings of the month as they stand.
        person: psn_name and psn_no of its settlement, masked in what people wrote.
    """
    code, ident = finding["fixmedins_code"], finding["finding_id"]
    with office.home.engine.connect() as db:
        found = batches.find(db, office.region, office.clr_ym, codes=[code])
        batch = next(b for b in found if b.run_id and b.state != procedure.RETURNED)
        notice = store.findings.notices(db, office.region, office.clr_ym, [code]).get(code)
        answers = history.answers(db, batch, ident)
        decisions = history.decisions(db, batch, ident)
    people = store.users.full_names(office.home)
    return {
        "notice": {"number": notice.number, "sent_on": notice.sent_on, "answer_by": notice.answer_by}
        if notice
        else None,
        "reply": finding["reply"],
        "answers": [_told(row, people, person) for row in answers],
        "decisions": [_told(row, people, person) for row in decisions],
        "booking": _booking(finding, decisions, every),
    }


def _told(row: dict[str, Any], people: Mapping[str, str], person: Mapping[str, str | None]) -> dict[str, Any]:
    """An answer or decision with the name of who gave it, and the patient masked in its words."""
    told = {**row, "actor": people.get(row["actor"], row["actor"])}
    for name in ("reason", "attachments"):
        for column, value in person.items():
            if name in told:
                told[name] = masking.mask_text(column, value, told[name])
    return told


def _booking(finding: dict[str, Any], decisions: list[dict[str, Any]], every: pl.DataFrame) -> dict[str, Any]:
    """What is deducted in the end, and by which findings instead: the same money counts once."""
    decided = decisions[-1]["final_amt"] if decisions else None
    booked = finding["final_det_sumamt"]
    instead: list[dict[str, Any]] = []
    once = finding["grade"] == "违规" and finding["det_sumamt"] < finding["risk_amt"]
    if once or booked < (decided or 0):
        line = pl.col("bkkp_sn")
        mine = line.is_null() | line.eq_missing(pl.lit(finding["bkkp_sn"], pl.String))
        there = mine & (pl.col("setl_id") == finding["setl_id"])
        booked_there = pl.col("final_det_sumamt") > 0
        others = every.filter(there & booked_there & (pl.col("finding_id") != finding["finding_id"]))
        instead = others.select("finding_id", "rule_id", "bkkp_sn", "final_det_sumamt").to_dicts()
    return {"decided_amt": decided, "booked_amt": booked, "instead": instead}


def of_institution(office: Office, code: str) -> dict[str, Any]:
    """Return how far an institution's month is: steps, statement, signatures, orders, ledger balances."""
    with office.home.engine.connect() as db:
        mine = batches.find(db, office.region, office.clr_ym, codes=[code])
        steps = history.steps(db, [b.id for b in mine])
        statement = _rows_of(code, payments.statements(db, office.region, office.clr_ym))
        signed = _rows_of(
            code,
            payments.approvals(db, office.region, office.clr_ym).with_columns(yuan("amount_fen", "amount")),
        )
        orders = _rows_of(code, payments.orders(db, office.region, office.clr_ym))
        booked = books.entries(db, office.region).filter(pl.col("fixmedins_code") == code)
    people = store.users.full_names(office.home)
    for row in (*steps, *statement, *signed):
        row["actor"] = people.get(row["actor"], row["actor"])
    for row in orders:
        row["bankacct"] = masking.mask("bankacct", row["bankacct"])
    # A refused submission has a batch of its own; the live one tells how far the month is.
    last = max(mine, key=lambda b: (b.state != procedure.RETURNED, b.id), default=None)
    frozen = ("day", "actor", "payable_amt", "carry_amt", "signatures")
    return {
        "state": last.state if last else "",
        "held": last.held if last else "",
        "steps": _only(steps, ("day", "to_state", "to_held", "actor", "reason")),
        "statement": next(iter(_only(statement, frozen)), None),
        "approvals": _only(signed, ("day", "actor", "amount", "reason")),
        "orders": _only(orders, ORDER),
        "ledger": balances(booked, office.clr_ym).drop("fixmedins_code").to_dicts(),
    }


def _only(rows: list[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in names} for row in rows]


def _rows_of(code: str, rows: pl.DataFrame) -> list[dict[str, Any]]:
    return rows.filter(pl.col("fixmedins_code") == code).to_dicts()


def finding_text(way: dict[str, Any]) -> list[str]:
    """Lay out what happened to a finding, a line each."""
    notice, booking = way["notice"], way["booking"]
    lines = (
        [f"  通知 {notice['number']}  发出 {notice['sent_on']}  反馈截止 {notice['answer_by']}"]
        if notice
        else []
    )
    lines += [
        f"  反馈 {a['day']} {a['answer']}  认可金额 {a['agreed_amt']} 元  理由 {a['reason'] or '无'}"
        f"  佐证材料 {a['attachments'] or '无'}  填报 {a['filled_by'] or '无'}  登记 {a['actor']}"
        for a in way["answers"]
    ]
    if not way["answers"] and way["reply"]:
        lines.append(f"  反馈 {way['reply']}")
    lines += [
        f"  复审 {d['day']} {d['decision']}  金额 {d['final_amt']} 元  理由 {d['reason']}"
        f"  复审人 {d['actor']}"
        for d in way["decisions"]
    ]
    if booking["decided_amt"] is not None:
        lines.append(f"  入账 {booking['booked_amt']} 元(决定 {booking['decided_amt']} 元)")
    lines += [
        f"    同一笔钱只扣一次:已由疑点 {o['finding_id']}({o['rule_id']},"
        f"{'明细 ' + o['bkkp_sn'] if o['bkkp_sn'] else '整笔结算'})入账 {o['final_det_sumamt']} 元"
        for o in booking["instead"]
    ]
    return lines


def statement_text(way: dict[str, Any]) -> list[str]:
    """Lay out how far an institution's month is, what is paid, who signed and what the bank did."""
    statement = way["statement"]
    lines = [f"  批次 {_state(way['state'], way['held'])}"] if way["state"] else []
    if statement:
        lines.append(
            f"  结算单 {statement['day']} {statement['actor']}  应付 {statement['payable_amt']} 元"
            f"  结转 {statement['carry_amt']} 元  须 {statement['signatures']} 人核准"
        )
    lines += [
        f"  核准 {a['day']} {a['actor']}  {a['amount']} 元  {a['reason']}".rstrip() for a in way["approvals"]
    ]
    return lines + [_order_text(order) for order in way["orders"]]


def steps_text(way: dict[str, Any]) -> list[str]:
    """Lay out the steps of a batch and what its ledgers hold."""
    steps = [
        f"  {s['day']} {_state(s['to_state'], s['to_held'])}  {s['actor']}  {s['reason']}".rstrip()
        for s in way["steps"]
    ]
    ledger = [
        f"  {label('book.' + b['book'], 'zh')} {FUND_NAMES[b['fund_pay_type']]}:期初 {b['opening']}"
        f" + {b['plus']} − {b['minus']} = 期末 {b['closing']} 元"
        for b in way["ledger"]
    ]
    return steps + ledger


def _order_text(order: dict[str, Any]) -> str:
    said = {
        "PAID": f"{order['bank_day']} 拨付成功",
        "FAILED": f"{order['bank_day']} 失败:{order['fail_reason']}",
    }
    return (
        f"  拨付 {order['day']} {order['business_no']}(第 {order['attempt']} 次)"
        f" {FUND_NAMES[order['fund_pay_type']]} {order['amount']} 元 至 {order['bankacct']}"
        f"  {said.get(order['result'], '银行尚未回复')}"
    )


def _state(state: str, held: str) -> str:
    word = procedure.STATES[state][0]
    return f"{word}(暂停前 {procedure.STATES[held][0]})" if held else word
