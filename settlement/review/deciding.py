"""Decisions on findings: what one may say, and those taken for many findings at once.

A decision names an outcome and the amount upheld. The most a finding can cost is its `limit_amt`:
nothing decided here or read from a workbook is ever cut down to it, what does not fit is refused.
"""

from __future__ import annotations

import polars as pl

from settlement.errors import ProcedureError
from settlement.labels import label
from settlement.procedure import AGREED, PARTLY_UPHELD, UPHELD, WITHDRAWN

MONEY = pl.Decimal(16, 2)
VIOLATION, SUSPECT = "违规", "可疑"
ABOVE_LIMIT, NOT_FITTING = "D04", "D05"
_ZERO = pl.lit("0.00").cast(MONEY)


def misfit(decision: str = "decision", final: str = "final_amt", limit: str = "limit_amt") -> pl.Expr:
    """Return what is wrong with a decision's amount, null when nothing is.

    维持 is the whole limit, 撤销 is nothing, 部分维持 lies between and is neither.

    Returns:
        `D04` above the limit, `D05` not fitting the outcome (or missing).
    """
    outcome, amount, most = pl.col(decision), pl.col(final), pl.col(limit)
    fits = (
        pl.when(outcome == UPHELD)
        .then(amount == most)
        .when(outcome == PARTLY_UPHELD)
        .then((amount > 0) & (amount < most))
        .otherwise((outcome == WITHDRAWN) & (amount == 0))
        .fill_null(value=False)
    )
    above = pl.when(amount > most).then(pl.lit(ABOVE_LIMIT))
    return pl.when(~fits).then(above.otherwise(pl.lit(NOT_FITTING)))


def uncontested(sent: pl.DataFrame, replies: pl.DataFrame) -> pl.DataFrame:
    """Uphold the 违规 that the institution agreed to or did not answer in time.

    Args:
        sent: findings as sent: finding_id, grade, limit_amt (元).
        replies: the answers that stand, one row per finding answered: finding_id, answer.

    Returns:
        finding_id, decision, final_amt (元), reason. 部分认可 and 不认可 are contested and not among them.

    Source: 医疗保障基金使用监督管理条例 art 13 (the right to state and defend).
    """
    answers = replies.select("finding_id", "answer")
    mine = sent.filter(pl.col("grade") == VIOLATION).join(
        answers, on="finding_id", how="left", maintain_order="left"
    )
    agreed, silent = pl.col("answer") == AGREED, pl.col("answer").is_null()
    reason = (
        pl.when(agreed)
        .then(pl.lit(label("review.agreed", "zh")))
        .otherwise(pl.lit(label("review.silent", "zh")))
    )
    return _decided(mine.filter(agreed | silent), pl.lit(UPHELD), reason)


def bulk(
    sent: pl.DataFrame,
    outcome: str,
    reason: str,
    *,
    rule_id: str | None = None,
    grade: str | None = None,
    fixmedins_code: str | None = None,
) -> pl.DataFrame:
    """Decide all findings of a rule, a grade or an institution alike.

    Args:
        sent: findings as sent: finding_id, rule_id, grade, fixmedins_code, limit_amt (元).
        outcome: 维持 or 撤销; a part is decided finding by finding.
        reason: what stands in every decision.
        rule_id: only this rule's.
        grade: only 违规 or only 可疑.
        fixmedins_code: only this institution's.

    Returns:
        finding_id, decision, final_amt (元), reason.

    Raises:
        ProcedureError: another outcome, no reason, or no filter at all.
    """
    if outcome not in (UPHELD, WITHDRAWN):
        raise ProcedureError(
            f"批量复审只能 {UPHELD} 或 {WITHDRAWN},不能是“{outcome}”;{PARTLY_UPHELD} 请逐条填写复审工作表。"
        )
    if not reason.strip():
        raise ProcedureError("批量复审没有写理由。请写明理由后重试,理由会写入每一条复审意见。")
    wanted = {"rule_id": rule_id, "grade": grade, "fixmedins_code": fixmedins_code}
    chosen = [pl.col(name) == value for name, value in wanted.items() if value is not None]
    if not chosen:
        raise ProcedureError("批量复审没有给出范围。请至少指定规则、等级、机构中的一项。")
    return _decided(sent.filter(chosen), pl.lit(outcome), pl.lit(reason.strip()))


def robot(sent: pl.DataFrame) -> pl.DataFrame:
    """Decide as the robot reviewer of an unattended month does: 违规 upheld, 可疑 withdrawn.

    Args:
        sent: findings as sent: finding_id, grade, limit_amt (元).

    Returns:
        finding_id, decision, final_amt (元), reason.
    """
    outcome = pl.when(pl.col("grade") == VIOLATION).then(pl.lit(UPHELD)).otherwise(pl.lit(WITHDRAWN))
    return _decided(sent, outcome, pl.lit(label("review.robot", "zh")))


def _decided(chosen: pl.DataFrame, outcome: pl.Expr, reason: pl.Expr) -> pl.DataFrame:
    amount = pl.when(pl.col("decision") == UPHELD).then(pl.col("limit_amt")).otherwise(_ZERO)
    return chosen.with_columns(decision=outcome, reason=reason).select(
        "finding_id", "decision", amount.cast(MONEY).alias("final_amt"), "reason"
    )
