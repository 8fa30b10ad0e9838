"""The clock against the bank: an order is not a payment until the bank has paid every fund of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from jobs import monthly, paying, status
from jobs.office import Office
from settlement import procedure
from settlement.audit import cases as rule_cases
from settlement.store import payments
from tests import submissions
from tests.submissions import HEALTHY, MONTH, REGION, TODAY, valid

FUNDS = {"310100": "pooled", "310200": "account"}
LIMIT = dt.date(2026, 6, 18)


@pytest.fixture
def office(tmp_path: Path) -> submissions.Office:
    """A month with money from two funds, ordered to be paid on the day it was declared."""
    made = submissions.Office(tmp_path / "home", [HEALTHY])
    account = {
        "acctname": "医院",
        "bankacct": "990063000001",
        "bank_name": "示例银行",
        "bankcode": "990630000000",
    }
    institution = {"fixmedins_code": HEALTHY, "fixmedins_type": "1", **account}
    made.load("institution", rule_cases.reference("institution", [institution]))
    sent = valid().change("setl_d", 0, acct_pay="1.00", cash_payamt="1.00").totals()
    made.take(sent.folder(tmp_path / "in"))
    monthly.unattended(made.desk())
    return made


def on(made: submissions.Office, day: str, who: str = procedure.MACHINE) -> Office:
    return Office(made.home, REGION, MONTH, dt.date.fromisoformat(day), who)


def clock(made: submissions.Office, day: str) -> dict[str, Any]:
    there = on(made, day)
    return status.clock(made.home, REGION, there.today, there.calendar()).row(0, named=True)


def answered(made: submissions.Office, day: str, **results: str) -> None:
    """The bank says on a day what became of the orders it has not answered yet, by fund."""
    with made.home.engine.connect() as db:
        waiting = payments.orders(db, REGION).filter(pl.col("result").is_null())
    lines = ["业务号,结果,失败原因,金额,交易时间"]
    for row in waiting.iter_rows(named=True):
        if result := results.get(FUNDS[row["fund_pay_type"]]):
            lines.append(f"{row['business_no']},{result},,{row['amount']},{day} 10:00:00")
    assert len(lines) == 1 + len(results)
    target = made.home.home / f"return_{day}.csv"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    paying.take_receipt(on(made, day, "robot_finance"), target)


def shown(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["bank"], str(row["bank_day"]), row["unpaid"], row["colour"], row["deed"]


def test_from_the_order_to_the_last_transfer(office: submissions.Office) -> None:
    # 9 May is a worked Saturday, so the bank's three days are over on the 12th.
    assert shown(clock(office, "2026-05-12")) == ("waiting", str(TODAY), False, "done", "receipt")
    silent = clock(office, "2026-05-13")
    assert shown(silent) == ("waiting", str(TODAY), True, "green", "receipt")
    assert (silent["act_by"], silent["on_time"]) == (LIMIT, None)
    [step] = status.next_steps(on(office, "2026-05-13"))
    assert step.startswith(f"待办  财务岗:登记银行回单 1 家,最迟 {LIMIT}")

    answered(office, "2026-05-13", account="成功", pooled="失败")
    assert shown(clock(office, "2026-05-13")) == ("failed", "2026-05-13", True, "green", "disburse")
    assert clock(office, "2026-06-18")["colour"] == "red"
    late = clock(office, "2026-06-19")
    assert (late["overdue"], late["days_left"], late["behind"]) == (True, 0, True)  # 19 June is a day off
    assert [s.split(",")[0] for s in status.next_steps(on(office, "2026-06-19"))] == [
        "待办  财务岗:拨付 1 家"
    ]

    paying.disburse(on(office, "2026-06-17", "robot_finance"))
    assert shown(clock(office, "2026-06-19")) == ("waiting", "2026-06-17", False, "done", "receipt")
    answered(office, "2026-06-19", pooled="成功")
    paid = clock(office, "2026-06-19")
    assert shown(paid) == ("paid", "2026-06-19", False, "done", "close")
    assert (paid["paid_on"], paid["finished_on"], paid["on_time"]) == (TODAY, dt.date(2026, 6, 19), False)
    assert paying.close(on(office, "2026-06-22")).done == [HEALTHY]
    closed = clock(office, "2026-06-22")
    assert (closed["state"], closed["finished_on"], closed["on_time"]) == (
        "CLOSED",
        dt.date(2026, 6, 19),
        False,
    )


def test_one_fund_that_is_not_answered_keeps_the_batch_waiting(office: submissions.Office) -> None:
    answered(office, "2026-05-11", pooled="成功")

    assert shown(clock(office, "2026-05-13")) == ("waiting", str(TODAY), True, "green", "receipt")


def test_a_failed_transfer_counts_before_one_that_is_not_answered(office: submissions.Office) -> None:
    answered(office, "2026-05-11", pooled="失败")

    assert shown(clock(office, "2026-05-13")) == ("failed", "2026-05-11", True, "green", "disburse")


def test_the_terminal_lists_what_failed_and_the_sheet_has_it_on_top(office: submissions.Office) -> None:
    answered(office, "2026-05-11", account="失败", pooled="失败")
    there = on(office, "2026-05-12")
    watched = status.clock(office.home, REGION, there.today, there.calendar())
    words = status.watch_text(
        watched, status.forecast(watched, status.profiles(), there.calendar(), there.today), "zh"
    )

    assert "未办结 1 家" in words
    assert "已拨付(转账失败)" in words
    assert status.write_sheet(there).is_file()
