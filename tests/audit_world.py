"""Three months of three made-up institutions: two settled by robots, the last by people who wrote something.

February: H1 40, H2 20 settlements. March: H1 60, H2 21. April: H1 58, H3 40; H2 sent nothing. Every fifth
settlement has a prescription for too many days. Person n is the same in every month and institution.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from decimal import Decimal
from pathlib import Path

import polars as pl

from jobs import auditing, monthly, paying, replying, reviewing, settling
from jobs.office import Office as Desk
from settlement import procedure, store
from settlement.audit import cases as rule_cases
from settlement.store.users import User
from tests import submissions
from tests.submissions import Office, Sent

FEBRUARY, MARCH, APRIL = (dt.date(2026, n, 1) for n in (2, 3, 4))
H1, H2, H3 = "H13100000001", "H13100000002", "H13100000003"
SENT = {
    FEBRUARY: ((H1, 40), (H2, 20)),
    MARCH: ((H1, 60), (H2, 21)),
    APRIL: ((H1, 58), (H3, 40)),
}
PEOPLE = {
    "he": procedure.RECEPTION, "li": procedure.FIRST_REVIEW, "wang": procedure.SECOND_REVIEW,
    "zhao": procedure.SETTLEMENT, "chen": procedure.LEADER, "sun": procedure.FINANCE,
    "ma": procedure.AUDITOR,
}  # fmt: skip
PAYER = {"fund_pay_type": "310100", "payer_acct": "990013100031", "payer_name": "测试基金专户"}
LATE = dt.date(2026, 7, 15)
EXCUSE = "{name}(证件号{certno})病情稳定,经家属要求延长处方"
REASON = "已核对 {name} 的病历,人员编号 {psn_no},理由成立"


def account(code: str) -> dict[str, str]:
    """An institution with the account it is paid to."""
    name = f"测试医院{code[-1]}"
    bank = {"bank_name": "测试银行", "bankcode": "102146000013"}
    return {"fixmedins_code": code, "fixmedins_name": name, "fixmedins_type": "1", "acctname": name,
            "bankacct": f"62220000000{code[-4:]}", **bank}  # fmt: skip


def person(number: int) -> dict[str, str]:
    """A made-up person."""
    name = "测" + chr(0x4E00 + 7 * number) + chr(0x5500 + 11 * number)
    return {"psn_no": f"PSN{number:06d}", "psn_name": name, "certno": f"99000019800101{number:04d}"}


def month(first: dt.date, code: str, settlements: int) -> Sent:
    """A month of one institution; ids name institution and month."""
    sent = dataclasses.replace(submissions.valid(code, settlements), clr_ym=f"{first:%Y%m}")
    lines = len(sent.rows["fee_list_d"]) // settlements
    for number, row in enumerate(sent.rows["setl_d"]):
        ident, day = f"{code[-2:]}{first:%m}S{number:04d}", first.replace(day=1 + number % 25)
        who = person(number + int(code[-1]) * 20)
        at = {"begndate": str(day), "enddate": str(day), "setl_time": f"{day} 10:00:00"}
        sent.change("setl_d", number, setl_id=ident, mdtrt_id=f"M{ident}", brdy="1980-01-01", **at, **who)
        for line in range(number * lines, (number + 1) * lines):
            sent.change(
                "fee_list_d", line, setl_id=ident, mdtrt_id=f"M{ident}", fee_ocur_time=f"{day} 09:00:00"
            )
        if number % 5 == 0:
            sent.change("fee_list_d", number * lines, list_type="101", prd_days="9", hilist_code="XD001")
        assert row["setl_id"] == ident
    return submissions.with_diagnoses(sent.totals())


def built(folder: Path, last: dt.date = APRIL) -> Office:
    """Build the world up to a month; April ends with the bank files written."""
    office = Office(folder / "home", [H1, H2, H3])
    office.load("institution", rule_cases.reference("institution", [account(code) for code in (H1, H2, H3)]))
    office.load("fund_account", rule_cases.reference("fund_account", [PAYER]))
    people = store.Act("root", "user", submissions.TODAY)
    store.users.add(office.home, people, User("root", "管理员", (procedure.ADMIN,)))
    for name, role in PEOPLE.items():
        store.users.add(office.home, people, User(name, f"{name}同志", (role,)))
    for first, sent in SENT.items():
        if first <= last:
            parts = [month(first, *one).folder(folder / f"{first:%m}") for one in sent]
            taken = office.take(*parts, month=first)
            assert {t.outcome for t in taken.values()} == {"已受理"}, taken
            if first < APRIL:
                monthly.unattended(office.desk(first))
            else:
                by_people(office.desk(first))
    return office


def by_people(desk: Desk) -> None:
    """Take April through by people; the first finding of H1 is disputed and withdrawn, the second halved."""
    auditing.run_audit(desk.by("li"))
    replying.notify(desk.by("li"))
    form = desk.home.month_folder(desk.region, desk.first) / "institutions" / H1 / "05_申诉表.csv"
    replying.reply(desk.by("he"), [_filled(form, desk)])
    later = dataclasses.replace(desk, today=dt.date(2026, 5, 20))
    replying.close_feedback(later.by("wang"))
    first, second = reviewing.worklist_of(later).filter(pl.col("fixmedins_code") == H1).sort(
        "setl_id"
    ).head(2).to_dicts()  # fmt: skip
    who = {name: first[name] for name in ("psn_name", "psn_no")}
    reason = REASON.format(name=who["psn_name"], psn_no=who["psn_no"])
    reviewing.decide(later.by("wang"), first["finding_id"], procedure.WITHDRAWN, None, reason)
    half = (second["limit_amt"] / 2).quantize(Decimal("0.01"))
    reviewing.decide(later.by("wang"), second["finding_id"], procedure.PARTLY_UPHELD, half, "减半")
    reviewing.finish(later.by("wang"))
    settling.calculate(later.by("zhao"))
    settling.approve(later.by("chen"))
    paying.disburse(later.by("sun"))


def _filled(form: Path, desk: Desk) -> Path:
    """The form with the first row disputed, naming the patient."""
    [head, *rows] = csv.reader(io.StringIO(form.read_text(encoding="utf-8-sig")))
    settlements = store.read_table(desk.home, desk.region, desk.first, "settlements")
    rows.sort(key=lambda row: row[head.index("结算ID")])
    about = settlements.filter(pl.col("setl_id") == rows[0][head.index("结算ID")]).to_dicts()[0]
    rows[0][head.index("机构意见")] = procedure.DISPUTED
    rows[0][head.index("申诉理由")] = EXCUSE.format(name=about["psn_name"], certno=about["certno"])
    out = io.StringIO()
    csv.writer(out).writerows([head, *rows])
    filled = form.with_name("答复.csv")
    filled.write_text(out.getvalue(), encoding="utf-8-sig")
    return filled
