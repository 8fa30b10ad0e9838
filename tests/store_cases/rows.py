"""Rows that stay as they are, and hold what their columns say."""

from __future__ import annotations

from tests.store_cases.case import APPROVED, CLOSED, PAID, PAYER, TWICE, Case
from tests.store_world import ledger, order, result, step, submission

RESULT_AGAIN = result(CLOSED, "310100", result="FAILED")
REFUSED = submission(91, fixmedins_code="H1", status="RETURNED", current=False)
CASES = (
    Case(
        "a result replaced",
        RESULT_AGAIN.replace("INSERT", "INSERT OR REPLACE"),
        "记录已存在",
        ("pay_result_twice",),
        only="sqlite",
    ),
    Case(
        "a result replaced by its hidden row number",
        result(PAID, "310100", rowid=1).replace("INSERT", "INSERT OR REPLACE"),
        "记录已存在",
        ("pay_result_twice",),
        lawful=(result(PAID, "310100"),),
        only="sqlite",
    ),
    Case(
        "a user replaced by a hidden row number",
        "UPDATE OR REPLACE app_user SET rowid = 1 WHERE rowid = 2",
        "记录不得删除",
        ("app_user_row",),
        only="sqlite",
    ),
    Case(
        "a role replaced by a hidden row number",
        "UPDATE OR REPLACE user_role SET rowid = 1 WHERE rowid = 2",
        "记录不得删除",
        ("user_role_row",),
        only="sqlite",
    ),
    Case(
        "a result replaced by upsert",
        f"{RESULT_AGAIN} ON CONFLICT (business_no) DO UPDATE SET result = 'FAILED'",
        "记录已存在|记录不得修改",
        ("pay_result_twice", "pay_result_update"),
    ),
    Case(
        "a submission with another digest",
        "UPDATE submission SET digest = 'x' WHERE id = 1",
        "申报记录只可",
        ("submission_facts",),
        lawful=("UPDATE submission SET current = false WHERE id = 1",),
    ),
    Case(
        "a submission taken away",
        "DELETE FROM submission WHERE id = 1",
        "记录不得删除",
        ("submission_delete",),
    ),
    Case(
        "a submission twice",
        submission(92, fixmedins_code="H1", digest="d91", current=False),
        f"{TWICE}|同一申报只有",
        before=(REFUSED,),
    ),
    Case(
        "an accepted submission taken in again",
        submission(90, fixmedins_code="H1", digest="d1", current=False, attempt=2),
        "同一申报只有在不予受理后",
        ("submission_attempt",),
        (REFUSED,),
        (submission(92, fixmedins_code="H1", digest="d91", current=False, attempt=2),),
    ),
    *(
        Case(
            f"a refused submission taken in for the time {attempt}",
            submission(92, fixmedins_code="H1", digest="d91", current=False, attempt=attempt),
            "同一申报只有在不予受理后",
            ("submission_attempt",),
            (REFUSED,),
        )
        for attempt in (0, 3)
    ),
    Case(
        "two submissions that count",
        submission(90, fixmedins_code="H1"),
        "记录已存在|one_current_submission",
        lawful=("UPDATE submission SET current = false WHERE id = 1", submission(90, fixmedins_code="H1")),
    ),
    Case(
        "a submission that counts replaced",
        submission(90, fixmedins_code="H1").replace("INSERT", "INSERT OR REPLACE"),
        "记录已存在",
        ("one_current_submission_insert",),
        only="sqlite",
    ),
    Case(
        "a submission that counts again replaces another",
        "UPDATE OR REPLACE submission SET current = true WHERE id = 90",
        "记录已存在",
        ("one_current_submission_update",),
        (submission(90, fixmedins_code="H1", current=False),),
        only="sqlite",
    ),
    Case(
        "text for money",
        order(APPROVED, "310100", amount_fen="much"),
        "类型或日期不符|order_of_the_statement",
        ("pay_order_types_insert", "order_of_the_statement_insert"),
        PAYER,
        only="sqlite",
    ),
    Case(
        "half a 分",
        ledger(3, 5000, 0).replace("5000, 0, 0, 5000", "5000, 0.5, 0, 5000.5"),
        "类型或日期不符",
        ("ledger_types_insert",),
        lawful=(ledger(3, 5000, 0),),
        only="sqlite",
    ),
    Case(
        "a day that is none",
        step("DECLARED", "ACCEPTED", day="2026-06-31"),
        "类型或日期不符",
        ("transition_types_insert",),
        only="sqlite",
    ),
    Case(
        "a time for a day",
        step("DECLARED", "ACCEPTED", day="2026-05-05 10:00"),
        "类型或日期不符",
        ("transition_types_insert",),
        only="sqlite",
    ),
)
