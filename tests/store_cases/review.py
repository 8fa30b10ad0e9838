"""Decisions, samples, and when review is done."""

from __future__ import annotations

from tests.store_cases.case import DECIDED, FEEDBACK, REVIEW, SECOND, SETTLED, TWICE, Case, back
from tests.store_world import (
    OTHER_AUDIT,
    B,
    day,
    decision,
    duty,
    line,
    sample,
    settled,
    statement,
    step,
)

CASES = (
    Case(
        "a decision above the limit",
        decision(REVIEW, "F1", outcome="部分维持", final_fen=10001),
        "decision_amount",
        ("check",),
        (SECOND,),
        (decision(REVIEW, "F1", outcome="部分维持", final_fen=9999),),
    ),
    Case(
        "a decision above the limit with another limit",
        decision(REVIEW, "F1", final_fen=10001, limit_fen=10001),
        "decision_on_a_finding",
        ("decision_on_a_finding_insert",),
        (SECOND,),
        (decision(REVIEW, "F1"),),
    ),
    Case(
        "a decision without a reason",
        decision(REVIEW, "F1", reason=""),
        "decision_reason",
        ("check",),
        (SECOND,),
        (decision(REVIEW, "F1", reason="r"),),
    ),
    Case(
        "a decision with a blank reason",
        decision(REVIEW, "F1", reason="  "),
        "decision_reason",
        ("check",),
        (SECOND,),
    ),
    *(
        Case(
            f"{outcome} with {final} 分 of 10000",
            decision(REVIEW, "F1", outcome=outcome, final_fen=final),
            "decision_amount",
            ("check",),
            (SECOND,),
        )
        for outcome, final in (
            ("维持", 9999),
            ("维持", 0),
            ("部分维持", 10000),
            ("部分维持", 0),
            ("撤销", 1),
            ("部分维持", -1),
            ("同意", 0),
        )
    ),
    Case(
        "a decision during feedback",
        decision(FEEDBACK, "F1"),
        "只有复审中的批次可以作出决定",
        ("decision_open",),
        (duty(FEEDBACK, "second", "second_review"),),
    ),
    Case(
        "a decision on hold",
        decision(B["HOLD REVIEW"], "F1", day=day(6)),
        "只有复审中的批次可以作出决定",
        ("decision_open",),
        (duty(B["HOLD REVIEW"], "second", "second_review"),),
    ),
    Case(
        "a decision after settling",
        decision(SETTLED, "F1", turn=2, day=day(6)),
        "只有复审中|已出结算单",
        ("decision_open", "decision_before_statement"),
    ),
    Case(
        "a decision once the statement is there",
        decision(REVIEW, "F1", turn=2),
        "已出结算单",
        ("decision_before_statement",),
        (*DECIDED, statement(REVIEW)),
    ),
    Case(
        "a decision out of turn",
        decision(REVIEW, "F1", turn=2),
        "决定次序不连续",
        ("decision_turn",),
        (SECOND,),
        (decision(REVIEW, "F1"), decision(REVIEW, "F1", turn=2)),
    ),
    Case("a decision over another", decision(REVIEW, "F1"), f"{TWICE}|决定次序不连续", before=DECIDED),
    Case(
        "a decision on a finding of another batch",
        decision(REVIEW, "F1", finding_id="F9"),
        "decision_on_a_finding",
        ("decision_on_a_finding_insert",),
        (SECOND,),
    ),
    Case(
        "a decision on another run",
        decision(REVIEW, "F1", run_id=OTHER_AUDIT),
        "decision_on_a_finding|decision_after_notice",
        ("decision_on_a_finding_insert", "decision_after_notice_insert"),
        (SECOND,),
    ),
    Case(
        "a decision by the first reviewer",
        decision(REVIEW, "F1", actor="first"),
        "decision_by_the_second_reviewer",
        ("decision_by_the_second_reviewer_insert",),
        (SECOND,),
    ),
    Case(
        "a decision under the duty of first review",
        decision(REVIEW, "F1", actor="first", duty="first_review"),
        "decision_duty",
        ("check",),
        (SECOND,),
    ),
    back("a decision", decision(REVIEW, "F1", day=day(4)), (SECOND,), decision(REVIEW, "F1"), "decision"),
    Case("a sample looked at twice", sample(REVIEW), TWICE),
    Case(
        "a sample without an outcome", sample(REVIEW, setl_id="S2", outcome=""), "sample_outcome", ("check",)
    ),
    Case(
        "settled without a statement",
        step("REVIEW", "SETTLED"),
        "复审尚未完成|结算单合计",
        ("to_settled", "to_settled_sums"),
        DECIDED,
        (*settled(REVIEW), step("REVIEW", "SETTLED")),
    ),
    Case(
        "settled with a finding undecided",
        step("REVIEW", "SETTLED"),
        "复审尚未完成",
        ("to_settled",),
        (SECOND, decision(REVIEW, "F1"), *settled(REVIEW)),
    ),
    Case(
        "settled with a sum that is not that of its funds",
        step("REVIEW", "SETTLED"),
        "结算单合计与各基金不符",
        ("to_settled_sums",),
        (*DECIDED, statement(REVIEW), line(REVIEW, "310100")),
        (line(REVIEW, "390100"), step("REVIEW", "SETTLED")),
    ),
    Case(
        "settled with more deducted than decided",
        step("REVIEW", "SETTLED"),
        "扣款超过复审决定",
        ("to_settled_deductions",),
        (
            SECOND,
            decision(REVIEW, "F1", outcome="部分维持", final_fen=9999),
            decision(REVIEW, "F2"),
            *settled(REVIEW),
        ),
    ),
    Case(
        "settled with more deducted than last decided",
        step("REVIEW", "SETTLED"),
        "扣款超过复审决定",
        ("to_settled_deductions",),
        (*DECIDED, decision(REVIEW, "F1", turn=2, outcome="撤销", final_fen=0), *settled(REVIEW)),
    ),
)
