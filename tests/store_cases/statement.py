"""Statements and approvals."""

from __future__ import annotations

from tests.store_cases.case import APPROVED, FEEDBACK, LEADERS, REVIEW, SETTLED, SIGNED, TWICE, Case, back
from tests.store_world import approval, day, duty, line, settled, statement, step

CASES = (
    Case("a second statement", statement(REVIEW, payable_fen=1), TWICE, before=(statement(REVIEW),)),
    Case(
        "a statement during feedback",
        statement(FEEDBACK),
        "只有复审中的批次可以结算",
        ("statement_open",),
        lawful=(statement(REVIEW),),
    ),
    Case(
        "a line more after settling",
        line(SETTLED, "390100", fund_pay_type="320100"),
        "只有复审中的批次可以结算",
        ("statement_line_open",),
    ),
    Case(
        "a line without a statement",
        line(REVIEW, "390100"),
        "statement_line_batch_id_fkey",
        ("statement_line_batch_id_fkey_insert",),
        lawful=(statement(REVIEW), line(REVIEW, "390100")),
    ),
    *(
        Case(
            f"a statement whose identity fails by 1 分 of {part}",
            line(REVIEW, "390100", **{part: 1}),
            "statement_identity",
            ("check",),
            (statement(REVIEW),),
        )
        for part in (
            "det_fen",
            "method_adjust_fen",
            "deferred_fen",
            "dpst_fen",
            "advance_offset_fen",
            "prior_adjust_fen",
            "clawback_fen",
        )
    ),
    Case(
        "a line that pays and carries",
        line(REVIEW, "390100", carry_fen=1, clawback_fen=1),
        "statement_signs",
        ("check",),
        (statement(REVIEW),),
        (line(REVIEW, "390100", act_dfr_fen=49999, clawback_fen=1),),
    ),
    Case(
        "a line that pays less than nothing",
        line(REVIEW, "390100", act_dfr_fen=-1, clawback_fen=50001),
        "statement_signs",
        ("check",),
        (statement(REVIEW),),
        (line(REVIEW, "390100", act_dfr_fen=0, clawback_fen=50001, carry_fen=1),),
    ),
    Case("a statement nobody need sign", statement(REVIEW, signatures=0), "statement_signatures", ("check",)),
    back("a statement", statement(REVIEW, day=day(4)), (), statement(REVIEW), "statement"),
    Case(
        "approved by one leader when two are needed",
        step("SETTLED", "APPROVED"),
        "核准签字不足",
        ("to_approved",),
        SIGNED[:-1],
        (SIGNED[-1], step("SETTLED", "APPROVED")),
    ),
    Case("one leader signs twice", approval(SETTLED, "boss", reason="again"), TWICE, before=SIGNED),
    Case(
        "approval of another amount",
        approval(SETTLED, "boss", amount_fen=135501),
        "approval_of_the_amount",
        ("approval_of_the_amount_insert",),
        LEADERS,
        (approval(SETTLED, "boss"),),
    ),
    Case(
        "approval before settling",
        approval(REVIEW, "boss"),
        "只有已结算的批次可以核准",
        ("approval_open",),
        (*settled(REVIEW), duty(REVIEW, "boss", "leader")),
    ),
    Case(
        "approval once approved",
        approval(APPROVED, "many"),
        "只有已结算的批次可以核准",
        ("approval_open",),
        (duty(APPROVED, "many", "leader"),),
    ),
    Case(
        "approval by the second reviewer",
        approval(SETTLED, "second"),
        "approval_by_a_leader",
        ("approval_by_a_leader_insert",),
    ),
    Case(
        "approval under another duty",
        approval(SETTLED, "second", duty="second_review"),
        "approval_duty",
        ("check",),
    ),
    back("approval", approval(SETTLED, "boss", day=day(5)), LEADERS, approval(SETTLED, "boss"), "approval"),
    Case(
        "a positive amount carried", step("APPROVED", "CARRIED"), "有应付金额的批次不得结转", ("to_carried",)
    ),
)
