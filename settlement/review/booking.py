"""What reviewed findings are booked at: every 分 of a line or settlement once, split over its funds.

The same meaning as the first audit's (`settlement.audit.shares`): per line the largest amount is
booked, a whole-settlement finding instead of its lines'. What differs is only whose money it is: not
the risk of every 违规 but what the reviewer upheld, of 可疑 too.
"""

from __future__ import annotations

import polars as pl

from schemas.layout import table
from schemas.results import Finding, FindingFund
from settlement.errors import InvariantBroken
from settlement.review.deciding import VIOLATION, misfit

# Amount x amount in 分 outgrows 64 bits from about 30 million 元 on.
FEN = pl.Int128()
WHOLE_OR_LINE = ("setl_id", "bkkp_sn")


def book(
    findings: pl.DataFrame, finding_funds: pl.DataFrame, decisions: pl.DataFrame, risk_funds: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Enter decisions into the findings and work out what each one finally deducts.

    Per line, and per whole settlement, the largest upheld amount is booked; equal amounts go to 违规
    before 可疑, then to the smaller rule id. A whole-settlement finding upheld above zero is booked
    instead of its lines'. All others end at 0, their decision stays. Without a decision a 违规
    stands at its preliminary amount and a 可疑 at 0. A finding's amount is spread over its funds in
    proportion to its money at risk in each, in 分 by largest remainder (tie: smaller fund code).

    Args:
        findings: schema of `findings`; the first audit's amounts in 元.
        finding_funds: schema of `finding_funds`; one row per finding and fund with money at risk.
        decisions: at most one row per finding: finding_id, decision, final_amt (元, what is upheld).
        risk_funds: finding_id, fund_pay_type, risk_amt (元).

    Returns:
        `findings` with decision and final_det_sumamt, `finding_funds` with final_det_sumamt.

    Raises:
        InvariantBroken: a decision on an unknown finding, two on one, an amount that does not fit its
            outcome or limit, or money at risk by fund that does not cover a booked amount.

    Source: 实施细则 (令7号) art 35, exact per record, then summed.
    """
    _check(findings, decisions)
    entered = _entered(findings, decisions)
    booked = _once(entered)
    split = _split(booked, risk_funds)
    _check_sums(booked, split.join(finding_funds, on=["finding_id", "fund_pay_type"], how="semi"))
    final = entered.join(booked, on="finding_id", how="left", maintain_order="left")
    funds = finding_funds.join(split, on=["finding_id", "fund_pay_type"], how="left", maintain_order="left")
    money = _yuan("booked_fen").alias("final_det_sumamt")
    return (
        final.with_columns(money).select(pl.col(n).cast(t) for n, t in table(Finding).schema.items()),
        funds.with_columns(money).select(pl.col(n).cast(t) for n, t in table(FindingFund).schema.items()),
    )


def limit() -> pl.Expr:
    """What a finding can cost at most: its preliminary deduction, or for 可疑 the money at risk.

    What a trial rule found costs nothing; its preliminary deduction is 0.
    """
    settled = (pl.col("grade") == VIOLATION) | (pl.col("rule_status") == "trial")
    return pl.when(settled).then("det_sumamt").otherwise("risk_amt").alias("limit_amt")


def _check(findings: pl.DataFrame, decisions: pl.DataFrame) -> None:
    """Refuse decisions that could not have been taken."""
    twice = decisions.filter(pl.col("finding_id").is_duplicated())
    if not twice.is_empty():
        raise InvariantBroken(f"疑点 {twice['finding_id'][0]} 有 {twice.height} 条复审意见,只能有一条。")
    unknown = decisions.join(findings, on="finding_id", how="anti")
    if not unknown.is_empty():
        raise InvariantBroken(
            f"{unknown.height} 条复审意见没有对应的疑点,首个疑点号 {unknown['finding_id'][0]}。"
        )
    limits = findings.select("finding_id", limit())
    wrong = decisions.join(limits, on="finding_id").filter(misfit().is_not_null())
    if not wrong.is_empty():
        row = wrong.row(0, named=True)
        raise InvariantBroken(
            f"疑点 {row['finding_id']} 的复审意见“{row['decision']}”金额 {row['final_amt']} 元,"
            f"与上限 {row['limit_amt']} 元不符(共 {wrong.height} 条)。请先改正复审意见再结算。"
        )


def _entered(findings: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the findings with their decision and `upheld_fen`, what it would cost on its own."""
    taken = decisions.select("finding_id", pl.col("decision").alias("taken"), _fen("final_amt").alias("fen"))
    undecided = pl.when(pl.col("grade") == VIOLATION).then(_fen("det_sumamt")).otherwise(0)
    return findings.join(taken, on="finding_id", how="left", maintain_order="left").with_columns(
        decision=pl.col("taken").fill_null(""), upheld_fen=pl.coalesce("fen", undecided)
    )


def _once(entered: pl.DataFrame) -> pl.DataFrame:
    """Return what is booked, each 分 once: finding_id, booked_fen above zero."""
    whole = pl.col("bkkp_sn").is_null()
    return (
        entered.lazy()
        .filter(pl.col("upheld_fen") > 0)
        .select(*WHOLE_OR_LINE, "finding_id", "rule_id", "grade", "upheld_fen")
        .sort(
            "upheld_fen",
            pl.col("grade") != VIOLATION,
            "rule_id",
            "finding_id",
            descending=[True, False, False, False],
        )
        .unique(WHOLE_OR_LINE, keep="first", maintain_order=True)
        .filter(whole | ~whole.any().over("setl_id"))
        .select("finding_id", pl.col("upheld_fen").alias("booked_fen"))
        .collect()
    )


def _split(booked: pl.DataFrame, risk_funds: pl.DataFrame) -> pl.DataFrame:
    """Return the booked amounts by fund: finding_id, fund_pay_type, booked_fen."""
    wide, weight = pl.col("booked_fen").cast(FEN), pl.col("weight")
    by_finding = "finding_id"
    return (
        risk_funds.lazy()
        .select(by_finding, "fund_pay_type", _fen("risk_amt").cast(FEN).alias("weight"))
        .filter(weight > 0)
        .join(booked.lazy(), on=by_finding)
        .with_columns(total=weight.sum().over(by_finding))
        .with_columns(base=wide * weight // pl.col("total"), rest=wide * weight % pl.col("total"))
        .sort(by_finding, "rest", "fund_pay_type", descending=[False, True, False])
        .with_columns(
            left_over=wide - pl.col("base").sum().over(by_finding),
            place=pl.int_range(pl.len()).over(by_finding),
        )
        .select(
            by_finding,
            "fund_pay_type",
            (pl.col("base") + (pl.col("place") < pl.col("left_over")).cast(FEN))
            .cast(pl.Int64)
            .alias("booked_fen"),
        )
        .collect()
    )


def _check_sums(booked: pl.DataFrame, split: pl.DataFrame) -> None:
    """Hold the funds against their finding before anything is entered."""
    sums = split.group_by("finding_id").agg(pl.col("booked_fen").sum().alias("funds"))
    off = booked.join(sums, on="finding_id", how="left").filter(
        pl.col("booked_fen") != pl.col("funds").fill_null(0)
    )
    if not off.is_empty():
        row = off.sort("finding_id").row(0, named=True)
        raise InvariantBroken(
            f"疑点 {row['finding_id']} 入账 {row['booked_fen']} 分,分基金合计 {row['funds'] or 0} 分"
            f"(共 {off.height} 条)。请核对该疑点的分基金涉及金额。"
        )


def _fen(column: str) -> pl.Expr:
    return (pl.col(column) * 100).cast(pl.Int64)


def _yuan(column: str) -> pl.Expr:
    hundredth = pl.lit("0.01").cast(pl.Decimal(3, 2))
    return pl.col(column).fill_null(0).cast(pl.Decimal(16, 0)) * hundredth
