"""What a case is, and what several of them start from."""

from __future__ import annotations

from dataclasses import dataclass

from tests.store_world import (
    FUNDS,
    LIMITS,
    B,
    approval,
    decision,
    duty,
    order,
    payee,
    result,
)

TWICE = "记录已存在|duplicate key"


@dataclass(frozen=True)
class Case:
    """Something forbidden.

    Attributes:
        name: what it is.
        act: the statement that must fail.
        words: what the refusal says, as a pattern.
        kept_by: what refuses it.
        before: lawful statements that come first.
        lawful: its lawful neighbour, which succeeds after `before`.
        only: the one database it can be written for.
    """

    name: str
    act: str
    words: str
    kept_by: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    lawful: tuple[str, ...] = ()
    only: str = ""


def back(name: str, act: str, before: tuple[str, ...], lawful: str, table: str) -> Case:
    words = "日期早于该批次的上一步"
    return Case(f"{name} dated before the last step", act, words, (f"{table}_not_back",), before, (lawful,))


DECLARED, ACCEPTED, PRELIM, FEEDBACK = (B[s] for s in ("DECLARED", "ACCEPTED", "PRELIM", "FEEDBACK"))
REVIEW, SETTLED, APPROVED, PAID, CLOSED = (B[s] for s in ("REVIEW", "SETTLED", "APPROVED", "PAID", "CLOSED"))
SECOND = duty(REVIEW, "second", "second_review")
DECIDED = (SECOND, *(decision(REVIEW, f) for f in LIMITS))
LEADERS = (duty(SETTLED, "boss", "leader"), duty(SETTLED, "deputy", "leader"))
SIGNED = (*LEADERS, approval(SETTLED, "boss"), approval(SETTLED, "deputy"))
PAYER = (duty(APPROVED, "payer", "finance"), payee(APPROVED))
ORDERED = (*PAYER, *(order(APPROVED, fund) for fund in FUNDS))
FAILED = result(PAID, "310100", result="FAILED")
